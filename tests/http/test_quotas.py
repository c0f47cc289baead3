"""Counting for rate limits, with the same guarantees in one process and in Redis."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

import pytest

from leadyard.http.admission import shared_quotas
from leadyard.http.admission.quotas import Charge, ProcessQuotas, QuotasLost, Taken, remaining, wait_ms
from leadyard.http.admission.shared_quotas import SharedQuotas
from leadyard.ids import new_id
from leadyard.settings.rate_policies import Policy, Scope
from rig.throwaway_redis import ThrowawayRedis

Take = Callable[[Sequence[Charge]], Awaitable[Taken]]


def policy(quota: int, window_s: int, scope: Scope = Scope.KEY) -> Policy:
    return Policy(scope=scope, name=str(scope), quota=quota, window_s=window_s)


def charge(of: Policy, who: str, units: int = 1) -> Charge:
    return Charge(of, who, units, units, units)


@pytest.fixture(params=["process", "redis"])
def play(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[Callable[[Take], Awaitable[None]]], None]]:
    """Runs the scenario with the `take` of either storage. It checks the counts, not how soon Redis answers."""
    monkeypatch.setattr(shared_quotas, "_PATIENCE_S", 10.0)

    def run(scenario: Callable[[Take], Awaitable[None]]) -> None:
        async def in_process() -> None:
            quotas = ProcessQuotas()

            async def take(charges: Sequence[Charge]) -> Taken:
                return quotas.take(charges)

            await scenario(take)

        async def in_redis() -> None:
            quotas = SharedQuotas(request.getfixturevalue("redis_url"))
            await quotas.open()
            try:
                assert quotas.is_reachable
                await scenario(quotas.take)
            finally:
                await quotas.close()

        asyncio.run(in_process() if request.param == "process" else in_redis())

    yield run


def test_a_quota_is_used_up_to_the_last_unit(play: Callable[..., None]) -> None:
    async def scenario(take: Take) -> None:
        for quota in (1, 3, 7, 1000):
            rule, who = policy(quota, 3600), new_id()
            for used in range(1, quota + 1):
                taken = await take([charge(rule, who)])
                assert taken.all_taken
                assert remaining(rule, taken.free_in_ms[0]) == quota - used
            assert not (await take([charge(rule, who)])).all_taken
            assert (await take([charge(rule, new_id())])).all_taken, "another subject has its own quota"

    play(scenario)


def test_all_charges_are_taken_or_none(play: Callable[..., None]) -> None:
    async def scenario(take: Take) -> None:
        few, many, who = policy(2, 3600), policy(50, 3600, Scope.GROUP), new_id()
        for _ in range(2):
            assert (await take([charge(few, who), charge(many, who)])).all_taken
        for _ in range(5):
            refused = await take([charge(many, who), charge(few, who)])
            assert not refused.all_taken
            assert remaining(many, refused.free_in_ms[0]) == 48
            assert remaining(few, refused.free_in_ms[1]) == 0

    play(scenario)


def test_what_weighs_more_takes_more_and_the_wait_is_enough_and_no_more(play: Callable[..., None]) -> None:
    async def scenario(take: Take) -> None:
        rule = policy(20, 4)
        for _ in range(5):
            # A quota comes back by the clock: after a second the five missing units are there.
            who, before = new_id(), time.monotonic()
            assert (await take([charge(rule, who, 15)])).all_taken
            after = time.monotonic()
            heavy = charge(rule, who, 10)
            refused = await take([heavy])
            asked = time.monotonic()
            await asyncio.sleep(0.5)
            again = await take([heavy])
            if time.monotonic() - before < 1:
                break
            # A slow machine has let the second go by, and then both answers are right.
        assert not refused.all_taken and not again.all_taken
        wait_s = wait_ms(heavy, refused.free_in_ms[0]) / 1000
        assert 1 - (asked - before) - 0.01 <= wait_s <= 1
        await asyncio.sleep(after + 1.02 - time.monotonic())
        assert (await take([heavy])).all_taken

    play(scenario)


def test_asking_is_not_taking(play: Callable[..., None]) -> None:
    async def scenario(take: Take) -> None:
        rule, who = policy(1, 3600, Scope.GUESSES), new_id()
        ask, spend = Charge(rule, who, 0, 1, 1), Charge(rule, who, 1, 0, 1)
        for _ in range(3):
            assert (await take([ask])).all_taken
        assert (await take([spend])).all_taken
        assert not (await take([ask])).all_taken
        assert (await take([spend])).all_taken, "past use is counted even when it is too much"

    play(scenario)


def test_many_at_once_take_exactly_the_quota(play: Callable[..., None]) -> None:
    async def scenario(take: Take) -> None:
        rule, who = policy(100, 3600), new_id()
        taken = await asyncio.gather(*(take([charge(rule, who)]) for _ in range(300)))
        assert sum(each.all_taken for each in taken) == 100

    play(scenario)


def test_never_more_than_twice_the_quota_in_any_window() -> None:
    """The quota at once, and then no more than comes back: with a simulated clock, as fast as possible."""
    now = 0.0
    quotas = ProcessQuotas(clock=lambda: now)
    rule = policy(10, 1)
    times: list[float] = []
    for tick in range(5000):
        now = tick / 1000
        if quotas.take([charge(rule, "x")]).all_taken:
            times.append(now)
    assert sum(at < 1 for at in times) <= 20
    for start in times[10:]:
        assert sum(start <= at < start + 1 for at in times) <= 11


def test_a_process_remembers_only_so_many() -> None:
    quotas = ProcessQuotas(size=100)
    rule = policy(1, 3600)
    for number in range(1000):
        assert quotas.take([charge(rule, str(number))]).all_taken
    assert len(quotas._free_at_ms) == 100
    assert not quotas.take([charge(rule, "999")]).all_taken
    assert quotas.take([charge(rule, "0")]).all_taken, "the one seen longest ago is forgotten first"


def test_counting_in_the_process_is_quick() -> None:
    quotas = ProcessQuotas()
    charges = [charge(policy(10**9, 1, scope), "x") for scope in (Scope.ADDRESS, Scope.KEY, Scope.GROUP)]
    best = min(_duration_of_1000(quotas, charges) for _ in range(20))
    # 20 µs are intended. Even a machine busy with six other processes keeps this bound.
    assert best / 1000 < 50e-6


def _duration_of_1000(quotas: ProcessQuotas, charges: Sequence[Charge]) -> float:
    started = time.perf_counter()
    for _ in itertools.repeat(None, 1000):
        quotas.take(charges)
    return time.perf_counter() - started


# ------------------------------------------------------------------------------------------------------- without Redis


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_a_redis_that_is_gone_is_noticed_at_once_and_its_return_too(how: str) -> None:
    async def scenario(redis: ThrowawayRedis) -> None:
        quotas = SharedQuotas(redis.url)
        await quotas.open()
        rule = policy(1000, 1)
        assert (await quotas.take([charge(rule, "x")])).all_taken
        redis.kill() if how == "killed" else redis.freeze()
        waits = []
        for _ in range(20):
            started = time.perf_counter()
            with pytest.raises(QuotasLost):
                await quotas.take([charge(rule, "x")])
            waits.append(time.perf_counter() - started)
        assert max(waits) < 0.15
        assert sum(waits) < 0.5, "after a few attempts no caller waits any more"
        assert (quotas.is_reachable, quotas.times_lost) == (False, 1)
        redis.start() if how == "killed" else redis.thaw()
        deadline = time.monotonic() + 30
        while not quotas.is_reachable:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert (await quotas.take([charge(rule, "x")])).all_taken
        assert quotas.times_lost == 1
        await quotas.close()

    # Redis has 50 ms to answer, and a process that stands still for that long has lost it; but not three times in a
    # row.
    for attempt in range(3):
        try:
            with ThrowawayRedis() as redis:
                return asyncio.run(scenario(redis))
        except (AssertionError, QuotasLost):
            if attempt == 2:
                raise
    return None


def test_a_redis_that_was_never_there_only_delays_the_start() -> None:
    async def scenario() -> None:
        with ThrowawayRedis() as redis:
            url = redis.url
        quotas = SharedQuotas(url)
        started = time.perf_counter()
        await quotas.open()
        assert time.perf_counter() - started < 10
        assert not quotas.is_reachable
        with pytest.raises(QuotasLost):
            await quotas.take([charge(policy(1, 1), "x")])
        await quotas.close()

    asyncio.run(scenario())


def test_a_redis_that_has_forgotten_the_script_learns_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_quotas, "_PATIENCE_S", 10.0)

    async def scenario(redis: ThrowawayRedis) -> None:
        quotas = SharedQuotas(redis.url)
        await quotas.open()
        await quotas._redis.script_flush()
        assert (await quotas.take([charge(policy(1, 1), "x")])).all_taken
        assert quotas.times_lost == 0
        await quotas.close()

    with ThrowawayRedis() as redis:
        asyncio.run(scenario(redis))
