"""Measures what claiming a prospecting job costs: claims per second of `claim_job`, with everything on, compared with a
bare UPDATE of the oldest free row with SKIP LOCKED by the same driver. The two take turns within one run.

    python benchmarks/jobs.py --url postgresql://user@host/postgres [--jobs 1000]

The benchmark creates a separate database on that server and drops it at the end. Quote the ratios: absolute figures
depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

import asyncpg

from leadyard.operations.jobs.leases import claim_job
from leadyard.store import schema
from leadyard.store.db import open_database

ROUNDS = 3
CLIENTS = 4
BARE = """UPDATE jobs SET status = 'running', lease_number = lease_number + 1, lease_until = 9999999999999
    WHERE (account_group_id, id) = (SELECT account_group_id, id FROM jobs WHERE status = 'queued'
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id"""


async def fill(connection: Any, *, jobs: int, groups: int) -> None:
    """Leaves exactly `jobs` queued jobs in the database, spread over the groups."""
    await connection.execute("TRUNCATE account_groups, audiences, jobs CASCADE")
    await connection.execute(
        "INSERT INTO account_groups (id, key, name, created_at)"
        " SELECT n, n, 'G', 1 FROM generate_series(1, CAST($1 AS integer)) n",
        groups,
    )
    each = "SELECT 1 + n % $2 AS g, n AS id FROM generate_series(1, $1) n"
    each = each.replace("$1", f"{jobs}").replace("$2", f"{groups}")
    await connection.execute(
        "INSERT INTO audiences (account_group_id, id, number, name, type, prospect_count, created_at, changed_at)"
        f" SELECT g, id, id, 'A', 'url_upload', 0, 1, 1 FROM ({each}) e"
    )
    await connection.execute(
        "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
        f" SELECT g, id, 'url_upload', 'queued', id, 1, 1 FROM ({each}) e"
    )
    await connection.execute("ANALYZE")


async def claims_per_second(claim: Callable[[], Awaitable[Any]], jobs: int) -> float:
    """Returns how many jobs a second four clients claim until none is left. Fails unless each job is claimed exactly
    once."""

    async def client() -> int:
        claimed = 0
        while await claim():
            claimed += 1
        return claimed

    started = time.perf_counter()
    claimed = sum(await asyncio.gather(*(client() for _ in range(CLIENTS))))
    assert claimed == jobs, (claimed, jobs)
    return claimed / (time.perf_counter() - started)


async def measure(url: str, *, jobs: int) -> None:
    db = open_database(url, pool_size=CLIENTS, wait_s=30)
    pool: Any = await asyncpg.create_pool(url, min_size=CLIENTS, max_size=CLIENTS)
    last = ""

    async def ours() -> bool:
        nonlocal last
        claimed = await claim_job(db, lease_ms=300_000, after_group=last)
        last = claimed.account_group_id if claimed else last
        return claimed is not None

    async def bare() -> bool:
        return await pool.fetchval(BARE) is not None

    try:
        for groups in (1, jobs):
            rates: dict[str, list[float]] = {"ours": [], "bare": []}
            for _ in range(ROUNDS):
                for name, claim in (("bare", bare), ("ours", ours)):
                    async with pool.acquire() as connection:
                        await fill(connection, jobs=jobs, groups=groups)
                    rates[name].append(await claims_per_second(claim, jobs))
            middle = {name: statistics.median(found) for name, found in rates.items()}
            print(
                f"{jobs} jobs of {groups} account groups: claim_job {middle['ours']:,.0f}/s,"
                f" bare {middle['bare']:,.0f}/s, ratio {middle['ours'] / middle['bare']:.2f}"
            )
    finally:
        await pool.close()
        await db.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--jobs", type=int, default=1_000)
    arguments = parser.parse_args()
    asyncio.run(with_database(arguments.url, arguments.jobs))


async def with_database(server: str, jobs: int) -> None:
    name = f"leadyard_benchmark_{os.getpid()}"
    connection: Any = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    try:
        url = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        await schema.migrate(url)
        await measure(url, jobs=jobs)
    finally:
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


if __name__ == "__main__":
    main()
