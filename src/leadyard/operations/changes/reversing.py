"""The reverse of a change: what it did to each lead, which of them it can give back, and the memberships of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from leadyard.database import Transaction
from leadyard.ids import ERASED_ID
from leadyard.model import Change, ChangeKind, Effect
from leadyard.operations.changes.members import Times, bring_back, take_out
from leadyard.store import changes, memberships
from leadyard.store.audiences import LockedAudience


@dataclass(frozen=True, slots=True)
class Done:
    """The effect of a change on one lead: when the lead had been added to the source that it left, None if it did not
    leave, and whether it entered the target."""

    left_at: int | None
    has_entered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The locked audiences of a change. Leads that left the source return to it; a copy took none out of it."""

    source: LockedAudience | None
    target: LockedAudience | None
    is_copy: bool

    @property
    def returns_to(self) -> LockedAudience | None:
        """The audience that the undo adds leads to, None if the change took none out of an audience."""
        return None if self.is_copy else self.source


@dataclass(frozen=True, slots=True)
class Reversal:
    """The leads that an undo gives back, and those that are changed since, both in the order of the change."""

    unchanged: Mapping[str, Done]
    changed: tuple[str, ...]


async def read_done(tx: Transaction, change: Change) -> dict[str, Done]:
    """Returns what the change did to each of its leads, without erased ones.

    An import may list a lead twice, if a request took it away between two batches. It has entered if either did it.
    """
    done: dict[str, Done] = {}
    position = 0
    while (part := await changes.read_effect(tx, change, position=position)) is not None:
        first, effect = part
        _add_done(done, effect)
        position = first + len(effect.lead_ids)
    return done


def done_of(effect: Effect) -> dict[str, Done]:
    """Returns what a part of a change did to each of its leads, without erased ones."""
    done: dict[str, Done] = {}
    _add_done(done, effect)
    return done


def _add_done(done: dict[str, Done], effect: Effect) -> None:
    nothing: Times = (None,) * len(effect.lead_ids)
    for lead_id, left_at, entered_at in zip(
        effect.lead_ids, effect.left_at or nothing, effect.entered_at or nothing, strict=True
    ):
        before = done.get(lead_id)
        has_entered = entered_at is not None or (before is not None and before.has_entered)
        done[lead_id] = Done(left_at, has_entered)
    done.pop(ERASED_ID, None)


async def plan(tx: Transaction, sides: Sides, done: Mapping[str, Done], away: Set[str]) -> Reversal:
    """Finds the leads that are still where the change has put them: in its target, and not in the source that they
    left. `away` are others that are changed since."""
    moved_on = set(away)
    if sides.target is not None:
        present = await memberships.list_present(tx, sides.target.audience.id, list(done))
        moved_on |= done.keys() - present
    if sides.source is not None:
        left = [lead_id for lead_id, each in done.items() if each.left_at is not None]
        moved_on |= await memberships.list_present(tx, sides.source.audience.id, left)
    return Reversal(
        {lead_id: each for lead_id, each in done.items() if lead_id not in moved_on},
        tuple(lead_id for lead_id in done if lead_id in moved_on),
    )


async def give_back(tx: Transaction, sides: Sides, done: Mapping[str, Done], *, at: int) -> Effect:
    """Takes the leads that entered the target out of it, and brings those that left the source back to it, each with
    the `addedAt` that it had. Returns the effect of that."""
    left: dict[str, int | None] = {}
    entered: dict[str, int | None] = {}
    if sides.target is not None:
        leaving = [lead_id for lead_id, each in done.items() if each.has_entered]
        left = _times(leaving, await take_out(tx, sides.target.audience.id, leaving, at=at)) if leaving else {}
    if sides.returns_to is not None:
        returning = {lead_id: each.left_at for lead_id, each in done.items() if each.left_at is not None}
        times = await bring_back(tx, sides.returns_to.audience.id, returning, at=at) if returning else ()
        entered = _times(list(returning), times)
    return Effect(
        lead_ids=tuple(done),
        left_at=tuple(map(left.get, done)) if left else None,
        entered_at=tuple(map(entered.get, done)) if sides.returns_to is not None else None,
    )


def sides_of(change: Change, locked: Mapping[str, LockedAudience]) -> Sides:
    """Returns the sides of the change, whose audiences are all locked."""
    source, target = change.source_audience_id, change.target_audience_id
    return Sides(
        source=locked[source] if source is not None else None,
        target=locked[target] if target is not None else None,
        is_copy=change.kind is ChangeKind.COPY,
    )


def _times(lead_ids: Sequence[str], times: Times) -> dict[str, int | None]:
    return dict(zip(lead_ids, times, strict=True))
