"""Compares this checkout with one of its commits: both builds run in turns, in one run, on the same machine.

    script/bench against COMMIT                 all measures, small: about ten minutes
    script/bench against COMMIT move page       these only; script/bench against --list names them
    script/bench against COMMIT --full --rows 1000000

The commit is built in a git work tree with an environment of its own, outside of this repository, which stays for the
next run. Both builds run on the same Python and on the same PostgreSQL, with separate databases, and are driven only
through their commands and their HTTP API, so an older build may have other tables. A ratio above 1 means that this
checkout is faster; sizes are shares of the other build's. A target is shown where the project has one.

Without --url it starts a throwaway PostgreSQL, which syncs to disk. The URL names a role that may create databases and
run CHECKPOINT; the databases created there are dropped at the end. Small runs keep SQLite in memory where the machine
has /dev/shm.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.against.builds import BuildFailed, UnknownCommit, build, commit_of, this_checkout, usual_folder
from benchmarks.against.measures import FULL, MEASURES, QUICK, Effort, Measure, chosen
from benchmarks.against.report import Line, table_of
from benchmarks.against.sides import Pair, SideFailed, Yard
from benchmarks.suite.stage import Stage, ToolMissing

# Above this number of rows the files of SQLite may not fit into the memory of a small machine.
MOST_IN_MEMORY = 200_000
# A log has no width, and eighty columns would break every cell of the table.
console = Console(width=None if sys.stdout.isatty() else 180)
progress = Console(stderr=True)


def main(arguments: list[str] | None = None) -> int:
    """Returns 0 when everything was measured, also if a target is missed, and 1 if something could not be."""
    options = parse(arguments)
    if options.list:
        for each in MEASURES.values():
            console.print(f"{each.name:28} {each.what}", highlight=False)
        return 0
    try:
        builds = Pair(this_checkout(), build(options.commit, options.builds))
    except BuildFailed as error:
        progress.print(f"FAILED: {error}", style="red", highlight=False, soft_wrap=True)
        return 1
    quick = not options.full and options.rows <= MOST_IN_MEMORY
    with Stage(quick=quick, server=options.url, console=progress) as stage, ExitStack() as closing:
        effort = effort_of(options)
        return compare(options, Yard(stage, builds, options.rows, effort.lane_size, closing), effort)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/bench against", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commit", nargs="?", metavar="COMMIT", help="a commit, tag or branch of this repository")
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure; everything, if nothing is named")
    parser.add_argument("--list", action="store_true", help="list the measures")
    parser.add_argument("--full", action="store_true", help="longer turns and more rounds, and SQLite on the disk")
    parser.add_argument("--rows", type=_at_least_one, default=100_000, help="of an import (default: 100,000)")
    parser.add_argument("--rounds", type=_at_least_one, help="turns of each side after one that warms up, and imports")
    parser.add_argument("--seconds", type=float, help="of each turn of moves")
    parser.add_argument("--url", help="a PostgreSQL server: postgresql://user@host/database")
    parser.add_argument(
        "--builds", type=Path, default=usual_folder(), metavar="FOLDER", help="of the work trees (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, help="also write the results of every round to this file")
    options = parser.parse_args(arguments)
    if options.list:
        return options
    if options.commit is None:
        parser.error("name the commit to compare with, for example HEAD~1")
    try:
        options.measures = chosen(options.names)
    except KeyError as error:
        parser.error(f"there is no measure {error.args[0]}; script/bench against --list names them")
    try:
        options.commit = commit_of(options.commit)
    except UnknownCommit as error:
        parser.error(str(error))
    return options


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def effort_of(options: argparse.Namespace) -> Effort:
    effort = FULL if options.full else QUICK
    if options.rounds:
        effort = replace(effort, rounds=options.rounds, import_rounds=options.rounds)
    return replace(effort, seconds=options.seconds) if options.seconds else effort


def compare(options: argparse.Namespace, yard: Yard, effort: Effort) -> int:
    lines, failed = list[Line](), list[str]()
    for measure in options.measures:
        try:
            lines += run(measure, yard, effort)
        except (SideFailed, ToolMissing) as error:
            failed.append(f"NOT MEASURED: {measure.name}. {error}")
        if options.json:  # After each, so that a run that is stopped keeps what was measured.
            options.json.write_text(json.dumps(as_json(options, yard, lines), indent=2) + "\n")
    ours, theirs = yard.builds.each()
    console.print(f"this checkout ({ours.commit[:7]}{'-changed' * ours.commit.endswith('-changed')}) and {theirs.name}")
    console.print(table_of(lines))
    for sentence in failed:
        console.print(sentence, style="yellow", highlight=False, soft_wrap=True)
    return 1 if failed else 0


def run(measure: Measure, yard: Yard, effort: Effort) -> list[Line]:
    progress.print(f"[bold]{measure.name}[/]: {measure.what}", highlight=False)
    started = time.perf_counter()
    found = measure.run(yard, effort)
    told = ", ".join(f"{line.name} {line.ratio:.3g}" for line in found)
    progress.print(f"  {told}; {time.perf_counter() - started:.0f} s", highlight=False)
    return found


def as_json(options: argparse.Namespace, yard: Yard, lines: list[Line]) -> dict[str, Any]:
    ours, theirs = yard.builds.each()
    return {
        "ours": ours.commit,
        "theirs": theirs.commit,
        "rows": options.rows,
        "full": options.full,
        "machine": yard.stage.facts(),
        "lines": [line.as_json() for line in lines],
    }


if __name__ == "__main__":
    # SIGTERM would end this process without its `finally` blocks, and leave services and databases behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
