"""`leadyard move`, `leadyard copy` and `leadyard remove`: a change of people who are listed or selected."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from leadyard.cli.api_door import Door, Session, run_on_api
from leadyard.cli.consent import Consent, ask
from leadyard.cli.output import Data, Output, wrong_usage
from leadyard.cli.people_filters import Selection, ids_in
from leadyard.cli.people_report import people_count
from leadyard.cli.shared_options import shared_options
from leadyard.cli.table import one_line
from leadyard.model import MAX_LEADS_PER_MOVE, TransferAction

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="The ids of people, from 'people find'.")]
Source = Annotated[str, typer.Option(metavar="NAME_OR_ID", help="The audience in which the people are now.")]
Target = Annotated[str, typer.Option(metavar="NAME_OR_ID", help="The audience that receives them.")]


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How the change is made."""

    ids_from: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file with an id on each line; - reads stdin.")
    ] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the effect and change nothing.")] = False
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Leave a transfer to a worker, and do not wait for it.")
    ] = False


@shared_options
def move(
    source: Source, target: Target, selection: Selection, manner: Manner, consent: Consent, door: Door, ids: Ids = None
) -> None:
    """Move people from one audience to another.

    All of them move or, if one cannot, none. People who are in the target already stay there once.

    Give ids, --ids-from, --all, or filters, which must all match. Up to 10,000 ids move at once. For more, and for
    --all and filters, a transfer does it, and the command waits for it.
    """
    _change(door, TransferAction.MOVE, source, target, ids, selection, consent, manner)


@shared_options
def copy(
    source: Source, target: Target, selection: Selection, manner: Manner, consent: Consent, door: Door, ids: Ids = None
) -> None:
    """Copy people from one audience to another.

    They stay in the source. All of them are copied or, if one cannot be, none. Choose the people as for
    'leadyard move'.
    """
    _change(door, TransferAction.COPY, source, target, ids, selection, consent, manner)


@shared_options
def remove(door: Door, selection: Selection, consent: Consent, manner: Manner, source: Source, ids: Ids = None) -> None:
    """Remove people from an audience.

    They stay in the account group and in their other audiences. All of them are removed or, if one cannot be, none.
    Choose the people as for 'leadyard move'.
    """
    _change(door, TransferAction.REMOVE, source, None, ids, selection, consent, manner)


def _change(
    door: Door,
    action: TransferAction,
    source: str,
    target: str | None,
    ids: list[str] | None,
    selection: Selection,
    consent: Consent,
    manner: Manner,
) -> None:
    lead_ids = _listed_ids(ids, manner.ids_from)
    if sum([lead_ids is not None, selection.all_, selection.has_filter()]) != 1:
        raise wrong_usage("Choose the people with exactly one of ids, --all and filters.")

    async def run(session: Session) -> Output:
        from leadyard.cli.people_transfer import asked_for, preview_output

        asked = await asked_for(session, action, source, target, selection, lead_ids)
        if manner.dry_run:
            return await preview_output(session, asked)
        if lead_ids is not None and _fits_one_request(lead_ids, asked):
            return await _change_at_once(session, asked, consent, as_json=door.as_json)
        return await _transfer(session, asked, consent, no_wait=manner.no_wait, as_json=door.as_json)

    run_on_api(door, run)


def _listed_ids(ids: list[str] | None, file: Path | None) -> list[str] | None:
    if file is None:
        return ids or None
    return [*(ids or ()), *ids_in(file)]


def _fits_one_request(lead_ids: list[str], asked: Data) -> bool:
    return len(set(lead_ids)) <= MAX_LEADS_PER_MOVE and not {"exclude", "limit"} & asked.keys()


async def _change_at_once(session: Session, asked: Data, consent: Consent, *, as_json: bool) -> Output:
    from leadyard.cli.people_transfer import preview_as_text, preview_of

    # Repeated ids count once, and the limit of a request is for the ids in it.
    lead_ids = list(dict.fromkeys(asked["select"]["leadIds"]))
    if consent.is_needed_for(len(lead_ids)):
        preview = "" if as_json else preview_as_text(await preview_of(session, asked))
        ask(preview, len(lead_ids), as_json=as_json)
    action, target = asked["action"], asked.get("targetAudienceId")
    body = {"leadIds": lead_ids} | ({"targetAudienceId": target} if target else {})
    path = f"{session.group}/audiences/{asked['sourceAudienceId']}/{action}-leads"
    changed, change_id = await session.api.change(path, body)
    lines = [_EFFECTS[action](changed), f"Change {change_id}. To undo it: {session.undo_command(change_id or '')}"]
    return Output({**changed, "changeId": change_id}, "\n".join(lines))


async def _transfer(session: Session, asked: Data, consent: Consent, *, no_wait: bool, as_json: bool) -> Output:
    from leadyard.cli.people_transfer import preview_as_text, preview_of, start_and_run

    if consent.expected_count is not None:
        asked["expectedCount"] = consent.expected_count
    elif not consent.yes:
        preview = await preview_of(session, asked)
        if consent.is_needed_for(preview["count"]):
            ask(preview_as_text(preview), preview["count"], as_json=as_json)
        # If the selection changes until the work begins, nothing happens.
        asked["expectedCount"] = preview["count"]
    return await start_and_run(session, asked, no_wait=no_wait, as_json=as_json)


def _moved(changed: Data) -> str:
    source, target = changed["sourceAudience"], changed["targetAudience"]
    left, now = f"{source['prospectCount']:,} left", f"{target['prospectCount']:,} now"
    count = people_count(changed["movedCount"])
    return f"Moved {count} from {one_line(source['name'])} ({left}) to {one_line(target['name'])} ({now})."


def _copied(changed: Data) -> str:
    target, already = changed["targetAudience"], changed["alreadyInTargetCount"]
    there = f" {people_count(already)} {'was' if already == 1 else 'were'} there before." if already else ""
    now = f"{target['prospectCount']:,} now"
    return f"Copied {people_count(changed['copiedCount'])} to {one_line(target['name'])} ({now}).{there}"


def _removed(changed: Data) -> str:
    audience = changed["audience"]
    left = f"{audience['prospectCount']:,} left"
    return f"Removed {people_count(changed['removedCount'])} from {one_line(audience['name'])} ({left})."


_EFFECTS = {TransferAction.MOVE: _moved, TransferAction.COPY: _copied, TransferAction.REMOVE: _removed}
