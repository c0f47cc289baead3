"""One key, many attempts: after kill -9 at chosen moments, and when one was away for too long. It is done once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from leadyard.clock import now_ms
from leadyard.errors import IdempotencyConflict
from leadyard.model import Caller, MoveResult, Once, StoredAnswer
from leadyard.operations.idempotency import release_key, reserve_key
from leadyard.operations.moves import move_leads
from leadyard.store.db import Database
from tests.answers import data_of, refusal
from tests.races.test_kill_server import kill_when_logged, wait_for_orphans
from tests.racing import Session, assert_exact, assert_healthy, on_postgresql_only, wait_until
from tests.service import Service, Tenant, make_tenant, on_database

# The text of a statement that the server logs, and how long it then lives: before the reservation is committed, after
# it, about the commit of the move, after that. Which of them a kill hits is chance; each outcome is checked.
MOMENTS = (
    ("INSERT INTO idempotency_answers", 0.0),
    ("the move", 0.0),
    ("UPDATE idempotency_answers", 0.0),
    ("UPDATE idempotency_answers", 0.03),
)


def keyed_move(
    tenant: Tenant, source: str, target: str, leads: list[str], key: str, client: httpx.Client | None = None
) -> httpx.Response:
    return (client or tenant.client).post(
        f"/audiences/{source}/move-leads",
        json={"targetAudienceId": target, "leadIds": leads},
        headers={"Idempotency-Key": key},
    )


def expire(tenant: Tenant, key: str) -> None:
    tenant.sql(
        "UPDATE idempotency_answers SET expires_at = $1 WHERE account_group_id = $2 AND key = $3",
        now_ms() - 1,
        tenant.account_group_id,
        key,
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

    texts = {"the move": "move_leads_" if service.is_postgresql else "INSERT INTO moves"}
    for number, (moment, delay_s) in enumerate(MOMENTS, 1):
        key, log_size = f"key-{number}", service.log_file.stat().st_size
        with ThreadPoolExecutor(1) as pool, tenant.new_client() as client:
            moving = pool.submit(keyed_move, tenant, here, there, leads, key, client)
            kill_when_logged(service, texts.get(moment, moment), log_size, delay_s)
            try:
                answered = moving.result()
            except httpx.TransportError:
                answered = None
        wait_for_orphans(service.database_url)
        service.start()
        recorded = tenant.walk("/moves")

        again = keyed_move(tenant, here, there, leads, key)

        if again.status_code == 409:
            assert answered is None
            assert len(recorded) == number - 1, "it was done and its answer was not stored"
            refusal(again, 409, "IDEMPOTENCY_CONFLICT")
            expire(tenant, key)
            again = keyed_move(tenant, here, there, leads, key)
            outcomes.append("not done")
        elif "Idempotency-Replayed" in again.headers:
            assert recorded[0]["id"] == again.headers["Move-Id"]
            outcomes.append("done and stored")
        else:
            outcomes.append("not even reserved")
        assert data_of(again)["movedCount"] == len(leads)
        assert answered is None or answered.content == again.content
        assert len(tenant.walk("/moves")) == number
        repeated = keyed_move(tenant, here, there, leads, key)
        assert (repeated.content, repeated.headers["Idempotency-Replayed"]) == (again.content, "true")
        here, there = there, here

    print(f"\n{list(zip(MOMENTS, outcomes, strict=True))}")
    assert_exact(tenant, {here: set(leads), there: set()})
    assert_healthy(tenant)


def test_an_attempt_that_was_away_too_long_does_nothing(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 3)
    who, url = Caller.operator(tenant.account_group_id), tenant.service.database_url

    def reserve() -> Once:
        token = on_database(url, lambda db: reserve_key(db, who, key="one", fingerprint="f"))
        assert isinstance(token, str)
        return Once(key="one", token=token, render=lambda result: StoredAnswer(status=200, headers={}, body=token))

    async def move(db: Database, once: Once) -> MoveResult:
        return await move_leads(
            db, replace(who, once=once), source_audience_id=source, target_audience_id=target, lead_ids=leads
        )

    late = reserve()
    expire(tenant, "one")
    early = reserve()
    with pytest.raises(IdempotencyConflict):
        on_database(url, lambda db: move(db, late))
    assert tenant.count(source) == 3
    # What the late one gives back is not its own any more.
    on_database(url, lambda db: release_key(db, who, key="one", token=late.token))
    on_database(url, lambda db: move(db, early))
    # Nor can an answer that is stored be given back: the connection was lost in the commit, and it had arrived.
    on_database(url, lambda db: release_key(db, who, key="one", token=early.token))
    data_of(tenant.move(target, source, leads))
    with pytest.raises(IdempotencyConflict):
        on_database(url, lambda db: move(db, late))
    with pytest.raises(IdempotencyConflict):
        on_database(url, lambda db: move(db, early))

    assert_exact(tenant, {source: set(leads), target: set()})
    assert len(tenant.walk("/moves")) == 2
    kept = on_database(url, lambda db: reserve_key(db, who, key="one", fingerprint="f"))
    assert isinstance(kept, StoredAnswer)
    assert kept.body == early.token


@on_postgresql_only
def test_of_two_attempts_behind_a_lock_the_one_that_lost_its_key_is_rolled_back(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 3)
    with Session(tenant.service.database_url) as somebody, ThreadPoolExecutor(2) as pool:
        first = start_behind(somebody, pool, tenant, source, target, leads)
        expire(tenant, "one")
        token = tenant.sql("SELECT token FROM idempotency_answers WHERE account_group_id = $1", tenant.account_group_id)
        with tenant.new_client() as client:
            second = pool.submit(keyed_move, tenant, source, target, leads, "one", client)
            taken = "SELECT token FROM idempotency_answers WHERE account_group_id = $1"
            wait_until(
                lambda: tenant.sql(taken, tenant.account_group_id) not in (token, []), "the second takes the key over"
            )
            somebody.commit()

            refusal(first.result(), 409, "IDEMPOTENCY_CONFLICT")
            assert data_of(second.result())["movedCount"] == 3
    assert len(tenant.walk("/moves")) == 1
    assert_exact(tenant, {source: set(), target: set(leads)})


def start_behind(
    somebody: Session, pool: ThreadPoolExecutor, tenant: Tenant, source: str, target: str, leads: list[str]
) -> Future[httpx.Response]:
    """Locks the source and starts a move of it. Returns when that waits for the lock."""
    somebody.begin()
    somebody.run(
        "SELECT id FROM audiences WHERE account_group_id = $1 AND id = $2 FOR UPDATE", tenant.account_group_id, source
    )
    moving = pool.submit(keyed_move, tenant, source, target, leads, "one", tenant.new_client())
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    wait_until(lambda: tenant.sql(waiting) == [(1,)], "the move waits for the audience")
    return moving
