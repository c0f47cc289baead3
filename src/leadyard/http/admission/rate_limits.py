"""Rate limits: the quotas of each subject, the weight of a request, and the headers of a response."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leadyard.errors import RateLimited
from leadyard.http.admission.quotas import Charge, ProcessQuotas, QuotasLost, Taken, remaining, wait_ms
from leadyard.model import MAX_LEADS_PER_MOVE
from leadyard.settings.rate_policies import Policies, Policy, Scope

if TYPE_CHECKING:
    # Most services have no Redis, and its client takes half as long to load as the web framework.
    from leadyard.http.admission.shared_quotas import SharedQuotas

HEADERS_IN_STATE = "rate_limit_headers"
_LEADS_PER_UNIT = 100
# An id in quotes and a comma. Bodies with more data per lead contain fewer leads.
_BYTES_PER_LEAD = 27
_WHO_MAY = {
    Scope.KEY: "This key may send",
    Scope.GROUP: "All keys together may send to this account group",
    Scope.ADDRESS: "This address may send",
    Scope.GUESSES: "This address may send wrong keys:",
}


class RateLimits:
    """The rules of LEADYARD_RATE_LIMITS, counted in Redis if it is configured and answers, else in this process."""

    def __init__(self, policies: Policies, *, shared: SharedQuotas | None = None) -> None:
        self._policies = policies
        self._shared = shared
        self._own = ProcessQuotas()

    async def open(self) -> None:
        """Connects to Redis if it is configured. Never raises: without Redis this process counts by itself."""
        if self._shared:
            await self._shared.open()

    async def close(self) -> None:
        """Closes the connection to Redis."""
        if self._shared:
            await self._shared.close()

    async def admit(self, state: dict[str, Any], subjects: Mapping[Scope, str], *, body_bytes: int = 0) -> None:
        """Counts a request of these subjects, and puts the rate-limit headers of its response into `state`.

        For wrong keys it only checks whether another one is allowed, without counting yet. Raises RateLimited, with a
        wait that is enough for all the leads that a body of `body_bytes` can contain.
        """
        again = 1 + min(body_bytes // _BYTES_PER_LEAD, MAX_LEADS_PER_MOVE) // _LEADS_PER_UNIT
        charges = []
        for scope, subject in subjects.items():
            for policy in self._policies[scope]:
                if scope is Scope.ADDRESS:
                    charges.append(Charge(policy, subject, 1, 1, 1))
                elif scope is Scope.GUESSES:
                    charges.append(Charge(policy, subject, 0, 1, 1))
                else:
                    charges.append(Charge(policy, subject, 1, 1, min(again, policy.quota)))
        await self._charge(state, charges)

    async def add_leads(self, state: dict[str, Any], subjects: Mapping[Scope, str], *, leads: int) -> None:
        """Charges the leads of an admitted request: one more unit for each full hundred of them.

        Raises RateLimited, with a wait that is enough for the whole request.
        """
        units = leads // _LEADS_PER_UNIT
        if units:
            # A request never costs more than a whole quota, or it could never be sent. 1 unit was counted before.
            most = [(policy, subject, min(units, policy.quota - 1)) for policy, subject in self._of(subjects)]
            await self._charge(state, [Charge(policy, subject, n, n, n + 1) for policy, subject, n in most])

    async def add_wrong_key(self, state: dict[str, Any], address: str) -> None:
        """Counts a wrong key that was sent from this address."""
        # The address was charged before. It is here because the response reports its quota.
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
            raise refusal_by(charges[worst].policy, waits_ms[worst])

    async def _take(self, charges: list[Charge]) -> Taken:
        if self._shared:
            try:
                return await self._shared.take(charges)
            except QuotasLost:
                pass
        return self._own.take(charges)


def count_leads(body: Any) -> int:
    """Returns the number of leads in a parsed body: the items of all its lists, at any depth."""
    if isinstance(body, list):
        return len(body)
    return sum(map(count_leads, body.values())) if isinstance(body, dict) else 0


def refusal_by(policy: Policy, wait_ms: float) -> RateLimited:
    """Returns the refusal of a request that has to wait so long because of this policy."""
    wait_s = _whole_seconds(wait_ms)
    return RateLimited(
        f"{_WHO_MAY[policy.scope]} {policy.quota} in {policy.window_s} s. Wait {wait_s} s and send the request again.",
        retry_after_s=wait_s,
    )


def _whole_seconds(wait_ms: float) -> int:
    return max(1, math.ceil(wait_ms / 1000))


def _note_headers(state: dict[str, Any], charges: list[Charge], taken: Taken, waits_ms: list[float]) -> None:
    """Puts the headers of the quotas into `state`. Once the key is identified, these are the quotas of the key and its
    group; the quota of the address is shown only if it is the reason for a refusal."""
    of_key = any(charge[0].scope is Scope.KEY for charge in charges)
    rules: list[str] = []
    values: list[str] = []
    for number, free_in_ms in enumerate(taken.free_in_ms):
        policy = charges[number][0]
        hidden = of_key and policy.scope is Scope.ADDRESS
        in_the_way_ms = waits_ms[number] if waits_ms else 0
        if not hidden or in_the_way_ms > 0:
            rules.append(policy.announced)
            # For a quota that causes a refusal, `t` is the time until the request can be sent again, and not until the
            # whole quota is free. So a client that obeys `t` retries no later than a client that obeys Retry-After.
            in_s = _whole_seconds(in_the_way_ms) if in_the_way_ms > 0 else math.ceil(free_in_ms / 1000)
            values.append(f'"{policy.name}";r={remaining(policy, free_in_ms)};t={in_s}')
    state[HEADERS_IN_STATE] = [
        (b"ratelimit-policy", ", ".join(rules).encode()),
        (b"ratelimit", ", ".join(values).encode()),
    ]
