"""Rate limits while Redis or Valkey stands still: no request is charged twice, and none waits longer than 50 ms."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from leadyard.http.admission import shared_quotas
from leadyard.http.admission.quotas import Charge, QuotasLost
from leadyard.http.admission.shared_quotas import SharedQuotas
from leadyard.ids import new_id
from leadyard.settings.rate_policies import Policy, Scope
from rig.throwaway_redis import ThrowawayRedis, find_program

# Longer than the 5 s after which the client of Redis sends a command again by default.
STALLED_S = 7.0
# The service waits 50 ms. The rest is for a machine that is busy with other tests.
NO_LONGER_THAN_S = 0.15
# A unit comes back after an hour, so the time until a key expires counts the charges of a short test.
RULE = Policy(scope=Scope.KEY, name="key", quota=100, window_s=360_000)

on_each_server = pytest.mark.parametrize(
    "program",
    [
        pytest.param("redis-server", marks=pytest.mark.needs_redis),
        pytest.param("valkey-server", marks=pytest.mark.needs_valkey),
    ],
)


def charge(subject: str) -> Charge:
    return Charge(RULE, subject, 1, 1, 1)


@dataclass
class Traffic:
    """Requests that each have their own quota, so that the quota shows how often its request was charged."""

    quotas: SharedQuotas
    counted: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    waits_s: list[float] = field(default_factory=list)
    # How late a timer of this process was, which has nothing to do with Redis.
    delays_s: list[float] = field(default_factory=list)

    async def run_until(self, end: float) -> None:
        requests = []
        while time.monotonic() < end:
            requests.append(asyncio.create_task(self._send()))
            due = time.monotonic() + 0.005
            await asyncio.sleep(0.005)
            self.delays_s.append(time.monotonic() - due)
        await asyncio.gather(*requests)

    async def _send(self) -> None:
        subject, started = new_id(), time.monotonic()
        try:
            assert (await self.quotas.take([charge(subject)])).all_taken
            self.counted.append(subject)
        except QuotasLost:
            self.lost.append(subject)
        self.waits_s.append(time.monotonic() - started)


async def charges_of(client: Redis, subjects: Sequence[str]) -> list[int]:
    """Returns how many units of its quota each subject has used."""
    pipeline = client.pipeline(transaction=False)
    for subject in subjects:
        pipeline.pttl("leadyard:rate:" + charge(subject).key())
    return [0 if left_ms < 0 else -(-left_ms // int(RULE.interval_ms)) for left_ms in await pipeline.execute()]


def on_server(program: str, run: Callable[[ThrowawayRedis], Coroutine[Any, Any, None]]) -> None:
    """Runs the scenario with a new server."""
    found = find_program(program)
    assert found
    with ThrowawayRedis(found) as redis:
        asyncio.run(run(redis))


@on_each_server
def test_a_server_that_stands_still_charges_no_request_twice_and_delays_none(program: str) -> None:
    async def run(redis: ThrowawayRedis) -> None:
        quotas, client = SharedQuotas(redis.url), Redis.from_url(redis.url)
        await quotas.open()
        before, during, after = Traffic(quotas), Traffic(quotas), Traffic(quotas)

        await before.run_until(time.monotonic() + 1)
        redis.freeze()
        # By a timer, because a request that waits for the server must not prevent its return.
        asyncio.get_running_loop().call_later(STALLED_S, redis.thaw)
        await during.run_until(time.monotonic() + STALLED_S + 0.5)
        deadline = time.monotonic() + 30
        while not quotas.is_reachable:
            assert time.monotonic() < deadline, "it was not noticed that the server is back"
            await asyncio.sleep(0.05)
        await after.run_until(time.monotonic() + 1)

        for traffic in (before, during, after):
            assert set(await charges_of(client, traffic.counted)) <= {1}, "a request was charged twice"
            assert set(await charges_of(client, traffic.lost)) <= {0, 1}, "a request was charged twice"
            waited_s, delayed_s = max(traffic.waits_s), max(traffic.delays_s)
            assert waited_s < NO_LONGER_THAN_S + 2 * delayed_s
        assert before.counted and after.counted
        assert len(during.lost) > 100
        # The commands that were on their way are done late, so the test would notice a second one.
        assert 1 in await charges_of(client, during.lost)
        await client.aclose()
        await quotas.close()

    on_server(program, run)


@on_each_server
def test_a_script_that_is_forgotten_within_a_batch_is_not_run_twice(
    monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    """Another client may send SCRIPT FLUSH between two commands of a batch."""
    monkeypatch.setattr(shared_quotas, "_PATIENCE_S", 10.0)

    async def run(redis: ThrowawayRedis) -> None:
        quotas, client = SharedQuotas(redis.url), Redis.from_url(redis.url)
        await quotas.open()
        ask, flushed = quotas._ask, False

        async def ask_and_flush(batch: Sequence[Any]) -> list[Any]:
            nonlocal flushed
            if flushed or len(batch) < 10:
                return await ask(batch)
            flushed = True
            first = await ask(batch[:5])
            await client.script_flush()
            rest = await ask(batch[5:])
            assert all(isinstance(each, NoScriptError) for each in rest)
            return [*first, *rest]

        monkeypatch.setattr(quotas, "_ask", ask_and_flush)
        subjects = [new_id() for _ in range(20)]
        taken = await asyncio.gather(*(quotas.take([charge(each)]) for each in subjects))
        assert flushed and all(each.all_taken for each in taken)
        assert await charges_of(client, subjects) == [1] * 20
        assert quotas.times_lost == 0
        await client.aclose()
        await quotas.close()

    on_server(program, run)
