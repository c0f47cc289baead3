"""Adds and removes the members of locked audiences, keeps their counts exact, and returns what happened to each lead.

The caller records the result as the effect of its change, in the same transaction. `at` is the time of the change, or
of its part, which is later than the last change of the audience.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadyard.database import Transaction
from leadyard.store import audiences, membership_changes

Times = tuple[int | None, ...]
"""For each lead of a list, when it was added; None for a lead to which nothing happened. See Effect."""


async def put_in(tx: Transaction, audience_id: str, lead_ids: Sequence[str], *, at: int) -> Times:
    """Adds the distinct leads to the audience. Returns when each entered, None if it was there already."""
    entered = await membership_changes.add(tx, audience_id, lead_ids, now=at)
    if entered:
        await audiences.count_added(tx, audience_id, added=len(entered), now=at)
    return tuple(at if lead_id in entered else None for lead_id in lead_ids)


async def put_in_with_new(
    tx: Transaction, audience_id: str, new_ids: Sequence[str], known_ids: Sequence[str], *, at: int
) -> Times:
    """Adds leads that this transaction has created, and then known ones, like `put_in`. Returns the times of all."""
    if new_ids:
        await membership_changes.add_new(tx, audience_id, new_ids, now=at)
    entered = await membership_changes.add(tx, audience_id, known_ids, now=at) if known_ids else set()
    if added := len(new_ids) + len(entered):
        await audiences.count_added(tx, audience_id, added=added, now=at)
    return (*((at,) * len(new_ids)), *(at if lead_id in entered else None for lead_id in known_ids))


async def bring_back(tx: Transaction, audience_id: str, added_at: Mapping[str, int], *, at: int) -> Times:
    """Adds the leads to the audience, each with the time that it had. Returns when each entered, in the order of the
    mapping, None if it was there already."""
    entered = await membership_changes.restore(tx, audience_id, added_at)
    if entered:
        await audiences.count_added(tx, audience_id, added=len(entered), now=at)
    return tuple(time if lead_id in entered else None for lead_id, time in added_at.items())


async def move_over(
    tx: Transaction, source_id: str, target_id: str, lead_ids: Sequence[str], *, at: int
) -> tuple[Times, Times]:
    """Moves the distinct leads from the source to the target. Returns when each had been added to the source, None if
    it was not there, and when it entered the target, None if it was there already."""
    moved = await membership_changes.move(tx, source_id, target_id, lead_ids, now=at)
    others = [lead_id for lead_id in lead_ids if lead_id not in moved] if len(moved) < len(lead_ids) else []
    gone = await membership_changes.remove(tx, source_id, others) if others else {}
    if moved or gone:
        await audiences.count_removed(tx, [source_id], removed=len(moved) + len(gone), now=at)
    if moved:
        await audiences.count_added(tx, target_id, added=len(moved), now=at)
    left = {**moved, **gone}
    return tuple(map(left.get, lead_ids)), tuple(at if lead_id in moved else None for lead_id in lead_ids)


async def move_run(tx: Transaction, source_id: str, target_id: str, keys: list[int], *, at: int) -> list[int] | None:
    """Moves leads by their keys, if they follow each other in the source, and none of the target is between them.
    Returns when each had been added to the source, None if it has moved none."""
    times = await membership_changes.move_run(tx, source_id, target_id, keys, now=at)
    if times is not None:
        await audiences.count_removed(tx, [source_id], removed=len(keys), now=at)
        await audiences.count_added(tx, target_id, added=len(keys), now=at)
    return times


async def take_out(tx: Transaction, audience_id: str, lead_ids: Sequence[str], *, at: int) -> Times:
    """Removes the distinct leads from the audience. Returns when each had been added to it, None if it was not
    there."""
    left = await membership_changes.remove(tx, audience_id, lead_ids)
    if left:
        await audiences.count_removed(tx, [audience_id], removed=len(left), now=at)
    return tuple(map(left.get, lead_ids))
