"""Measures how near the move over HTTP comes to its database: moves per second through the real service, with
everything on, compared with the same SQL driven by pgbench (PostgreSQL) or by bare SQLite in one process.
The two take turns within one run.

    python benchmarks/move.py postgresql [--url postgresql://user@host/database] [--leads 25] [--seconds 5]
    python benchmarks/move.py sqlite     [--leads 25] [--seconds 5]

Without --url the benchmark starts a throwaway PostgreSQL. The database named by --url must be empty; the rows stay in
it. Quote the ratio: absolute figures depend on the machine and its load.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any

import apsw

from leadyard.store import move_statements

sys.path.insert(0, str(Path(__file__).parents[1]))

from leadyard.ids import NUMBERS, key_of, keys_of, new_id, number_of
from leadyard.store import schema
from leadyard.store.db import Statement, StepResult
from leadyard.store.db.sqlite_engine import fetch
from rig.service import Service, Tenant, make_tenant, run_sql
from rig.sqlite_file import open_sqlite
from rig.throwaway_postgres import ThrowawayPostgres

ROUNDS = 3
# The settings of the service's own sessions. Without them PostgreSQL would plan the function's statements at each call.
AS_THE_SERVICE = {**os.environ, "PGOPTIONS": "-c jit=off -c plan_cache_mode=force_generic_plan -c enable_seqscan=off"}
# Everything is counted and nothing is refused.
GENEROUS = "key=1000000/second;group=1000000/second;address=1000000/second"


@dataclass(frozen=True)
class Lane:
    """Two audiences between which one client moves the same leads back and forth. Each client has its own, so that
    clients never wait for each other's locks: the benchmark measures the work, not the queue."""

    here: str
    there: str
    lead_ids: list[str]


def make_lanes(tenant: Tenant, *, clients: int, leads: int, audience_size: int) -> list[Lane]:
    lanes = []
    for number in range(clients):
        here, there = tenant.create_audience(f"Here {number}"), tenant.create_audience(f"There {number}")
        members = tenant.add_leads(here, audience_size, prefix=f"lane{number}")
        lanes.append(Lane(here, there, members[:: audience_size // leads][:leads]))
    return lanes


async def drive_http(
    service: Service, tenant: Tenant, lanes: list[Lane], seconds: float, *, keyed: bool = False
) -> float:
    """Returns moves per second. The client writes bytes it made beforehand, to leave the machine to the service. With
    `keyed` each request has a different Idempotency-Key."""
    stop = time.perf_counter() + seconds

    async def client(lane: Lane) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        requests = [_request(service, tenant, *way, lane.lead_ids) for way in _both_ways(lane)]
        done = 0
        while time.perf_counter() < stop or done % 2:
            request = requests[done % 2]
            if keyed:
                request = request.replace(b"\r\n", b"\r\nIdempotency-Key: " + new_id().encode() + b"\r\n", 1)
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            body = await reader.readexactly(int(length[1]))
            assert head.startswith(b"HTTP/1.1 200"), body
            done += 1
        writer.close()
        return done

    started = time.perf_counter()
    done = await asyncio.gather(*(client(lane) for lane in lanes))
    return sum(done) / (time.perf_counter() - started)


def _both_ways(lane: Lane) -> list[tuple[str, str]]:
    return [(lane.here, lane.there), (lane.there, lane.here)]


def _request(service: Service, tenant: Tenant, source: str, target: str, lead_ids: list[str]) -> bytes:
    body = json.dumps({"targetAudienceId": target, "leadIds": lead_ids}).encode()
    head = (
        f"POST /v1/accounts/{tenant.account_group_id}/audiences/{source}/move-leads HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{service.port}\r\nAuthorization: Bearer {tenant.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def drive_pgbench(tenant: Tenant, lanes: list[Lane], seconds: float, folder: Path, *, in_steps: bool = False) -> float:
    """Returns moves per second of one pgbench for each lane, all at the same time, with the service's own statement.
    With `in_steps` it sends the statements that are inside of it, in a transaction."""
    move = pgbench_move_in_steps if in_steps else _pgbench_move
    scripts = ["".join(move(tenant, *way, lane.lead_ids) for way in _both_ways(lane)) for lane in lanes]
    return 2 * run_pgbench(tenant.service.database_url, scripts, seconds, folder)


def run_pgbench(url: str, scripts: list[str], seconds: float, folder: Path) -> float:
    """Returns how many scripts were run per second in total. Each has its own pgbench on one connection."""
    pgbench = shutil.which("pgbench")
    if pgbench is None:
        sys.exit("pgbench is not on the PATH; it comes with PostgreSQL's client or contrib package.")
    processes = []
    for number, text in enumerate(scripts):
        script = folder / f"lane{number}.sql"
        script.write_text(text)
        command = [pgbench, "-n", "-M", "prepared", "-c", "1", "-T", str(max(1, round(seconds))), "-f", str(script)]
        process = subprocess.Popen([*command, url], env=AS_THE_SERVICE, stdout=PIPE, stderr=PIPE, text=True)
        processes.append(process)
    rate = 0.0
    for process in processes:
        output, errors = process.communicate(timeout=seconds + 60)
        found = re.search(r"tps = ([\d.]+)", output)
        assert process.returncode == 0 and found, errors
        rate += float(found[1])
    return rate


def _pgbench_move(tenant: Tenant, source: str, target: str, lead_ids: list[str]) -> str:
    """The one statement that the service sends for a move."""
    return f"{_literal(move_statements._CALL, _values(tenant, source, target, lead_ids))};\n"


def pgbench_move_in_steps(tenant: Tenant, source: str, target: str, lead_ids: list[str]) -> str:
    """The same without the function: the statements a client sends that uses neither the function nor pipelining."""
    values = _values(tenant, source, target, lead_ids)
    # Counts and times that a client would read from the answers of the statements before.
    times = "'{" + ",".join([str(int(time.time() * 1000))] * len(lead_ids)) + "}'"
    values |= {"changed": len(lead_ids), "already": 0, "left_at": times, "entered_at": times}
    values |= {"source_count": 0, "target_count": len(lead_ids)}
    steps = (
        move_statements._LOCK,
        move_statements._POPULATING,
        move_statements._CHANGE_AUDIENCE,
        move_statements._RECORD,
        move_statements.EVENT,
        move_statements._COUNT,
    )
    return "BEGIN;\n" + "".join(f"{_literal(step, values)};\n" for step in steps) + "COMMIT;\n"


def _values(tenant: Tenant, source: str, target: str, lead_ids: list[str]) -> dict[str, Any]:
    return {
        "account_group_id": tenant.number, "number": f"CAST(random() * {NUMBERS - 1} AS integer)",
        "attempt": "CAST(random() * 9e18 AS bigint)", "move_id": "CAST(random() * 9e18 AS bigint)",
        "source": key_of(source), "target": key_of(target),
        "source_number": number_of(source), "target_number": number_of(target),
        "lead_ids": "'{" + ",".join(map(str, keys_of(lead_ids))) + "}'", "lead_count": len(lead_ids),
        # As in the service, each move has its own time: otherwise the ids of the changes would soon repeat.
        "now": "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)", "api_key_id": key_of(tenant.api_key_id),
    }  # fmt: skip


def _literal(statement: Statement, values: dict[str, Any]) -> str:
    """Returns the text with its values in it, because pgbench's own variables cannot hold arrays."""

    def value_of(match: re.Match[str]) -> str:
        value = values[statement._names[int(match[1]) - 1]]
        is_sql = isinstance(value, int) or value.startswith("'") or value.endswith(")")
        return str(value) if is_sql else f"'{value}'"

    return re.sub(r"\$(\d+)", value_of, statement.postgresql)


def drive_without_key(tenant: Tenant, lanes: list[Lane], seconds: float, _folder: Path) -> float:
    """Returns moves per second over HTTP without keys, with which the keyed moves are compared."""
    return asyncio.run(drive_http(tenant.service, tenant, lanes, seconds))


def drive_sqlite(tenant: Tenant, lanes: list[Lane], seconds: float, _folder: Path) -> float:
    """Returns moves per second of the service's own statements in one process on one connection."""
    connection = open_sqlite(tenant.service.database_url)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")
    done = 0
    started = time.perf_counter()
    while time.perf_counter() - started < seconds or done % (2 * len(lanes)):
        lane = lanes[done // 2 % len(lanes)]
        source, target = _both_ways(lane)[done % 2]
        _sqlite_move(connection, tenant, source, target, lane.lead_ids)
        done += 1
    rate = done / (time.perf_counter() - started)
    connection.close()
    return rate


def _sqlite_move(connection: apsw.Connection, tenant: Tenant, source: str, target: str, lead_ids: list[str]) -> None:
    new = key_of(new_id())
    values = _values(tenant, source, target, lead_ids)
    values |= {"number": new % NUMBERS, "attempt": new, "lead_ids": keys_of(lead_ids), "now": int(time.time() * 1000)}

    def run(statement: Statement, **more: Any) -> StepResult:
        rows = fetch(connection, statement.sqlite, statement.sqlite_arguments({**values, **more}))
        return StepResult(rows, connection.changes())

    connection.execute("BEGIN IMMEDIATE")
    assert len(move_statements._steps(run, values)) == 2
    connection.execute("COMMIT")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["postgresql", "sqlite"])
    parser.add_argument("--url", help="an empty PostgreSQL database")
    parser.add_argument("--leads", type=int, default=25, help="leads in a move")
    parser.add_argument("--clients", type=int, default=8, help="connections at once")
    parser.add_argument("--audience-size", type=int, default=2_000)
    parser.add_argument("--seconds", type=float, default=5, help="of each turn")
    parser.add_argument("--keyed", action="store_true", help="moves with an Idempotency-Key beside moves without")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        if options.database == "sqlite":
            url = f"sqlite:///{folder}/leadyard.db"
        else:
            url = options.url or closing.enter_context(ThrowawayPostgres()).create_database("leadyard_bench")
        asyncio.run(schema.migrate(url))
        quiet = {"LEADYARD_LOG_LEVEL": "info", "LEADYARD_RATE_LIMITS": GENEROUS}
        service = Service(url, folder, quiet).start()
        closing.callback(service.stop)
        tenant = make_tenant(service)
        lanes = make_lanes(
            tenant,
            clients=options.clients,
            leads=options.leads,
            audience_size=max(options.audience_size, options.leads),
        )
        if options.database == "postgresql":
            run_sql(url, "ANALYZE")
        drive_bare = drive_sqlite if options.database == "sqlite" else drive_pgbench
        if options.keyed:
            drive_bare = drive_without_key
        report(options, service, tenant, lanes, drive_bare, folder)


def report(
    options: argparse.Namespace,
    service: Service,
    tenant: Tenant,
    lanes: list[Lane],
    drive_bare: Callable[[Tenant, list[Lane], float, Path], float],
    folder: Path,
) -> None:
    over_http, bare = [], []
    for number in range(ROUNDS + 1):
        http_rate = asyncio.run(drive_http(service, tenant, lanes, options.seconds, keyed=options.keyed))
        bare_rate = drive_bare(tenant, lanes, options.seconds, folder)
        if number:  # the first round warms up
            over_http.append(http_rate)
            bare.append(bare_rate)
    ratio = statistics.median(h / b for h, b in zip(over_http, bare, strict=True))
    figures = {
        "database": options.database,
        "leads": options.leads,
        "clients": options.clients,
        "httpMovesPerSecond": round(statistics.median(over_http)),
        "bareMovesPerSecond": round(statistics.median(bare)),
        "ratio": round(ratio, 2),
    }
    if options.json:
        print(json.dumps(figures))
        return
    against = "pgbench" if options.database == "postgresql" else "bare SQLite"
    if options.keyed:
        against = "without a key"
    print(f"{options.leads} leads a move, {options.clients} clients, {options.database}, {ROUNDS} rounds")
    print(f"over HTTP      {figures['httpMovesPerSecond']:>7} moves/s")
    print(f"{against:14} {figures['bareMovesPerSecond']:>7} moves/s")
    print(f"ratio          {ratio:>7.2f}")


if __name__ == "__main__":
    main()
