"""Writes a change into the record, inside the transaction that makes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.ids import new_id_at
from leadyard.model import Change, ChangeKind, ChangeState, Effect
from leadyard.operations.events.recording import record_change
from leadyard.store import change_subjects, changes
from leadyard.store.audiences import LeavingAudience, LockedAudience


def moment_after(*audiences: LockedAudience | LeavingAudience) -> int:
    """Returns the time of a change of the locked audiences: now, but later than their last change. So the times of the
    changes of an audience follow the order of their commits, even if the clocks of two machines differ."""
    return max([now_ms(), *(each.changed_at + 1 for each in audiences)])


def begin(
    kind: ChangeKind,
    *,
    source: LockedAudience | None = None,
    target: LockedAudience | None = None,
    api_key_id: str | None,
    job_id: str | None = None,
    undoes_change_id: str | None = None,
    state: ChangeState = ChangeState.COMPLETE,
    also: Sequence[LockedAudience | LeavingAudience] = (),
) -> Change:
    """Returns a change of the locked audiences that is not written yet, with its id and time and without leads. `also`
    are locked audiences that the change affects without naming them.

    Call it inside the transaction that is retried, because another change may have drawn the same id.
    """
    changed_at = moment_after(*(each for each in (source, target, *also) if each is not None))
    return Change(
        id=new_id_at(changed_at),
        kind=kind,
        state=state,
        source_audience_id=source.audience.id if source else None,
        target_audience_id=target.audience.id if target else None,
        lead_count=0,
        already_in_target_count=0,
        changed_at=changed_at,
        api_key_id=api_key_id,
        job_id=job_id,
        undoes_change_id=undoes_change_id,
    )


async def record(tx: Transaction, begun: Change, effect: Effect, *, filled_count: int = 0) -> Change:
    """Writes the change with all of its effect, at most 10,000 leads, and returns it with its counts. Raises
    TransactionConflict if another change has the id. Call it after the counts of the audiences have changed, because it
    also writes the event of the change."""
    change = replace(begun, lead_count=len(effect.lead_ids), already_in_target_count=effect.already_in_target_count)
    await changes.insert(tx, change, effect, filled_count=filled_count)
    await record_change(tx, change)
    return change


async def complete(tx: Transaction, job_id: str) -> None:
    """Completes the change that the ending job has written in parts, if there is one, and writes its event."""
    change = await changes.complete(tx, job_id)
    if change is not None:
        await record_change(tx, change)


async def record_in_parts(tx: Transaction, change: Change) -> Change:
    """Writes a change whose parts will list its leads, with the counts that it has so far, and returns it. Each part
    must put its leads into the index, so the housekeeping has nothing to do."""
    await changes.insert(tx, change, None, is_indexed=True)
    await change_subjects.add_change(tx, change)
    return change
