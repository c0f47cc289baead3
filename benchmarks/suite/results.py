"""The results of a full run as a file, and the table of docs/performance.md made from it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.suite.figures import Figure, NotMeasured, figure_from_json, percentile

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance.md"
COMMITTED = ROOT / "docs" / "performance"
BEGIN = "<!-- The table is written by `script/bench --write-docs` from performance/results.json. -->"
END = "<!-- End of the table. -->"


@dataclass(frozen=True)
class Measured:
    """The figures of one benchmark and where they were taken."""

    benchmark: str
    facts: dict[str, Any]
    figures: tuple[Figure, ...]


def read(folder: Path) -> list[Measured]:
    """Returns what `write` has written there; nothing, if it never did."""
    file = folder / "results.json"
    if not file.exists():
        return []
    return [
        Measured(each["benchmark"], each["facts"], tuple(figure_from_json(found) for found in each["figures"]))
        for each in json.loads(file.read_text())["benchmarks"]
    ]


def write(folder: Path, measured: list[Measured], order: list[str]) -> None:
    """Writes the results there and keeps the results of other benchmarks."""
    by_name = {each.benchmark: each for each in [*read(folder), *measured] if each.figures}
    everything = sorted(by_name.values(), key=lambda each: order.index(each.benchmark))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(as_json(everything))


def as_json(measured: list[Measured]) -> str:
    content = [
        {"benchmark": each.benchmark, "facts": each.facts, "figures": [figure.as_json() for figure in each.figures]}
        for each in measured
    ]
    return json.dumps({"benchmarks": content}, indent=2) + "\n"


# ----------------------------------------------------------------------------------------------------------- tables


def screen_table(figures: list[Figure], missing: list[NotMeasured]) -> Table:
    table = Table(title="Ratios of two sides that took turns in one run")
    for name in ("#", "what", "against"):
        table.add_column(name)
    for name in ("ratio", "rounds", "goal", ""):
        table.add_column(name, no_wrap=True)
    for figure in sorted(figures, key=lambda each: each.number):
        color = "green" if figure.met else "red"
        ratio = f"{figure.ratio:.3g}"
        table.add_row(
            str(figure.number), figure.what, figure.against, ratio, _spread(figure), figure.goal_text,
            f"[{color}]{figure.verdict}[/]",
        )  # fmt: skip
        for limit in figure.limits:
            color = "green" if limit.met else "red"
            table.add_row("", limit.text, "", "", "", "", f"[{color}]{'reached' if limit.met else 'missed'}[/]")
        if figure.instead:
            table.add_row("", figure.instead, "", "", "", "", "")
    for each in missing:
        table.add_row("", each.name, each.lacks, "", "", "", "[yellow]not measured[/]")
    return table


def markdown_table(measured: list[Measured]) -> str:
    """Returns the text between the two marks of docs/performance.md."""
    lines = ["| # | what | against | ratio | rounds | goal | |", "|---|---|---|---|---|---|---|"]
    figures = sorted((figure for each in measured for figure in each.figures), key=lambda each: each.number)
    for figure in figures:
        verdict = figure.verdict if figure.verdict != "missed" else "**missed**"
        cells = [figure.number, figure.what, figure.against, f"{figure.ratio:.3g}", _spread(figure), figure.goal_text]
        lines.append("| " + " | ".join(map(str, [*cells, verdict])) + " |")
        lines += [f"| | {limit.text} | | | | | {'reached' if limit.met else '**missed**'} |" for limit in figure.limits]
        lines += [f"| | {figure.instead} | | | | | |"] if figure.instead else []
    return "\n".join([*lines, "", _made_with(measured)])


def _made_with(measured: list[Measured]) -> str:
    """Returns one sentence about the machines. It names several if benchmarks were measured at different times."""
    kinds = {
        f"Python {each.facts['python']}, PostgreSQL {each.facts.get('postgresql', 'not used')}, "
        f"SQLite {each.facts['sqlite']}, {each.facts['cpus']} cores"
        + (", busy with other work too" if each.facts["loadBefore"] > each.facts["cpus"] else "")
        + (", small (`--quick`)" if each.facts["quick"] else "")
        + (f", sizes × {each.facts['scale']:g}" if each.facts["scale"] != 1 else "")
        for each in measured
        if "postgresql" in each.facts or len(measured) == 1
    }
    return f"Measured with {'; '.join(sorted(kinds))}."


def _spread(figure: Figure) -> str:
    """Returns the two ratios between which the middle half of the rounds lies."""
    if len(figure.rounds) < 2:
        return ""
    return f"{percentile(figure.rounds, 0.25):.3g} to {percentile(figure.rounds, 0.75):.3g}"


def page_with(text: str, table: str) -> str:
    """Returns the page with another table between its marks. Raises ValueError when it has no marks."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"{PAGE.name} lacks the marks between which the table belongs")
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{table}\n\n{END}", text)
