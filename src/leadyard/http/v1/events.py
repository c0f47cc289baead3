"""The feed of events over HTTP: page by page, with a wait, or as a stream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError, to_json

from leadyard import model
from leadyard.clock import to_iso
from leadyard.errors import Forbidden, InvalidRequest, LeadyardError, Unauthorized, Violation
from leadyard.http.admission.gate import Gate
from leadyard.http.admission.presented_secret import presented_secret
from leadyard.http.answer.envelope import Id, Instant, Shape, Success
from leadyard.http.answer.errors import error_envelope
from leadyard.http.answer.paging import Paging, make_cursor
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import respond, run
from leadyard.http.request.route import caller, database, needs
from leadyard.http.wire.headers import value_of, values_of
from leadyard.http.wire.leaving import leaving_by
from leadyard.model import EventFilter, EventPage, EventType
from leadyard.operations.events import placing, reading
from leadyard.operations.events.watching import Reader
from leadyard.operations.operation import require_permissions

MAX_WAIT_S = 30
STREAM = "text/event-stream"
# Proxies close a connection on which nothing happens, usually after 60 s.
_HEARTBEAT_S = 15.0
# A stream checks its key that often, also while events happen.
_KEY_CHECK_S = 15.0
# A stream ends then, and the client continues it by itself. So a load balancer can move readers to another process.
_LONGEST_STREAM_S = 600.0
_EVENTS_A_READ = 100
_RECONNECT_MS = 1_000
_EVENT_ID = re.compile("[0-9a-f]{24}")


class Event(Shape):
    """A change, reported after its commit. `data` depends on `type`: see the webhooks of this document."""

    id: Id
    type: EventType
    timestamp: Instant
    data: Annotated[dict[str, Any], Field(description="Ids, names of audiences and numbers.")]


class EventList(Shape):
    """Events, oldest first. `nextCursor` continues after them, also if there are none."""

    items: list[Event]
    next_cursor: str
    has_more: Annotated[bool, Field(description="Whether there are more already. If not, send `wait`.")]


class EventListSuccessResponse(Success[EventList]):
    """Events, oldest first."""


def _types(value: str) -> str:
    unknown = [each for each in value.split(",") if each not in set(EventType)]
    if unknown:
        raise PydanticCustomError("enum", "must be event types, separated by commas")
    return value


class EventQuery(Paging):
    """Which events to read, and how long to wait for one."""

    from_: Annotated[
        str | None,
        Field(
            alias="from",
            pattern="^start$",
            description="`start` begins with the oldest event that is kept. Without it and without a cursor, you get "
            "the events from now on.",
        ),
    ] = None
    types: Annotated[
        str | None,
        AfterValidator(_types),
        Field(max_length=500, description="Only these types, separated by commas.", examples=["leads.moved"]),
    ] = None
    audience_id: Annotated[
        Id | None, Field(alias="audienceId", description="Only events that are about this audience.")
    ] = None
    wait: Annotated[
        int,
        Field(ge=0, le=MAX_WAIT_S, description="How many seconds to wait for an event if there is none yet."),
    ] = 0

    def wanted(self) -> EventFilter:
        """Returns the filters as a value."""
        types = frozenset(map(EventType, self.types.split(","))) if self.types else None
        return EventFilter(types=types, audience_id=self.audience_id)


DOCUMENTED: dict[str, Any] = {
    "parameters": [
        {
            "name": "Last-Event-ID",
            "in": "header",
            "required": False,
            "description": "For a stream: continues after this event. Browsers send it by themselves.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{24}$"},
        }
    ],
}


@needs(reading.list_events)
async def list_events(request: Request, query: Annotated[EventQuery, Query()]) -> Response:
    """Lists events, oldest first. Each change commits together with its event. If you always continue with
    `nextCursor`, you get every event at least once and none is skipped, in an order that is the same for all readers.
    With `wait` the answer comes as soon as there is an event. With `Accept: text/event-stream` the events are sent as
    they happen, and `Last-Event-ID` continues a stream. Its last message is an `event: refused` with the refusal once
    the key is no longer valid."""
    is_stream = any(STREAM in value for value in values_of(request.scope, b"accept"))
    feed = _FeedOf(request, query.wanted())
    after = await feed.start(query)
    if is_stream:
        return await _stream(feed, after)
    page = await _wait_for_page(feed, after, limit=query.limit, wait_s=query.wait)
    cursor = make_cursor(page.position, feed.scope)
    items = [_shown(event) for event in page.events]
    return respond(
        request, Shown(EventListSuccessResponse, EventList.of(items=items, next_cursor=cursor, has_more=page.has_more))
    )


class _FeedOf:
    """The feed of the caller's account group, for one request."""

    def __init__(self, request: Request, wanted: EventFilter) -> None:
        self.request = request
        self.wanted = wanted
        self.group = caller(request).account_group_id
        self.scope = ("events", self.group)

    async def start(self, query: EventQuery) -> str | None:
        """Returns the position to continue after, None for the beginning of what is kept. Raises InvalidRequest."""
        last_id = value_of(self.request.scope, b"last-event-id")
        if last_id and not _EVENT_ID.fullmatch(last_id):
            raise _wrong("Last-Event-ID", "WRONG_FORMAT", "This must be the id of an event: 24 hex characters.")
        if query.cursor is not None and query.from_ is not None:
            raise _wrong("from", "NOT_ALLOWED", "Send 'cursor' or 'from', not both.")
        # A browser that connects again repeats its first query, so the last event counts before the rest.
        if last_id:
            return last_id
        if query.cursor is not None:
            return query.start(*self.scope)
        if query.from_ is not None:
            return None
        await placing.place_waiting(database(self.request), self.group)
        return await run(self.request, reading.find_end)

    async def read(self, after: str | None, *, limit: int) -> EventPage:
        """Returns what has committed after the position."""
        await placing.place_waiting(database(self.request), self.group)
        return await run(self.request, reading.list_events, wanted=self.wanted, after=after, limit=limit)

    async def check_key(self) -> None:
        """Checks that the caller may still read the feed. Raises Unauthorized and Forbidden."""
        scope = self.request.scope
        gate: Gate = scope["app"].state.gate
        who = await gate.check_again(
            database(self.request), secret=presented_secret(scope), account_group_id=self.group
        )
        require_permissions(who.caller(), reading.list_events.permissions)

    def reader(self, position: str) -> Reader:
        """Returns a reader that waits at the position."""
        reader: Reader = self.request.scope["app"].state.watch.reader(self.group, position)
        return reader

    def admitted(self) -> Any:
        """Counts the request as waiting. Raises TooManyReaders."""
        return self.request.scope["app"].state.readers.admit(self.request.scope["state"]["api_key_id"])


async def _wait_for_page(feed: _FeedOf, after: str | None, *, limit: int, wait_s: float) -> EventPage:
    page = await feed.read(after, limit=limit)
    if page.events or page.has_more or not wait_s:
        return page
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + wait_s
    reader = feed.reader(page.position)
    with feed.admitted(), leaving_by(feed.request.scope, reader.leave):
        while not reader.has_left() and loop.time() < give_up_at:
            page = await _next(feed, reader, page, limit=limit, within_s=give_up_at - loop.time())
            if page.events or page.has_more:
                break
    return page


async def _next(feed: _FeedOf, reader: Reader, page: EventPage, *, limit: int, within_s: float) -> EventPage:
    """Waits for events after the page, and returns those that match."""
    found = await reader.wait(within_s=within_s)
    if found is None:
        page = await feed.read(page.position, limit=limit)
    elif found:
        wanted = [event for event in found if feed.wanted.takes(event)]
        events, has_more = tuple(wanted[:limit]), len(wanted) > limit
        page = EventPage(events, events[-1].id if has_more else found[-1].id, has_more)
    else:
        page = EventPage((), page.position, has_more=False)
    reader.position = page.position
    return page


async def _stream(feed: _FeedOf, after: str | None) -> Response:
    # Read and admitted before the answer begins, so that a refusal has its status.
    with ExitStack() as until_sent:
        until_sent.enter_context(feed.admitted())
        page = await feed.read(after, limit=_EVENTS_A_READ)
        held = until_sent.pop_all()
    return _EventStream(
        _pieces(feed, page),
        held,
        media_type=STREAM,
        # nginx would keep the events back until its buffer is full.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


class _EventStream(StreamingResponse):
    """A StreamingResponse that gives up its place as a reader however it ends."""

    def __init__(self, pieces: AsyncIterator[str], held: ExitStack, **rest: Any) -> None:
        super().__init__(pieces, **rest)
        self._held = held

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        with self._held:
            await super().__call__(scope, receive, send)


async def _pieces(feed: _FeedOf, page: EventPage) -> AsyncIterator[str]:
    """Yields the text of the stream. Each piece is sent before the next one is read, so a slow client holds at most one
    piece in memory. The last piece is the refusal if the key is no longer valid."""
    loop = asyncio.get_running_loop()
    end_at = loop.time() + _LONGEST_STREAM_S
    silent_until, check_at = loop.time() + _HEARTBEAT_S, loop.time() + _KEY_CHECK_S
    reader = feed.reader(page.position)
    with leaving_by(feed.request.scope, reader.leave):
        yield f"retry: {_RECONNECT_MS}\n\n{_written(page)}"
        while not reader.has_left() and loop.time() < end_at:
            if loop.time() >= check_at:
                try:
                    await feed.check_key()
                except (Unauthorized, Forbidden) as error:
                    yield _refusal(feed, error)
                    return
                check_at = loop.time() + _KEY_CHECK_S
            page = await _next_of_stream(feed, reader, page, within_s=min(silent_until, check_at) - loop.time())
            if page.events or loop.time() >= silent_until:
                silent_until = loop.time() + _HEARTBEAT_S
                yield _written(page)


async def _next_of_stream(feed: _FeedOf, reader: Reader, page: EventPage, *, within_s: float) -> EventPage:
    if not page.has_more:
        return await _next(feed, reader, page, limit=_EVENTS_A_READ, within_s=max(0.0, within_s))
    page = await feed.read(page.position, limit=_EVENTS_A_READ)
    reader.position = page.position
    return page


def _refusal(feed: _FeedOf, error: LeadyardError) -> str:
    """Returns the last piece of a stream. It has no id, so that a client with another key continues where it was. Its
    event is not `error`, which is the event of an EventSource whose connection has failed."""
    text = error_envelope(error, feed.request.scope["state"]["trace_id"]).decode()
    return f"event: refused\ndata: {text}\n\n"


def _written(page: EventPage) -> str:
    """Returns the events as text, or a line that keeps the connection open, with the position."""
    if not page.events:
        return f"id: {page.position}\n: heartbeat\n\n"
    return "".join(
        f"id: {event.id}\nevent: {event.type}\ndata: {to_json(_as_json(event)).decode()}\n\n" for event in page.events
    )


def _as_json(event: model.Event) -> dict[str, Any]:
    return {"id": event.id, "type": event.type, "timestamp": to_iso(event.occurred_at), "data": event.data}


def _shown(event: model.Event) -> Event:
    return Event.of(event, timestamp=event.occurred_at)


def _wrong(path: str, code: str, message: str) -> LeadyardError:
    return InvalidRequest([Violation(path=path, code=code, message=message)])
