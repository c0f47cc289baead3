"""Mixed load at the rate limit while PostgreSQL and Redis are restarted: right answers, exact counts, no leaks.

With LEADYARD_TEST_TORTURE=1 it lasts ten minutes, and each of them is restarted twice, once by kill -9. Otherwise it
lasts seconds, with one restart each.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from leadyard.ids import id_of, number_of
from leadyard.store import schema
from leadyard.store.db import from_document
from rig.racing import TORTURE, counts, membership, wait_until
from rig.service import Service, WorkerProcess, make_tenant, run_sql
from rig.soak import RATE_LIMITS, Soak
from rig.throwaway_postgres import ThrowawayPostgres
from rig.throwaway_redis import ThrowawayRedis
from rig.watching import scraped

# How long PostgreSQL, SQLite, and the load before the first measurement last.
LOAD_S = {"postgresql": 600.0 if TORTURE else 5.0, "sqlite": 30.0 if TORTURE else 2.0}
WARM_UP_S = {"postgresql": 30.0 if TORTURE else 1.5, "sqlite": 5.0 if TORTURE else 1.0}
DOWN_S = 3.0 if TORTURE else 0.4
IDLE_S = 5.0 if TORTURE else 0.5
# Next to other tests everything takes longer.
RECOVERED_WITHIN_S = 10.0 if TORTURE else 30.0
GIVEN_BACK_WITHIN_S = 30.0
# Small, so that the warm-up opens all of them, and a connection that is not given back shows.
POOL_SIZE = 2
SCRAPES = 8
# A process opens a file for a moment now and then. A connection lost at each restart would be POOL_SIZE more. A reader
# of SQLite is opened when needed, with several files; a restart cannot lose any.
A_FEW = {"postgresql": 3, "sqlite": 3 * POOL_SIZE}
# Caches still fill in the first seconds. A leak at every request is bigger than this after ten minutes.
GROWN_TO, GROWN_BY_BYTES = 1.25, 0 if TORTURE else 24 * 1024 * 1024
BUGS = {"unhandled_error", "housekeeping_failed", "job_run_failed", "job_heartbeat_failed", "worker_claim_failed"}


@dataclass
class Scene:
    """All processes, and the times when the database was away."""

    service: Service
    worker: WorkerProcess
    redis: ThrowawayRedis
    postgres: ThrowawayPostgres | None
    outages: list[tuple[float, float]] = field(default_factory=list)

    def pids(self) -> list[int]:
        assert self.service.process is not None
        assert self.worker.process is not None
        return [*family(self.service.process.pid), *family(self.worker.process.pid)]

    def end_worker(self) -> None:
        if self.worker.process is not None:
            self.worker.kill()


@pytest.fixture
def scene(backend: str, migrated_database: Callable[[], str], log_dir: Path) -> Iterator[Scene]:
    """A service and a worker, on a database and a Redis that belong to this test alone."""
    with ExitStack() as stack:
        redis = stack.enter_context(ThrowawayRedis())
        # With fsync, because it must keep every commit.
        postgres = stack.enter_context(ThrowawayPostgres(fsync=True)) if backend == "postgresql" else None
        url = postgres.create_database("soaked") if postgres else migrated_database()
        asyncio.run(schema.migrate(url))
        environment = {
            "LEADYARD_LOG_LEVEL": "info",
            "LEADYARD_RATE_LIMITS": RATE_LIMITS,
            "LEADYARD_REDIS_URL": redis.url,
            "LEADYARD_ADMIN_PORT": "0",
            "LEADYARD_DATABASE_POOL_SIZE": str(POOL_SIZE),
            "LEADYARD_WORKER_LEASE_S": "5",
        }
        service = Service(url, log_dir, environment)
        stack.callback(service.stop)
        # One process with SQLite, so that both ways of serving are soaked.
        service.start("--workers", "2" if postgres else "1")
        worker = WorkerProcess(url, log_dir, environment)
        made = Scene(service, worker.start(), redis, postgres)
        stack.callback(made.end_worker)
        yield made


@pytest.mark.timeout(900)
def test_a_service_under_load_outlives_its_database_and_its_redis(backend: str, scene: Scene) -> None:
    soak = Soak.of(make_tenant(scene.service), audiences=4, leads_each=50)
    with soak.under_load():
        time.sleep(WARM_UP_S[backend])
        # A scrape opens a connection that stays, and either process may answer it.
        for _ in range(SCRAPES):
            scraped(scene.service)
    time.sleep(IDLE_S)
    if backend == "sqlite":
        opened = "leadyard.db"
        wait_until(lambda: all(opened in files for files in measured(scene).files.values()), "both use the database")
    before = measured(scene)
    began = time.monotonic()
    with soak.under_load():
        for trouble in TROUBLES[backend]:
            time.sleep(LOAD_S[backend] / (len(TROUBLES[backend]) + 1))
            trouble(scene, soak)
        time.sleep(max(0.0, began + LOAD_S[backend] - time.monotonic()))
        # On a slow machine the events to check may take a little longer to happen.
        wait_until(lambda: any(seen.status == 429 for seen in soak.seen), "a 429", within_s=60)
        wait_until(lambda: soak.once and soak.moves, "moves, and a repeated request", within_s=60)
        wait_until(lambda: jobs_by_status(soak).get("completed"), "a job has been done", within_s=60)
    wait_for_jobs(soak)

    print(f"\n{backend}: {len(soak.seen)} answers, {soak.told()}, {soak.unknown_moves} moves of unknown outcome")
    assert soak.broken == []
    assert_only_documented_refusals(scene, soak)
    assert_nothing_is_kept(scene, before, A_FEW[backend])
    assert_metrics_agree(scene, soak)
    assert_exactly_what_was_answered(soak)
    assert scene.service.doctor()["healthy"]
    assert_an_orderly_end(scene)


# ------------------------------------------------------------------------------------------------------- the failures


def kill_redis(scene: Scene, soak: Soak) -> None:
    without_redis(scene, soak, scene.redis.kill)


def stop_redis(scene: Scene, soak: Soak) -> None:
    without_redis(scene, soak, scene.redis.stop)


def without_redis(scene: Scene, soak: Soak, take_away: Callable[[], None]) -> None:
    """No client may notice: neither while Redis is away, nor when it comes back."""
    take_away()
    gone = time.monotonic()
    wait_until(lambda: soak.succeeded_since(gone), "requests succeed without Redis", within_s=RECOVERED_WITHIN_S)
    wait_until(lambda: scraped(scene.service)["leadyard_rate_limits_alone"] > 0, "the service has noticed")
    time.sleep(DOWN_S)
    scene.redis.start()
    wait_until(lambda: scraped(scene.service)["leadyard_rate_limits_alone"] == 0, "all count together again")


def kill_postgres(scene: Scene, soak: Soak) -> None:
    """Kills only the postmaster: its processes end themselves when they notice."""
    assert scene.postgres is not None
    with outage(scene, soak):
        os.kill(scene.postgres.pid, signal.SIGKILL)
        stay_down(soak)
        scene.postgres.start()


def stop_postgres(scene: Scene, soak: Soak) -> None:
    assert scene.postgres is not None
    with outage(scene, soak):
        scene.postgres.stop(keep_data=True)
        stay_down(soak)
        scene.postgres.start()


def stay_down(soak: Soak) -> None:
    """Waits for a while, and until a client has noticed."""
    down = time.monotonic()
    time.sleep(DOWN_S)
    wait_until(lambda: any(seen.status == 503 and seen.ended > down for seen in soak.seen[-500:]), "a 503 is seen")


@contextmanager
def outage(scene: Scene, soak: Soak) -> Iterator[None]:
    gone = time.monotonic()
    yield
    back = time.monotonic()
    wait_until(lambda: soak.succeeded_since(back), "2xx after the restart", within_s=RECOVERED_WITHIN_S)
    scene.outages.append((gone, time.monotonic()))
    assert any(seen.status == 503 and seen.ended > gone for seen in soak.seen), "no client noticed the outage"


_ONCE = [kill_redis, kill_postgres]
TROUBLES = {"sqlite": [kill_redis], "postgresql": [*_ONCE, stop_redis, stop_postgres] if TORTURE else _ONCE}


# ----------------------------------------------------------------------------------------------------------- the checks


def assert_only_documented_refusals(scene: Scene, soak: Soak) -> None:
    """The document was checked for each answer when it arrived. This checks the time of the refusals."""
    for seen in soak.seen:
        during = any(seen.ended > gone and seen.began < back for gone, back in scene.outages)
        assert seen.status != 503 or during, f"{seen} while the database was there"
    assert all(len(told) == 1 for told in soak.once.values()), "a repeated request got a different answer"
    assert soak.once, "nothing was repeated"


def assert_exactly_what_was_answered(soak: Soak) -> None:
    """Leads, audiences and the record of moves match the answers, except for outcomes that no client received."""
    tenant, group = soak.tenant, soak.tenant.account_group_id
    members = membership(tenant)
    stored = counts(tenant)
    assert {audience: stored[audience] for audience in soak.audiences} == {
        audience: len(members.get(audience, ())) for audience in soak.audiences
    }
    lead_of = tenant.ids_by_email()
    for audience in soak.audiences:
        guests = members[audience] - soak.where.keys()
        surely = {lead_of[email] for email in soak.added[audience]}
        perhaps = {lead_of[email] for email in soak.perhaps_added[audience] if email in lead_of}
        assert surely <= guests <= surely | perhaps
    assert_pool_follows_the_record(soak, members)
    names = Counter(
        name for (name,) in tenant.sql("SELECT name FROM audiences WHERE account_group_id = $1", number_of(group))
    )
    assert {name: count for name, count in names.items() if name.startswith("Once ") and count > 1} == {}


def assert_pool_follows_the_record(soak: Soak, members: dict[str, set[str]]) -> None:
    """Each lead of the pool left every audience as often as it came, except the one audience where it is now."""
    record = soak.tenant.sql(
        "SELECT id, source_audience_id, target_audience_id, lead_ids FROM changes"
        " WHERE account_group_id = $1 AND kind = 'move'",
        soak.tenant.number,
    )
    recorded = {
        id_of(move_id): (id_of(source), id_of(target), frozenset(map(id_of, from_document(leads))))
        for move_id, source, target, leads in record
    }
    assert soak.moves
    assert soak.moves.items() <= recorded.items(), "an answered move is gone"
    assert len(recorded) - len(soak.moves) <= soak.unknown_moves
    flow = Counter(dict.fromkeys(soak.at_first.items(), 1))
    for source, target, leads in recorded.values():
        flow.subtract((lead, source) for lead in leads)
        flow.update((lead, target) for lead in leads)
    assert set(flow.values()) <= {0, 1}
    now = {(lead, audience) for audience, leads in members.items() for lead in leads if lead in soak.where}
    assert {place for place, there in flow.items() if there} == now


def wait_for_jobs(soak: Soak) -> None:
    active = "SELECT count(*) FROM jobs WHERE account_group_id = $1 AND status IN ('queued', 'running')"
    group = soak.tenant.account_group_id
    wait_until(lambda: soak.tenant.sql(active, number_of(group)) == [(0,)], "every job has ended", within_s=120)
    by_status = jobs_by_status(soak)
    assert by_status.get("completed", 0) > 0
    assert "failed" not in by_status


def jobs_by_status(soak: Soak) -> dict[str, int]:
    counted = "SELECT status, count(*) FROM jobs WHERE account_group_id = $1 GROUP BY status"
    return dict(soak.tenant.sql(counted, soak.tenant.number))


def assert_metrics_agree(scene: Scene, soak: Soak) -> None:
    """Every answer is counted, and the gauges return to 0. It waits, because the last request is counted after its
    answer was sent, and the housekeeping may be using a connection at the moment."""
    counts = Counter((seen.method, seen.route, seen.status) for seen in soak.seen)
    gauges = ("requests_in_progress", "database_connections_in_use", "database_waiters", "rate_limits_alone")

    def disagreeing() -> list[str]:
        now = scraped(scene.service)
        series = {
            f'leadyard_requests_total{{method="{method}",route="{route}",status="{status}"}}': count
            for (method, route, status), count in counts.items()
        }
        missing = [name for name, count in series.items() if now.get(name, 0) < count]
        return missing + [gauge for gauge in gauges if now[f"leadyard_{gauge}"] != 0]

    deadline = time.monotonic() + GIVEN_BACK_WITHIN_S
    while found := disagreeing():
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def assert_an_orderly_end(scene: Scene) -> None:
    process = scene.service.process
    assert process is not None
    scene.service.stop()
    assert process.returncode == 0
    assert scene.worker.stop(within_s=30) == 0
    assert [line for line in scene.service.log_lines() if line.get("event") in BUGS] == []
    assert [line for bug in BUGS for line in scene.worker.events(bug)] == []


# ------------------------------------------------------------------------------------------------------------ leaks


@dataclass(frozen=True)
class Held:
    """The resources that one process holds, or the database on its behalf."""

    memory_bytes: dict[int, int]
    files: dict[int, dict[str, int]]
    connections: int


def measured(scene: Scene) -> Held:
    pids = scene.pids()
    if not Path("/proc/self/fd").exists():  # Only Linux shows files; the connections are counted everywhere.
        return Held(dict.fromkeys(pids, 0), {pid: {} for pid in pids}, connections_of(scene))
    memory = {pid: int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") for pid in pids}
    return Held(memory, {pid: open_files(pid) for pid in pids}, connections_of(scene))


def total(files: dict[str, int]) -> int:
    return sum(files.values())


def open_files(pid: int) -> dict[str, int]:
    """Returns how many of each kind are open, so that a failure shows which kind leaks.

    Leaves out the files in which a process counts for the metrics. Each is opened when there first is something to
    count, perhaps late, and never twice.
    """
    found: Counter[str] = Counter()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # It may be closed by now.
            found[entry.readlink().name.partition(":")[0]] += 1
    return {kind: count for kind, count in found.items() if not kind.endswith(f"_{pid}.db")}


def connections_of(scene: Scene) -> int:
    if scene.postgres is None:
        return 0
    of_service = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'leadyard'"
    [(count,)] = run_sql(scene.service.database_url, of_service)
    return int(count)


def assert_nothing_is_kept(scene: Scene, before: Held, a_few: int) -> None:
    """The processes are the same as before, and each has as many files as before and hardly more memory."""
    time.sleep(IDLE_S)
    after = measured(scene)
    assert after.files.keys() == before.files.keys(), "a process has died and was replaced"
    print(f"before: {before}\nafter:  {after}")
    deadline = time.monotonic() + GIVEN_BACK_WITHIN_S
    while not is_back(before, after, a_few):
        assert time.monotonic() < deadline, f"still held: {after}"
        time.sleep(0.5)
        after = measured(scene)
    for pid, was in before.memory_bytes.items():
        assert after.memory_bytes[pid] <= was * GROWN_TO + GROWN_BY_BYTES, f"{pid}: memory has grown from {was} bytes"


def is_back(before: Held, after: Held, a_few: int) -> bool:
    fewer_files = all(total(after.files[pid]) <= total(was) + a_few for pid, was in before.files.items())
    return fewer_files and after.connections <= before.connections + a_few


def family(pid: int) -> Iterator[int]:
    """Yields the process and all its descendants; only itself where there is no /proc."""
    yield pid
    children = Path(f"/proc/{pid}/task/{pid}/children")
    for child in children.read_text().split() if children.exists() else ():
        yield from family(int(child))
