"""Undo: takes a change back, lead by lead, and records that as a change. So an undo can be undone, too.

The undo is the reverse of the effect. A lead that had entered the target leaves it, and a lead that had left the source
enters it again with the `addedAt` that it had there. docs/decisions/0040 lists what each kind of change leaves behind.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from leadyard.database import Transaction
from leadyard.errors import (
    AlreadyUndone,
    ChangedSince,
    NotFound,
    NotUndoable,
    TransactionConflict,
)
from leadyard.model import (
    STAGES_OF_KIND,
    Caller,
    Change,
    ChangeKind,
    ChangeState,
    Job,
    JobKind,
    Permission,
    UndoResult,
    UndoSource,
)
from leadyard.operations.changes.chains import found_change, read_chain
from leadyard.operations.changes.recording import begin, record
from leadyard.operations.changes.reversing import give_back, plan, read_done, sides_of
from leadyard.operations.changes.undone_deletions import bring_back_audience, delete_if_empty, takes_back_audience
from leadyard.operations.changes.undone_imports import bring_back_people, takes_back_import, withdraw
from leadyard.operations.changes.undone_values import put_values_back
from leadyard.operations.guards import lock_audiences, refuse_if_populating
from leadyard.operations.jobs.queueing import queue_job, refuse_too_many_jobs
from leadyard.operations.operation import writes
from leadyard.store import audiences, changes, leads, replaced_values, withdrawn_leads
from leadyard.store.audiences import LockedAudience

MAX_LEADS_PER_UNDO = 10_000
_LEADS_SHOWN = 100
_NEVER_UNDONE = {
    ChangeKind.ERASE: "An erased person is gone for good.",
    ChangeKind.MERGE: "Merged people stay one person.",
}


@writes(Permission.AUDIENCES_WRITE)
async def undo_change(tx: Transaction, caller: Caller, *, change_id: str, skip_changed: bool) -> UndoResult | Job:
    """Takes the change back, all of its leads or none, and returns the change that records this. If the change is about
    more than 10,000 leads, it queues a job that does the same, and returns the job.

    A lead is changed since if it is no longer in the target of the change, or again in the source that it left. With
    `skip_changed` such leads stay as they are. Erased leads are skipped in any case.

    Raises, in this order, NotFound for the change and for an audience of it, AlreadyUndone, NotUndoable,
    AudienceNotReady while a job populates an audience of it, and TooManyJobs or, without a job, ChangedSince. An
    audience that this change has deleted comes back. The cost grows with the number of leads of the change.
    """
    change, locked, restored = await _lock(tx, change_id)
    if change.lead_count > MAX_LEADS_PER_UNDO:
        return await _queue(tx, caller, change, locked, restored, skip_changed=skip_changed)
    sides = sides_of(change, {each.audience.id: each for each in locked})
    chain = await read_chain(tx, change.id)
    done = await read_done(tx, change)
    withdrawn = await withdrawn_leads.find_of(tx, change.id)
    replaced = await replaced_values.list_all(tx, change.id)
    may_write = bool(replaced) or takes_back_import(chain)
    await _keep(tx, done.keys() - {lead.id for lead in withdrawn}, may_write=may_write)
    away = await bring_back_people(tx, change, withdrawn)
    reversal = await plan(tx, sides, done, away)
    if reversal.changed and not skip_changed:
        raise ChangedSince(first_lead_ids=reversal.changed[:_LEADS_SHOWN], lead_count=len(reversal.changed))
    begun = begin(
        ChangeKind.UNDO,
        source=sides.target,
        target=sides.returns_to,
        api_key_id=caller.api_key_id,
        undoes_change_id=change.id,
    )
    undo = await record(tx, begun, await give_back(tx, sides, reversal.unchanged, at=begun.changed_at))
    kept = await put_values_back(tx, replaced, reversal.unchanged, undo_id=undo.id) if replaced else set()
    if takes_back_import(chain):
        await withdraw(tx, undo, chain, reversal.unchanged)
    if takes_back_audience(chain) and undo.source_audience_id is not None:
        await delete_if_empty(tx, undo.source_audience_id, undo)
    if not await changes.mark_undone(tx, change.id, undone_by=undo.id):
        # It has expired since it was read.
        raise TransactionConflict
    return UndoResult(
        change=undo,
        undone_count=undo.lead_count,
        skipped_count=change.lead_count - undo.lead_count,
        kept_edits=await _count_kept_edits(tx, change, kept),
    )


async def _count_kept_edits(tx: Transaction, change: Change, kept: set[str]) -> int | None:
    """Returns how many known people keep values of an import: those in fields that were empty, and those that the undo
    did not replace because they were edited since. A person may count twice."""
    if change.kind is not ChangeKind.IMPORT:
        return None
    return await changes.find_filled_count(tx, change.id) + len(kept)


async def _lock(tx: Transaction, change_id: str) -> tuple[Change, list[LockedAudience], str | None]:
    """Locks the audiences of the change, and returns both as they are under the locks, and the id of an audience that
    it has brought back. Two undos of one change wait for each other here, because a change that can be undone has an
    audience."""
    audience_ids = _audience_ids(await found_change(tx, change_id))
    deleted = await audiences.lock_even_deleted(tx, audience_ids)
    change = await found_change(tx, change_id)
    for each in deleted:
        if each.deleted_by_change_id != change.id:
            raise NotFound("audience", each.id)
    _refuse_unless_undoable(change)
    for each in deleted:
        if change.lead_count > MAX_LEADS_PER_UNDO:
            # The job removes the remaining members itself, step by step.
            await audiences.show_while_emptied(tx, each.id)
        else:
            await bring_back_audience(tx, each, most=MAX_LEADS_PER_UNDO)
    locked = await lock_audiences(tx, audience_ids)
    await refuse_if_populating(tx, locked)
    return change, locked, deleted[0].id if deleted else None


async def _queue(
    tx: Transaction,
    caller: Caller,
    change: Change,
    locked: Sequence[LockedAudience],
    restored: str | None,
    *,
    skip_changed: bool,
) -> Job:
    await refuse_too_many_jobs(tx)
    source = UndoSource(
        change_id=change.id,
        source_audience_id=change.source_audience_id,
        target_audience_id=change.target_audience_id,
        skip_changed=skip_changed,
        restored_audience_id=restored,
    )
    both = (locked[0], locked[1]) if len(locked) > 1 else (locked[0],)
    return await queue_job(tx, caller, JobKind.UNDO, both, source, STAGES_OF_KIND[JobKind.UNDO])


def _audience_ids(change: Change) -> list[str]:
    return [each for each in (change.source_audience_id, change.target_audience_id) if each is not None]


def _refuse_unless_undoable(change: Change) -> None:
    if change.undone_by_change_id is not None:
        raise AlreadyUndone(change.undone_by_change_id)
    if change.kind in _NEVER_UNDONE:
        raise NotUndoable(_NEVER_UNDONE[change.kind])
    if change.state is ChangeState.EXPIRED:
        raise NotUndoable("It is so old that the service no longer knows its leads.")


async def _keep(tx: Transaction, lead_ids: Collection[str], *, may_write: bool) -> None:
    """Locks the leads, so that no other transaction erases them before this one ends. It does that before it locks the
    row of the change, like an erasure, so that the two cannot deadlock."""
    kept = len(await leads.lock(tx, lead_ids)) if may_write else await leads.keep(tx, list(lead_ids))
    if kept < len(lead_ids):
        # Another transaction has erased one of them since the change was read, and the change no longer has its id.
        raise TransactionConflict
