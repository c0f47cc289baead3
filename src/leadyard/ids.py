"""Ids: 24 lower-case hex characters that sort by the time they were made.

The first 12 are the Unix time in milliseconds (48 bits), the other 12 start at random and count up within a
millisecond, the way monotonic ULIDs do. Sorting by id is therefore sorting by age, to the millisecond across machines
and exactly within one process. docs/decisions/0004 weighs the alternatives.
"""

from __future__ import annotations

import secrets
import threading

from leadyard.clock import now_ms

BEYOND_EVERY_ID = "g"
"""Sorts after every id: no hex digit comes after f."""

TOKEN_LENGTH = 12
"""How many characters at the end of an id tell it from others of the same millisecond."""

_lock = threading.Lock()
_last = 0


def new_id() -> str:
    """Returns an id that is larger than every id this process has made before."""
    global _last
    now = now_ms()
    with _lock:
        # A clock that stands still or steps back must not make an id that sorts before its elder. 47 random bits leave
        # room to count up without running over into the time; they are drawn only when they count, for each costs a
        # call of the operating system, and an import makes dozens of ids in a millisecond.
        _last = (now << 48) | secrets.randbits(47) if now > _last >> 48 else _last + 1
        return f"{_last:024x}"
