"""Counts the use of each quota, in this process.

The algorithm is GCRA, a leaky bucket that stores one number for each subject: the time at which its whole quota will be
free again. A unit comes back every `window / quota`. So a client cannot send twice the quota around the edge of each
window, a refusal states to the millisecond when the same request would pass, and a request of 100 units costs the same
arithmetic as a request of 1 unit. docs/decisions/0014 weighs the alternatives.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from leadyard.settings.rate_policies import Policy

# Tolerance for rounding: far too little to be useful to a client, and far more than the error of a thousand additions.
SLACK = 0.01


class Charge(NamedTuple):
    """Units of one quota: `take` are used up if at least `free` are left now. The same request, sent again, would need
    `again`. Each number is at most the whole quota."""

    policy: Policy
    subject: str
    take: int
    free: int
    again: int

    def key(self) -> str:
        """Returns the name under which this quota is counted. A changed rule starts from zero."""
        return self.policy.counted_as + self.subject


class Taken(NamedTuple):
    """Whether all charges were taken (all or none), and for each charge the ms until its whole quota is free again."""

    all_taken: bool
    free_in_ms: Sequence[float]


class QuotasLost(Exception):
    """Redis cannot be reached at the moment."""


def after(charges: Sequence[Charge], *, all_taken: bool, before_ms: Sequence[float]) -> Taken:
    """Returns the outcome for quotas that, before these charges, were free again in `before_ms`."""
    if not all_taken:
        return Taken(all_taken, before_ms)
    return Taken(
        all_taken,
        [ms + charge.take * charge.policy.interval_ms for charge, ms in zip(charges, before_ms, strict=True)],
    )


def remaining(policy: Policy, free_in_ms: float) -> int:
    """Returns the number of units left."""
    return max(0, int(policy.quota - free_in_ms / policy.interval_ms + SLACK))


def wait_ms(charge: Charge, free_in_ms: float) -> float:
    """Returns how long to wait before the request fits into this quota, if no other request uses it."""
    return free_in_ms + charge.again * charge.policy.interval_ms - charge.policy.window_s * 1000


class ProcessQuotas:
    """The quotas used in this process alone. It keeps the `size` most recently used ones."""

    def __init__(self, *, size: int = 100_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._free_at_ms: OrderedDict[str, float] = OrderedDict()
        self._size = size
        self._clock = clock

    def take(self, charges: Sequence[Charge]) -> Taken:
        """Takes all charges, or none if one does not fit."""
        now_ms = self._clock() * 1000
        keys, before, all_taken = [], [], True
        for policy, subject, _take, free, _again in charges:
            key = policy.counted_as + subject
            free_in_ms = max(self._free_at_ms.get(key, 0) - now_ms, 0.0)
            all_taken = all_taken and free_in_ms + (free - SLACK) * policy.interval_ms <= policy.window_s * 1000
            keys.append(key)
            before.append(free_in_ms)
        outcome = after(charges, all_taken=all_taken, before_ms=before)
        if outcome.all_taken:
            for key, free_in_ms in zip(keys, outcome.free_in_ms, strict=True):
                self._free_at_ms[key] = now_ms + free_in_ms
                self._free_at_ms.move_to_end(key)
            while len(self._free_at_ms) > self._size:
                self._free_at_ms.popitem(last=False)
        return outcome
