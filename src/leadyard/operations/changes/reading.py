"""Reads the record of changes."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.errors import NotFound
from leadyard.ids import ERASED_ID
from leadyard.model import (
    Caller,
    Change,
    ChangedLead,
    ChangeFilter,
    ChangeKind,
    ChangeState,
    Page,
    Permission,
    ReplacedValue,
)
from leadyard.operations.operation import reads, snapshot
from leadyard.store import audiences, change_subjects, changes, leads, memberships, replaced_values


@snapshot(Permission.AUDIENCES_READ)
async def list_changes(
    tx: Transaction, caller: Caller, *, wanted: ChangeFilter, before: str | None, limit: int
) -> Page[Change]:
    """Returns a page of the changes that match the filter, newest first. `before` is the `next_key` of a page."""
    found = await change_subjects.list_newest_first(tx, wanted, before=before, limit=limit + 1)
    return Page.of(found, limit, lambda change: change.id)


@reads(Permission.AUDIENCES_READ)
async def get_change(tx: Transaction, caller: Caller, *, change_id: str) -> Change:
    """Returns the change. Raises NotFound, also while a job is still writing it."""
    return await _found(tx, change_id)


@snapshot(Permission.AUDIENCES_READ, Permission.PROSPECTS_READ)
async def list_lead_changes(
    tx: Transaction, caller: Caller, *, lead_id: str, before: str | None, limit: int
) -> Page[Change]:
    """Returns a page of the changes of the lead, newest first. Raises NotFound for the lead."""
    if await leads.find(tx, lead_id) is None:
        raise NotFound("prospect", lead_id)
    found = await change_subjects.list_newest_first(tx, ChangeFilter(lead_id=lead_id), before=before, limit=limit + 1)
    return Page.of(found, limit, lambda change: change.id)


@snapshot(Permission.AUDIENCES_READ, Permission.PROSPECTS_READ)
async def list_changed_leads(
    tx: Transaction, caller: Caller, *, change_id: str, after: int, limit: int
) -> tuple[list[ChangedLead], int | None]:
    """Returns at most `limit` leads of the change that follow its first `after` leads, and the `after` of the next
    page, None at the end. An expired change has none. Raises NotFound for the change."""
    change = await _found(tx, change_id)
    if change.state is ChangeState.EXPIRED:
        return [], None
    found = await _leads_of(tx, change, after=after, limit=limit + 1)
    names = await leads.find_names(tx, {lead_id for lead_id, _ in found} - {ERASED_ID})
    # A lead that the undo of its import has withdrawn has no name either.
    page = [
        ChangedLead(
            lead_id=lead_id if lead_id in names else ERASED_ID, was_in_target=was_in_target, name=names.get(lead_id)
        )
        for lead_id, was_in_target in found[:limit]
    ]
    return page, after + limit if len(found) > limit else None


@snapshot(Permission.AUDIENCES_READ, Permission.PROSPECTS_READ)
async def list_replaced_values(
    tx: Transaction, caller: Caller, *, change_id: str, after: tuple[str, str] | None, limit: int
) -> Page[ReplacedValue]:
    """Returns a page of the values that the change has replaced in known people, in the order of lead and field, after
    that pair. Erased people and an expired change have none. Raises NotFound for the change."""
    await _found(tx, change_id)
    start = after or (ERASED_ID, "")
    found = await replaced_values.list_page(tx, change_id, after=start, limit=limit + 1)
    return Page.of(found, limit, lambda value: f"{value.lead_id}:{value.field}")


async def _found(tx: Transaction, change_id: str) -> Change:
    change = await changes.find(tx, change_id)
    if change is None:
        raise NotFound("change", change_id)
    return change


async def _leads_of(tx: Transaction, change: Change, *, after: int, limit: int) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    while len(found) < limit and (part := await changes.read_effect(tx, change, position=after + len(found))):
        first, effect = part
        start = after + len(found) - first
        entered_at = effect.entered_at or (0,) * len(effect.lead_ids)
        pairs = zip(effect.lead_ids[start:], entered_at[start:], strict=True)
        found += [(lead_id, at is None) for lead_id, at in pairs][: limit - len(found)]
    if change.kind is ChangeKind.DELETE_AUDIENCE and len(found) < limit:
        found += await _still_leaving(tx, change, after=after + len(found), limit=limit - len(found))
    return found


async def _still_leaving(tx: Transaction, change: Change, *, after: int, limit: int) -> list[tuple[str, bool]]:
    """Returns the members that the housekeeping has not removed yet. It removes them in the order of their ids, so they
    have the same places in the list before and after."""
    assert change.source_audience_id is not None
    leaving = await audiences.find_leaving(tx, change.source_audience_id)
    if leaving is None or leaving.deleted_by_change_id != change.id:
        return []
    removed = change.lead_count - leaving.prospect_count
    ids = await memberships.list_ids(tx, leaving.id, skip=max(0, after - removed), limit=limit)
    return [(lead_id, False) for lead_id in ids]
