"""Measures what the layer between the service and PostgreSQL costs: the same move transaction of 25 leads, with 8
connections at the same time, through four layers in one run. Prints moves per second and the ratio to bare asyncpg.

    python benchmarks/sql_layers.py postgresql://user@host:port/database [seconds per turn]

Where psycopg is installed (pip install 'psycopg[binary]'; nothing else here needs it) it also runs in threads, the way
plain `def` handlers would. It creates and drops the schema `leadyard_sql_layers`. docs/decisions/0001 quotes the
ratios.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import asyncpg
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.types import Text

SCHEMA = "leadyard_sql_layers"
AUDIENCES, LEADS, MOVE_SIZE, CONNECTIONS = 16, 8_000, 25, 8

SET_UP = f"""
DROP SCHEMA IF EXISTS {SCHEMA} CASCADE; CREATE SCHEMA {SCHEMA}; SET search_path = {SCHEMA};
CREATE TABLE audiences (g text, id text, prospect_count bigint, PRIMARY KEY (g, id));
CREATE TABLE memberships (g text, audience_id text, lead_id text, added_at bigint,
  PRIMARY KEY (g, audience_id, lead_id), FOREIGN KEY (g, audience_id) REFERENCES audiences);
CREATE INDEX ON memberships (g, lead_id);
CREATE TABLE moves (g text, id text, lead_ids text[], PRIMARY KEY (g, id));
INSERT INTO audiences SELECT 'g', 'a' || n, 0 FROM generate_series(0, {AUDIENCES - 1}) n;
INSERT INTO memberships SELECT 'g', 'a' || (n % {AUDIENCES}), 'l' || n, 0 FROM generate_series(0, {LEADS - 1}) n;
"""
LOCK = "SELECT id, prospect_count FROM audiences WHERE g = {g} AND id IN ({s}, {t}) ORDER BY id FOR UPDATE"
TRANSFER = """
WITH already AS (DELETE FROM memberships m WHERE g = {g} AND audience_id = {s} AND lead_id = ANY({ids})
  AND EXISTS (SELECT 1 FROM memberships o WHERE o.g = {g} AND o.audience_id = {t} AND o.lead_id = m.lead_id)
  RETURNING 1),
moved AS (UPDATE memberships m SET audience_id = {t}, added_at = {now} WHERE g = {g} AND audience_id = {s}
  AND lead_id = ANY({ids}) AND NOT EXISTS (SELECT 1 FROM memberships o WHERE o.g = {g} AND o.audience_id = {t}
  AND o.lead_id = m.lead_id) RETURNING 1)
SELECT (SELECT count(*) FROM already), (SELECT count(*) FROM moved)"""
COUNT = """UPDATE audiences SET prospect_count = prospect_count + CASE WHEN id = {s} THEN {less} ELSE {more} END
WHERE g = {g} AND id IN ({s}, {t})"""
RECORD = "INSERT INTO moves (g, id, lead_ids) VALUES ({g}, {id}, {ids})"

P_LOCK = LOCK.format(g="$1", s="$2", t="$3")
P_TRANSFER = TRANSFER.format(g="$1", s="$2", t="$3", ids="$4::text[]", now="$5::bigint")
P_COUNT = COUNT.format(g="$1", s="$2", t="$3", less="$4::bigint", more="$5::bigint")
P_RECORD = RECORD.format(g="$1", id="$2", ids="$3::text[]")
_ids = bindparam("ids", type_=ARRAY(Text))
T_LOCK = text(LOCK.format(g=":g", s=":s", t=":t"))
T_TRANSFER = text(
    TRANSFER.format(g=":g", s=":s", t=":t", ids="CAST(:ids AS text[])", now="CAST(:now AS bigint)")
).bindparams(_ids)
T_COUNT = text(COUNT.format(g=":g", s=":s", t=":t", less="CAST(:less AS bigint)", more="CAST(:more AS bigint)"))
T_RECORD = text(RECORD.format(g=":g", id=":id", ids="CAST(:ids AS text[])")).bindparams(_ids)

Y_LOCK = LOCK.format(g="%(g)s", s="%(s)s", t="%(t)s")
Y_TRANSFER = TRANSFER.format(g="%(g)s", s="%(s)s", t="%(t)s", ids="%(ids)s::text[]", now="%(now)s::bigint")
Y_COUNT = COUNT.format(g="%(g)s", s="%(s)s", t="%(t)s", less="%(less)s::bigint", more="%(more)s::bigint")
Y_RECORD = RECORD.format(g="%(g)s", id="%(id)s", ids="%(ids)s::text[]")

Turn = Callable[[str, str, list[str]], Awaitable[None]]


def bare_asyncpg(pool: asyncpg.Pool) -> Turn:
    async def move(s: str, t: str, ids: list[str]) -> None:
        async with pool.acquire() as c, c.transaction():
            await c.fetch(P_LOCK, "g", s, t)
            row = await c.fetchrow(P_TRANSFER, "g", s, t, ids, 1)
            await c.execute(P_COUNT, "g", s, t, -row[0] - row[1], row[1])
            await c.execute(P_RECORD, "g", random.randbytes(12).hex(), ids)

    return move


def sqlalchemy_statements(engine: AsyncEngine) -> Turn:
    async def move(s: str, t: str, ids: list[str]) -> None:
        async with engine.begin() as c:
            p = {"g": "g", "s": s, "t": t}
            (await c.execute(T_LOCK, p)).fetchall()
            row = (await c.execute(T_TRANSFER, {**p, "ids": ids, "now": 1})).one()
            await c.execute(T_COUNT, {**p, "less": -row[0] - row[1], "more": row[1]})
            await c.execute(T_RECORD, {"g": "g", "id": random.randbytes(12).hex(), "ids": ids})

    return move


def sqlalchemy_transaction_driver_statements(engine: AsyncEngine) -> Turn:
    async def move(s: str, t: str, ids: list[str]) -> None:
        async with engine.begin() as sc:
            c = (await sc.get_raw_connection()).driver_connection
            assert c is not None
            await c.execute("BEGIN")
            await c.fetch(P_LOCK, "g", s, t)
            row = await c.fetchrow(P_TRANSFER, "g", s, t, ids, 1)
            await c.execute(P_COUNT, "g", s, t, -row[0] - row[1], row[1])
            await c.execute(P_RECORD, "g", random.randbytes(12).hex(), ids)
            await c.execute("COMMIT")

    return move


def psycopg_in_threads(url: str, closing: ExitStack) -> Turn | None:
    try:
        import psycopg
    except ImportError:
        return None
    threads = ThreadPoolExecutor(CONNECTIONS)
    closing.callback(threads.shutdown)
    of_thread = threading.local()

    def work(s: str, t: str, ids: list[str]) -> None:
        if not hasattr(of_thread, "connection"):
            of_thread.connection = psycopg.connect(url, options=f"-c search_path={SCHEMA}", prepare_threshold=0)
        p = {"g": "g", "s": s, "t": t, "ids": ids, "now": 1, "id": random.randbytes(12).hex()}
        with of_thread.connection.transaction():
            c = of_thread.connection.cursor()
            c.execute(Y_LOCK, p).fetchall()
            row = c.execute(Y_TRANSFER, p).fetchone()
            c.execute(Y_COUNT, {**p, "less": -row[0] - row[1], "more": row[1]})
            c.execute(Y_RECORD, p)

    async def move(s: str, t: str, ids: list[str]) -> None:
        await asyncio.get_running_loop().run_in_executor(threads, work, s, t, ids)

    return move


async def drive(turn: Turn, seconds: float) -> float:
    stop = time.perf_counter() + seconds
    done = 0

    async def worker(n: int) -> None:
        nonlocal done
        rng = random.Random(n)
        # Each worker owns two audiences, because the layer is measured here, not waiting for locks.
        source, target = f"a{2 * n}", f"a{2 * n + 1}"
        while time.perf_counter() < stop:
            leads = [
                f"l{k * AUDIENCES + 2 * n + (source[-1:] not in '02468')}" for k in rng.sample(range(400), MOVE_SIZE)
            ]
            await turn(source, target, sorted(leads))
            source, target = target, source
            done += 1

    started = time.perf_counter()
    await asyncio.gather(*(worker(n) for n in range(CONNECTIONS)))
    return done / (time.perf_counter() - started)


async def main(url: str, seconds: float) -> None:
    import uvloop  # noqa: F401  (the loop the service runs on)

    pool = await asyncpg.create_pool(
        url, min_size=CONNECTIONS, max_size=CONNECTIONS, server_settings={"search_path": SCHEMA}
    )
    engine = create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://"),
        pool_size=CONNECTIONS,
        connect_args={"server_settings": {"search_path": SCHEMA}},
    )
    layers = {
        "bare asyncpg": bare_asyncpg(pool),
        "SQLAlchemy connection, driver statements": sqlalchemy_transaction_driver_statements(engine),
        "SQLAlchemy async, text() constants": sqlalchemy_statements(engine),
    }
    closing = ExitStack()
    in_threads = psycopg_in_threads(url, closing)
    if in_threads is not None:
        layers["psycopg in threads"] = in_threads
    async with pool.acquire() as c:
        await c.execute(SET_UP)
    figures: dict[str, list[float]] = {name: [] for name in layers}
    for turn_number in range(4):
        for name, turn in layers.items():
            rate = await drive(turn, seconds)
            if turn_number:  # the first round warms up
                figures[name].append(rate)
    base = statistics.median(figures["bare asyncpg"])
    for name, rates in figures.items():
        median = statistics.median(rates)
        print(f"{name:42} {median:8.0f} moves/s   {median / base:.2f} of bare asyncpg")
    closing.close()
    async with pool.acquire() as c:
        await c.execute(f"DROP SCHEMA {SCHEMA} CASCADE")
    await engine.dispose()
    await pool.close()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 4))
