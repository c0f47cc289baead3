"""A server without a free connection slot: the service works with the connections that it has, and stays ready."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from asyncpg.pool import PoolConnectionProxy

from leadyard.ids import key_of
from leadyard.store.db.handover import Handover
from rig.moving import at_work
from rig.racing import Session, on_postgresql_only, wait_until
from rig.service import Service, make_tenant, run_sql
from rig.watching import readiness

NewService = Callable[..., Service]


@pytest.fixture
def small(migrated_database: Callable[[], str]) -> Iterator[tuple[str, str]]:
    """The URL of a database whose role may have two connections, and the URL of the superuser."""
    superuser = migrated_database()
    parts = urlsplit(superuser)
    name = parts.path.removeprefix("/")
    run_sql(superuser, f"CREATE ROLE {name} LOGIN PASSWORD '{name}' CONNECTION LIMIT 2")
    run_sql(superuser, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
    yield parts._replace(netloc=f"{name}:{name}@{parts.netloc.rpartition('@')[2]}").geturl(), superuser
    run_sql(superuser, f"DROP OWNED BY {name}")
    run_sql(superuser, f"DROP ROLE {name}")


@on_postgresql_only
def test_requests_wait_for_a_connection_of_their_own_process(small: tuple[str, str], new_service: NewService) -> None:
    url, superuser = small
    service = new_service(database_url=url, LEADYARD_ADMIN_PORT="0")
    # The rig reads as the superuser, so that it takes none of the two slots.
    service.database_url = superuser
    with at_work(service, one=3, two=3, three=3, four=3) as scene:
        for _ in range(8):
            scene.wait_for_success()
            assert readiness(service)[0] == 200
    answers = sum((mover.told for mover in scene.movers), start=Counter[str]())
    assert set(answers) == {"200"}, answers


@on_postgresql_only
def test_a_request_that_gets_none_is_refused_after_its_wait(small: tuple[str, str], new_service: NewService) -> None:
    url, superuser = small
    service = new_service(database_url=url, LEADYARD_ADMIN_PORT="0", LEADYARD_DATABASE_WAIT_S="2")
    service.database_url = superuser
    tenant = make_tenant(service)
    one, other = tenant.create_audience("One"), tenant.create_audience("Other")
    leads = tenant.add_leads(one, 3)

    def move(number: int) -> tuple[httpx.Response, float]:
        started = time.monotonic()
        with tenant.new_client() as client:
            answer = tenant.move(one, other, [leads[number]], client)
        return answer, time.monotonic() - started

    with Session(superuser) as holder, ThreadPoolExecutor(3) as pool:
        holder.begin()
        holder.run("SELECT 1 FROM audiences WHERE id = $1 FOR UPDATE", key_of(one))
        # Two have the two connections and wait for the lock. The third waits for a connection.
        moves = [pool.submit(move, number) for number in range(3)]
        time.sleep(4)
        holder.commit()
        results = [each.result() for each in moves]
    statuses = sorted(answer.status_code for answer, _ in results)
    assert statuses == [200, 200, 503]
    [(refused, waited_s)] = [each for each in results if each[0].status_code == 503]
    assert refused.json()["error"]["details"].startswith("Nothing was changed.")
    assert 1.8 < waited_s < 3.9
    assert readiness(service)[0] == 200


@on_postgresql_only
def test_a_service_without_any_connection_is_refused_at_once_and_not_ready(
    small: tuple[str, str], new_service: NewService
) -> None:
    url, superuser = small
    service = new_service(database_url=url, LEADYARD_ADMIN_PORT="0")
    service.database_url = superuser
    tenant = make_tenant(service)
    [(name,)] = run_sql(superuser, "SELECT current_database()")
    run_sql(superuser, f"ALTER ROLE {name} CONNECTION LIMIT 0")
    run_sql(superuser, f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{name}'")
    wait_until(lambda: readiness(service)[0] == 503, "the service is not ready")
    started = time.monotonic()
    answer = tenant.client.get("/audiences")
    assert answer.status_code == 503
    assert time.monotonic() - started < 5
    [line, *_] = [each for each in service.log_lines() if each["event"] == "service_unavailable"]
    assert "too many connections for role" in line["detail"]
    run_sql(superuser, f"ALTER ROLE {name} CONNECTION LIMIT 2")
    assert tenant.client.get("/audiences").status_code == 200
    assert readiness(service)[0] == 200


class Fake:
    """Stands for a connection, which the handover only passes on."""


def test_a_connection_is_handed_over_in_order_and_never_lost() -> None:
    kept: list[Any] = []

    async def run() -> None:
        handover = Handover(kept.append)
        one, two = Fake(), Fake()
        assert not handover.offer(_proxy(one))
        first = asyncio.create_task(handover.wait(within_s=30))
        second = asyncio.create_task(handover.wait(within_s=30))
        await asyncio.sleep(0)
        assert handover.offer(_proxy(one))
        assert handover.offer(_proxy(two))
        assert [await first, await second] == [one, two]
        # A request that is given up at the moment of the handover passes the connection on.
        given_up = asyncio.create_task(handover.wait(within_s=30))
        next_one = asyncio.create_task(handover.wait(within_s=30))
        await asyncio.sleep(0)
        assert handover.offer(_proxy(one))
        given_up.cancel()
        assert await next_one is one
        given_up = asyncio.create_task(handover.wait(within_s=30))
        await asyncio.sleep(0)
        assert handover.offer(_proxy(two))
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        assert kept == [two]
        # Nothing comes, and nothing stays behind.
        assert await handover.wait(within_s=0.01) is None
        assert not handover.offer(None)

    asyncio.run(run())


def _proxy(fake: Fake) -> PoolConnectionProxy:
    return fake
