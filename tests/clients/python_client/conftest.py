"""A service that works on its jobs, with a provider; its tenants; and each kind of client for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from leadyard_client import AsyncLeadyard, Leadyard
from rig.providers import TOKEN, example_provider, made_up
from rig.python_clients import QUICK, Awaited, Recorded
from rig.service import Service, Tenant, make_tenant


@pytest.fixture(scope="session")
def lively_service(new_service: Callable[..., Service]) -> Iterator[Service]:
    """A service that runs jobs, sends webhooks to this machine, and has a provider."""
    with example_provider(made_up(3), token=TOKEN) as url:
        yield new_service(
            LEADYARD_WORKER_IN_SERVE="on",
            LEADYARD_WEBHOOK_NETWORKS="127.0.0.0/8",
            LEADYARD_PROVIDER_URL=url,
            LEADYARD_PROVIDER_TOKEN=TOKEN,
        )


@pytest.fixture
def lively(lively_service: Service) -> Iterator[Tenant]:
    """A new account group on that service."""
    made = make_tenant(lively_service)
    yield made
    made.client.close()


@pytest.fixture(params=["blocking", "asyncio"])
def client(request: pytest.FixtureRequest, lively: Tenant) -> Iterator[Recorded]:
    """Each kind of client for that account group."""
    url, key, group = lively.service.base_url, lively.key, lively.account_group_id
    if request.param == "blocking":
        with Leadyard(url, key, account_group_id=group, retries=QUICK) as made:
            yield Recorded(made)
        return
    loop = asyncio.new_event_loop()
    waiting = AsyncLeadyard(url, key, account_group_id=group, retries=QUICK)
    yield Recorded(Awaited(waiting, loop))
    loop.run_until_complete(waiting.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
