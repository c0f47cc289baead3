"""Every benchmark by the name that `script/bench` accepts, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.suite.account_group_size import big_group
from benchmarks.suite.columns import columns
from benchmarks.suite.events import events
from benchmarks.suite.figures import Figure
from benchmarks.suite.history import history
from benchmarks.suite.imports import imports
from benchmarks.suite.latency import latency
from benchmarks.suite.memory import memory
from benchmarks.suite.moves import move_1, move_25, move_10000, move_sqlite
from benchmarks.suite.pages import page_10000
from benchmarks.suite.peers import peers
from benchmarks.suite.processes import processes
from benchmarks.suite.record import record
from benchmarks.suite.stage import Stage
from benchmarks.suite.start import start
from benchmarks.suite.transfers import transfers
from benchmarks.suite.webhooks import webhooks
from benchmarks.suite.workbooks import workbooks


@dataclass(frozen=True)
class Benchmark:
    """One benchmark. `measure` returns its figures, each numbered with one of `rows`, or raises ToolMissing.

    A run of everything skips a benchmark `only_by_name`, and the guard does not compare it: it takes too long for
    `--quick`, or its ratio there differs by more than a third from run to run.
    """

    name: str
    says: str
    measure: Callable[[Stage], list[Figure]]
    rows: tuple[int, ...]
    only_by_name: bool = False


def _by_name(name: str, says: str, measure: Callable[[Stage], list[Figure]], *rows: int) -> Benchmark:
    return Benchmark(name, f"{says} (only by name)", measure, rows, only_by_name=True)


BENCHMARKS = {
    each.name: each
    for each in (
        Benchmark("move-25", "moves of 25 leads beside pgbench", move_25, (1,)),
        Benchmark("move-1", "moves of 1 lead beside pgbench", move_1, (2,)),
        Benchmark("move-10000", "one move of 10,000 leads beside psql", move_10000, (3,)),
        Benchmark("move-sqlite", "moves of 25 leads on SQLite beside bare SQLite", move_sqlite, (4,)),
        Benchmark(
            "big-group", "a move in an account group of 10 million memberships beside a small one", big_group, (5,)
        ),
        Benchmark("page-10000", "page 10,000 of a list beside page 1", page_10000, (6,)),
        Benchmark("import", "an import of a million rows beside COPY, and its memory", imports, (7,)),
        Benchmark("columns", "an import that understands its columns beside one with a mapping", columns, (18,)),
        Benchmark("latency", "moves beside an import and walks over lists, and alone", latency, (8,)),
        Benchmark("start", "--help beside Python, serve beside a bare FastAPI application", start, (9,)),
        Benchmark("memory", "the memory of serve after many requests and after few", memory, (10,)),
        Benchmark("history", "the first page of a history of a million changes beside one of ten", history, (14,)),
        Benchmark("processes", "two processes beside one", processes, (11,)),
        Benchmark("events", "moves with their events beside moves without", events, (17,)),
        _by_name("record", "moves with the times of the record beside moves without", record, 19),
        _by_name("transfer", "a transfer of a million leads beside one bare UPDATE", transfers, 12),
        _by_name("workbook", "an import of a million rows of .xlsx beside CSV", workbooks, 13),
        _by_name("webhooks", "moves beside webhooks, and deliveries a second", webhooks, 15, 16),
        _by_name("peers", "the alternatives that you could build; needs npm", peers),
    )
}


def chosen(names: list[str]) -> list[Benchmark]:
    """Returns the benchmarks of these names; all, if none is given. Raises KeyError for an unknown name."""
    if not names:
        return [each for each in BENCHMARKS.values() if not each.only_by_name]
    return [BENCHMARKS[name] for name in names]
