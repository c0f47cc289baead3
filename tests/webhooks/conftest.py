"""A service that may send to this machine, its tenants, and receivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rig.answers import data_of
from rig.receivers import Receivers, receivers
from rig.service import Service, Tenant, make_tenant

HERE = "127.0.0.0/8"


@pytest.fixture(scope="session")
def hook_service(new_service: Callable[..., Service]) -> Service:
    """A service that sends webhooks itself, also to this machine."""
    return new_service(LEADYARD_WEBHOOK_NETWORKS=HERE, LEADYARD_WORKER_IN_SERVE="on")


@pytest.fixture
def hooks(hook_service: Service) -> Iterator[Tenant]:
    """A new account group on that service."""
    made = make_tenant(hook_service)
    yield made
    for each in data_of(made.client.get("/webhooks"))["items"]:
        made.client.delete(f"/webhooks/{each['id']}")
    made.client.close()


@pytest.fixture
def receiving() -> Iterator[Receivers]:
    """Starts receivers."""
    with receivers() as made:
        yield made


def create(tenant: Tenant, url: str, **body: Any) -> Any:
    """Returns a new webhook with its secret."""
    return data_of(tenant.client.post("/webhooks", json={"url": url, **body}), 201)
