"""Counts what is used of each quota, in this process.

The algorithm is GCRA, a leaky bucket that remembers one number for each subject: the time at which its whole quota will
be free again. A unit comes back every `window / quota`, so there is no edge of a window at which twice the quota gets
through at once over and over, a refusal knows to the millisecond when the same request would pass, and a request that
weighs 100 units costs the same arithmetic as one that weighs 1. docs/decisions/0014 weighs the alternatives.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from leadyard.rate_policies import Policy

# What rounding may add up to: far less than anybody could use, and far more than a thousand additions can err.
SLACK = 0.01


class Charge(NamedTuple):
    """Units of one quota: `take` are used up if at least `free` are left now; the same request again would need
    `again`. None of them is more than the whole quota."""

    policy: Policy
    subject: str
    take: int
    free: int
    again: int

    def key(self) -> str:
        """Returns the name under which this quota is counted. New rules count anew."""
        return f"{self.policy.scope}:{self.policy.quota}/{self.policy.window_s}:{self.subject}"


class Taken(NamedTuple):
    """Whether all charges were taken (all or none), and for each in how many ms its whole quota is free again."""

    all_taken: bool
    free_in_ms: Sequence[float]


class QuotasLost(Exception):
    """Redis is out of reach at the moment."""


def after(charges: Sequence[Charge], *, all_taken: bool, before_ms: Sequence[float]) -> Taken:
    """Returns the outcome for quotas that were free again in `before_ms` when they were asked."""
    if not all_taken:
        return Taken(all_taken, before_ms)
    return Taken(
        all_taken,
        [ms + charge.take * charge.policy.interval_ms for charge, ms in zip(charges, before_ms, strict=True)],
    )


def remaining(policy: Policy, free_in_ms: float) -> int:
    """Returns how many units are left."""
    return max(0, int(policy.quota - free_in_ms / policy.interval_ms + SLACK))


def wait_ms(charge: Charge, free_in_ms: float) -> float:
    """Returns how long to wait before the request fits into this quota, provided that nobody else uses it."""
    return free_in_ms + charge.again * charge.policy.interval_ms - charge.policy.window_s * 1000


class ProcessQuotas:
    """The quotas as this process alone has seen them used. It remembers those of the `size` subjects seen last."""

    def __init__(self, *, size: int = 100_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._free_at_ms: OrderedDict[str, float] = OrderedDict()
        self._size = size
        self._clock = clock

    def take(self, charges: Sequence[Charge]) -> Taken:
        """Takes all the charges or, if one does not fit, none."""
        now_ms = self._clock() * 1000
        keys = [charge.key() for charge in charges]
        before = [max(self._free_at_ms.get(key, 0) - now_ms, 0.0) for key in keys]
        outcome = after(charges, all_taken=all(map(_fits, charges, before)), before_ms=before)
        if outcome.all_taken:
            for key, free_in_ms in zip(keys, outcome.free_in_ms, strict=True):
                self._free_at_ms[key] = now_ms + free_in_ms
                self._free_at_ms.move_to_end(key)
            while len(self._free_at_ms) > self._size:
                self._free_at_ms.popitem(last=False)
        return outcome


def _fits(charge: Charge, free_in_ms: float) -> bool:
    policy = charge.policy
    return free_in_ms + (charge.free - SLACK) * policy.interval_ms <= policy.window_s * 1000
