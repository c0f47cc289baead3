"""Draws the results as SVG. The same results give the same bytes, so that a commit shows only real changes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

from benchmarks.suite.figures import Figure
from benchmarks.suite.results import Measured

OURS, OTHER, GOAL, MISSED = "#2563eb", "#f59e0b", "#9ca3af", "#dc2626"

_HALVES = (0, 0.5, 1, 1.5)


def draw_all(folder: Path, measured: list[Measured]) -> list[Path]:
    """Draws every plot that has results. Returns the files."""
    figures = {figure.name: figure for each in measured for figure in each.figures}
    charts: dict[str, Any] = {"goals": _goals(figures.values())}
    charts["pages"] = _pages([figure for figure in figures.values() if figure.number == 6])
    charts["group-size"] = _group_sizes([figure for figure in figures.values() if figure.number == 5])
    charts["latency"] = _latency(figures.get("latency"))
    charts["memory"] = _memory(figures.get("memory"))
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, chart in charts.items():
        if chart is not None:
            file = folder / f"{name}.svg"
            file.write_text(_svg(name, chart))
            drawn.append(file)
    return drawn


def _svg(name: str, chart: Any) -> str:
    # Its random name would change the file with every drawing.
    chart.uuid = name
    text: str = chart.render(is_unicode=True)
    return re.sub(r"<!--.*?-->\n?|<script.*?</script>", "", text, flags=re.DOTALL) + "\n"


def _style(*colors: str) -> Any:
    return Style(
        background="white",
        plot_background="white",
        foreground="#374151",
        foreground_strong="#111827",
        foreground_subtle="#9ca3af",
        colors=colors,
        font_family="sans-serif",
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=13,
        title_font_size=17,
        value_font_size=12,
    )


def _options(*colors: str, **more: Any) -> dict[str, Any]:
    # No script: a picture in a page runs none, and the browser would fetch it from a foreign host.
    return {
        "style": _style(*colors),
        "js": [],
        "width": 900,
        "height": 420,
        "legend_at_bottom": True,
        "truncate_label": -1,
        "truncate_legend": -1,
        **more,
    }


def _goals(figures: Iterable[Figure]) -> Any:
    """How far each figure is beyond its goal, or short of it: 1 is the goal, whichever direction is better."""
    ordered = sorted(figures, key=lambda each: each.number, reverse=True)
    if not ordered:
        return None
    chart = pygal.HorizontalBar(
        **_options(
            OURS,
            title="Times as good as the goal (1 = the goal)",
            height=120 + 34 * len(ordered),
            show_legend=False,
            print_values=True,
            formatter=lambda value: f"{value:.2f}",
            margin_left=20,
        )
    )
    chart.x_labels = [f"{each.number}  {each.name}" for each in ordered]
    reached = [each.ratio / each.goal if each.better == "higher" else each.goal / each.ratio for each in ordered]
    chart.add(
        "times as good as the goal",
        [
            {"value": round(value, 3), "color": OURS if each.met else MISSED}
            for each, value in zip(ordered, reached, strict=True)
        ],
    )
    chart.y_labels = [{"value": 0, "label": "0"}, {"value": 1, "label": "goal"}] + [
        {"value": each, "label": str(each)} for each in range(2, int(max(reached)) + 2)
    ]
    return chart


def _pages(figures: list[Figure]) -> Any:
    if not figures:
        return None
    chart = pygal.Line(
        **_options(
            OURS, OTHER, MISSED, title="Time of a page / time of page 1", x_title="page", range=(0, 1.5), dots_size=4
        )
    )
    numbers = sorted({int(number) for figure in figures for number in figure.details["ratioOfPage"]})
    chart.x_labels = [f"{number:,}" for number in numbers]
    chart.y_labels = _HALVES
    for figure in figures:
        found = {int(number): ratio for number, ratio in figure.details["ratioOfPage"].items()}
        chart.add(figure.name.removeprefix("page-"), [found.get(number) for number in numbers])
    chart.add("goal", [figures[0].goal] * len(numbers), show_dots=False, stroke_style={"dasharray": "6, 6"})
    return chart


def _group_sizes(figures: list[Figure]) -> Any:
    if not figures:
        return None
    chart = pygal.Bar(
        **_options(
            OURS,
            GOAL,
            title="A move in a big account group / in a small one",
            print_values=True,
            formatter=lambda value: f"{value:.2f}",
            range=(0, max(1.5, *(figure.ratio for figure in figures))),
        )
    )
    names = [figure.name.removeprefix("big-group-").replace("-", ", ") for figure in figures]
    chart.x_labels = [f"{name}, {figure.details['memberships']:,}" for name, figure in zip(names, figures, strict=True)]
    chart.y_labels = _HALVES
    chart.add("time / time in the small group", [round(figure.ratio, 3) for figure in figures])
    chart.add("goal: at most", [figure.goal for figure in figures])
    return chart


def _latency(figure: Figure | None) -> Any:
    if figure is None:
        return None
    chart = pygal.Line(
        **_options(
            OURS,
            OTHER,
            title="Time of a move / median of a move alone",
            x_title="share of the moves that were faster, in %",
            logarithmic=True,
            dots_size=4,
        )
    )
    highest = max(figure.details["busy"].values())
    chart.y_labels = [step for step in (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if step / 2 <= highest]
    chart.x_labels = list(figure.details["idle"])
    chart.add("alone", list(figure.details["idle"].values()))
    chart.add("beside an import and two walks", list(figure.details["busy"].values()))
    return chart


def _memory(figure: Figure | None) -> Any:
    if figure is None:
        return None
    points = {int(after): mib for after, mib in figure.details["mibAfter"].items()}
    first = points[min(points)]
    chart = pygal.XY(
        **_options(
            OURS,
            MISSED,
            title=f"Resident memory / that after {min(points):,} requests",
            x_title="requests",
            range=(0, max(1.2, 1.1 * max(points.values()) / first)),
            dots_size=2,
            x_value_formatter=lambda value: f"{value:,.0f}",
        )
    )
    chart.y_labels = _HALVES
    chart.add("serve", [(after, round(mib / first, 4)) for after, mib in sorted(points.items())])
    ends = (0, max(points))
    chart.add("goal", [(x, figure.goal) for x in ends], show_dots=False, stroke_style={"dasharray": "6, 6"})
    return chart
