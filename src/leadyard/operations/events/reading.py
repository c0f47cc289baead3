"""Reads the feed of events."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.errors import EventsGone
from leadyard.ids import id_of
from leadyard.model import Caller, Event, EventFilter, EventPage, Permission
from leadyard.operations.operation import snapshot
from leadyard.store import events

# A filter that matches few events looks at this many of them in one request. The page then ends early, and the reader
# continues after the last one that was looked at.
_LOOK_AT = 2_000
_MOST_LOOKS = 10
EVERYTHING = EventFilter()
BEGINNING = id_of(0)
"""The position before every event, of a feed that has never lost one."""


@snapshot(Permission.AUDIENCES_READ)
async def list_events(
    tx: Transaction, caller: Caller, *, wanted: EventFilter = EVERYTHING, after: str | None, limit: int
) -> EventPage:
    """Returns the events that follow the position `after`, oldest first, at most `limit`. None is the beginning of what
    is kept. Events that have no place yet are not in it: `place_waiting` gives them their places first.

    A position is the id of an event, or the position of an earlier page. Raises EventsGone if events after it have been
    removed because of their age.
    """
    feed = await events.find_feed(tx)
    if after is None:
        after = feed.removed_through
    elif after < feed.removed_through:
        raise EventsGone
    if wanted == EVERYTHING:
        found = await events.list_after(tx, after, limit=limit + 1)
        page = tuple(found[:limit])
        return EventPage(page, page[-1].id if page else after, len(found) > limit)
    return await _look(tx, wanted, after, limit=limit)


async def _look(tx: Transaction, wanted: EventFilter, after: str, *, limit: int) -> EventPage:
    found: list[Event] = []
    has_more = True
    for _ in range(_MOST_LOOKS):
        more, after, has_more = await events.list_matching(
            tx, wanted, after, limit=limit - len(found), look_at=_LOOK_AT
        )
        found += more
        if not has_more or len(found) >= limit:
            break
    return EventPage(tuple(found), after, has_more)


@snapshot(Permission.AUDIENCES_READ)
async def find_end(tx: Transaction, caller: Caller) -> str:
    """Returns the position after the last event of the feed."""
    return (await events.find_feed(tx)).last_id
