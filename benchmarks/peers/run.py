"""Drives the same moves through Leadyard and through its alternatives, on one PostgreSQL.

    python benchmarks/peers/run.py --check                        tiny data, correctness only, no figures
    python benchmarks/peers/run.py [--server URL] [--json FILE]   the measurement: about ten minutes

Without --server it starts a throwaway PostgreSQL. The URL of a server names a role that may create databases; the
databases created there are dropped at the end. README.md in this folder describes the comparison, the method, and the
figures to quote.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[2]))

import asyncpg

from benchmarks.peers.audit import measure, prove_moves, prove_overlapping, prove_refusals, settle
from benchmarks.peers.contender import Contender, Loaded, Work
from benchmarks.peers.django_rest import DjangoRest
from benchmarks.peers.ideal import ideals
from benchmarks.peers.leadyard_itself import Leadyard
from benchmarks.peers.postgraphile import PostGraphile
from benchmarks.peers.report import Figures, Turn
from leadyard.ids import new_id
from rig.throwaway_postgres import ThrowawayPostgres

KINDS: dict[str, type[Contender]] = {"leadyard": Leadyard, "django": DjangoRest, "postgraphile": PostGraphile}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
QUICK = Work(leads=1_000, audiences=10)


def main() -> None:
    options = parse()
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="leadyard-peers-")))
        server = options.server or closing.enter_context(ThrowawayPostgres()).url
        work = QUICK if options.check else Work(leads=options.leads, audiences=options.audiences)
        contenders = set_up_all(options, server, work, folder, closing)
        facts = describe(server, [contender for contender, _ in contenders])
        wrong = {name: facts["postgresql"][name] for name in DURABLE if facts["postgresql"][name] != "on"}
        if wrong and not options.check:
            sys.exit(f"This server does not keep what it has answered, so its figures mean nothing: {wrong}")
        overlapping = prove(options, contenders)
        figures = Figures() if options.check else take_turns(options, contenders, folder)
    report(options, work, facts, figures, overlapping)
    failed = [name for name, outcomes in overlapping.items() if set(outcomes) - {"moved", "leads", "refused"}]
    if options.check and failed:
        sys.exit(f"Some answers to overlapping moves were neither moved nor refused: {failed}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="correctness only, without contenders that cannot be set up here"
    )
    parser.add_argument("--server", help="postgresql://user@host/database, for a role that may create databases")
    parser.add_argument("--only", action="append", choices=sorted(KINDS), help="leave out the others; repeatable")
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--audiences", type=int, default=10, help="over which the leads are spread evenly")
    parser.add_argument("--sizes", type=int, nargs="+", default=[25, 1_000, 10_000], help="leads in a move")
    parser.add_argument("--clients", type=int, default=8, help="connections at once")
    parser.add_argument("--rounds", type=int, default=5, help="after one that only warms up")
    parser.add_argument("--seconds", type=float, default=5, help="of each turn")
    parser.add_argument("--overlapping-seconds", type=float, default=5)
    parser.add_argument("--leadyard-processes", type=int, default=1)
    parser.add_argument("--django-processes", type=int, default=2)
    parser.add_argument("--postgraphile-processes", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    options = parser.parse_args()
    if options.check:
        options.sizes, options.clients, options.overlapping_seconds = [5, 100], 4, 1.0
    return options


def set_up_all(
    options: argparse.Namespace, server: str, work: Work, folder: Path, closing: ExitStack
) -> list[tuple[Contender, Loaded]]:
    """Returns the contenders, loaded and running. With --check, it reports and leaves out the contenders that cannot be
    set up here."""
    ready = []
    for name in options.only or KINDS:
        database = f"leadyard_peers_{name}_{new_id()}"
        execute(server, f"CREATE DATABASE {database}")
        closing.callback(execute, server, f"DROP DATABASE {database} WITH (FORCE)")
        url = urlsplit(server)._replace(path=f"/{database}").geturl()
        processes: int = getattr(options, f"{name}_processes")
        contender = KINDS[name](url, folder, options.clients, processes)
        closing.callback(contender.stop)
        print(f"{contender.name}: setting up", file=sys.stderr)
        try:
            loaded = contender.set_up(work)
            settle(contender)
            contender.start()
        except (RuntimeError, OSError) as error:
            if not options.check or name == "leadyard":
                raise
            print(f"{contender.name}: left out, it cannot be set up here. {error}", file=sys.stderr)
            continue
        ready.append((contender, loaded))
    return ready


def prove(options: argparse.Namespace, contenders: list[tuple[Contender, Loaded]]) -> dict[str, Any]:
    """Returns the outcomes of overlapping moves. A lost or duplicated lead ends the run with AssertionError."""
    outcomes = {}
    for contender, loaded in contenders:
        asyncio.run(prove_refusals(contender, loaded))
        for size in options.sizes:
            asyncio.run(prove_moves(contender, loaded.lanes(clients=options.clients, leads=size)))
        seconds = options.overlapping_seconds
        found = asyncio.run(prove_overlapping(contender, loaded, clients=options.clients, seconds=seconds))
        outcomes[contender.name] = dict(found)
        print(f"{contender.name}: correct", file=sys.stderr)
    return outcomes


def take_turns(options: argparse.Namespace, contenders: list[tuple[Contender, Loaded]], folder: Path) -> Figures:
    figures = Figures()
    loads = {contender.name: loaded for contender, loaded in contenders}
    by_name = {contender.name: contender for contender, _ in contenders}
    without_service = ideals(list(by_name.values()), folder)
    names = [*by_name, *without_service]
    for size in options.sizes:
        for number in range(options.rounds + 1):
            # A different contender begins each round, so that none always runs after the same neighbour.
            for name in names[number % len(names) :] + names[: number % len(names)]:
                contender, drive = without_service.get(name, (by_name.get(name), None))
                assert contender is not None
                lanes = loads[contender.name].lanes(clients=options.clients, leads=size)
                settle(contender)
                if drive is None:
                    turn = asyncio.run(measure(contender, lanes, options.seconds))
                else:
                    turn = Turn(drive(lanes, options.seconds), None)
                if number:
                    figures.add(size, name, turn)
                print(f"{size} leads, round {number}: {name} {turn.rate:.1f} moves/s", file=sys.stderr)
    return figures


def describe(server: str, contenders: list[Contender]) -> dict[str, Any]:
    """Returns versions and settings of every contender, and of the machine."""
    names = [*DURABLE, "server_version", "shared_buffers", "wal_sync_method", "max_wal_size", "max_connections"]
    values = execute(server, "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY($1)", names)
    return {
        "machine": {"cpus": os.cpu_count(), "system": platform.system(), "processor": platform.machine()},
        "postgresql": dict(values),
        "contenders": {contender.name: contender.facts() for contender in contenders},
    }


def report(
    options: argparse.Namespace, work: Work, facts: dict[str, Any], figures: Figures, overlapping: dict[str, Any]
) -> None:
    if options.json:
        everything = {
            **facts,
            "work": {**asdict(work), "clients": options.clients, "rounds": options.rounds, "seconds": options.seconds},
            "overlapping": overlapping,
            "figures": {str(size): figures.rows(size) for size in figures.turns},
            "turns": {
                size: {name: [asdict(turn) for turn in turns] for name, turns in of.items()}
                for size, of in figures.turns.items()
            },
        }
        options.json.write_text(json.dumps(everything, indent=2) + "\n")
    for name, fact in facts["contenders"].items():
        print(f"{name}: {fact['versions']} {fact['settings']}")
    print(f"PostgreSQL: {facts['postgresql']}")
    for name, outcomes in overlapping.items():
        print(f"{name}: overlapping moves: {outcomes}")
    print(
        figures.table() if figures.turns else f"No lead was lost, duplicated or miscounted: {', '.join(overlapping)}."
    )


def execute(server: str, text: str, *values: Any) -> list[Any]:
    async def run() -> list[Any]:
        connection: Any = await asyncpg.connect(server)
        try:
            return list(await connection.fetch(text, *values))
        finally:
            await connection.close()

    return asyncio.run(run())


if __name__ == "__main__":
    main()
