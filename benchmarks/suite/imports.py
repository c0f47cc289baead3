"""Row 7: importing a file with all rules on, compared with COPY of the same rows into a bare table; and the memory of
the import."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable
from pathlib import Path

from benchmarks.importing import by_command, by_job, copy_bare, write_people
from benchmarks.suite.figures import Figure, Limit, Pairs
from benchmarks.suite.stage import Stage
from rig.service import Service, Tenant, make_tenant

Door = Callable[[str, Tenant, Path, int], tuple[float, float]]
DOORS: dict[str, tuple[str, Door]] = {
    "import-command": ("`leadyard import`", by_command),
    "import-job": ("a `csv_upload` job in `leadyard worker`", by_job),
}


def imports(stage: Stage) -> list[Figure]:
    # Only the process that reads the file is measured, so the service has nothing to count here.
    with stage.service("postgresql", LEADYARD_LOG_LEVEL="warning") as service:
        return [_measure(stage, service, name) for name in DOORS]


def _measure(stage: Stage, service: Service, name: str) -> Figure:
    words, door = DOORS[name]
    rows, small, rounds = stage.size(1_000_000, 8_000), stage.size(10_000, 2_000), stage.rounds(1, 2)
    url, ours, theirs, memory = service.database_url, [], [], []
    tenant = make_tenant(service)
    with stage.progress(f"{rows:,} rows by {words}", rounds + 1) as told:
        path = write_people(stage.folder / f"{name}-small.csv", rows=small, name=f"{name}-small")
        _, small_mib = door(url, tenant, path, small)
        told()
        for number in range(rounds):
            path = write_people(stage.folder / f"{name}-{number}.csv", rows=rows, name=f"{name}-{number}")
            # Half before and half after, so that neither side always runs on the warmer machine.
            copied = [asyncio.run(copy_bare(url, path)) for _ in range(_copies(rows))]
            took, mib = door(url, tenant, path, rows)
            copied += [asyncio.run(copy_bare(url, path)) for _ in range(_copies(rows))]
            ours.append(rows / took)
            theirs.append(rows / statistics.median(copied))
            memory.append(mib)
            path.unlink()
            told()
    tenant.client.close()
    found = Pairs(tuple(ours), tuple(theirs))
    return Figure(
        number=7,
        name=name,
        what=f"import of {rows:,} rows by {words}, PostgreSQL, all rules on",
        against="COPY of the same rows into a bare table without indexes",
        ratio=found.ratio,
        better="higher",
        goal=0.20,
        rounds=found.ratios,
        limits=(Limit(f"memory from {small:,} to {rows:,} rows", round(max(memory) - small_mib, 1), 50, "MiB more"),),
        details={"rowsPerSecond": found.ours, "copyRowsPerSecond": found.theirs, "memoryMiB": memory},
    )


def _copies(rows: int) -> int:
    """Returns how often to COPY in a row: one COPY of a small file is too short to measure."""
    return 1 if rows >= 500_000 else 3
