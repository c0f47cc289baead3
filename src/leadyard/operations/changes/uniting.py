"""Gives the memberships of a lead to another lead, which stands for both people from then on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadyard.database import Transaction
from leadyard.ids import number_of
from leadyard.operations.changes.leaving import record_gone
from leadyard.store import audiences, membership_changes
from leadyard.store.audiences import LeavingAudience


async def unite(
    tx: Transaction,
    kept_id: str,
    other_id: str,
    audience_ids: Sequence[str],
    leaving: Sequence[LeavingAudience],
    *,
    at: int,
) -> dict[str, int]:
    """Puts the first lead into all audiences of both, which are locked and listed, and the other lead into none.

    In an audience with both the earlier `addedAt` stays, and the count falls by one. `leaving` are the deleted
    audiences among them, whose changes then list the other lead without its id. `at` is the time of the change. Returns
    the audiences of the first lead, with the time when it was added.
    """
    kept = await membership_changes.remove_lead(tx, kept_id)
    other = await membership_changes.remove_lead(tx, other_id)
    added_at = {id: _earlier(kept, other, number_of(id)) for id in audience_ids}
    await membership_changes.add_lead(tx, kept_id, added_at)
    shared = [id for id in audience_ids if number_of(id) in kept and number_of(id) in other]
    for each in leaving:
        if each.id in shared:
            await record_gone(tx, each, other[number_of(each.id)])
    await audiences.count_removed(tx, shared, removed=1, now=at)
    # Their counts stay. Their next change gets a later time than this one.
    await audiences.count_removed(tx, sorted(set(audience_ids) - set(shared)), removed=0, now=at)
    return added_at


def _earlier(kept: Mapping[int, int], other: Mapping[int, int], number: int) -> int:
    return min(added_at[number] for added_at in (kept, other) if number in added_at)
