"""The events of a service, as the commands read them with a key."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence

from leadyard.api_client.refused import Refused
from leadyard.cli.api_door import Session
from leadyard.cli.output import Data
from leadyard.model import EventType

_PAGE = 200
_WAIT_S = 30
_AGAIN_S = 5
_PASSING = ("SERVICE_UNREACHABLE", "SERVICE_UNAVAILABLE", "RATE_LIMITED", "TOO_MANY_READERS")


class Feed:
    """The events of an account group, of all types and audiences or of some."""

    def __init__(self, session: Session, types: Sequence[EventType] | None, audience_id: str | None) -> None:
        self._api = session.api
        self._path = f"{session.group}/events"
        self._query = {"types": ",".join(types) if types else None, "audienceId": audience_id}

    async def list_after(self, after: str | None, *, limit: int) -> tuple[list[Data], str | None, bool]:
        """Returns the events after the given one, or from the oldest that is kept, at most `limit`; the id of the last
        one, or `after`; and whether there may be more. Raises Refused."""
        page = await self._first(after, limit=min(limit, _PAGE), beginning={"from": "start"})
        items = list(page["items"])
        while page["hasMore"] and len(items) < limit:
            left = min(limit - len(items), _PAGE)
            page = await self._api.get(self._path, cursor=page["nextCursor"], limit=left, **self._query)
            items += page["items"]
        return items, items[-1]["id"] if items else after, page["hasMore"]

    async def follow(self, after: str | None, show: Callable[[Data], None]) -> None:
        """Shows each event after the given one, or from now on, until the process gets SIGTERM or SIGINT. Waits for a
        service that does not answer for the moment. Raises other refusals."""
        task = asyncio.current_task()
        assert task is not None
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, task.cancel)
        try:
            page = await self._first(after, limit=_PAGE, beginning={})
            while True:
                for event in page["items"]:
                    show(event)
                page = await self._next(page)
        except asyncio.CancelledError:
            # The user has stopped it, which is how it ends.
            return

    async def _first(self, after: str | None, *, limit: int, beginning: dict[str, str]) -> Data:
        if after is not None:
            found: Data = await self._api.get_after(self._path, after, limit=limit, **self._query)
        else:
            found = await self._api.get(self._path, limit=limit, **beginning, **self._query)
        return found

    async def _next(self, page: Data) -> Data:
        wait = None if page["hasMore"] else _WAIT_S
        while True:
            try:
                found: Data = await self._api.get(
                    self._path, cursor=page["nextCursor"], limit=_PAGE, wait=wait, **self._query
                )
                return found
            except Refused as refusal:
                if refusal.code not in _PASSING:
                    raise
                pause_s = refusal.wait_s or _AGAIN_S
                print(f"{refusal.message} Trying again in {pause_s} s.", file=sys.stderr, flush=True)
                await asyncio.sleep(pause_s)
