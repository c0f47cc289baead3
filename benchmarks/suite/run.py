"""Measures the figures of docs/performance.md, each as a ratio of two sides that take turns in one run.

    script/bench                       everything, in full: an hour or two
    script/bench move-25 start         these only; script/bench --list names them
    script/bench --scale 0.1           sizes (rows, leads, memberships) a tenth of the full ones
    script/bench --quick               everything, small, and compared with benchmarks/quick_ratios.json
    script/bench --quick webhooks      small, and compared with nothing: the benchmarks that run only by name
    script/bench --quick --write       renews those ratios: the median of three runs
    script/bench --out docs/performance && script/bench --write-docs     the committed results
    script/bench against COMMIT        this checkout beside another commit; see script/bench against --help

Without --url it starts a throwaway PostgreSQL. The URL names a role that may create databases; the databases created
there are dropped at the end. Results go to .cache/bench unless --out names another folder.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmarks.suite import guard, results
from benchmarks.suite.figures import Figure, NotMeasured
from benchmarks.suite.registry import BENCHMARKS, Benchmark, chosen
from benchmarks.suite.results import Measured
from benchmarks.suite.stage import Stage, ToolMissing

WRITE_RUNS = 3
AGAIN = 3
# A log has no width, and eighty columns would break every cell of the table.
console = Console(width=None if sys.stdout.isatty() else 140)


def main() -> int:
    options = parse()
    if options.list:
        for each in BENCHMARKS.values():
            console.print(f"{each.name:12} {each.says}", highlight=False)
        return 0
    if options.write_docs:
        write_docs()
        return 0
    with Stage(quick=options.quick, scale=options.scale, server=options.url) as stage:
        return quick(options, stage) if options.quick else full(options, stage)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="benchmarks to measure; if you name none, all that do not run only by name",
    )
    parser.add_argument("--list", action="store_true", help="list the benchmarks and what each measures")
    parser.add_argument("--url", help="a PostgreSQL server: postgresql://user@host/database")
    parser.add_argument(
        "--quick", action="store_true", help="small, a few minutes, and guarded by the committed ratios"
    )
    parser.add_argument("--write", action="store_true", help="with --quick: commit to these ratios from now on")
    parser.add_argument("--scale", type=float, default=1.0, help="sizes of the full run, as a share")
    parser.add_argument("--out", type=Path, help="for results and plots; a quick run writes them only with --out")
    parser.add_argument("--json", type=Path, help="also write only the results of this run to this file")
    parser.add_argument(
        "--write-docs", action="store_true", help="measure nothing; make plots and table from existing results"
    )
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; script/bench --list names them")
    by_name = [name for name in options.names if BENCHMARKS[name].only_by_name]
    if options.write and by_name:
        parser.error(f"the guard does not compare {', '.join(by_name)}; name others, or none")
    if options.write and not options.quick:
        parser.error("--write belongs to --quick; the results of a full run are written with --out")
    return options


# ------------------------------------------------------------------------------------------------------- a full run


def full(options: argparse.Namespace, stage: Stage) -> int:
    """Returns 0 also when a goal is missed: the table reports it, and only the guard fails a build."""
    folder = options.out or results.ROOT / ".cache" / "bench"
    # Written after each, so that a run that is stopped after an hour, or fails, keeps what was measured.
    measured, missing = measure_all(options.names, stage, keep=lambda each: keep_in(folder, [each]))
    tell(options, [figure for each in measured for figure in each.figures], missing, measured)
    console.print(f"Results and plots: {folder}", highlight=False)
    return 1 if missing else 0


def keep_in(folder: Path, measured: list[Measured]) -> None:
    """Writes results and plots there and keeps the results of other benchmarks."""
    from benchmarks.suite.plots import draw_all

    results.write(folder, measured, list(BENCHMARKS))
    draw_all(folder, results.read(folder))


def measure_all(
    names: list[str], stage: Stage, *, keep: Callable[[Measured], object] = lambda _: None
) -> tuple[list[Measured], list[NotMeasured]]:
    """Measures one after the other and hands each to `keep`. A benchmark that lacks a tool is reported, and the others
    go on."""
    measured: list[Measured] = []
    missing: list[NotMeasured] = []
    for each in chosen(names):
        found = measure(each, stage)
        if isinstance(found, NotMeasured):
            missing.append(found)
        else:
            measured.append(Measured(each.name, stage.facts(), tuple(found)))
            keep(measured[-1])
    return measured, missing


def measure(benchmark: Benchmark, stage: Stage) -> list[Figure] | NotMeasured:
    stage.console.print(f"[bold]{benchmark.name}[/]: {benchmark.says}", highlight=False)
    started = time.perf_counter()
    try:
        found = benchmark.measure(stage)
    except ToolMissing as error:
        return NotMeasured(benchmark.name, str(error))
    if foreign := {figure.number for figure in found} - set(benchmark.rows):
        raise ValueError(f"{benchmark.name} returned a figure of row {min(foreign)}, which is not its own")
    told = ", ".join(f"{figure.name} {figure.ratio:.3g} ({figure.goal_text})" for figure in found)
    stage.console.print(f"  {told}; {time.perf_counter() - started:.0f} s", highlight=False)
    return found


def tell(
    options: argparse.Namespace, figures: list[Figure], missing: list[NotMeasured], measured: list[Measured]
) -> None:
    console.print(results.screen_table(figures, missing))
    for each in missing:
        console.print(f"NOT MEASURED: {each.name}. {each.lacks}", style="yellow", highlight=False, soft_wrap=True)
    if options.json:
        options.json.write_text(results.as_json(measured))


# -------------------------------------------------------------------------------------------------------- the guard


def quick(options: argparse.Namespace, stage: Stage) -> int:
    if options.write:
        return write_quick(options, stage)
    committed = guard.read()
    measured, missing = measure_all(options.names, stage)
    only_by_name = [each for each in measured if BENCHMARKS[each.benchmark].only_by_name]
    guarded = again(stage, [each for each in measured if each not in only_by_name], committed)
    tell(options, guarded + [figure for each in only_by_name for figure in each.figures], missing, measured)
    if options.out:
        keep_in(options.out, measured)
    expected = [] if options.names or missing else list(committed)
    said = guard.complaints(guarded, committed, expected=expected)
    if missing and os.environ.get("CI"):
        said += [f"{each.name} was not measured, but CI measures everything. {each.lacks}" for each in missing]
    for sentence in said:
        console.print(f"FAILED: {sentence}", style="red", highlight=False, soft_wrap=True)
    if said and (busy := guard.busy_sentence(stage.load_before)):
        console.print(busy, highlight=False, soft_wrap=True)
    if guarded and not said:
        console.print("No ratio that was measured has fallen by more than a third.")
    if only_by_name:
        names = ", ".join(each.benchmark for each in only_by_name)
        console.print(f"Compared with nothing, because they run only by name: {names}.", highlight=False)
    return 1 if said else 0


def again(stage: Stage, measured: list[Measured], committed: dict[str, guard.Committed]) -> list[Figure]:
    """Returns the figures. Benchmarks with a fallen figure are measured again, up to three times, and the best result
    counts, because a busy machine must not fail the guard. A real slowdown stays visible."""
    kept: list[Figure] = []
    for each in measured:
        best = list(each.figures)
        for _ in range(AGAIN):
            fallen = {figure.name for figure in best if guard.has_fallen(figure, committed)}
            if not fallen:
                break
            stage.console.print(f"{', '.join(sorted(fallen))} fell; measured once more", highlight=False)
            more = measure(BENCHMARKS[each.benchmark], stage)
            by_name = {} if isinstance(more, NotMeasured) else {figure.name: figure for figure in more}
            best = [guard.better_of(figure, by_name.get(figure.name)) for figure in best]
        kept += best
    return kept


def write_quick(options: argparse.Namespace, stage: Stage) -> int:
    runs = []
    for number in range(WRITE_RUNS):
        stage.console.print(f"run {number + 1} of {WRITE_RUNS}")
        measured, missing = measure_all(options.names, stage)
        if missing:
            tell(options, [], missing, [])
            return 1
        runs.append([figure for each in measured for figure in each.figures])
    guard.write(runs, {**stage.facts(), "runs": WRITE_RUNS})
    console.print(f"{guard.COMMITTED.name} has {len(guard.read())} ratios. Commit it.")
    return 0


# --------------------------------------------------------------------------------------------------------- the page


def write_docs() -> None:
    from benchmarks.suite.plots import draw_all

    everything = results.read(results.COMMITTED)
    draw_all(results.COMMITTED, everything)
    page = results.page_with(results.PAGE.read_text(), results.markdown_table(everything))
    results.PAGE.write_text(page)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # At this point all started processes are stopped and all results are written.
        sys.exit(130)
