"""Measures what an import costs, with all rules on, compared with COPY of the same rows into a bare table without
indexes; and how much memory it takes as the file grows.

    python benchmarks/importing.py [--url postgresql://user@host/database] [--rows 1000000] [--small 10000]

Both ways to import are measured: `leadyard import FILE`, and an upload with a csv_upload job in a separate worker
process. Memory is the high-water mark of the process that reads the file. The figure to look at is its growth from
--small to --rows. Without --url the benchmark starts a throwaway PostgreSQL. The database named by --url must be empty;
the rows stay in it. Quote the ratios: absolute figures depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg

sys.path.insert(0, str(Path(__file__).parents[1]))

from leadyard.store import schema
from rig.service import Service, Tenant, make_tenant, run_sql
from rig.throwaway_postgres import ThrowawayPostgres

HEADER = "first name,last name,email,linkedin url,company,title,location,note"


def write_people(path: Path, *, rows: int, name: str) -> Path:
    """Writes a file of people who are not in the database yet, about 140 bytes each."""
    with path.open("w", encoding="utf-8") as file:
        file.write(HEADER + "\n")
        for n in range(rows):
            file.write(
                f"Given{n % 997},Family{n},{name}.{n}@example.com,https://www.linkedin.com/in/{name}-{n},"
                f"Company {n % 5003},Head of Things {n % 101},Springfield,row {n}\n"
            )
    return path


async def copy_bare(url: str, path: Path) -> float:
    """Returns the seconds that COPY takes to load the file into a table without keys or indexes."""
    connection: Any = await asyncpg.connect(url)
    columns = ", ".join(f"c{number} text" for number in range(HEADER.count(",") + 1))
    await connection.execute("DROP TABLE IF EXISTS bare")
    await connection.execute(f"CREATE TABLE bare ({columns})")
    started = time.perf_counter()
    await connection.copy_to_table("bare", source=str(path), format="csv", header=True)
    took = time.perf_counter() - started
    await connection.execute("DROP TABLE bare")
    await connection.close()
    return took


def by_command(url: str, tenant: Tenant, path: Path, rows: int) -> tuple[float, float]:
    """Returns seconds and MiB of `leadyard import`."""
    command = [
        *tenant.service.program,
        "import",
        str(path),
        "--account-group",
        tenant.account_group_id,
        "--audience",
        path.stem,
    ]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--json"], env={**os.environ, "LEADYARD_DATABASE_URL": url}, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    report = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - started
    assert status == 0 and report["created"] == rows, report
    return took, usage.ru_maxrss / 1024


def by_job(url: str, tenant: Tenant, path: Path, rows: int) -> tuple[float, float]:
    """Returns the seconds from the start of a csv_upload job to its end, and MiB of the worker."""
    with path.open("rb") as file:
        sent = tenant.client.post("/uploads", content=file, headers={"Content-Type": "text/csv"}, timeout=600)
    upload_id = sent.json()["data"]["uploadId"]
    worker = subprocess.Popen(
        [*tenant.service.program, "worker"],
        env={**os.environ, "LEADYARD_DATABASE_URL": url, "LEADYARD_LOG_LEVEL": "warning"},
    )
    try:
        started = time.perf_counter()
        start = {"type": "csv_upload", "audience": {"name": path.stem}, "uploadId": upload_id}
        job_id = tenant.client.post("/prospecting", json=start).json()["data"]["jobId"]
        while (job := tenant.client.get(f"/prospecting/{job_id}").json()["data"])["status"] in ("queued", "running"):
            time.sleep(0.2)
        took = time.perf_counter() - started
        assert job["status"] == "completed" and job["counts"]["created"] == rows, job
        return took, _high_water_mib(worker.pid)
    finally:
        worker.terminate()
        worker.wait(60)


def _high_water_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [found] = [line for line in lines if line.startswith("VmHWM")]
    return int(found.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="an empty PostgreSQL database")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        url = options.url or closing.enter_context(ThrowawayPostgres()).create_database("leadyard_bench")
        asyncio.run(schema.migrate(url))
        service = Service(url, folder, {"LEADYARD_LOG_LEVEL": "warning"}).start()
        closing.callback(service.stop)
        figures = measure(url, folder, make_tenant(service), rows=options.rows, small=options.small)
    print(json.dumps(figures) if options.json else _table(figures))


def measure(url: str, folder: Path, tenant: Tenant, *, rows: int, small: int) -> dict[str, Any]:
    doors: dict[str, Callable[[str, Tenant, Path, int], tuple[float, float]]] = {"command": by_command, "job": by_job}
    figures: dict[str, Any] = {"rows": rows, "small": small}
    for name, door in doors.items():
        path = write_people(folder / f"{name}small.csv", rows=small, name=f"{name}small")
        _, small_mib = door(url, tenant, path, small)
        path = write_people(folder / f"{name}big.csv", rows=rows, name=f"{name}big")
        # Half before and half after, so that neither side always runs on the warmer machine.
        copy_s = asyncio.run(copy_bare(url, path))
        took_s, mib = door(url, tenant, path, rows)
        copy_s = (copy_s + asyncio.run(copy_bare(url, path))) / 2
        run_sql(url, "ANALYZE")
        figures[name] = {
            "rowsPerSecond": round(rows / took_s),
            "copyRowsPerSecond": round(rows / copy_s),
            "shareOfCopy": round(copy_s / took_s, 3),
            "rssMiB": round(mib),
            "rssGrowthMiB": round(mib - small_mib, 1),
        }
        path.unlink()
    return figures


def _table(figures: dict[str, Any]) -> str:
    lines = [f"{figures['rows']:,} rows; memory grows from {figures['small']:,} rows on"]
    for door in ("command", "job"):
        f = figures[door]
        lines.append(
            f"{door:8} {f['rowsPerSecond']:>8,} rows/s   COPY {f['copyRowsPerSecond']:>9,} rows/s   share "
            f"{f['shareOfCopy']:.3f}   RSS {f['rssMiB']} MiB, grown by {f['rssGrowthMiB']} MiB"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
