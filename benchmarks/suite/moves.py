"""Rows 1 to 4: moves over HTTP compared with the same SQL, driven by pgbench, by psql, and by bare SQLite."""

from __future__ import annotations

import asyncio
import re
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.move import Lane, _pgbench_move, drive_http, drive_pgbench, drive_sqlite, make_lanes
from benchmarks.suite.figures import Figure, take_turns
from benchmarks.suite.stage import Kind, Stage
from rig.service import Service, Tenant, make_tenant, run_sql

CLIENTS = 8


def move_25(stage: Stage) -> list[Figure]:
    return [_beside_pgbench(stage, 1, "move-25", leads=25, goal=0.60)]


def move_1(stage: Stage) -> list[Figure]:
    return [_beside_pgbench(stage, 2, "move-1", leads=1, goal=0.45)]


def move_sqlite(stage: Stage) -> list[Figure]:
    with _lanes(stage, "sqlite", leads=25) as (service, tenant, lanes):
        seconds = stage.rounds(5, 1)
        found = take_turns(
            lambda: asyncio.run(drive_http(service, tenant, lanes, seconds)),
            lambda: drive_sqlite(tenant, lanes, seconds, stage.folder),
            rounds=stage.rounds(5, 2),
        )
    return [
        Figure(
            number=4,
            name="move-sqlite",
            what="moves of 25 leads a second over HTTP, 8 connections, SQLite",
            against="bare SQLite doing the same transaction in one process",
            ratio=found.ratio,
            better="higher",
            goal=0.35,
            rounds=found.ratios,
            details={"httpPerSecond": found.ours, "barePerSecond": found.theirs},
        )
    ]


def _beside_pgbench(stage: Stage, number: int, name: str, *, leads: int, goal: float) -> Figure:
    stage.require("pgbench")
    seconds = stage.rounds(5, 1)
    with _lanes(stage, "postgresql", leads=leads) as (service, tenant, lanes):
        found = take_turns(
            lambda: asyncio.run(drive_http(service, tenant, lanes, seconds)),
            lambda: drive_pgbench(tenant, lanes, seconds, stage.folder),
            rounds=stage.rounds(5, 2),
        )
        # For comparison with services that have no function in the database. It is not part of the guard, so a quick
        # run skips it.
        in_steps = [
            drive_pgbench(tenant, lanes, seconds, stage.folder, in_steps=True) for _ in range(stage.rounds(3, 0))
        ]
    return Figure(
        number=number,
        name=name,
        what=f"moves of {leads} lead{'s' if leads > 1 else ''} a second over HTTP, 8 connections, PostgreSQL",
        against="pgbench driving the same SQL with 8 clients",
        ratio=found.ratio,
        better="higher",
        goal=goal,
        rounds=found.ratios,
        details={"httpPerSecond": found.ours, "barePerSecond": found.theirs, "bareInStepsPerSecond": in_steps},
    )


@contextmanager
def _lanes(stage: Stage, kind: Kind, *, leads: int) -> Iterator[tuple[Service, Tenant, list[Lane]]]:
    with stage.service(kind) as service:
        tenant = make_tenant(service)
        with stage.progress(f"{CLIENTS} clients, {leads} leads a move, {kind}"):
            lanes = make_lanes(tenant, clients=CLIENTS, leads=leads, audience_size=stage.size(2_000, 500))
            if kind == "postgresql":
                run_sql(service.database_url, "ANALYZE")
            yield service, tenant, lanes


# ----------------------------------------------------------------------------------------- one move of 10,000 leads


def move_10000(stage: Stage) -> list[Figure]:
    psql = stage.require("psql")
    leads = 10_000
    with stage.service("postgresql") as service:
        tenant = make_tenant(service)
        [lane] = make_lanes(tenant, clients=1, leads=leads, audience_size=leads)
        run_sql(service.database_url, "ANALYZE")
        rounds = stage.rounds(15, 3)
        with (
            stage.progress(f"one move of {leads:,} leads", rounds + 1) as told,
            _psql(psql, service.database_url) as run,
        ):
            found = take_turns(
                lambda: timed_over_http(tenant, lane),
                lambda: _timed_in_psql(run, tenant, lane),
                rounds=rounds,
                told=told,
            )
        tenant.client.close()
    return [
        Figure(
            number=3,
            name="move-10000",
            what="time of one move of 10,000 leads over HTTP, PostgreSQL",
            against="the bare SQL transaction from psql, by its own \\timing",
            ratio=found.ratio,
            better="lower",
            goal=1.15,
            rounds=found.ratios,
            details={"httpSeconds": found.ours, "bareSeconds": found.theirs},
        )
    ]


def timed_over_http(tenant: Tenant, lane: Lane) -> float:
    """Returns the seconds that a move of the lane's leads takes: the median of there and back."""
    durations = []
    for source, target in ((lane.here, lane.there), (lane.there, lane.here)):
        started = time.perf_counter()
        answer = tenant.move(source, target, lane.lead_ids)
        durations.append(time.perf_counter() - started)
        assert answer.status_code == 200, answer.text
    return statistics.median(durations)


def _timed_in_psql(run: Callable[[str], float], tenant: Tenant, lane: Lane) -> float:
    there = _pgbench_move(tenant, lane.here, lane.there, lane.lead_ids)
    back = _pgbench_move(tenant, lane.there, lane.here, lane.lead_ids)
    return statistics.median([run(there), run(back)])


@contextmanager
def _psql(psql: str, url: str) -> Iterator[Callable[[str], float]]:
    """Yields a function that runs SQL in a connected psql. It returns the seconds that psql itself measured for the
    statements. Reading the text, and our pipe, are not included, which favours the bare side."""
    process = subprocess.Popen(
        [psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    requests, answers = process.stdin, process.stdout

    def run(text: str) -> float:
        requests.write(f"\\timing on\n{text}\\timing off\n\\echo done\n")
        requests.flush()
        lines: list[str] = []
        while (line := answers.readline()) != "done\n":
            assert line, f"psql has ended: {lines[-5:]}"
            lines.append(line)
        times = [re.fullmatch(r"Time: ([\d.]+) ms.*", line.strip()) for line in lines if line.startswith("Time: ")]
        assert times and len(times) == text.count(";\n"), lines[-5:]
        return sum(float(each[1]) for each in times if each) / 1000

    try:
        yield run
    finally:
        requests.close()
        process.wait(20)
