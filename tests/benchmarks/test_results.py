"""Figures, tables and plots: the ratio is the median of the rounds, and the page shows the committed results."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.suite import guard, results
from benchmarks.suite.figures import Figure, Limit, Pairs, figure_from_json, percentile, take_turns
from benchmarks.suite.plots import draw_all
from benchmarks.suite.registry import BENCHMARKS, chosen
from benchmarks.suite.results import COMMITTED, PAGE, Measured

ROOT = Path(__file__).parents[2]
FIGURE = Figure(
    3, "fake", "one", "other", 0.5, "lower", 1.2, rounds=(0.4, 0.5), limits=(Limit("memory", 40, 50, "MiB"),)
)


def test_the_ratio_is_the_median_of_the_rounds() -> None:
    """Not the ratio of two medians, because a disturbance in a round affects both of its sides."""
    assert Pairs((1, 10, 3), (1, 5, 4)).ratio == 1
    assert Pairs((1, 10, 3), (1, 5, 4)).ratios == (1, 2, 0.75)


def test_both_sides_take_turns_and_the_first_round_only_warms_up() -> None:
    calls: list[str] = []
    times = iter(range(1, 100))

    def side(name: str) -> float:
        calls.append(name)
        return next(times)

    found = take_turns(lambda: side("ours"), lambda: side("theirs"), rounds=2)
    assert calls == ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    assert found == Pairs((3, 6), (4, 5))


def test_goals() -> None:
    assert FIGURE.met and FIGURE.verdict == "reached"
    assert not dataclasses.replace(FIGURE, better="higher").met
    shown = dataclasses.replace(FIGURE, better="higher", instead="the database was busy")
    assert shown.met and shown.verdict == "limit shown"
    assert dataclasses.replace(FIGURE, limits=(Limit("memory", 51, 50, "MiB"),)).verdict == "missed"


def test_percentiles() -> None:
    assert percentile(range(100), 0.99) == 99
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([7], 0.999) == 7


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    assert figure_from_json(json.loads(json.dumps(FIGURE.as_json()))) == FIGURE
    facts = {"python": "3", "sqlite": "3", "cpus": 1, "loadBefore": 0.0, "scale": 1.0, "quick": False}
    order = ["one", "two"]
    results.write(tmp_path, [Measured("two", facts, (FIGURE,))], order)
    newer = dataclasses.replace(FIGURE, ratio=0.6)
    results.write(tmp_path, [Measured("one", facts, (newer,))], order)
    results.write(tmp_path, [Measured("two", facts, (newer,))], order)
    assert [(each.benchmark, each.figures) for each in results.read(tmp_path)] == [("one", (newer,)), ("two", (newer,))]


# ------------------------------------------------------------------------------------------------- committed results


def test_the_page_shows_the_committed_results() -> None:
    text, measured = PAGE.read_text(), results.read(COMMITTED)
    assert measured
    assert results.page_with(text, results.markdown_table(measured)) == text, "run script/bench --write-docs"


def test_an_old_table_would_be_noticed() -> None:
    text, measured = PAGE.read_text(), results.read(COMMITTED)
    changed = [dataclasses.replace(measured[0], figures=(dataclasses.replace(measured[0].figures[0], ratio=99.0),))]
    assert results.page_with(text, results.markdown_table([*changed, *measured[1:]])) != text
    with pytest.raises(ValueError, match="lacks the marks"):
        results.page_with("# Performance", "table")


def test_every_benchmark_is_committed_guarded_and_explained() -> None:
    measured, text = results.read(COMMITTED), PAGE.read_text()
    assert [each.benchmark for each in measured] == [each.name for each in chosen([])]
    figures = [figure for each in measured for figure in each.figures]
    for each in measured:
        assert {figure.number for figure in each.figures} == set(BENCHMARKS[each.benchmark].rows), each.benchmark
    assert {figure.name for figure in figures} == set(guard.read()), "run script/bench --quick --write"
    for name in BENCHMARKS:
        assert f"`script/bench {name}`" in text, f"docs/performance.md does not explain {name}"


def test_every_row_belongs_to_one_benchmark_and_is_listed() -> None:
    numbers = [number for each in BENCHMARKS.values() for number in each.rows]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    listed = re.findall(
        r"^\| `script/bench ([\w-]+)`( \(only by name\))? \| ([\d, ]+|\[peers\]\S+) \|", PAGE.read_text(), re.M
    )
    assert {name: bool(only) for name, only, _ in listed} == {
        each.name: each.only_by_name for each in BENCHMARKS.values()
    }
    rows = {name: tuple(int(number) for number in re.findall(r"\d+", cell)) for name, _, cell in listed}
    assert rows == {each.name: each.rows for each in BENCHMARKS.values()}


def test_the_plots_are_those_of_the_results(tmp_path: Path) -> None:
    """The same results give the same bytes, so that a commit shows only real changes."""
    drawn = draw_all(tmp_path, results.read(COMMITTED))
    assert len(drawn) == 5
    for file in drawn:
        assert (COMMITTED / file.name).read_bytes() == file.read_bytes(), "run script/bench --write-docs"
    shown = set(re.findall(r"\(performance/([\w-]+\.svg)\)", PAGE.read_text()))
    assert shown == {file.name for file in drawn} == {file.name for file in COMMITTED.glob("*.svg")}


def test_plots_run_nothing_and_fetch_nothing() -> None:
    for file in COMMITTED.glob("*.svg"):
        tree = ElementTree.fromstring(file.read_text())
        assert tree.tag == "{http://www.w3.org/2000/svg}svg"
        for element in tree.iter():
            assert not element.tag.endswith(("}image", "}script")), file.name
            fetched = [value for name, value in element.attrib.items() if name.endswith("href")]
            assert all(value.startswith("#") for value in fetched), (file.name, fetched)


def test_the_command() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "benchmarks.suite.run", "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert [line.split()[0] for line in listed.stdout.splitlines()] == list(BENCHMARKS)
    unknown = subprocess.run(
        [sys.executable, "-m", "benchmarks.suite.run", "nothing"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert unknown.returncode == 2 and "there is no nothing" in unknown.stderr
    assert "benchmarks.suite.run" in (ROOT / "script" / "bench").read_text()
