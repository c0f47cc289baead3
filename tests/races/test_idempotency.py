"""One key, many attempts: after kill -9 at chosen moments, and at the same time in two processes. The change is made
once, and an attempt that does not commit leaves its key free."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import httpx
import pytest

from leadyard.database import Database, Transaction
from leadyard.errors import IdempotencyConflict, LeadyardError, SameAudience
from leadyard.model import AudienceType, Caller, KeyedRequest, Permission, StoredAnswer
from leadyard.operations.audiences import create_audience
from leadyard.operations.idempotency import Outcome, run_once
from leadyard.operations.operation import WriteOperation, writes
from leadyard.store.db import open_database
from rig.answers import data_of, refusal
from rig.killing import kill_when_logged
from rig.racing import Session, assert_exact, assert_healthy, at_once, on_postgresql_only
from rig.service import Service, Tenant, make_tenant

# The text of a statement that the server logs, and how long the server then lives: before the key is reserved, after
# it, around the commit of the move, after that. Chance decides which of them a kill hits; each outcome is checked.
MOMENTS = (
    ("INSERT INTO idempotency_answers", 0.0),
    ("the move", 0.0),
    ("UPDATE idempotency_answers", 0.0),
    ("UPDATE idempotency_answers", 0.03),
)
REQUEST = KeyedRequest(key="one", fingerprint="f")


def keyed_move(
    tenant: Tenant, source: str, target: str, leads: list[str], key: str, client: httpx.Client | None = None
) -> httpx.Response:
    return (client or tenant.client).post(
        f"/audiences/{source}/move-leads",
        json={"targetAudienceId": target, "leadIds": leads},
        headers={"Idempotency-Key": key},
    )


@pytest.mark.timeout(300)
def test_a_move_with_a_key_survives_the_death_of_the_server_and_is_done_once(
    new_service: Callable[..., Service],
) -> None:
    service = new_service()
    tenant = make_tenant(service)
    here, there = tenant.create_audience("One"), tenant.create_audience("Other")
    leads = tenant.add_leads(here, 2_000)
    outcomes = []

    texts = {"the move": "move_leads_" if service.is_postgresql else "INSERT INTO changes"}
    for number, (moment, delay_s) in enumerate(MOMENTS, 1):
        key, log_size = f"key-{number}", service.log_file.stat().st_size
        with ThreadPoolExecutor(1) as pool, tenant.new_client() as client:
            moving = pool.submit(keyed_move, tenant, here, there, leads, key, client)
            kill_when_logged(service, texts.get(moment, moment), log_size, delay_s)
            try:
                answered = moving.result()
            except httpx.TransportError:
                answered = None
        service.start()

        # At once: the reservation ended with the process, or with the orphan that PostgreSQL is still running.
        again = keyed_move(tenant, here, there, leads, key)

        recorded = tenant.walk("/moves")
        assert data_of(again)["movedCount"] == len(leads)
        assert [again.headers["Move-Id"]] == [each["id"] for each in recorded[:1]]
        outcomes.append("done and stored" if "Idempotency-Replayed" in again.headers else "not done")
        assert answered is None or answered.content == again.content
        assert len(recorded) == number
        repeated = keyed_move(tenant, here, there, leads, key)
        assert (repeated.content, repeated.headers["Idempotency-Replayed"]) == (again.content, "true")
        here, there = there, here

    print(f"\n{list(zip(MOMENTS, outcomes, strict=True))}")
    assert_exact(tenant, {here: set(leads), there: set()})
    assert_healthy(tenant)


def test_many_requests_of_one_key_in_two_processes_are_done_once(new_service: Callable[..., Service]) -> None:
    first = new_service()
    second = new_service(database_url=first.database_url)
    tenant = make_tenant(first)
    elsewhere = Tenant(second, tenant.account_group_id, tenant.api_key_id, tenant.key)
    here, there = tenant.create_audience("One"), tenant.create_audience("Other")
    leads = tenant.add_leads(here, 200)
    clients = [each.new_client() for _ in range(8) for each in (tenant, elsewhere)]

    for number in range(1, 6):
        answers = at_once(*[partial(keyed_move, tenant, here, there, leads, f"key-{number}", each) for each in clients])

        done = [answer for answer in answers if answer.is_success]
        assert sum("Idempotency-Replayed" not in answer.headers for answer in done) == 1
        assert len({answer.content for answer in done}) == 1
        for answer in answers:
            if not answer.is_success:
                refusal(answer, 409, "IDEMPOTENCY_CONFLICT")
        for each in (tenant, elsewhere):
            repeated = keyed_move(each, here, there, leads, f"key-{number}")
            assert (repeated.content, repeated.headers["Idempotency-Replayed"]) == (done[0].content, "true")
        assert len(tenant.walk("/moves")) == number
        here, there = there, here

    assert_exact(tenant, {here: set(leads), there: set()})
    for client in [*clients, elsewhere.client]:
        client.close()


# ---------------------------------------------------------------- two processes, with an attempt that stands still


class Attempt:
    """An operation that creates an audience, and stands still in its transaction until `go_on` is set."""

    def __init__(self, name: str, *, fails: bool = False) -> None:
        self.name = name
        self.fails = fails
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()

    def operation(self) -> WriteOperation[[], str]:
        create = create_audience.__wrapped__  # type: ignore[attr-defined]  # the function of the transaction

        @writes(Permission.AUDIENCES_WRITE)
        async def stand_still(tx: Transaction, caller: Caller) -> str:
            made = await create(tx, caller, name=self.name, type=AudienceType.ON_DEMAND, description=None)
            self.begun.set()
            await self.go_on.wait()
            if self.fails:
                raise SameAudience
            return str(made.name)

        return stand_still

    async def run(self, db: Database, caller: Caller, request: KeyedRequest = REQUEST) -> Outcome:
        return await run_once(request, _by_name, self.operation(), db, caller)


def _by_name(name: str) -> StoredAnswer:
    return StoredAnswer(status=201, headers={}, body=name)


def in_two_processes(tenant: Tenant, race: Callable[[Database, Database, Caller], object]) -> None:
    """Two databases in this process share nothing but the tables, like two processes."""

    async def run() -> None:
        pair = [open_database(tenant.service.database_url, pool_size=2, wait_s=20) for _ in range(2)]
        try:
            await race(pair[0], pair[1], Caller.operator(tenant.account_group_id))  # type: ignore[misc]
        finally:
            for db in pair:
                await db.close()

    asyncio.run(run())


@pytest.mark.parametrize("fails", [False, True], ids=["commits", "is rolled back"])
def test_a_second_process_waits_for_the_first_and_then_replays_or_runs(tenant: Tenant, fails: bool) -> None:
    async def race(one: Database, other: Database, who: Caller) -> None:
        first, second = Attempt("first", fails=fails), Attempt("second")
        second.go_on.set()
        running = asyncio.create_task(first.run(one, who))
        await first.begun.wait()
        waiting = asyncio.create_task(second.run(other, who))
        await asyncio.sleep(0.3)
        assert not waiting.done() and not second.begun.is_set()
        first.go_on.set()
        if fails:
            with pytest.raises(SameAudience):
                await running
            assert await waiting == (_by_name("second"), False)
        else:
            assert await running == (_by_name("first"), False)
            assert await waiting == (_by_name("first"), True)
            assert not second.begun.is_set()

    in_two_processes(tenant, race)
    assert [each["name"] for each in tenant.walk("/audiences")] == ["second" if fails else "first"]


def test_a_second_request_of_the_same_process_is_refused_at_once_and_after_the_commit_replayed(tenant: Tenant) -> None:
    async def race(db: Database, _: Database, who: Caller) -> None:
        first, second = Attempt("first"), Attempt("second")
        second.go_on.set()
        running = asyncio.create_task(first.run(db, who))
        await first.begun.wait()
        with pytest.raises(IdempotencyConflict, match="still being"):
            await second.run(db, who)
        with pytest.raises(IdempotencyConflict, match="Use a new key"):
            await second.run(db, who, KeyedRequest(key="one", fingerprint="different"))
        first.go_on.set()
        assert await running == (_by_name("first"), False)
        assert await second.run(db, who) == (_by_name("first"), True)
        assert not second.begun.is_set()

    in_two_processes(tenant, race)


@on_postgresql_only
def test_a_second_process_does_not_wait_longer_than_the_lock_timeout(tenant: Tenant) -> None:
    async def race(one: Database, other: Database, who: Caller) -> None:
        first, second = Attempt("first"), Attempt("second")
        running = asyncio.create_task(first.run(one, who))
        await first.begun.wait()
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(LeadyardError, match="still being"):
            await second.run(other, who)
        assert 8 < loop.time() - started < 20
        first.go_on.set()
        assert await running == (_by_name("first"), False)

    in_two_processes(tenant, race)


@on_postgresql_only
def test_a_key_is_free_as_soon_as_postgresql_has_noticed_that_its_process_was_killed(
    new_service: Callable[..., Service],
) -> None:
    """PostgreSQL notices it when the statement ends: here the one that waits for a lock."""
    service = new_service()
    tenant = make_tenant(service)
    here, there = tenant.create_audience("One"), tenant.create_audience("Other")
    leads = tenant.add_leads(here, 3)
    with Session(service.database_url) as somebody, ThreadPoolExecutor(1) as pool, tenant.new_client() as client:
        somebody.begin()
        somebody.run("SELECT id FROM audiences WHERE account_group_id = $1 FOR UPDATE", tenant.number)
        size = service.log_file.stat().st_size
        moving = pool.submit(keyed_move, tenant, here, there, leads, "k", client)
        kill_when_logged(service, "move_leads_", size, 0.3)
        with pytest.raises(httpx.TransportError):
            moving.result()
        service.start()
        somebody.commit()

    assert data_of(keyed_move(tenant, here, there, leads, "k"))["movedCount"] == 3
    assert len(tenant.walk("/moves")) == 1
    assert_exact(tenant, {here: set(), there: set(leads)})
