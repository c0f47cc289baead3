"""Every benchmark by the name that `script/bench` knows it by, in the order of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.suite.account_group_size import big_group
from benchmarks.suite.figures import Figure
from benchmarks.suite.imports import imports
from benchmarks.suite.latency import latency
from benchmarks.suite.memory import memory
from benchmarks.suite.moves import move_1, move_25, move_10000, move_sqlite
from benchmarks.suite.pages import page_10000
from benchmarks.suite.peers import peers
from benchmarks.suite.processes import processes
from benchmarks.suite.stage import Stage
from benchmarks.suite.start import start


@dataclass(frozen=True)
class Benchmark:
    """One benchmark. `measure` returns its figures, or raises ToolMissing."""

    name: str
    says: str
    measure: Callable[[Stage], list[Figure]]
    only_by_name: bool = False


BENCHMARKS = {
    each.name: each
    for each in (
        Benchmark("move-25", "moves of 25 leads beside pgbench", move_25),
        Benchmark("move-1", "moves of 1 lead beside pgbench", move_1),
        Benchmark("move-10000", "one move of 10,000 leads beside psql", move_10000),
        Benchmark("move-sqlite", "moves of 25 leads on SQLite beside plain sqlite3", move_sqlite),
        Benchmark("big-group", "a move in an account group of 10 million memberships beside a small one", big_group),
        Benchmark("page-10000", "page 10,000 of a list beside page 1", page_10000),
        Benchmark("import", "an import of a million rows beside COPY, and its memory", imports),
        Benchmark("latency", "moves beside an import and walks over lists, and alone", latency),
        Benchmark("start", "--help beside Python, serve beside a bare FastAPI application", start),
        Benchmark("memory", "the memory of serve after many requests and after few", memory),
        Benchmark("processes", "two processes beside one", processes),
        Benchmark("peers", "what one would otherwise build; only by name, needs npm", peers, only_by_name=True),
    )
}


def chosen(names: list[str]) -> list[Benchmark]:
    """Returns the benchmarks of these names; all, when there are none. Raises KeyError for a name nobody has."""
    if not names:
        return [each for each in BENCHMARKS.values() if not each.only_by_name]
    return [BENCHMARKS[name] for name in names]
