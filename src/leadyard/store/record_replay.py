"""Replays the record of changes, and compares the result with the memberships. Exact, in bounded memory.

The last event of a lead in an audience decides whether it is a member, and since when. The times of the changes of an
audience are strictly increasing, so they give the order. Erased leads have no memberships, and their key is 0.

A place is an audience and a lead. The replay reads the record once and keeps the last event of each place, up to a
limit. Above it, the replay forgets the later half of the places, and reads the record once more for these. It reads the
lists only of changes whose audiences have places in the current range.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from leadyard.database import Transaction
from leadyard.ids import NUMBER_BITS, NUMBERS, id_of
from leadyard.model import Discrepancy
from leadyard.store import record_check
from leadyard.store.record_check import ListedChange, Lists, Place

MOST_PLACES = 400_000
"""How many last events are kept at a time: about a hundred megabytes."""
Told = Callable[[int], None]
"""Called with the number of changes that were read for the first time, or of memberships that were compared."""

# A place and an event are one integer each, which needs less memory than a pair: the number of an audience and the key
# of a lead, and the time of a change and the time at which it added the lead, 0 if the lead left.
_KEY_BITS = 63
_TIME_BITS = 44
_TIMES = (1 << _TIME_BITS) - 1
_KEYS = (1 << _KEY_BITS) - 1
_BEYOND_EVERY_PLACE = NUMBERS << _KEY_BITS


@dataclass(frozen=True, slots=True)
class _Sides:
    """The numbers of the audiences that the leads of a list left and entered."""

    source: int | None
    target: int | None

    @classmethod
    def of(cls, change: ListedChange) -> _Sides:
        return cls(_number(change.source_key), _number(change.target_key))

    def with_target(self, key: int | None) -> _Sides:
        """Returns the sides of a part. A merge has a part for each audience of the lead that remains: its last event
        there, whatever happened to both leads before."""
        return self if key is None else _Sides(self.source, _number(key))


@dataclass(frozen=True, slots=True)
class _Difference:
    """A place where memberships and record differ. None: it has no entry. 0 as the recorded time: the lead has left."""

    place: int
    member_at: int | None
    recorded_at: int | None


@dataclass(slots=True)
class _Range:
    """The places above `low` and not above `high`, with the last event of each. `high` falls when there are more than
    `most`."""

    low: int
    most: int
    high: int = _BEYOND_EVERY_PLACE
    last: dict[int, int] = field(default_factory=dict)

    def concerns(self, sides: _Sides) -> bool:
        """Returns whether the range has places of one of the audiences."""
        return self._has(sides.source) or self._has(sides.target)

    def note(self, sides: _Sides, lists: Lists) -> None:
        """Notes the events of the lists. The order of the calls does not matter. Damaged lists may differ in length."""
        if sides.source is not None and lists.left_at is not None and self._has(sides.source):
            left = zip(lists.lead_keys, lists.left_at, strict=False)
            self._note(sides.source, lists.changed_at, [(key, 0) for key, since in left if since is not None])
        if sides.target is not None and self._has(sides.target):
            entered_at = lists.entered_at or [lists.changed_at] * len(lists.lead_keys)
            entered = zip(lists.lead_keys, entered_at, strict=False)
            self._note(sides.target, lists.changed_at, [(key, since) for key, since in entered if since is not None])
        if len(self.last) > self.most:
            self._forget_half()

    def compare(self, number: int, key: int, member_at: int, *, explained_from: int) -> _Difference | None:
        """Returns the difference at the place of a membership, if there is one. A membership from before the oldest
        change that still has its leads needs no event."""
        place = number << _KEY_BITS | key
        event = self.last.pop(place, None)
        if event is None:
            return _Difference(place, member_at, None) if member_at >= explained_from else None
        recorded_at = event & _TIMES
        return _Difference(place, member_at, recorded_at) if member_at != recorded_at else None

    def missing(self) -> list[_Difference]:
        """Returns the recorded memberships that were not compared, because they are not there."""
        return [_Difference(place, None, event & _TIMES) for place, event in self.last.items() if event & _TIMES]

    def _has(self, number: int | None) -> bool:
        return number is not None and self.low >> _KEY_BITS <= number <= self.high >> _KEY_BITS

    def _note(self, number: int, changed_at: int, events: Iterable[tuple[int, int]]) -> None:
        first, at = number << _KEY_BITS, changed_at << _TIME_BITS
        low, high, last = self.low, self.high, self.last
        for key, since in events:
            place, event = first | key, at | since & _TIMES
            if key and low < place <= high and last.get(place, 0) < event:
                last[place] = event

    def _forget_half(self) -> None:
        places = sorted(self.last)
        middle = len(places) // 2
        self.high = places[middle]
        for place in places[middle + 1 :]:
            del self.last[place]


async def find_miscounted(tx: Transaction, *, most: int) -> list[Discrepancy]:
    """Returns complete changes that do not list as many leads as they count, at most `most`. The change of a deletion
    lists the members later that its audience still has."""
    found: list[Discrepancy] = []
    async for changes in record_check.list_changes(tx):
        in_parts = await _count_in_parts(tx, changes)
        for change in changes:
            listed = in_parts.get(change.key, 0) if change.is_in_parts else change.listed
            if not change.is_complete or listed == change.counted:
                continue
            listed += await record_check.count_not_recorded(tx, change) if change.is_in_parts else 0
            if listed != change.counted:
                facts = {"id": id_of(change.key), "counted": change.counted, "listed": listed}
                found.append(Discrepancy(check="change_count", facts=facts))
        if len(found) >= most:
            break
    return found[:most]


async def find_unexplained(tx: Transaction, told: Told, *, most: int, places: int = MOST_PLACES) -> list[Discrepancy]:
    """Returns the memberships that the record does not explain, and missing ones that it has, at most `most`.

    Needs a snapshot. Keeps at most about `places` events in memory. The time grows with the record and the memberships,
    and with the record once more for each `places` / 2 places.
    """
    explained_from = await record_check.find_explained_from(tx) >> NUMBER_BITS
    found: list[_Difference] = []
    low = -1
    while low < _BEYOND_EVERY_PLACE and len(found) < most:
        part = _Range(low, places)
        await _read_record(tx, part, told if low < 0 else _ignore)
        different = [each async for each in _differences(tx, part, told, explained_from=explained_from)]
        found += sorted([*different, *part.missing()], key=lambda each: each.place)
        low = part.high
    return await _as_discrepancies(tx, found[:most])


async def _read_record(tx: Transaction, part: _Range, told: Told) -> None:
    """Notes all events of the range."""
    async for changes in record_check.list_changes(tx):
        sides_of = {change.key: _Sides.of(change) for change in changes}
        await _note(tx, part, [((each.key, -1), each.listed, sides_of[each.key]) for each in changes if each.listed])
        async for parts in record_check.list_parts(tx, first=changes[0].key, last=changes[-1].key):
            of_parts = [(each, sides_of[each.change_key].with_target(each.target_key)) for each in parts]
            await _note(tx, part, [((each.change_key, each.position), each.listed, sides) for each, sides in of_parts])
        told(len(changes))


async def _note(tx: Transaction, part: _Range, listed: list[tuple[Place, int, _Sides]]) -> None:
    sides_of = {place: sides for place, _, sides in listed if part.concerns(sides)}
    async for together in record_check.read_lists(
        tx, [(place, size) for place, size, _ in listed if place in sides_of]
    ):
        for lists in together:
            part.note(sides_of[lists.change_key, lists.position], lists)


async def _differences(tx: Transaction, part: _Range, told: Told, *, explained_from: int) -> AsyncIterator[_Difference]:
    """Compares the memberships of the range, and yields those that differ from the record."""
    async for members in record_check.list_members(tx, after=(part.low >> _KEY_BITS, part.low & _KEYS)):
        for done, (number, key, member_at) in enumerate(members):
            if number << _KEY_BITS | key > part.high:
                told(done)
                return
            different = part.compare(number, key, member_at, explained_from=explained_from)
            if different is not None:
                yield different
        told(len(members))


async def _count_in_parts(tx: Transaction, changes: list[ListedChange]) -> Counter[int]:
    """Returns how many leads the parts of these neighbouring changes list, by the keys of the changes."""
    counts: Counter[int] = Counter()
    async for parts in record_check.list_parts(tx, first=changes[0].key, last=changes[-1].key):
        for part in parts:
            counts[part.change_key] += part.listed
    return counts


async def _as_discrepancies(tx: Transaction, different: list[_Difference]) -> list[Discrepancy]:
    audience_keys = await record_check.find_audiences(tx, sorted({each.place >> _KEY_BITS for each in different}))
    found: list[Discrepancy] = []
    for each in different:
        audience_key = audience_keys.get(each.place >> _KEY_BITS)
        # A membership of no audience at all is an orphan, which has its own check.
        if audience_key is None and each.recorded_at is None:
            continue
        facts = {
            "lead_id": id_of(each.place & _KEYS),
            "audience_id": id_of(audience_key) if audience_key is not None else None,
            "member_at": each.member_at,
            "recorded_at": each.recorded_at,
        }
        found.append(Discrepancy(check="record", facts=facts))
    return found


def _ignore(_done: int) -> None:
    """The record is read once more, which is not progress that was announced."""


def _number(key: int | None) -> int | None:
    """Returns the number of the audience with this key."""
    return None if key is None else key & (NUMBERS - 1)
