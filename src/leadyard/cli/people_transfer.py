"""A transfer as a command makes it: the request, the preview of its effect, and the wait for its end."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.cli.api_door import Session
from leadyard.cli.audience_of_api import audience_id, audience_of
from leadyard.cli.output import Data, Output
from leadyard.cli.people_filters import Selection
from leadyard.cli.people_report import people_as_table, people_count
from leadyard.cli.table import one_line
from leadyard.cli.transfer_report import ended_output, transfer_output
from leadyard.cli.transfer_watch import get_transfer, run_here
from leadyard.model import TransferAction


async def asked_for(
    session: Session,
    action: TransferAction,
    source: str,
    target: str | None,
    selection: Selection,
    lead_ids: list[str] | None,
) -> Data:
    """Returns the body of the request for the transfer. Raises like `audience_id`."""
    asked = {"action": action, "sourceAudienceId": await audience_id(session, source)}
    if target is not None:
        asked["targetAudienceId"] = await audience_id(session, target)
    return asked | await selection.of_transfer(session, lead_ids)


async def start_and_run(session: Session, asked: Data, *, no_wait: bool, as_json: bool) -> Output:
    """Starts the transfer, and returns its output when it has ended, or at once with `no_wait`. Raises Refused."""
    started = await session.api.post(f"{session.group}/transfers", asked)
    if no_wait:
        return await transfer_output(session, await get_transfer(session, started["jobId"]))
    return await ended_output(session, await run_here(session, started["jobId"], as_json=as_json))


async def preview_of(session: Session, asked: Data) -> Data:
    """Returns the effect that the transfer would have, and both audiences as they are now. Raises Refused."""
    preview: Data = await session.api.post(f"{session.group}/transfers", {**asked, "dryRun": True})
    source = await audience_of(session, asked["sourceAudienceId"])
    target = await audience_of(session, asked["targetAudienceId"]) if "targetAudienceId" in asked else None
    return {"action": str(asked["action"]), **preview, "sourceAudience": source, "targetAudience": target}


async def preview_output(session: Session, asked: Data) -> Output:
    """Returns the output of a dry run. Raises Refused."""
    preview = await preview_of(session, asked)
    return Output(preview, f"{preview_as_text(preview)}\nThis was a dry run: nothing was changed.")


def preview_as_text(preview: Data) -> str:
    """Returns the effect: the number of people, both counts before and after, and some of the people."""
    source, target = preview["sourceAudience"], preview["targetAudience"]
    to = f" to {one_line(target['name'])}" if target else ""
    lines = [f"To {preview['action']}: {people_count(preview['count'])} from {one_line(source['name'])}{to}."]
    if preview["alreadyInTargetCount"]:
        lines.append(f"Already in the target: {preview['alreadyInTargetCount']:,} of them.")
    counts = [(source, preview["sourceProspectCountAfter"]), (target, preview["targetProspectCountAfter"])]
    lines += _counts([(audience, after) for audience, after in counts if audience])
    if preview["sample"]:
        lines.append(people_as_table(preview["sample"]))
        if preview["count"] > len(preview["sample"]):
            lines.append(f"… and {preview['count'] - len(preview['sample']):,} more.")
    return "\n".join(lines)


def _counts(audiences: Sequence[tuple[Data, int]]) -> list[str]:
    return [
        f"{one_line(audience['name'])} has {people_count(audience['prospectCount'])} now, and would have {after:,}."
        for audience, after in audiences
    ]
