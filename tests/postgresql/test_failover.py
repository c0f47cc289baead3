"""A primary with a standby: moves go on after each kind of failover, and no answered move is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from leadyard.ids import key_of
from leadyard.store.db import connecting
from leadyard.store.db.connecting import NoUsableHost, connect
from rig.moving import KeyedMover, Scene, at_work
from rig.racing import Session, on_postgresql_only, wait_until
from rig.service import Service, leadyard, make_tenant, run_sql
from rig.watching import readiness
from tests.postgresql.conftest import Pair

pytestmark = [on_postgresql_only, pytest.mark.timeout(300)]
NewService = Callable[..., Service]
# Clients that repeat each move with its key until it has a success. One of them waits for each answer; the other one
# cuts the connection before the service gives up, after 4 s.
KEYED = {"patient": 60, "hasty": 1}


def wait_until_ready(service: Service, *, within_s: float = 20) -> None:
    wait_until(lambda: readiness(service)[0] == 200, "the service is ready", within_s=within_s)


def promote(pair: Pair) -> float:
    """Makes the standby the primary. Returns when it took writes."""
    pair.standby.promote()
    return time.monotonic()


@contextmanager
def failing_over(service: Service) -> Iterator[Scene]:
    """Moves leads during the block, and proves afterwards that no answered move is lost on the new primary."""
    with at_work(service, KEYED, one=3, other=25) as scene:
        yield scene
        scene.wait_for_success()
    for mover in scene.movers:
        documented = {"200", "503 SERVICE_UNAVAILABLE"}
        more = {"409 IDEMPOTENCY_CONFLICT", "cut"} if isinstance(mover, KeyedMover) else {"422 LEADS_NOT_IN_SOURCE"}
        assert set(mover.told) <= documented | more, mover.told


def has_repeated_moves(scene: Scene) -> bool:
    """Returns whether clients have repeated moves with their keys, after a 503 and after a cut connection."""
    patient, hasty = (mover for mover in scene.movers if isinstance(mover, KeyedMover))
    return bool(patient.told["503 SERVICE_UNAVAILABLE"] and hasty.told["cut"])


@pytest.fixture(autouse=True)
def no_chosen_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "_chosen", {})


FORMS: dict[str, Callable[[Pair], str]] = {
    "hosts before the path": lambda pair: pair.url(),
    "hosts as parameters": lambda pair: (
        f"postgresql://postgres:{pair.primary.password}@/leadyard?host=127.0.0.1,127.0.0.1"
        f"&port={pair.primary.port},{pair.standby.port}&target_session_attrs=read-write"
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_killed_primary(pair: Pair, form: str, new_failing_service: NewService) -> None:
    url = FORMS[form](pair)
    service = new_failing_service(url)
    with failing_over(service) as scene:
        pair.primary.kill()
        wait_until(lambda: readiness(service)[0] == 503, "the service is not ready")
        status, answer = readiness(service)
        reason = answer["details"]
        assert status == 503
        assert "None of the hosts can be used." in reason
        assert f"{pair.primary.address}: " in reason
        assert f"{pair.standby.address}: it takes no writes" in reason
        promoted_at = promote(pair)
        scene.wait_for_success()
        assert time.monotonic() - promoted_at < 10
        wait_until_ready(service)
    assert service.doctor()["healthy"]


def test_a_planned_switchover(pair: Pair, new_failing_service: NewService, new_worker: Any) -> None:
    """The primary takes no more writes, then its sessions are ended, and the standby is promoted a little later."""
    service = new_failing_service(pair.url())
    worker = new_worker(service, LEADYARD_ADMIN_PORT="0")
    wait_until(lambda: "Metrics and health" in worker.log_file.read_text(), "the worker runs")
    with failing_over(service) as scene:
        pair.primary.execute("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
        wait_until(lambda: readiness(service)[0] == 503, "the service is not ready")
        pair.primary.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'leadyard'"
        )
        time.sleep(3)
        for process in (service, worker):
            status, answer = readiness(process)
            reason = answer["details"]
            assert status == 503
            assert reason.count("it takes no writes: a standby, or default_transaction_read_only is on") == 2
            assert "target_session_attrs=read-write" in reason
        done = leadyard("doctor", url=pair.url())
        assert (done.returncode, done.stdout) == (1, "")
        assert "None of the hosts can be used." in done.stderr
        assert "Traceback" not in done.stderr
        promote(pair)
        scene.wait_for_success()
        wait_until_ready(service)
    lines = service.log_lines()
    assert not [line for line in lines if line["event"] in ("unhandled_error", "housekeeping_failed")]
    assert not worker.events("worker_claim_failed")
    # The logs of both name the real reason.
    [*refused] = [line for line in lines if line["event"] == "service_unavailable" and line["reason"] == "unreachable"]
    assert refused
    assert all("it takes no writes" in line["detail"] for line in refused)
    postponed = [line for line in lines if line["event"] == "housekeeping_postponed"]
    waiting = worker.events("worker_waits_for_database")
    assert {line["reason"] for line in postponed + waiting} <= {"unreachable", "read_only"}
    assert any("it takes no writes" in (line["detail"] or "") for line in waiting)


def open_connections(service: Service, url: str, count: int) -> None:
    """Makes the service open that many connections, and leaves them idle: moves wait for a row that we have locked."""
    tenant = make_tenant(service)
    audience, target = tenant.create_audience("Locked"), tenant.create_audience("Target")
    leads = tenant.add_leads(audience, count, prefix="locked")

    def move(lead: str) -> httpx.Response:
        with tenant.new_client() as client:
            return tenant.move(audience, target, [lead], client)

    waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leadyard' AND wait_event_type = 'Lock'"
    with Session(url) as holder, Session(url) as onlooker, ThreadPoolExecutor(count) as pool:
        holder.begin()
        holder.run("SELECT 1 FROM audiences WHERE id = $1 FOR UPDATE", key_of(audience))
        moves = [pool.submit(move, lead) for lead in leads]
        wait_until(lambda: onlooker.run(waiting)[0][0] >= count, "all moves wait for the lock", within_s=3)
        holder.commit()
        assert [each.result().status_code for each in moves] == [200] * count


def test_a_frozen_primary(pair: Pair, new_failing_service: NewService) -> None:
    """Its processes still hold all connections and accept new ones, but never answer."""
    service = new_failing_service(pair.url())
    with at_work(service, KEYED, one=3) as scene:
        # Each idle connection that is not dropped costs one more request its whole time limit.
        open_connections(service, pair.url(), 6)
        pair.primary.freeze()
        frozen_at = time.monotonic()
        promote(pair)
        scene.wait_for_success(within_s=30)
        # A request is given up after 4 s, and its rollback after 5 s more. Then the other host is tried.
        assert time.monotonic() - frozen_at < 25
        wait_until_ready(service)
        started = time.monotonic()
        done = leadyard("doctor", url=pair.url())
        assert done.returncode == 0, done.stderr
        assert time.monotonic() - started < 15
        # The test itself reads from it afterwards, and must not wait for a frozen server.
        pair.primary.kill()
    assert service.doctor()["healthy"]


def test_a_service_starts_while_the_first_host_is_frozen(pair: Pair, new_failing_service: NewService) -> None:
    pair.primary.freeze()
    promote(pair)
    started = time.monotonic()
    service = new_failing_service(pair.url("?target_session_attrs=primary&connect_timeout=1"))
    wait_until_ready(service)
    assert time.monotonic() - started < 20


def test_each_host_has_its_own_time_limit(pair: Pair) -> None:
    async def times(query: str) -> list[float]:
        taken = []
        for _ in range(2):
            started = time.monotonic()
            connection = await connect(pair.url(query), within_s=60)
            taken.append(time.monotonic() - started)
            assert not await connection.fetchval("SELECT pg_is_in_recovery()")
            await connection.close()
        return taken

    pair.primary.freeze()
    promote(pair)
    first, second = asyncio.run(times("?target_session_attrs=read-write"))
    assert 3 <= first < 6
    # The chosen host comes first from then on.
    assert second < 2
    first, second = asyncio.run(times("?target_session_attrs=primary&connect_timeout=1"))
    assert 1 <= first < 3
    assert second < 1
    # A list without a condition keeps its order, because the first host may be the better one.
    assert all(1 <= each < 3 for each in asyncio.run(times("?connect_timeout=1")))


@pytest.mark.parametrize(
    ("target", "in_recovery"),
    [("any", False), ("read-write", False), ("primary", False), ("standby", True), ("prefer-standby", True)],
)
def test_the_target_decides_which_host_is_used(pair: Pair, target: str, in_recovery: bool) -> None:
    async def where(url: str) -> bool:
        connection = await connect(url, within_s=20)
        try:
            return bool(await connection.fetchval("SELECT pg_is_in_recovery()"))
        finally:
            await connection.close()

    assert asyncio.run(where(pair.url(f"?target_session_attrs={target}"))) is in_recovery
    if target in ("standby", "prefer-standby"):
        pair.standby.stop()
        if target == "standby":
            with pytest.raises(NoUsableHost, match="it is not a standby"):
                asyncio.run(where(pair.url(f"?target_session_attrs={target}")))
        else:
            assert asyncio.run(where(pair.url(f"?target_session_attrs={target}"))) is False


def test_commits_wait_for_a_synchronous_standby(pair: Pair, new_failing_service: NewService) -> None:
    """The setting of the server counts again: the service sends synchronous_commit=on."""
    service = new_failing_service(pair.url())
    with at_work(service, KEYED, one=3) as scene:
        assert run_sql(pair.primary.url, "SHOW synchronous_commit") == [("off",)]
        pair.standby.stop(keep_data=True)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        wait_until(lambda: run_sql(pair.primary.url, waiting), "a move waits for the standby")
        wait_until(lambda: has_repeated_moves(scene), "clients repeat moves with their keys")
        pair.standby.start()
