"""The targets of the attacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rig.service import Service
from tests.attacks.target import Target, make_target

READ_S = 2


@pytest.fixture(scope="session")
def service_under_attack(new_service: Callable[..., Service]) -> Iterator[Service]:
    """One service for the session. At its end, after all attacks together, the database must be sound."""
    service = new_service(LEADYARD_READ_TIMEOUT_S=str(READ_S), LEADYARD_MAX_CONNECTIONS="150")
    yield service
    report = service.doctor()
    assert report["healthy"], report


@pytest.fixture
def target(service_under_attack: Service) -> Iterator[Target]:
    """A target of its own, because attacks delete what they reach. Each test ends with a check that its victim is
    unharmed."""
    made = make_target(service_under_attack)
    yield made
    made.assert_unharmed()
    made.close()
