"""The Python client for tests: made for a tenant, and the client for asyncio in a form that ordinary tests can call."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any

from leadyard_client import AsyncLeadyard, Leadyard, RetryPolicy
from leadyard_client.downloads import AsyncDownload
from leadyard_client.feed import AsyncEventFeed
from leadyard_client.pages import AsyncPages
from rig.service import Tenant

QUICK = RetryPolicy(total_s=60, first_wait_s=0.002, longest_backoff_s=0.1)


def client_of(tenant: Tenant, url: str = "", **options: Any) -> Leadyard:
    """Returns a client with the key of the tenant, for its service or for a proxy at `url`."""
    return Leadyard(url or tenant.service.base_url, tenant.key, account_group_id=tenant.account_group_id, **options)


class Recorded:
    """A client whose methods are called as usual. `used` has the names of the methods."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.used: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.used.add(name)
        return getattr(self._client, name)


class Awaited:
    """A client for asyncio whose coroutines run to their end at once, in a loop of its own. What it returns can be used
    without asyncio, too."""

    def __init__(self, client: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._client = client
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._client, name)
        if not callable(attribute):
            return attribute
        return lambda *given, **named: self._now(attribute(*given, **named))

    def __iter__(self) -> Iterator[Any]:
        return self._each(aiter(self._client))

    def _now(self, answer: Any) -> Any:
        if inspect.iscoroutine(answer):
            answer = self._loop.run_until_complete(answer)
        if isinstance(answer, AsyncPages | AsyncDownload | AsyncEventFeed | AsyncLeadyard):
            return Awaited(answer, self._loop)
        return self._each(answer) if inspect.isasyncgen(answer) else answer

    def _each(self, items: AsyncIterator[Any]) -> Iterator[Any]:
        while True:
            try:
                yield self._loop.run_until_complete(anext(items))
            except StopAsyncIteration:
                return
