"""A move through the client happens exactly once, wherever the connection breaks and whatever the service answers."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from leadyard_client import AsyncLeadyard, Leadyard, NoAnswer, RetryPolicy, errors, models
from rig.cutting_proxy import ANSWER, REQUEST, CuttingProxy, cutting_proxy
from rig.killing import wait_for_orphans
from rig.python_clients import QUICK, client_of
from rig.racing import TORTURE, assert_exact, assert_healthy
from rig.service import Service, Tenant, make_tenant
from rig.stormy_proxy import BAD_GATEWAY, BUSY, CLOSED, LOST, PASS, RATE_LIMITED, stormy_proxy

MOVES, KILLS = (10_000, 10) if TORTURE else (400, 2)
MOVERS = 8


class Yard:
    """Leads that go back and forth between two audiences, and the ids of the moves that were answered."""

    def __init__(self, tenant: Tenant, client: Leadyard, name: str, leads: int = 1) -> None:
        self.client = client
        self.here, self.there = tenant.create_audience(f"{name} one"), tenant.create_audience(f"{name} other")
        self.leads = tenant.add_leads(self.here, leads, prefix=name)
        self.move_ids: list[str] = []

    def move(self) -> models.AudienceLeadMove:
        moved = self.client.move_leads(self.here, target_audience_id=self.there, lead_ids=self.leads)
        assert moved.moved_count == len(self.leads)
        assert moved.move_id is not None
        self.move_ids.append(moved.move_id)
        self.here, self.there = self.there, self.here
        return moved


def assert_each_once(tenant: Tenant, yards: Sequence[Yard]) -> None:
    """The record has exactly the moves that were answered, and the leads are where the last one has put them."""
    recorded = [item["id"] for item in tenant.walk("/moves")]
    answered = [move_id for yard in yards for move_id in yard.move_ids]
    assert len(recorded) == len(set(recorded)) == len(answered)
    assert set(recorded) == set(answered)
    assert_exact(tenant, {audience: leads for yard in yards for audience, leads in _where(yard).items()})
    assert_healthy(tenant)


def _where(yard: Yard) -> dict[str, set[str]]:
    return {yard.here: set(yard.leads), yard.there: set()}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("direction", [REQUEST, ANSWER])
def test_a_connection_that_is_cut_at_any_byte(tenant: Tenant, direction: str) -> None:
    with cutting_proxy(tenant.service.port) as proxy, client_of(tenant, proxy.url, retries=QUICK) as client:
        yard = Yard(tenant, client, direction)
        yard.move()
        proxy.arm("", 0)
        yard.move()
        length = proxy.seen[direction]
        assert length > 300
        for after in range(length + 1):
            proxy.arm(direction, after)
            yard.move()
        # The last byte of an answer is not missing when the connection ends after it, and is then not needed again.
        assert proxy.cuts >= length
        assert len(yard.move_ids) == length + 3
        assert_each_once(tenant, [yard])


def test_a_storm_of_refusals_and_lost_answers(tenant: Tenant) -> None:
    weather = {PASS: 3, RATE_LIMITED: 2, BUSY: 2, LOST: 1, BAD_GATEWAY: 1, CLOSED: 1}
    with stormy_proxy(tenant.service.base_url, weather) as proxy, client_of(tenant, proxy.url, retries=QUICK) as client:
        yards = [Yard(tenant, client, f"storm-{number}", leads=3) for number in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda yard: [yard.move() for _ in range(25)], yards))
        assert set(proxy.happened) == set(weather)
        assert_each_once(tenant, yards)
        # The other methods go through the same storm.
        made = [client.create_audience(name=f"Calm {number}", type="on_demand") for number in range(10)]
        named = {client.update_audience(each.id, name=f"{each.name}!").name for each in made}
        listed = [each for each in client.list_audiences(limit=3) if each.name in named]
        assert len(listed) == len(named) == 10


class AsyncYard(Yard):
    """The same for asyncio."""

    async def move_soon(self, client: AsyncLeadyard) -> None:
        moved = await client.move_leads(self.here, target_audience_id=self.there, lead_ids=self.leads)
        assert moved.moved_count == len(self.leads)
        assert moved.move_id is not None
        self.move_ids.append(moved.move_id)
        self.here, self.there = self.there, self.here


def test_the_client_for_asyncio_in_the_same_storm(tenant: Tenant) -> None:
    weather = {PASS: 3, RATE_LIMITED: 2, BUSY: 2, LOST: 1, BAD_GATEWAY: 1, CLOSED: 1}
    with client_of(tenant) as direct:
        yards = [AsyncYard(tenant, direct, f"async-{number}") for number in range(4)]

    async def work(url: str) -> None:
        async def back_and_forth(yard: AsyncYard) -> None:
            for _ in range(15):
                await yard.move_soon(client)

        async with AsyncLeadyard(url, tenant.key, retries=QUICK) as client:
            await asyncio.gather(*map(back_and_forth, yards))

    with stormy_proxy(tenant.service.base_url, weather, seed=2) as proxy:
        asyncio.run(work(proxy.url))
        assert set(proxy.happened) == set(weather)
    assert_each_once(tenant, yards)


@pytest.mark.parametrize("direction", [REQUEST, ANSWER])
def test_the_client_for_asyncio_with_cut_connections(tenant: Tenant, direction: str) -> None:
    """At every seventh byte: the decision to repeat is made in the class that both clients share."""
    with client_of(tenant) as direct:
        yard = AsyncYard(tenant, direct, f"async-{direction}")

    async def work(proxy: CuttingProxy) -> int:
        async with AsyncLeadyard(proxy.url, tenant.key, retries=QUICK) as client:
            await yard.move_soon(client)
            proxy.arm("", 0)
            await yard.move_soon(client)
            length = proxy.seen[direction]
            for after in range(0, length, 7):
                proxy.arm(direction, after)
                await yard.move_soon(client)
            return length // 7

    with cutting_proxy(tenant.service.port) as proxy:
        assert asyncio.run(work(proxy)) <= proxy.cuts
    assert_each_once(tenant, [yard])


def test_only_refusals_until_the_time_is_over(tenant: Tenant) -> None:
    policy = RetryPolicy(total_s=1, first_wait_s=0.01)
    with (
        stormy_proxy(tenant.service.base_url, {RATE_LIMITED: 1}) as proxy,
        client_of(tenant, proxy.url, retries=policy) as client,
    ):
        yard = Yard(tenant, client, "only")
        began = time.monotonic()
        with pytest.raises(errors.RateLimited) as refused:
            yard.move()
        assert time.monotonic() - began < 3
        assert refused.value.idempotency_key is not None
        assert proxy.happened[RATE_LIMITED] > 3
        assert_each_once(tenant, [yard])


def test_an_unknown_outcome_can_be_settled_later_with_the_key_of_the_error(tenant: Tenant) -> None:
    policy = RetryPolicy(total_s=0.2, first_wait_s=0.01)
    with stormy_proxy(tenant.service.base_url, {CLOSED: 1}) as proxy:
        with client_of(tenant, proxy.url, retries=policy) as client:
            yard = Yard(tenant, client, "later")
            with pytest.raises(NoAnswer) as lost:
                yard.move()
        assert lost.value.may_have_happened
        key = lost.value.idempotency_key
        assert key is not None and key in str(lost.value)
    with client_of(tenant) as client:
        settled = client.move_leads(yard.here, target_audience_id=yard.there, lead_ids=yard.leads, idempotency_key=key)
        assert settled.move_id is not None
        yard.move_ids.append(settled.move_id)
        yard.here, yard.there = yard.there, yard.here
        with pytest.raises(errors.IdempotencyConflict):
            client.move_leads(yard.here, target_audience_id=yard.there, lead_ids=yard.leads, idempotency_key=key)
    assert_each_once(tenant, [yard])


def test_a_request_without_a_key_is_not_repeated_after_it_was_sent(tenant: Tenant) -> None:
    with client_of(tenant) as direct:
        webhook = direct.create_webhook(url="https://receiver.invalid/").id
    with (
        stormy_proxy(tenant.service.base_url, {CLOSED: 1}) as proxy,
        client_of(tenant, proxy.url, retries=QUICK) as client,
    ):
        with pytest.raises(NoAnswer) as lost:
            client.test_webhook(webhook)
        assert (proxy.happened[CLOSED], lost.value.idempotency_key) == (1, None)
        assert "look at the current state" in str(lost.value)


def test_a_deletion_whose_first_answer_was_lost_is_reported_as_such(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    with cutting_proxy(tenant.service.port) as proxy, client_of(tenant, proxy.url, retries=QUICK) as client:
        proxy.arm(ANSWER, 10)
        with pytest.raises(errors.NotFound) as missing:
            client.delete_audience(audience)
    assert missing.value.was_repeated
    assert "may have done it" in str(missing.value)


def test_a_service_that_is_not_there_and_then_is(new_service: Callable[..., Service]) -> None:
    service = new_service()
    tenant = make_tenant(service)
    with client_of(tenant, retries=RetryPolicy(total_s=0.3, first_wait_s=0.01)) as impatient:
        service.stop()
        with pytest.raises(NoAnswer) as refused:
            impatient.create_audience(name="Never", type="on_demand")
        assert not refused.value.may_have_happened
    with client_of(tenant, retries=QUICK) as client, ThreadPoolExecutor(1) as pool:
        creating = pool.submit(client.create_audience, name="Once", type="on_demand")
        time.sleep(0.5)
        service.start()
        assert creating.result(60).name == "Once"
        assert [each.name for each in client.list_audiences()] == ["Once"]


def test_a_key_that_is_still_being_worked_on_is_waited_for(tenant: Tenant) -> None:
    """Twenty calls with one key at once: one does the work, and all get its answer."""
    with client_of(tenant, retries=QUICK) as client, ThreadPoolExecutor(20) as pool:
        yard = Yard(tenant, client, "one-key", leads=50)

        def move(_: int) -> models.AudienceLeadMove:
            return client.move_leads(
                yard.here, target_audience_id=yard.there, lead_ids=yard.leads, idempotency_key="the-key"
            )

        answers = list(pool.map(move, range(20)))
        assert len(set(answers)) == 1
        assert answers[0].move_id is not None
        yard.move_ids.append(answers[0].move_id)
        yard.here, yard.there = yard.there, yard.here
        assert_each_once(tenant, [yard])


@contextmanager
def killed_again_and_again(service: Service, kills: int, progress: Callable[[], float]) -> Iterator[None]:
    """kill -9 and a new start, `kills` times, spread over the work that the block does."""
    failures: list[BaseException] = []
    ended = threading.Event()

    def kill() -> None:
        try:
            for number in range(kills):
                while progress() < (number + 0.5) / kills and not ended.is_set():
                    time.sleep(0.002)
                service.kill()
                wait_for_orphans(service.database_url)
                service.start()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(120)
    assert not failures
    assert not thread.is_alive()


@pytest.mark.timeout(1800 if TORTURE else 240)
def test_clients_at_work_while_the_server_is_killed(new_service: Callable[..., Service]) -> None:
    service = new_service()
    tenant = make_tenant(service)
    with client_of(tenant) as client:
        yards = [Yard(tenant, client, f"kill-{number}") for number in range(MOVERS)]

        def progress() -> float:
            return sum(len(yard.move_ids) for yard in yards) / MOVES

        def work(yard: Yard) -> None:
            for _ in range(MOVES // MOVERS):
                yard.move()

        with killed_again_and_again(service, KILLS, progress), ThreadPoolExecutor(MOVERS) as pool:
            for each in [pool.submit(work, yard) for yard in yards]:
                each.result()
    assert sum(len(yard.move_ids) for yard in yards) == MOVES
    assert_each_once(tenant, yards)
    assert httpx.get(f"{service.base_url}/v1/accounts").status_code == 401
