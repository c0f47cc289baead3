"""Changes as the commands print them: one JSON object with the field names of the API, or text for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadyard.clock import to_iso
from leadyard.model import Change, ChangedLead, UndoResult


def change_as_dict(change: Change) -> dict[str, Any]:
    """Returns the change with the names and values of the API."""
    return {
        "id": change.id,
        "kind": str(change.kind),
        "sourceAudienceId": change.source_audience_id,
        "targetAudienceId": change.target_audience_id,
        "leadCount": change.lead_count,
        "alreadyInTargetCount": change.already_in_target_count,
        "changedAt": to_iso(change.changed_at),
        "apiKeyId": change.api_key_id,
        "jobId": change.job_id,
        "undoesChangeId": change.undoes_change_id,
        "undoneByChangeId": change.undone_by_change_id,
    }


def lead_as_dict(lead: ChangedLead) -> dict[str, Any]:
    """Returns the lead of a change with the names and values of the API."""
    return {"prospectId": lead.lead_id, "wasInTarget": lead.was_in_target, "name": lead.name}


def changes_as_table(changes: Sequence[Change]) -> str:
    """Returns one line per change, under a heading."""
    lines = [f"{'CHANGE':<24}  {'WHEN':<24}  {'KIND':<15}  {'LEADS':>9}  FROM -> TO"]
    for change in changes:
        source, target = change.source_audience_id or "-", change.target_audience_id or "-"
        undone = "  (undone)" if change.undone_by_change_id else ""
        lines.append(
            f"{change.id}  {to_iso(change.changed_at)}  {change.kind:<15}  {change.lead_count:>9,}"
            f"  {source} -> {target}{undone}"
        )
    return "\n".join(lines)


def change_as_text(change: Change, leads: Sequence[ChangedLead], *, has_more: bool) -> str:
    """Returns one line per field that has a value, and one per lead."""
    lines = [f"{name}: {value}" for name, value in change_as_dict(change).items() if value is not None]
    for lead in leads:
        there = ", was in the target before" if lead.was_in_target else ""
        lines.append(f"  {lead.lead_id}  {lead.name or ''}{there}".rstrip())
    return "\n".join([*lines, *(["More exist. Raise --limit."] if has_more else [])])


def undo_as_dict(result: UndoResult) -> dict[str, Any]:
    """Returns the result of an undo with the names and values of the API."""
    return {
        "change": change_as_dict(result.change),
        "undoneCount": result.undone_count,
        "skippedCount": result.skipped_count,
        "keptEdits": result.kept_edits,
    }


def undo_as_text(result: UndoResult) -> str:
    """Returns one line per fact."""
    change = result.change
    lines = [f"Undone: {result.undone_count:,} leads, by change {change.id}."]
    if result.skipped_count:
        lines.append(f"Skipped: {result.skipped_count:,} leads, erased or changed since.")
    if result.kept_edits:
        where = "in fields that were empty or were edited since"
        lines.append(f"Kept: values of {result.kept_edits:,} known people, {where}.")
    return "\n".join([*lines, f"To make it again: leadyard changes undo {change.id} --account-group ID"])
