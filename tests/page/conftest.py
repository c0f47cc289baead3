"""A window in a real browser, signed in or not. Each test has its own browser: Playwright keeps an event loop in the
thread, and other tests need that thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from leadyard.model import Permission
from rig.browser import Seen, open_browser
from rig.service import Service, Tenant, make_tenant


@pytest.fixture(scope="session")
def page_service(new_service: Callable[..., Service]) -> Service:
    """A service that also runs jobs."""
    return new_service(LEADYARD_WORKER_IN_SERVE="on")


@pytest.fixture
def page_tenant(page_service: Service) -> Iterator[Tenant]:
    """A new account group on that service."""
    made = make_tenant(page_service, "Acme")
    yield made
    made.client.close()


@pytest.fixture
def read_key(page_tenant: Tenant) -> str:
    """A key that may look at everything and change nothing."""
    return page_tenant.key_with(Permission.AUDIENCES_READ, Permission.PROSPECTS_READ)


@pytest.fixture
def new_window(page_tenant: Tenant, read_key: str) -> Iterator[Callable[..., Seen]]:
    """A function that opens a window at the door. At the end no window may have seen an error of a script or of the
    policy of the page. The key is made before the browser starts, because making one needs the event loop."""
    opened: list[Seen] = []
    with open_browser() as browser:

        def make(**window: Any) -> Seen:
            seen = Seen(browser, page_tenant.service.base_url, **window)
            opened.append(seen)
            seen.open()
            return seen

        yield make
    assert [error for seen in opened for error in seen.errors] == []


@pytest.fixture
def seen(new_window: Callable[..., Seen], page_tenant: Tenant) -> Seen:
    """A window that is signed in."""
    window = new_window()
    window.sign_in(page_tenant.key)
    return window
