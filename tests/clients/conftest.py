"""What the tests of the TypeScript client share."""

from __future__ import annotations

import pytest

from rig.typescript_client import Package


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The client and its tests, built."""
    return Package.copied_to(tmp_path_factory.mktemp("typescript"))
