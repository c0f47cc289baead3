"""Row 11: the gain of a second process; and, if it is small, which part of the machine was busy at the time."""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.move import Lane, drive_http, drive_pgbench, make_lanes
from benchmarks.peers.cpu import seconds_of
from benchmarks.suite.figures import Figure
from benchmarks.suite.stage import Stage, ToolMissing, on_server
from rig.service import Service, Tenant, make_tenant, run_sql

# As many for each process as row 1 has, because the kernel hands out connections unevenly.
CLIENTS = 16
# Of its cores. A little is always lost between processes that wait for each other.
BUSY = 0.9


@dataclass(frozen=True)
class Turn:
    """Moves a second, and how many cores each side kept busy for them. Only the last counts all of the machine that was
    busy: it includes other programs, and work of the kernel that belongs to no process, such as sending packets."""

    rate: float
    database_cores: float
    service_cores: float
    client_cores: float
    machine_cores: float


def processes(stage: Stage) -> list[Figure]:
    if not Path("/proc/self/stat").exists():
        raise ToolMissing("There is no /proc here, from which the processor time of other processes is read.")
    stage.require("pgbench")
    with stage.service("postgresql") as one, stage.service_on(one.database_url, "--workers", "2") as two:
        tenant = make_tenant(one)
        lanes = make_lanes(tenant, clients=CLIENTS, leads=25, audience_size=stage.size(2_000, 500))
        run_sql(one.database_url, "ANALYZE")
        cores = _give_the_database_its_own(stage, [one, two])
        rounds, seconds = stage.rounds(5, 2), stage.rounds(5, 1)
        turns: dict[str, list[Turn]] = {"one": [], "two": []}
        bare: list[float] = []
        with stage.progress("one process and two, in turns", rounds + 1) as told:
            for number in range(rounds + 1):
                order = [("one", one), ("two", two)]
                for name, service in order if number % 2 else reversed(order):
                    turn = _measure(stage, service, tenant, lanes, seconds)
                    turns[name] += [turn] if number else []
                bare += [drive_pgbench(tenant, lanes, seconds, stage.folder)] if number else []
                told()
        tenant.client.close()
    return [_figure(turns["one"], turns["two"], bare, cores)]


def _figure(one: list[Turn], two: list[Turn], bare: list[float], cores: dict[str, int]) -> Figure:
    ratios = tuple(b.rate / a.rate for a, b in zip(one, two, strict=True))
    return Figure(
        number=11,
        name="processes",
        what="moves of 25 leads a second, 16 connections, two processes (`serve --workers 2`), PostgreSQL",
        against="one process",
        ratio=statistics.median(ratios),
        better="higher",
        goal=1.5,
        rounds=ratios,
        instead=_limit(two, cores),
        details={
            "cores": cores,
            "onePerSecond": [turn.rate for turn in one],
            "twoPerSecond": [turn.rate for turn in two],
            "pgbenchPerSecond": bare,
            "twoOfPgbench": round(statistics.median(t.rate / b for t, b in zip(two, bare, strict=True)), 3),
            "one": _cores_of(one),
            "two": _cores_of(two),
        },
    )


def _cores_of(turns: list[Turn]) -> dict[str, float]:
    names = ("database_cores", "service_cores", "client_cores", "machine_cores")
    return {name: round(statistics.median(getattr(turn, name) for turn in turns), 2) for name in names}


def _limit(two: list[Turn], cores: dict[str, int]) -> str | None:
    """Returns the reason outside the service that limits two processes: a database whose cores are busy, or a machine
    without an idle core, where the processes take the database's time away. None if there is neither."""
    used = _cores_of(two)
    if used["database_cores"] >= BUSY * cores["database"]:
        return f"the database kept {used['database_cores']:.2f} of its {cores['database']} cores busy"
    if used["machine_cores"] >= BUSY * cores["machine"]:
        return (
            f"{used['machine_cores']:.2f} of the machine's {cores['machine']} cores were busy: the database used "
            f"{used['database_cores']:.2f}, the service {used['service_cores']:.2f}, the client "
            f"{used['client_cores']:.2f}"
        )
    return None


def _measure(stage: Stage, service: Service, tenant: Tenant, lanes: list[Lane], seconds: float) -> Turn:
    assert service.process is not None
    server = stage.throwaway.pid if stage.throwaway else _postmaster(service.database_url)

    def used() -> tuple[float, float, float, float]:
        assert service.process is not None
        ours = _used_by(server) if server else 0.0, _used_by(service.process.pid), time.process_time()
        return *ours, _busy_seconds()

    before, started = used(), time.perf_counter()
    rate = asyncio.run(drive_http(service, tenant, lanes, seconds))
    took = time.perf_counter() - started
    return Turn(rate, *((b - a) / took for a, b in zip(before, used(), strict=True)))


def _used_by(pid: int) -> float:
    """Returns the processor time of the process and its living children. A child may end while it is read."""
    while (Path("/proc") / str(pid)).exists():
        try:
            return seconds_of(pid) or 0.0
        except (FileNotFoundError, ProcessLookupError):
            continue
    raise AssertionError(f"process {pid} has ended")


def _busy_seconds() -> float:
    """Returns how long all cores together were busy since the machine started."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle, waiting_for_disk = ticks[3], ticks[4]
    return (sum(ticks) - idle - waiting_for_disk) / os.sysconf("SC_CLK_TCK")


def _postmaster(url: str) -> int | None:
    """Returns the process that started all others of the database; None when it runs on another machine."""
    [(backend,)] = on_server(url, "SELECT pg_backend_pid()")
    # Our own backend ends with its connection, so we look for a process that stays: the parent of the checkpointer is
    # the postmaster.
    [(stays,)] = on_server(url, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    stat = Path("/proc") / str(stays) / "stat"
    if backend == stays or not stat.exists() or "postgres" not in stat.read_text():
        return None
    return int(stat.read_text().rpartition(")")[2].split()[1])


def _give_the_database_its_own(stage: Stage, services: list[Service]) -> dict[str, Any]:
    """Keeps the database on separate cores where there are enough: two for the processes, one for the client, the rest
    for the database. With fewer, all share all."""
    cores = sorted(os.sched_getaffinity(0))
    if stage.throwaway is None or len(cores) < 4:
        return {"machine": len(cores), "database": len(cores), "pinned": False}
    for service in services:
        assert service.process is not None
        _pin(service.process.pid, set(cores[:3]))
    _pin(stage.throwaway.pid, set(cores[3:]))
    return {"machine": len(cores), "database": len(cores) - 3, "pinned": True}


def _pin(pid: int, cores: set[int]) -> None:
    os.sched_setaffinity(pid, cores)
    for task in (Path("/proc") / str(pid) / "task").iterdir():
        os.sched_setaffinity(int(task.name), cores)
        for child in (task / "children").read_text().split():
            _pin(int(child), cores)
