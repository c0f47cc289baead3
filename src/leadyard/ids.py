"""Ids: 24 lower-case hex characters outside, one narrow integer inside, both in order of time.

A *key* is a positive integer of 63 bits: the Unix time in milliseconds (42 bits, until the year 2109), then a number
(21 bits). The id is the key in two halves of 12 hex digits: the milliseconds, then the number. So the order of ids, of
keys and of creation is the same: to the millisecond across machines, and exactly within one process. Conversion is
arithmetic. Only `store` converts, because only the database contains keys; all other rooms have ids.

The number of an account group is unique in the installation, and the number of an audience in its account group. So
these two have a second, still narrower name, for the tables with the most rows. docs/decisions/0004 and 0034 have the
reasons.
"""

from __future__ import annotations

import re
import secrets
import struct
import threading
from collections.abc import Sequence

from leadyard.clock import now_ms

NUMBER_BITS = 21
NUMBERS: int = 2**NUMBER_BITS
"""How many numbers there are, and so how many account groups, or audiences in an account group, at the very most."""
ERASED_ID = "0" * 24
"""Stands for an erased lead in the record of changes. Its key is 0."""
NO_KEY = -1
"""The key of a text that is not an id of Leadyard. No row has it, so such an id is not found."""
BEYOND_EVERY_KEY = 2**63 - 1
"""Sorts after every key."""

_TIMES = 2**42
# 42 bits of time and 21 bits of number, each in 12 digits.
_WELL_FORMED = re.compile(r"0[0-3][0-9a-f]{10}0{6}[01][0-9a-f]{5}")
# The 12 bytes of an id as two integers: the milliseconds with two bytes that are zero, and the number.
_HALVES = struct.Struct(">QI")
_halves = _HALVES.pack
_ALWAYS_ZERO = bytes.fromhex(f"{2**48 - _TIMES:012x}{2**48 - NUMBERS:012x}")
_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Returns an id that is larger than all earlier ids of this process.

    Two processes draw the same one about once in a million, if they draw in the same millisecond. A unique constraint
    then refuses the second row, so draw the id inside the transaction that is retried.
    """
    global _last
    now = now_ms()
    with _lock:
        # A clock that stands still or steps back must not produce an id that sorts before an older one. 20 random bits
        # leave room to count up, and beyond it the count carries into the time. They are drawn only for a new
        # millisecond, because each draw is a system call, and an import makes dozens of ids per millisecond.
        _last = (now << NUMBER_BITS) | secrets.randbits(NUMBER_BITS - 1) if now > _last >> NUMBER_BITS else _last + 1
        return id_of(_last)


def new_id_with_free_number() -> str:
    """Returns an id like `new_id`, for an account group or an audience: its number is drawn from all of them.

    The number may be taken, and then a unique constraint refuses the row. A retry draws another one. With half of all
    numbers taken, every second draw fails: about a million account groups, and a million audiences in one of them.
    """
    global _last
    now = now_ms()
    with _lock:
        # A millisecond of its own, because the random number would break the order within one.
        _last = (max(now, (_last >> NUMBER_BITS) + 1) << NUMBER_BITS) | secrets.randbits(NUMBER_BITS)
        return id_of(_last)


def new_id_at(milliseconds: int) -> str:
    """Returns a new id that begins with this time. Its number is random enough for ids of one millisecond: a unique
    constraint refuses the rare second one."""
    return id_of(milliseconds << NUMBER_BITS | key_of(new_id()) & NUMBERS - 1)


def new_attempt() -> int:
    """Returns 63 random bits, which identify one attempt at a change for as long as its record exists."""
    return secrets.randbits(63)


def key_of(id: str) -> int:
    """Returns the key of the id, or NO_KEY for any other text. No two texts have the same key, apart from NO_KEY."""
    if _WELL_FORMED.fullmatch(id) is None:
        return NO_KEY
    halves = int(id, 16)
    # The number is in the low bits of its half, so shifting the whole id drops all of it.
    return halves >> 48 - NUMBER_BITS | halves & NUMBERS - 1


def keys_of(ids: Sequence[str]) -> list[int]:
    """Returns the key of each id, as `key_of` does. Several times as fast for a long list."""
    joined = "".join(ids)
    try:
        raw = bytes.fromhex(joined)
    except ValueError:
        return [key_of(id) for id in ids]
    # fromhex also reads capital letters and spaces, and joined texts of other lengths may look like ids.
    if raw.hex() != joined or set(map(len, ids)) - {24}:
        return [key_of(id) for id in ids]
    # All ids at once, as one number: the bits that are zero in each id.
    if int.from_bytes(raw) & int.from_bytes(_ALWAYS_ZERO * len(ids)):
        return [key_of(id) for id in ids]
    return [high << 5 | number for high, number in _HALVES.iter_unpack(raw)]


def first_key_at(milliseconds: int) -> int:
    """Returns the smallest key that an id of this time can have. Times outside of the range of keys get its ends."""
    return max(0, min(milliseconds, _TIMES - 1)) << NUMBER_BITS


def key_or_none(id: str | None) -> int | None:
    """Returns the key of an id that may be missing."""
    return None if id is None else key_of(id)


def id_of(key: int) -> str:
    """Returns the id of a key from the database. Raises ValueError for a number that is not a key."""
    try:
        # A third of the time of a format. An import converts each key, and a page of a list three for each lead.
        return _halves(key >> NUMBER_BITS << 16, key & NUMBERS - 1).hex()
    except struct.error:
        raise ValueError(f"{key} is not a key: a key has 63 bits and is not negative.") from None


def id_or_none(key: int | None) -> str | None:
    """Returns the id of a key that may be missing."""
    return None if key is None else id_of(key)


def number_of(id: str) -> int:
    """Returns the number of the account group or audience with this id, or NO_KEY for any other text.

    Ids with different times may have the same number. So a number finds the right rows only for an id that is proven:
    it came from a row, or it was compared with the whole key in a row.
    """
    key = key_of(id)
    return key if key == NO_KEY else key & NUMBERS - 1
