"""Transfers as the commands print them for people. For programs they print the objects of the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leadyard.cli.api_door import Session
from leadyard.cli.audience_names import AudienceNames, audience_names
from leadyard.cli.job_report import percent
from leadyard.cli.output import Data, Output
from leadyard.cli.people_report import known_people, lead_count

_ENDED_BADLY = ("failed", "cancelled")


async def transfer_output(session: Session, transfer: Data) -> Output:
    """Returns the output of a command that shows a transfer."""
    undo_command = session.undo_command(transfer["changeId"] or "")
    names = await audience_names(session, sides_of([transfer]))
    # Under its own key, because a top-level "error" means that the command failed.
    return Output({"transfer": transfer}, transfer_as_text(transfer, names, undo_command=undo_command))


async def ended_output(session: Session, transfer: Data) -> Output:
    """Returns the output of a command that has made a transfer, which fails if the transfer has not completed."""
    return replace(await transfer_output(session, transfer), code=int(has_ended_badly(transfer)))


def has_ended_badly(transfer: Data) -> bool:
    """Returns whether the transfer has failed or was cancelled."""
    return transfer["status"] in _ENDED_BADLY


def sides_of(changes: Sequence[Data]) -> list[str | None]:
    """Returns the ids of the sources and targets of changes or transfers."""
    return [each[side] for each in changes for side in ("sourceAudienceId", "targetAudienceId")]


def transfer_as_text(transfer: Data, names: AudienceNames, *, undo_command: str) -> str:
    """Returns one line per fact."""
    source, target = names.of(transfer["sourceAudienceId"]), names.of(transfer["targetAudienceId"])
    undoes = transfer["undoesChangeId"]
    already = transfer["alreadyInTargetCount"]
    what = (
        f"of change {undoes}"
        if undoes
        else f"from {source}" + (f" to {target}" if transfer["targetAudienceId"] else "")
    )
    lines = [
        f"Transfer {transfer['jobId']} ({transfer['action']} {what}) is {transfer['status']}, "
        f"{percent(transfer['progress'])}.",
        f"  {lead_count(transfer['count'])}, {transfer['appliedCount']:,} of them done, "
        f"{already:,} {'was' if already == 1 else 'were'} in the target before.",
    ]
    if transfer["skippedCount"]:
        lines.append(f"  Skipped: {lead_count(transfer['skippedCount'])}, erased or changed since.")
    if transfer["keptEdits"]:
        lines.append(f"  Kept: what the import wrote into empty fields of {known_people(transfer['keptEdits'])}.")
    if transfer["stage"] == "revert" and not has_ended_badly(transfer):
        lines.append("  It takes back what it has done. Its audiences are reserved until that has ended.")
    if transfer["error"] is not None:
        lines.append(f"  {transfer['error']['code']}: {transfer['error']['message']}")
    if transfer["changeId"] is not None:
        lines.append(f"  Change {transfer['changeId']}. To undo it: {undo_command}")
    return "\n".join(lines)


def transfers_as_table(transfers: Sequence[Data], names: AudienceNames) -> str:
    """Returns one line per transfer, under a heading, with the names of the audiences."""
    lines = [f"{'JOB':<24}  {'STARTED':<24}  {'ACTION':<6}  {'STATUS':<9}  {'DONE':>5}  {'LEADS':>9}  FROM -> TO"]
    for each in transfers:
        lines.append(
            f"{each['jobId']}  {each['createdAt']}  {each['action']:<6}  {each['status']:<9}"
            f"  {percent(each['progress']):>5}  {each['count']:>9,}"
            f"  {names.of(each['sourceAudienceId'])} -> {names.of(each['targetAudienceId'])}"
        )
    return "\n".join(lines)
