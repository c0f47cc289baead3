"""Row 8: how long moves take while an import into a third audience and walks over a list are running."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.importing import write_people
from benchmarks.move import Lane, make_lanes
from benchmarks.suite.connection import Connection, move_request
from benchmarks.suite.figures import Figure, percentile
from benchmarks.suite.filling import Filler, steps
from benchmarks.suite.stage import Stage
from leadyard.ids import new_id
from rig.service import Tenant, WorkerProcess, make_tenant

ROOT = Path(__file__).parents[2]
WALKERS = 2
ALONE = "nothing else"
_PERCENTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999)


def latency(stage: Stage) -> list[Figure]:
    rows, rounds = stage.size(50_000, 4_000), stage.rounds(5, 2)
    idle: list[list[float]] = []
    busy: list[list[float]] = []
    with (
        _yard(stage) as (tenant, lane, walked),
        stage.progress("moves beside an import and walks", rounds + 1) as told,
        Connection(tenant.service.port) as mover,
    ):
        move_until(mover, tenant, lane, after(1))
        told()
        for number in range(rounds):
            path = write_people(stage.folder / f"beside-{number}.csv", rows=rows, name=f"beside{number}")
            started = time.perf_counter()
            busy.append(beside_import(mover, tenant, lane, path, walked))
            idle.append(move_until(mover, tenant, lane, after(time.perf_counter() - started)))
            path.unlink()
            told()
    # A quick run has some hundred moves. Their 99th percentile would be decided by three of them.
    return [_figure(idle, busy, 0.9 if stage.quick else 0.99)]


def latency_in_parts(stage: Stage) -> dict[str, list[float]]:
    """Returns the seconds of every move, by what ran at the same time: it shows how much each part of row 8 costs. It
    is for the page about performance, by `python -m benchmarks.suite.latency`. It is not a row of the table."""
    with _yard(stage) as (tenant, lane, walked), Connection(tenant.service.port) as mover:

        def alone() -> list[float]:
            return move_until(mover, tenant, lane, after(4))

        def beside_walkers(count: int) -> list[float]:
            with _walkers(tenant, walked, count):
                return move_until(mover, tenant, lane, after(4))

        def beside_an_import(walkers: int) -> list[float]:
            name = f"part{new_id()}"
            path = write_people(stage.folder / f"{name}.csv", rows=20_000, name=name)
            return beside_import(mover, tenant, lane, path, walked, walkers=walkers)

        parts: dict[str, Callable[[], list[float]]] = {
            ALONE: alone,
            "one client that walks": lambda: beside_walkers(1),
            "two clients that walk": lambda: beside_walkers(2),
            "the import": lambda: beside_an_import(0),
            "the import and two clients that walk": lambda: beside_an_import(2),
        }
        found: dict[str, list[float]] = {name: [] for name in parts}
        alone()
        for _ in range(4):
            for name, part in parts.items():
                found[name] += part()
    return found


@contextmanager
def _yard(stage: Stage) -> Iterator[tuple[Tenant, Lane, str]]:
    """A service and a worker on PostgreSQL. Yields the mover, its lane, and an audience to walk over."""
    listed = stage.size(20_000, 4_000)
    with stage.service("postgresql") as service, _worker(stage, service.database_url):
        tenant = make_tenant(service)
        [lane] = make_lanes(tenant, clients=1, leads=25, audience_size=2_000)
        walked = tenant.create_audience("Walked")
        with Filler(tenant) as filler, stage.progress(f"{listed:,} leads to walk over", 2 * steps(listed)) as told:
            filler.add_leads(listed, told)
            filler.add_members(walked, listed, told)
        yield tenant, lane, walked
        tenant.client.close()


def _figure(idle: list[list[float]], busy: list[list[float]], share: float) -> Figure:
    all_idle, all_busy = [each for part in idle for each in part], [each for part in busy for each in part]
    return Figure(
        number=8,
        name="latency",
        what=f"{100 * share:.0f}th percentile of the time of a move beside an import and two walks over lists",
        against="with nothing else running",
        ratio=percentile(all_busy, share) / percentile(all_idle, share),
        better="lower",
        goal=3.0,
        rounds=tuple(percentile(b, share) / percentile(i, share) for b, i in zip(busy, idle, strict=True)),
        details={
            "movesIdle": len(all_idle),
            "movesBusy": len(all_busy),
            # In units of the idle median, so that the plot is valid for any machine.
            "idle": _distribution(all_idle, statistics.median(all_idle)),
            "busy": _distribution(all_busy, statistics.median(all_idle)),
        },
    )


def _distribution(durations: list[float], unit: float) -> dict[str, float]:
    return {f"{100 * share:g}": round(percentile(durations, share) / unit, 3) for share in _PERCENTILES}


def after(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() > end


def move_until(mover: Connection, tenant: Tenant, lane: Lane, is_over: Callable[[], bool]) -> list[float]:
    """Moves the lane's leads back and forth until `over`. Returns the seconds of each move."""
    ways = [(lane.here, lane.there), (lane.there, lane.here)]
    requests = [move_request(tenant, *way, lane.lead_ids) for way in ways]
    durations: list[float] = []
    while len(durations) % 2 or not is_over():
        started = time.perf_counter()
        mover.ask(requests[len(durations) % 2], 200)
        durations.append(time.perf_counter() - started)
    return durations


def beside_import(
    mover: Connection, tenant: Tenant, lane: Lane, path: Path, walked: str, *, walkers: int = WALKERS
) -> list[float]:
    """Moves until the import is reported as completed."""
    with path.open("rb") as file:
        sent = tenant.client.post("/uploads", content=file, headers={"Content-Type": "text/csv"}, timeout=600)
    body = {"type": "csv_upload", "audience": {"name": path.stem}, "uploadId": sent.json()["data"]["uploadId"]}
    job_id = tenant.client.post("/prospecting", json=body).json()["data"]["jobId"]
    asked = time.perf_counter()

    def completed() -> bool:
        nonlocal asked
        if time.perf_counter() - asked < 0.25:
            return False
        status: str = tenant.client.get(f"/prospecting/{job_id}").json()["data"]["status"]
        assert status in ("queued", "running", "completed"), status
        asked = time.perf_counter()
        return status == "completed"

    with _walkers(tenant, walked, walkers):
        return move_until(mover, tenant, lane, completed)


@contextmanager
def _worker(stage: Stage, url: str) -> Iterator[None]:
    """The worker also runs in the quiet windows, as it does in production, and has nothing to do there."""
    worker = WorkerProcess(url, stage.folder, {"LEADYARD_LOG_LEVEL": "info"}).start()
    try:
        yield
    finally:
        worker.stop(within_s=60)


@contextmanager
def _walkers(tenant: Tenant, audience_id: str, count: int) -> Iterator[None]:
    path = f"/v1/accounts/{tenant.account_group_id}/audiences/{audience_id}/prospects"
    command = [sys.executable, "-m", "benchmarks.suite.walker", str(tenant.service.port), path]
    processes = []
    for _ in range(count):
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True)
        assert process.stdin is not None
        process.stdin.write(f"{tenant.key}\n")
        process.stdin.close()
        processes.append(process)
    try:
        yield
        assert all(process.poll() is None for process in processes), "a walker has ended by itself"
    finally:
        for process in processes:
            process.kill()
            process.wait(10)


def main() -> None:
    with Stage() as stage:
        parts = latency_in_parts(stage)
    for name, durations in parts.items():
        ratios = (f"{percentile(durations, share) / percentile(parts[ALONE], share):.2f}" for share in (0.5, 0.99))
        print(f"{name:40} median and 99th percentile {', '.join(ratios)}")


if __name__ == "__main__":
    main()
