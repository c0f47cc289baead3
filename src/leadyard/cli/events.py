"""`leadyard events …`: lists the events of an account group, and follows them as they happen."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.api_door import Door, Session, group_on_database, run_on_api, uses_service
from leadyard.cli.output import Data, Output, operator, print_output, refusals, with_database, wrong_usage
from leadyard.cli.people_report import lead_count
from leadyard.cli.shared_options import shared_options
from leadyard.clock import to_iso
from leadyard.model import Event, EventFilter, EventPage, EventType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from leadyard.database import Database
    from leadyard.model import Caller

app = typer.Typer(help="List and follow the events of an account group.", no_args_is_help=True)

_LOOK_EVERY_S = 15.0
_EVENT_ID = re.compile(r"[0-9a-f]{24}")
_EVENTS_A_READ = 200
Types = Annotated[list[EventType] | None, typer.Option("--type", help="Only events of this type. Repeat for several.")]
OfAudience = Annotated[str | None, typer.Option(metavar="ID", help="Only events that are about this audience.")]


@dataclass(frozen=True, kw_only=True)
class DoorToFollow(Door):
    """The same for a command that prints one object after another."""

    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each event, on a line.")] = False


@app.command("list")
@shared_options
def list_(
    door: Door,
    type: Types = None,
    audience: OfAudience = None,
    after: Annotated[
        str | None, typer.Option(metavar="EVENT_ID", help="Continue after this event. Default: the oldest event.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")] = 50,
) -> None:
    """List the events that are kept, oldest first."""
    with refusals(as_json=door.as_json):
        is_remote = uses_service(door)
    if is_remote:
        from leadyard.cli.events_of_api import Feed

        async def of_service(session: Session) -> Output:
            return _listed(*await Feed(session, type, audience).list_after(after, limit=limit))

        run_on_api(door, of_service)
        return
    wanted, group = _filter(type, audience), group_on_database(door)
    _check_id(after)

    async def run(db: Database) -> EventPage:
        return await _read(db, await operator(db, group), wanted, after, limit=limit)

    with refusals(as_json=door.as_json):
        page = with_database(run)
    output = _listed([event_as_dict(event) for event in page.events], page.position, page.has_more)
    print_output(output, as_json=door.as_json)


@app.command("follow")
@shared_options
def follow(
    door: DoorToFollow,
    type: Types = None,
    audience: OfAudience = None,
    after: Annotated[
        str | None, typer.Option(metavar="EVENT_ID", help="Begin after this event. Default: the events from now on.")
    ] = None,
) -> None:
    """Print events as they happen, until it is stopped.

    Ctrl-C or SIGTERM stops it. To continue later, pass the id of the last event to --after.
    """
    with refusals(as_json=door.as_json):
        is_remote = uses_service(door)
    if is_remote:
        from leadyard.cli.events_of_api import Feed

        async def of_service(session: Session) -> None:
            await Feed(session, type, audience).follow(after, lambda event: _print(event, as_json=door.as_json))

        run_on_api(door, of_service)
        return
    wanted, group = _filter(type, audience), group_on_database(door)
    _check_id(after)

    async def run(db: Database) -> None:
        await _follow(db, await operator(db, group), wanted, after, as_json=door.as_json)

    with refusals(as_json=door.as_json):
        with_database(run)


def _check_id(after: str | None) -> None:
    """Raises a usage error unless it is the id of an event. Any other text has a place before or after all events, so
    the command would list all of them, or none."""
    if after is not None and not _EVENT_ID.fullmatch(after):
        raise wrong_usage(f"--after {after!r} is not the id of an event: 24 characters, each 0-9 or a-f.")


def _listed(items: Sequence[Data], last_id: str | None, has_more: bool) -> Output:
    lines = [_line(event) for event in items] or ["No events found."]
    if has_more:
        lines.append(f"More exist. Continue with --after {last_id}.")
    return Output({"items": list(items), "lastEventId": last_id, "hasMore": has_more}, "\n".join(lines))


def event_as_dict(event: Event) -> Data:
    """Returns the event with the names and values of the API."""
    return {"id": event.id, "type": str(event.type), "timestamp": to_iso(event.occurred_at), "data": dict(event.data)}


async def _follow(db: Database, caller: Caller, wanted: EventFilter, after: str | None, *, as_json: bool) -> None:
    import asyncio

    from leadyard.operations.events.placing import place_waiting
    from leadyard.operations.events.reading import find_end
    from leadyard.operations.events.watching import Watch

    if after is None:
        await place_waiting(db, caller.account_group_id)
        after = await find_end(db, caller)
    watch = Watch(db)
    reader = watch.reader(caller.account_group_id, after)
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, reader.leave)
    # Reads once from the database, so that a position that is too old is refused.
    page = await _read(db, caller, wanted, after, limit=_EVENTS_A_READ)
    while not reader.has_left():
        for event in page.events:
            _print(event_as_dict(event), as_json=as_json)
        reader.position = page.position
        found = None if page.has_more else await reader.wait(within_s=_LOOK_EVERY_S)
        if found is None:
            page = await _read(db, caller, wanted, page.position, limit=_EVENTS_A_READ)
        else:
            position = found[-1].id if found else page.position
            page = EventPage(tuple(event for event in found if wanted.takes(event)), position, has_more=False)
    await watch.close()


async def _read(db: Database, caller: Caller, wanted: EventFilter, after: str | None, *, limit: int) -> EventPage:
    from leadyard.operations.events.placing import place_waiting
    from leadyard.operations.events.reading import list_events

    await place_waiting(db, caller.account_group_id)
    return await list_events(db, caller, wanted=wanted, after=after, limit=limit)


def _filter(types: list[EventType] | None, audience_id: str | None) -> EventFilter:
    return EventFilter(types=frozenset(types) if types else None, audience_id=audience_id)


def _print(event: Data, *, as_json: bool) -> None:
    print(json.dumps(event, ensure_ascii=False) if as_json else _line(event), flush=True)


def _line(event: Data) -> str:
    """Returns the event on a line, with what people look for first."""
    data = event["data"]
    what = [data.get("name") or data.get("jobId") or data.get("prospectId")]
    if "leadCount" in data:
        what.append(lead_count(data["leadCount"]))
    sides = [data.get("sourceAudience"), data.get("targetAudience")]
    if any(sides):
        what.append(" -> ".join(f"{side['name']} ({side['prospectCount']:,})" if side else "-" for side in sides))
    return f"{event['id']}  {event['timestamp']}  {event['type']:<17}  {'  '.join(filter(None, what))}".rstrip()
