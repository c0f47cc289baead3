"""A change in parts, made completely or not at all by a job: planned, then done part by part, or taken back.

Its audiences are reserved until the job has ended, so no other transaction changes their members, apart from erasures.
These replace the id of the lead in all parts, so a part never does anything to an erased lead. Each function is a step
of a transaction that has locked the audiences and holds the job.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadyard.database import Transaction
from leadyard.errors import TransactionConflict
from leadyard.ids import ERASED_ID
from leadyard.model import Change, Effect, TransferAction
from leadyard.operations.changes.members import Times, bring_back, move_over, move_run, put_in, take_out
from leadyard.store import changes, leads, planned_parts
from leadyard.store.planned_parts import LeadKeys, Part


@dataclass(frozen=True, slots=True)
class Applied:
    """The number of leads of a part that was done, and of those that were in the target before."""

    leads: int
    already_in_target: int


async def begin_in_parts(tx: Transaction, change: Change) -> None:
    """Writes a hidden change without leads. The housekeeping enters them into the index when it is complete, because
    an entry for each lead would take longer than the change itself."""
    await changes.insert(tx, change, None)


async def plan_selection(tx: Transaction, change: Change, pages: Sequence[LeadKeys]) -> None:
    """Adds the leads of a selection to the hidden change as planned parts, one for each page."""
    position = 0
    for page in pages:
        await planned_parts.insert_keys(tx, change.id, page, position=position, changed_at=change.changed_at)
        position += len(page)
    await planned_parts.count(tx, change.id, leads=position)


async def apply_action(tx: Transaction, change: Change, action: TransferAction, *, position: int) -> Applied | None:
    """Does the planned part that begins at the position. Returns None if there is no part."""
    if action is TransferAction.MOVE and (moved := await _move_run(tx, change, position)) is not None:
        return moved
    part = await planned_parts.find(tx, change.id, position=position)
    if part is None:
        return None
    present = [lead_id for lead_id in part.effect.lead_ids if lead_id != ERASED_ID]
    left, entered = await _act(tx, change, action, present)
    effect = _effect(part, dict(zip(present, left, strict=True)), dict(zip(present, entered, strict=True)), change)
    already = sum(1 for each in entered if each is None) if change.target_audience_id is not None else 0
    await _done(tx, change, part, effect, already=already)
    return Applied(len(part.effect.lead_ids), already)


async def apply_plan(tx: Transaction, change: Change, *, position: int) -> Applied | None:
    """Does the part that begins at the position, whose lists contain the leads that leave the source of the change, and
    those that enter its target, with their times. Returns None if there is no part."""
    part = await planned_parts.find(tx, change.id, position=position)
    if part is None:
        return None
    leaving = [lead_id for lead_id, at in _pairs(part, part.effect.left_at) if at is not None]
    entering = {lead_id: at for lead_id, at in _pairs(part, part.effect.entered_at) if at is not None}
    left, entered = await _exchange(tx, change.source_audience_id, leaving, change.target_audience_id, entering, change)
    await _done(tx, change, part, _effect(part, left, entered, change), already=0)
    return Applied(len(part.effect.lead_ids), 0)


async def take_back_last(tx: Transaction, change: Change) -> Part | None:
    """Takes the last part back, if it was done, and removes it. Then every membership of its leads is as it was before,
    with its time. Returns the part, None if there is none any more."""
    part = await planned_parts.find_last(tx, change.id)
    if part is None:
        return None
    if not part.is_planned:
        back = {lead_id: at for lead_id, at in _pairs(part, part.effect.left_at) if at is not None}
        await _exchange(tx, change.target_audience_id, _entered(part, change), change.source_audience_id, back, change)
    await planned_parts.remove(tx, change.id, position=part.position)
    return part


async def _move_run(tx: Transaction, change: Change, position: int) -> Applied | None:
    """Does the part without reading its leads one by one, which is possible if they follow each other in the source.
    Returns None if it is not."""
    source, target = change.source_audience_id, change.target_audience_id
    keys = await planned_parts.find_keys(tx, change.id, position=position)
    if not keys or source is None or target is None:
        return None
    times = await move_run(tx, source, target, keys, at=change.changed_at)
    if times is None:
        return None
    await planned_parts.mark_all_moved(tx, change.id, position=position, left_at=times)
    return Applied(len(keys), 0)


async def _act(
    tx: Transaction, change: Change, action: TransferAction, lead_ids: Sequence[str]
) -> tuple[Sequence[int | None], Sequence[int | None]]:
    source, target, at = change.source_audience_id, change.target_audience_id, change.changed_at
    nothing: Times = (None,) * len(lead_ids)
    assert source is not None
    if action is TransferAction.REMOVE:
        return await take_out(tx, source, lead_ids, at=at), nothing
    assert target is not None
    if action is TransferAction.COPY:
        return nothing, await put_in(tx, target, lead_ids, at=at)
    return await move_over(tx, source, target, lead_ids, at=at)


async def _exchange(
    tx: Transaction,
    out_of: str | None,
    leaving: Sequence[str],
    into: str | None,
    entering: Mapping[str, int],
    change: Change,
) -> tuple[dict[str, int | None], dict[str, int | None]]:
    """Returns when each lead that left had been added, and when each that entered was."""
    left: dict[str, int | None] = {}
    entered: dict[str, int | None] = {}
    if out_of is not None and leaving:
        left = dict(zip(leaving, await take_out(tx, out_of, leaving, at=change.changed_at), strict=True))
    if into is not None and entering:
        await _keep(tx, list(entering))
        entered = dict(zip(entering, await bring_back(tx, into, entering, at=change.changed_at), strict=True))
    return left, entered


async def _keep(tx: Transaction, lead_ids: Sequence[str]) -> None:
    """Locks leads that may be in no audience, so that no other transaction erases them before this one ends."""
    if await leads.keep(tx, lead_ids) < len(lead_ids):
        # One was erased since the part was read, and the part no longer has its id.
        raise TransactionConflict


async def _done(tx: Transaction, change: Change, part: Part, effect: Effect, *, already: int) -> None:
    await planned_parts.mark_done(tx, change.id, part, effect)
    if already:
        await planned_parts.count(tx, change.id, already=already)


def _effect(part: Part, left: Mapping[str, int | None], entered: Mapping[str, int | None], change: Change) -> Effect:
    ids = part.effect.lead_ids
    return Effect(
        lead_ids=ids,
        left_at=tuple(map(left.get, ids)) if any(at is not None for at in left.values()) else None,
        entered_at=tuple(map(entered.get, ids)) if change.target_audience_id is not None else None,
    )


def _entered(part: Part, change: Change) -> list[str]:
    """Returns the leads of a part that was done that have entered the target."""
    present = [lead_id for lead_id in part.effect.lead_ids if lead_id != ERASED_ID]
    if part.effect.entered_at is None:
        return present if change.target_audience_id is not None else []
    return [lead_id for lead_id, at in _pairs(part, part.effect.entered_at) if at is not None]


def _pairs(part: Part, times: Times | None) -> list[tuple[str, int | None]]:
    if times is None:
        return []
    return [pair for pair in zip(part.effect.lead_ids, times, strict=True) if pair[0] != ERASED_ID]
