"""Rate limits: who may send how much, what a request weighs, and what an answer tells about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from leadyard.errors import RateLimited
from leadyard.http.quotas import Charge, ProcessQuotas, QuotasLost, Taken, remaining, wait_ms
from leadyard.model import MAX_LEADS_PER_MOVE
from leadyard.rate_policies import Policies, Policy, Scope

if TYPE_CHECKING:
    # Most services have no Redis, and its client is as long in loading as half of the web framework.
    from leadyard.http.shared_quotas import SharedQuotas

HEADERS_IN_STATE = "rate_limit_headers"
_LEADS_PER_UNIT = 100
# An id in quotes and a comma. Bodies that say more of each lead hold fewer.
_BYTES_PER_LEAD = 27
_WHO_MAY = {
    Scope.KEY: "This key may send",
    Scope.GROUP: "All keys together may send to this account group",
    Scope.ADDRESS: "This address may send",
    Scope.GUESSES: "This address may send wrong keys:",
}


class RateLimits:
    """The rules of LEADYARD_RATE_LIMITS, counted in Redis when there is one and it answers, else in this process."""

    def __init__(self, policies: Policies, *, shared: SharedQuotas | None = None) -> None:
        self._policies = policies
        self._shared = shared
        self._own = ProcessQuotas()

    @property
    def storage_is_shared(self) -> bool:
        """Whether all processes count together at this moment."""
        return self._shared is not None and self._shared.is_reachable

    @property
    def times_storage_was_lost(self) -> int:
        """How often Redis went out of reach since the start of this process."""
        return self._shared.times_lost if self._shared else 0

    async def open(self) -> None:
        """Connects to Redis if there is one. Never raises: without it this process counts by itself."""
        if self._shared:
            await self._shared.open()

    async def close(self) -> None:
        """Closes the connection to Redis."""
        if self._shared:
            await self._shared.close()

    async def admit(self, state: dict[str, Any], subjects: Mapping[Scope, str], *, body_bytes: int = 0) -> None:
        """Counts a request of these subjects, and notes in `state` what its answer says about the quotas.

        Wrong keys are not counted yet, only whether one more is allowed. Raises RateLimited; the wait it tells is
        enough for all the leads that a body of `body_bytes` can hold.
        """
        again = 1 + min(body_bytes // _BYTES_PER_LEAD, MAX_LEADS_PER_MOVE) // _LEADS_PER_UNIT
        await self._charge(state, [_request(policy, who, again) for policy, who in self._of(subjects)])

    async def add_leads(self, state: dict[str, Any], subjects: Mapping[Scope, str], *, leads: int) -> None:
        """Counts what the leads of an admitted request weigh: one unit more for every full hundred of them.

        Raises RateLimited; the wait it tells is enough for the whole request.
        """
        units = leads // _LEADS_PER_UNIT
        if units:
            # A request is never more than a whole quota, or it could not be sent at all; 1 was counted before.
            most = [(policy, subject, min(units, policy.quota - 1)) for policy, subject in self._of(subjects)]
            await self._charge(state, [Charge(policy, subject, n, n, n + 1) for policy, subject, n in most])

    async def add_wrong_key(self, state: dict[str, Any], address: str) -> None:
        """Counts a wrong key that was sent from this address."""
        # The address was charged before; it is here for what the answer tells.
        units = {Scope.ADDRESS: 0, Scope.GUESSES: 1}
        of_address = self._of(dict.fromkeys(units, address))
        await self._charge(state, [Charge(policy, who, units[policy.scope], 0, 1) for policy, who in of_address])

    def _of(self, subjects: Mapping[Scope, str]) -> list[tuple[Policy, str]]:
        return [(policy, subject) for scope, subject in subjects.items() for policy in self._policies[scope]]

    async def _charge(self, state: dict[str, Any], charges: list[Charge]) -> None:
        if not charges:
            return
        taken = await self._take(charges)
        waits_ms = [] if taken.all_taken else list(map(wait_ms, charges, taken.free_in_ms))
        _note_headers(state, charges, taken, waits_ms)
        if waits_ms:
            worst = max(range(len(charges)), key=waits_ms.__getitem__)
            raise _refusal(charges[worst].policy, waits_ms[worst])

    async def _take(self, charges: list[Charge]) -> Taken:
        if self._shared:
            try:
                return await self._shared.take(charges)
            except QuotasLost:
                pass
        return self._own.take(charges)


def count_leads(body: Any) -> int:
    """Returns how many leads a parsed body is about: the items of its lists, wherever in it they are."""
    if isinstance(body, list):
        return len(body)
    return sum(map(count_leads, body.values())) if isinstance(body, dict) else 0


def _request(policy: Policy, subject: str, again: int) -> Charge:
    if policy.scope in (Scope.KEY, Scope.GROUP):
        return Charge(policy, subject, 1, 1, min(again, policy.quota))
    return Charge(policy, subject, 0 if policy.scope is Scope.GUESSES else 1, 1, 1)


def _refusal(policy: Policy, wait_ms: float) -> RateLimited:
    wait_s = _whole_seconds(wait_ms)
    return RateLimited(
        f"{_WHO_MAY[policy.scope]} {policy.quota} in {policy.window_s} s. Wait {wait_s} s and send the request again.",
        retry_after_s=wait_s,
    )


def _whole_seconds(wait_ms: float) -> int:
    return max(1, math.ceil(wait_ms / 1000))


def _note_headers(state: dict[str, Any], charges: list[Charge], taken: Taken, waits_ms: list[float]) -> None:
    """Once the key is known its quotas and its group's are told, and that of the address only if it stands in the
    way."""
    of_key = any(charge.policy.scope is Scope.KEY for charge in charges)
    shown: list[Policy] = []
    values: list[str] = []
    for number, charge in enumerate(charges):
        policy, free_in_ms = charge.policy, taken.free_in_ms[number]
        hidden = of_key and policy.scope is Scope.ADDRESS
        in_the_way_ms = waits_ms[number] if waits_ms else 0
        if not hidden or in_the_way_ms > 0:
            shown.append(policy)
            # Of what stands in the way, `t` tells when the request can be sent again and not when all is back, so that
            # a client that goes by it comes back no later than one that goes by Retry-After.
            in_s = _whole_seconds(in_the_way_ms) if in_the_way_ms > 0 else math.ceil(free_in_ms / 1000)
            values.append(f'"{policy.name}";r={remaining(policy, free_in_ms)};t={in_s}')
    state[HEADERS_IN_STATE] = [
        (b"ratelimit-policy", _policy_header(tuple(shown))),
        (b"ratelimit", ", ".join(values).encode()),
    ]


@lru_cache(maxsize=256)
def _policy_header(policies: tuple[Policy, ...]) -> bytes:
    return ", ".join(f'"{policy.name}";q={policy.quota};w={policy.window_s}' for policy in policies).encode()
