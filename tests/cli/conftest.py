"""One migrated database for all commands that tolerate data of other tests; each test has its own tenant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rig.commands import new_group


@pytest.fixture(scope="session")
def url(migrated_database: Callable[[], str]) -> str:
    """A migrated database."""
    return migrated_database()


@pytest.fixture
def group(url: str) -> str:
    """A new account group in it."""
    return new_group(url)
