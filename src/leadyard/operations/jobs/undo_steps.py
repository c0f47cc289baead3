"""The steps of the undo of a large change: its worker plans all of it, part by part, before it changes anything.

Applying the plan is the same step as in a transfer (`transfer_steps.py`). docs/decisions/0040 has the rules of an undo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from leadyard.database import Database, Transaction
from leadyard.errors import ChangedSince, NotUndoable
from leadyard.model import (
    Change,
    ChangeKind,
    ChangeState,
    ClaimedJob,
    Effect,
    JobCounts,
    JobStage,
    PartPosition,
    PlanPosition,
    RestPosition,
    UndoSource,
)
from leadyard.operations.changes.chains import found_change, read_chain
from leadyard.operations.changes.leaving import empty_some
from leadyard.operations.changes.parts import begin_in_parts
from leadyard.operations.changes.recording import begin
from leadyard.operations.changes.reversing import Done, Reversal, Sides, done_of, plan, sides_of
from leadyard.operations.changes.undone_imports import insert_people, takes_back_import, withdraw_unused
from leadyard.operations.changes.undone_values import put_values_back
from leadyard.operations.guards import lock_audiences
from leadyard.operations.jobs.held_job import hold, save_step
from leadyard.operations.operation import retried
from leadyard.store import audiences, changes, jobs, planned_parts, replaced_values, withdrawn_leads
from leadyard.store.audiences import LeavingAudience, LockedAudience

_LEADS_SHOWN = 100
_MEMBERSHIPS_A_BATCH = 5_000
_VALUES_A_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Repeated:
    """A lead that the undone change lists more than once: the part that undoes it, and what happened to it in all."""

    position: int
    done: Done


@retried
async def read_repeated(db: Database, claimed: ClaimedJob) -> dict[str, Repeated]:
    """Returns the leads that the undone change lists more than once. Two merged people are one, and an import lists a
    lead twice if a request took it away between two batches. It has entered if either did it."""
    found: dict[str, Repeated] = {}
    async with db.read(claimed.account_group_id) as tx:
        listings = await changes.list_repeated(tx, claimed.job.source_as(UndoSource).change_id)
    for lead_id, position, left_at, has_entered in listings:
        known = found.get(lead_id)
        first = position if known is None else known.position
        found[lead_id] = Repeated(first, Done(left_at, has_entered or (known is not None and known.done.has_entered)))
    return found


@retried
async def plan_part(
    db: Database,
    claimed: ClaimedJob,
    position: PlanPosition,
    repeated: Mapping[str, Repeated],
    *,
    lease_ms: int,
) -> PlanPosition | None:
    """Plans the undo of the next part of the change. Returns the position of the one after it, None when all of it is
    planned, and the stage has ended.

    Raises LeaseLost, NotUndoable if the change has expired since, and at the end ChangedSince if a lead is changed
    since and must not be skipped.
    """
    source = claimed.job.source_as(UndoSource)
    async with db.write(claimed.account_group_id) as tx:
        locked = await lock_audiences(tx, claimed.job.audience_ids)
        await hold(tx, claimed)
        undone = await found_change(tx, source.change_id)
        if await _remove_rest(tx, claimed, undone, locked):
            following = position
        else:
            sides = sides_of(undone, {each.audience.id: each for each in locked})
            undo = await changes.lock_open(tx, claimed.job.id) or await _begin(tx, claimed, undone, sides)
            part = await changes.read_effect(tx, undone, position=position.read)
            if part is None:
                await _end_planning(tx, claimed, undone, position, lease_ms=lease_ms)
                return None
            at, effect = part
            done = _of_this_part(done_of(effect), repeated, at)
            following = await _plan(tx, undone, undo, sides, done, position, skip_changed=source.skip_changed)
            following = replace(following, read=at + len(effect.lead_ids))
        progress = following.read / max(1, undone.lead_count)
        counts = JobCounts(selected=following.planned - position.planned)
        await save_step(tx, claimed, JobStage.SELECT, following, progress=progress, counts=counts, lease_ms=lease_ms)
    return following


@retried
async def finish_some(
    db: Database, claimed: ClaimedJob, position: RestPosition, *, lease_ms: int
) -> RestPosition | None:
    """Puts some of the values back that the undone change had replaced. After all of them, it takes some of the people
    out of the account group whom an undone import had created, and whom nothing else needs. Returns the next position,
    None at the end. Raises LeaseLost."""
    async with db.write(claimed.account_group_id) as tx:
        await lock_audiences(tx, claimed.job.audience_ids)
        await hold(tx, claimed)
        undo = await changes.lock_open(tx, claimed.job.id)
        if undo is None:
            return None
        counts, following = JobCounts(), None
        if not position.are_values_done:
            counts, following = await _put_back(tx, claimed, undo, position)
        if following is None:
            position = replace(position, are_values_done=True)
            following = await _withdraw(tx, claimed, undo, position)
        if following is None:
            return None
        await save_step(tx, claimed, JobStage.WITHDRAW, following, progress=0.0, counts=counts, lease_ms=lease_ms)
    return following


async def _put_back(
    tx: Transaction, claimed: ClaimedJob, undo: Change, position: RestPosition
) -> tuple[JobCounts, RestPosition | None]:
    undone_id = claimed.job.source_as(UndoSource).change_id
    after = (position.lead_id, position.field)
    page = await replaced_values.list_page(tx, undone_id, after=after, limit=_VALUES_A_BATCH)
    if not page:
        return JobCounts(), None
    people = {each.lead_id for each in page}
    among = await planned_parts.list_contained(tx, undo.id, sorted(people))
    kept = await put_values_back(tx, page, among, undo_id=undo.id)
    return JobCounts(kept_edits=len(kept)), replace(position, lead_id=page[-1].lead_id, field=page[-1].field)


async def _withdraw(tx: Transaction, claimed: ClaimedJob, undo: Change, position: RestPosition) -> RestPosition | None:
    chain = await read_chain(tx, claimed.job.source_as(UndoSource).change_id)
    if not takes_back_import(chain):
        return None
    created = await withdrawn_leads.find_created_in_part(tx, chain[-1].id, position=position.leads)
    if created is None:
        return None
    following, people = created
    await withdraw_unused(tx, undo.id, people, apart_from=[undo.id, *(each.id for each in chain)])
    return replace(position, leads=following)


async def _begin(tx: Transaction, claimed: ClaimedJob, undone: Change, sides: Sides) -> Change:
    undo = begin(
        ChangeKind.UNDO,
        source=sides.target,
        target=sides.returns_to,
        api_key_id=claimed.job.api_key_id,
        job_id=claimed.job.id,
        undoes_change_id=undone.id,
        state=ChangeState.OPEN,
    )
    source = claimed.job.source_as(UndoSource)
    if source.restored_audience_id is not None:
        await audiences.mark_not_deleted(tx, source.restored_audience_id)
    await begin_in_parts(tx, undo)
    await jobs.set_change(tx, claimed.job.id, undo.id)
    return undo


async def _remove_rest(tx: Transaction, claimed: ClaimedJob, undone: Change, locked: list[LockedAudience]) -> bool:
    """The start of the job has brought a deleted audience back while the housekeeping was still emptying it. Removes
    some of the members that are left, so that the deletion lists all of them. Returns whether there were any."""
    if undone.kind is not ChangeKind.DELETE_AUDIENCE or await changes.lock_open(tx, claimed.job.id) is not None:
        return False
    [audience] = locked
    if not audience.audience.prospect_count:
        return False
    leaving = LeavingAudience(audience.audience.id, audience.audience.prospect_count, audience.changed_at, undone.id)
    await empty_some(tx, leaving, limit=_MEMBERSHIPS_A_BATCH)
    return True


def _of_this_part(done: Mapping[str, Done], repeated: Mapping[str, Repeated], position: int) -> dict[str, Done]:
    """Leaves out the leads that another part undoes."""
    found: dict[str, Done] = {}
    for lead_id, each in done.items():
        again = repeated.get(lead_id)
        if again is None or again.position == position:
            found[lead_id] = each if again is None else again.done
    return found


async def _plan(
    tx: Transaction,
    undone: Change,
    undo: Change,
    sides: Sides,
    done: Mapping[str, Done],
    position: PlanPosition,
    *,
    skip_changed: bool,
) -> PlanPosition:
    withdrawn = await withdrawn_leads.find_some(tx, undone.id, list(done)) if undone.undoes_change_id else []
    away = await insert_people(tx, undone.id, withdrawn)
    back = [lead.id for lead in withdrawn if lead.id not in away]
    await withdrawn_leads.delete_some(tx, undone.id, back)
    reversal = await plan(tx, sides, done, away)
    if reversal.changed:
        room = _LEADS_SHOWN - len(position.first_changed)
        position = replace(
            position,
            changed=position.changed + len(reversal.changed),
            first_changed=position.first_changed + reversal.changed[:room],
        )
    chosen = [*back, *(lead_id for lead_id in reversal.unchanged if lead_id not in set(back))]
    if not chosen or (position.changed and not skip_changed and not back):
        return position
    effect = _effect(chosen, reversal, sides)
    await planned_parts.insert(
        tx, undo.id, effect, position=position.planned, changed_at=undo.changed_at, created_count=len(back)
    )
    await planned_parts.count(tx, undo.id, leads=len(chosen))
    return replace(position, planned=position.planned + len(chosen))


def _effect(lead_ids: list[str], reversal: Reversal, sides: Sides) -> Effect:
    """Returns the plan: a time for each lead that leaves the target, which is found when it leaves, and the time that
    each returning lead had."""
    done = [reversal.unchanged[lead_id] for lead_id in lead_ids]
    return Effect(
        lead_ids=tuple(lead_ids),
        left_at=tuple(0 if each.has_entered else None for each in done) if sides.target is not None else None,
        entered_at=tuple(each.left_at for each in done) if sides.returns_to is not None else None,
    )


async def _end_planning(
    tx: Transaction, claimed: ClaimedJob, undone: Change, position: PlanPosition, *, lease_ms: int
) -> None:
    if undone.state is ChangeState.EXPIRED or position.read < undone.lead_count:
        raise NotUndoable("It is so old that the service no longer knows its leads.")
    if position.changed and not claimed.job.source_as(UndoSource).skip_changed:
        raise ChangedSince(first_lead_ids=position.first_changed, lead_count=position.changed)
    counts = JobCounts(skipped=undone.lead_count - position.planned)
    if undone.kind is ChangeKind.IMPORT:
        counts += JobCounts(kept_edits=await changes.find_filled_count(tx, undone.id))
    await save_step(tx, claimed, JobStage.APPLY, PartPosition(leads=0), progress=0.0, counts=counts, lease_ms=lease_ms)
