"""An import in the record: one change for all its batches. Each batch with new leads is a part of it."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.model import Change, ChangeKind, ChangeState, Effect
from leadyard.operations.add_people import BroughtIn
from leadyard.operations.changes.recording import begin, record_in_parts
from leadyard.operations.events.recording import record_batch_of_import
from leadyard.store import change_subjects, changes, replaced_values
from leadyard.store.audiences import LockedAudience


async def record_batch_of_job(
    tx: Transaction, audience: LockedAudience, brought: BroughtIn, *, job_id: str, api_key_id: str | None
) -> None:
    """Adds the batch to the change of the held job. The change is hidden until the job ends, and then `complete` of
    the store shows it."""
    change = await changes.lock_open(tx, job_id)
    if change is None and brought.effect.lead_ids:
        change = begin(ChangeKind.IMPORT, target=audience, api_key_id=api_key_id, job_id=job_id, state=ChangeState.OPEN)
        await record_in_parts(tx, change)
    if change is not None:
        await _append(tx, change, brought)


async def record_batch(
    tx: Transaction, audience: LockedAudience, brought: BroughtIn, *, change_id: str | None, api_key_id: str | None
) -> str | None:
    """Adds the batch to the change of the import, which is visible from its first batch on. Without a change, or if it
    was undone since, it begins another one. Returns the id of the change, None if there is no lead yet."""
    change = await changes.lock(tx, change_id) if change_id is not None else None
    if change is None or not _can_grow(change, audience):
        if not brought.effect.lead_ids:
            return change_id
        change = begin(ChangeKind.IMPORT, target=audience, api_key_id=api_key_id)
        await record_in_parts(tx, change)
    part = await _append(tx, change, brought)
    if part.lead_ids:
        await record_batch_of_import(
            tx,
            change,
            at=brought.at,
            first_lead=change.lead_count,
            lead_count=len(part.lead_ids),
            already_in_target_count=part.already_in_target_count,
        )
    return change.id


def _can_grow(change: Change, audience: LockedAudience) -> bool:
    return (
        change.kind is ChangeKind.IMPORT
        and change.target_audience_id == audience.audience.id
        and change.state is ChangeState.COMPLETE
        and change.undone_by_change_id is None
    )


async def _append(tx: Transaction, change: Change, brought: BroughtIn) -> Effect:
    """Writes the part of the batch with its replaced values, and returns it. A lead that an earlier batch has recorded
    is left out, unless it has entered again, because it was moved away since."""
    if brought.replaced:
        await replaced_values.add(tx, change.id, brought.replaced)
    part = await _not_recorded_before(tx, change, brought)
    if part.lead_ids:
        # A created lead is always new, so the created ones still come first.
        await changes.insert_part(
            tx,
            change.id,
            part,
            position=change.lead_count,
            changed_at=brought.at,
            created_count=brought.created_count,
            is_indexed=True,
        )
    if part.lead_ids or brought.filled_count:
        await changes.count_part(tx, change.id, part, filled_count=brought.filled_count)
    return part


async def _not_recorded_before(tx: Transaction, change: Change, brought: BroughtIn) -> Effect:
    """Puts the leads into the index of the record. Returns the part of the effect that earlier batches have not
    recorded."""
    effect, created = brought.effect, brought.created_count
    if not effect.lead_ids:
        return effect
    new = await change_subjects.add_imported(tx, change.id, effect.lead_ids, created_count=created)
    if created == len(effect.lead_ids):
        return effect
    entered_at = effect.entered_at or ()
    chosen = [
        at for at, lead_id in enumerate(effect.lead_ids) if at < created or lead_id in new or entered_at[at] is not None
    ]
    return Effect(
        lead_ids=tuple(effect.lead_ids[at] for at in chosen), entered_at=tuple(entered_at[at] for at in chosen)
    )
