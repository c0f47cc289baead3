"""Loads a service with every kind of request in many account groups, proves afterwards that nothing is lost or counted
wrongly, and prints the throughput by number of groups.

    script/load                              a service and PostgreSQL of its own, one minute
    script/load --sqlite --seconds 20        the embedded database
    script/load --groups 1 --groups 8        one run for each number of account groups
    script/load --service http://10.0.0.5:8000 --database postgresql://leadyard@10.0.0.4/leadyard --minutes 600

With --service it loads services that run already, also several: repeat the option. --database then names their
database, or the coordinator of a cluster, where it creates account groups and runs the check-up. It leaves the rows of
its account groups there. Their names begin with "Load".
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load.acts import BUSY, KINDS
from benchmarks.load.groups import Group, chosen, create_groups
from benchmarks.load.proof import check_up, faults_of
from leadyard.store import schema
from rig.service import Service, WorkerProcess
from rig.throwaway_postgres import ThrowawayPostgres

_LOST_PAUSE_S = 0.2
_UNLIMITED = "key=off;group=off;guesses=off;address=off"


@dataclass
class Outcome:
    """The answers of one run by kind and status, the seconds that each kind took, and the faults that were found."""

    groups: int
    seconds: float
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    took_s: dict[str, list[float]] = field(default_factory=dict)
    lost: int = 0
    faults: list[str] = field(default_factory=list)

    def note(self, kind: str, status: int, took_s: float) -> None:
        """Counts an answer. One that the kind does not expect is a fault."""
        self.answers[kind, status] += 1
        self.took_s.setdefault(kind, []).append(took_s)
        if status not in KINDS[kind].answers | BUSY:
            self.faults.append(f"{kind}: answered with {status}")

    def requests_a_second(self) -> float:
        """Returns the number of answers a second, of all kinds."""
        return sum(self.answers.values()) / self.seconds


async def load(groups: list[Group], *, clients: int, seconds: float, seed: int) -> Outcome:
    """Sends requests from so many clients at once, for so many seconds."""
    outcome = Outcome(len(groups), seconds)
    stop = time.monotonic() + seconds
    await asyncio.gather(*(_client(outcome, groups, random.Random(f"{seed}/{n}"), stop) for n in range(clients)))
    return outcome


async def _client(outcome: Outcome, groups: list[Group], chance: random.Random, stop: float) -> None:
    names, shares = list(KINDS), [kind.share for kind in KINDS.values()]
    while time.monotonic() < stop:
        [name] = chance.choices(names, shares)
        began = time.monotonic()
        try:
            answer = await KINDS[name].act(chosen(groups, chance), chance)
        except httpx.TransportError:
            # A service that was restarted, or a node that was lost. The outcome is unknown.
            outcome.lost += 1
            await asyncio.sleep(_LOST_PAUSE_S)
            continue
        outcome.note(name, answer.status_code, time.monotonic() - began)
        if answer.status_code in BUSY:
            await asyncio.sleep(min(2.0, float(answer.headers.get("Retry-After", "1"))))


async def run(options: argparse.Namespace, urls: list[str], database_url: str, count: int) -> Outcome:
    """Creates the account groups, loads them, and adds the faults that the proof finds."""
    groups = create_groups(urls, database_url, count, options.people)
    try:
        for group in groups:
            await group.fill()
        outcome = await load(groups, clients=options.clients, seconds=options.seconds, seed=options.seed)
        for group in groups:
            outcome.faults += await faults_of(group)
        outcome.faults += check_up(database_url)
        return outcome
    finally:
        for group in groups:
            await group.client.aclose()


def report(outcome: Outcome) -> str:
    """Returns the table of one run."""
    lines = [
        f"{outcome.groups} account groups, {outcome.seconds:.0f} s: {outcome.requests_a_second():.0f} answers a second,"
        f" {outcome.lost} lost connections",
        f"{'request':20}{'a second':>10}{'median ms':>11}{'99 % ms':>10}  answers",
    ]
    for kind, times in sorted(outcome.took_s.items()):
        ordered = sorted(times)
        by_status = {status: n for (name, status), n in sorted(outcome.answers.items()) if name == kind}
        lines.append(
            f"{kind:20}{len(times) / outcome.seconds:>10.1f}{1_000 * ordered[len(ordered) // 2]:>11.1f}"
            f"{1_000 * ordered[int(len(ordered) * 0.99)]:>10.1f}  "
            + ", ".join(f"{n:,} × {status}" for status, n in by_status.items())
        )
    lines += [f"FAULT: {each}" for each in outcome.faults[:50]]
    lines.append(
        "Nothing is lost, and every count is exact." if not outcome.faults else f"{len(outcome.faults)} faults"
    )
    return "\n".join(lines)


def _as_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "groups": outcome.groups,
        "seconds": outcome.seconds,
        "answersPerSecond": round(outcome.requests_a_second(), 1),
        "answers": {f"{kind} {status}": n for (kind, status), n in sorted(outcome.answers.items())},
        "lostConnections": outcome.lost,
        "faults": outcome.faults,
    }


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--service", action="append", metavar="URL", help="a service that runs already; repeatable")
    parser.add_argument("--database", metavar="URL", help="the database of --service")
    parser.add_argument("--sqlite", action="store_true", help="without --service: the embedded database")
    parser.add_argument("--groups", type=int, action="append", metavar="N", help="account groups; repeatable (8)")
    parser.add_argument("--people", type=int, default=4_000, metavar="N", help="people in all groups (4,000)")
    parser.add_argument("--clients", type=int, default=16, metavar="N", help="requests at once (16)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="N", help="of each run (60)")
    parser.add_argument("--minutes", type=float, metavar="N", help="instead of --seconds, for a soak")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the order of the requests (1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    options = parser.parse_args(arguments)
    if bool(options.service) != bool(options.database):
        parser.error("--service and --database belong together")
    if options.minutes:
        options.seconds = 60 * options.minutes
    return options


def main(arguments: Sequence[str]) -> int:
    """Runs the load once for each number of groups. Returns 1 if there is any fault."""
    options = _options(arguments)
    outcomes = []
    with ExitStack() as closing:
        urls, database_url = (options.service, options.database) if options.service else _own(options, closing)
        for count in options.groups or [8]:
            outcomes.append(asyncio.run(run(options, [url.rstrip("/") for url in urls], database_url, count)))
            if not options.json:
                print(report(outcomes[-1]), flush=True)
    if options.json:
        print(json.dumps({"runs": list(map(_as_json, outcomes))}))
    return int(any(outcome.faults for outcome in outcomes))


def _own(options: argparse.Namespace, closing: ExitStack) -> tuple[list[str], str]:
    """Starts a service and a worker on a database of their own. Returns the URLs of the service and the database."""
    folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
    if options.sqlite:
        database_url = f"sqlite:///{folder}/leadyard.db"
    else:
        database_url = closing.enter_context(ThrowawayPostgres()).create_database("leadyard_load")
    asyncio.run(schema.migrate(database_url))
    settings = {"LEADYARD_LOG_LEVEL": "warning", "LEADYARD_RATE_LIMITS": _UNLIMITED}
    service = Service(database_url, folder, settings).start()
    closing.callback(service.stop)
    worker = WorkerProcess(database_url, folder, settings).start()
    closing.callback(worker.stop)
    return [service.base_url], database_url


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
