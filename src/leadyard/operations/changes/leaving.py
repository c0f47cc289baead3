"""Removes memberships for good: of deleted audiences, batch by batch, and of an erased lead.

A deletion hides its audience at once, and its change counts all members. The change lists them in parts. The
transaction that removes some of the memberships also writes their part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadyard.clock import now_ms
from leadyard.database import Transaction
from leadyard.ids import ERASED_ID, number_of
from leadyard.model import Effect
from leadyard.store import audiences, change_subjects, changes, membership_changes
from leadyard.store.audiences import LeavingAudience


async def empty_some(tx: Transaction, leaving: LeavingAudience, *, limit: int) -> int:
    """Removes at most `limit` members of the locked, deleted audience, and records them. Returns their number."""
    left = await membership_changes.remove_some(tx, leaving.id, limit=limit)
    at = max(now_ms(), leaving.changed_at + 1)
    if left:
        await _record_part(tx, leaving, left, at=at)
    await audiences.count_removed(tx, [leaving.id], removed=len(left), now=at)
    return len(left)


async def remove_erased(
    tx: Transaction, lead_id: str, audience_ids: Sequence[str], leaving: Sequence[LeavingAudience], *, at: int
) -> None:
    """Removes a lead that is being erased from all its audiences, which are locked. `leaving` are the deleted ones,
    whose changes list it without its id. `at` is the time of the erasure, after the last change of each."""
    added_at = await membership_changes.remove_lead(tx, lead_id)
    for each in leaving:
        await record_gone(tx, each, added_at[number_of(each.id)])
    await audiences.count_removed(tx, audience_ids, removed=1, now=at)


async def record_gone(tx: Transaction, leaving: LeavingAudience, added_at: int) -> None:
    """Records that a member of the locked, deleted audience, added to it at that time, is not a lead any more."""
    await _record_part(tx, leaving, {ERASED_ID: added_at}, at=max(now_ms(), leaving.changed_at + 1))


async def _record_part(tx: Transaction, leaving: LeavingAudience, left: Mapping[str, int], *, at: int) -> None:
    change = await changes.find(tx, leaving.deleted_by_change_id) if leaving.deleted_by_change_id else None
    if change is None:
        raise RuntimeError(f"Audience {leaving.id} was deleted without a change.")
    effect = Effect(lead_ids=tuple(left), left_at=tuple(left.values()))
    position = change.lead_count - leaving.prospect_count
    await changes.insert_part(tx, change.id, effect, position=position, changed_at=at, is_indexed=True)
    await change_subjects.add_leads(tx, change.id, effect.lead_ids)
