"""Changes as the commands print them for people. For programs they print the objects of the API."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.cli.audience_names import AudienceNames
from leadyard.cli.output import Data
from leadyard.cli.people_report import known_people, lead_count
from leadyard.cli.table import one_line


def changes_as_table(changes: Sequence[Data], names: AudienceNames) -> str:
    """Returns one line per change, under a heading, with the names of the audiences."""
    lines = [f"{'CHANGE':<24}  {'WHEN':<24}  {'KIND':<15}  {'LEADS':>9}  FROM -> TO"]
    for change in changes:
        source, target = names.of(change["sourceAudienceId"]), names.of(change["targetAudienceId"])
        undone = "  (undone)" if change["undoneByChangeId"] else ""
        lines.append(
            f"{change['id']}  {change['changedAt']}  {change['kind']:<15}  {change['leadCount']:>9,}"
            f"  {source} -> {target}{undone}"
        )
    return "\n".join(lines)


def change_as_text(change: Data, leads: Data, replaced: Data) -> str:
    """Returns one line per field that has a value, one per lead, and one per value that the change has replaced."""
    lines = [f"{name}: {value}" for name, value in change.items() if value is not None]
    for lead in leads["items"]:
        there = ", was in the target before" if lead["wasInTarget"] else ""
        lines.append(f"  {lead['prospectId']}  {one_line(lead['name'] or '')}{there}".rstrip())
    if leads["hasMore"]:
        lines.append("More exist. Raise --limit.")
    if replaced["items"]:
        lines += ["Replaced values:", *map(_replaced, replaced["items"])]
    if replaced["hasMore"]:
        lines.append("More values were replaced. Raise --limit.")
    return "\n".join(lines)


def _replaced(value: Data) -> str:
    old, new = (_value(value[name]) for name in ("oldValue", "newValue"))
    return f"  {value['prospectId']}  {one_line(value['field'])}: {old} -> {new}"


def _value(text: str | None) -> str:
    return "(empty)" if text is None else repr(one_line(text))


def undo_as_text(undone: Data, *, undo_command: str) -> str:
    """Returns one line per fact."""
    lines = [f"Undone: {lead_count(undone['undoneCount'])}, by change {undone['change']['id']}."]
    if undone["skippedCount"]:
        lines.append(f"Skipped: {lead_count(undone['skippedCount'])}, erased or changed since.")
    if undone["keptEdits"]:
        where = "in fields that were empty or were edited since"
        lines.append(f"Kept: values of {known_people(undone['keptEdits'])}, {where}.")
    return "\n".join([*lines, f"To make it again: {undo_command}"])
