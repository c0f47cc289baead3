"""Measures what the checks in front of a request cost: moves per second over HTTP with the rate limits off, counted in
the process and counted in Redis, and with keys that are looked up at every request. The variants take turns within one
run. The table also shows the processor time of the service for each move, which a busy machine disturbs less.

    python benchmarks/gate.py postgresql [--url postgresql://user@host/database] [--seconds 3] [--rounds 5]
    python benchmarks/gate.py sqlite

Without --url the benchmark starts a throwaway PostgreSQL that does not wait for its disk. It always starts a throwaway
Redis. The database named by --url must be empty; the rows stay in it. Quote the ratios: absolute figures depend on the
machine and its load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.move import GENEROUS, drive_http, make_lanes
from leadyard.store import schema
from rig import service as of_service
from rig.service import Service, make_tenant, run_sql
from rig.throwaway_postgres import ThrowawayPostgres
from rig.throwaway_redis import ThrowawayRedis

BASE = "limits off"
WITHOUT_MEMORY = "limits off, every key looked up"
# Starts the service with keys that are forgotten at once. There is no setting for that, because production has no use
# for one.
_FORGETFUL = (
    "import leadyard.http.admission.recognised_keys as keys; keys._REMEMBERED_FOR_S = 0.0; "
    "from leadyard.cli.main import run; run()"
)


def start(name: str, url: str, folder: Path, redis_url: str) -> Service:
    settings: Mapping[str, dict[str, str]] = {
        BASE: {"LEADYARD_RATE_LIMITS": "off"},
        WITHOUT_MEMORY: {"LEADYARD_RATE_LIMITS": "off"},
        "counted in the process": {"LEADYARD_RATE_LIMITS": GENEROUS},
        "counted in Redis": {"LEADYARD_RATE_LIMITS": GENEROUS, "LEADYARD_REDIS_URL": redis_url},
    }
    ordinary = of_service.LEADYARD
    if name == WITHOUT_MEMORY:
        of_service.LEADYARD = (sys.executable, "-c", _FORGETFUL)
    try:
        return Service(url, folder, {"LEADYARD_LOG_LEVEL": "info", **settings[name]}).start()
    finally:
        of_service.LEADYARD = ordinary


def processor_ms(service: Service) -> float:
    """Returns the processor time that the service has used so far."""
    assert service.process is not None
    fields = Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", choices=["postgresql", "sqlite"])
    parser.add_argument("--url", help="an empty PostgreSQL database")
    parser.add_argument("--leads", type=int, default=25, help="leads in a move")
    parser.add_argument("--clients", type=int, default=8, help="connections at once")
    parser.add_argument("--seconds", type=float, default=3, help="of each turn")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        redis = closing.enter_context(ThrowawayRedis())
        url = f"sqlite:///{folder}/leadyard.db"
        if options.database == "postgresql":
            url = options.url or closing.enter_context(ThrowawayPostgres(fsync=False)).create_database("leadyard_bench")
        asyncio.run(schema.migrate(url))
        names = (BASE, "counted in the process", "counted in Redis", WITHOUT_MEMORY)
        services = {name: start(name, url, folder, redis.url) for name in names}
        for service in services.values():
            closing.callback(service.stop)
        tenant = make_tenant(services[BASE])
        lanes = make_lanes(tenant, clients=options.clients, leads=options.leads, audience_size=2_000)
        if options.database == "postgresql":
            run_sql(url, "ANALYZE")
        rates: dict[str, list[float]] = {name: [] for name in names}
        costs_ms: dict[str, list[float]] = {name: [] for name in names}
        for number in range(options.rounds + 1):
            for name in random.sample(names, len(names)):
                before_ms, started = processor_ms(services[name]), time.perf_counter()
                rate = asyncio.run(drive_http(services[name], tenant, lanes, options.seconds))
                moves = rate * (time.perf_counter() - started)
                if number:  # the first round warms up
                    rates[name].append(rate)
                    costs_ms[name].append((processor_ms(services[name]) - before_ms) / moves)
    print(f"{options.leads} leads a move, {options.clients} clients, {options.database}, {options.rounds} rounds")
    for name in names:
        ratio = statistics.median(mine / base for mine, base in zip(rates[name], rates[BASE], strict=True))
        share = min(costs_ms[name]) / min(costs_ms[BASE])
        print(
            f"{name:34} {statistics.median(rates[name]):>7.0f} moves/s  {ratio:.2f}   "
            f"{min(costs_ms[name]):.3f} ms of processor a move at best  {share:.2f}"
        )


if __name__ == "__main__":
    main()
