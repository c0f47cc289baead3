"""The target of all attacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rig.service import Service
from tests.attacks.target import Target, make_target

READ_S = 2


@pytest.fixture(scope="session")
def target_under_attack(new_service: Callable[..., Service]) -> Iterator[Target]:
    """One target for the session. At its end, after all attacks together, the database must be sound."""
    target = make_target(new_service(LEADYARD_READ_TIMEOUT_S=str(READ_S), LEADYARD_MAX_CONNECTIONS="150"))
    yield target
    report = target.service.doctor()
    assert report["healthy"], report
    target.client.close()


@pytest.fixture
def target(target_under_attack: Target) -> Iterator[Target]:
    """The same target; each test ends with a check that its victim is unharmed."""
    yield target_under_attack
    target_under_attack.assert_unharmed()
