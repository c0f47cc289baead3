"""Decides whether a ratio has fallen, by comparing a quick measurement with the committed ratio."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.suite.figures import Better, Figure

COMMITTED = Path(__file__).parents[1] / "quick_ratios.json"
# Fallen by more than a third means that less than two thirds of the committed ratio is left.
LEAST_LEFT = 2 / 3
RENEW = "script/bench --quick --write"


@dataclass(frozen=True)
class Committed:
    """A ratio as it was when it was last committed."""

    ratio: float
    better: Better


def left_of(figure: Figure, committed: Committed) -> float:
    """Returns what is left of the committed ratio: 1 is as good, 0.5 half as good, whichever direction is better."""
    if figure.better == "higher":
        return figure.ratio / committed.ratio
    return committed.ratio / figure.ratio


def has_fallen(figure: Figure, committed: Mapping[str, Committed]) -> bool:
    """Returns whether the figure is worse than the committed one by more than a third. A figure without a committed
    ratio has not fallen; `complaints` reports it as missing."""
    known = committed.get(figure.name)
    return known is not None and left_of(figure, known) < LEAST_LEFT


def better_of(first: Figure, second: Figure | None) -> Figure:
    """Returns the better of two measurements of the same figure."""
    if second is None:
        return first
    choose = max if first.better == "higher" else min
    return choose(first, second, key=lambda each: each.ratio)


def complaints(
    figures: Iterable[Figure],
    committed: Mapping[str, Committed],
    *,
    expected: Iterable[str] = (),
) -> list[str]:
    """Returns a sentence for each figure that has fallen, that was never committed, or that was `expected` and not
    measured. Empty: the guard passes."""
    found = list(figures)
    sentences = []
    for figure in found:
        known = committed.get(figure.name)
        if known is None:
            sentences.append(f"{figure.name} has no committed ratio. Run `{RENEW}` and commit {COMMITTED.name}.")
        elif left_of(figure, known) < LEAST_LEFT:
            sentences.append(_fallen(figure, known))
    came = {figure.name for figure in found}
    sentences += [
        f"{name} is committed and was not measured. If it is gone for good, run `{RENEW}`."
        for name in expected
        if name not in came
    ]
    return sentences


def _fallen(figure: Figure, known: Committed) -> str:
    way = "at least" if figure.better == "higher" else "at most"
    bound = known.ratio * LEAST_LEFT if figure.better == "higher" else known.ratio / LEAST_LEFT
    return (
        f"{figure.name}: {figure.what} / {figure.against} is {figure.ratio:.3g}, in every attempt; committed is "
        f"{known.ratio:.3g}, so it has to be {way} {bound:.3g}. Look at what your change does to that path "
        f"(script/bench --quick NAME measures it alone); if the loss is intended, explain it in "
        f"CHANGELOG.md and run `{RENEW}`."
    )


def busy_sentence(load: float, cores: int | None = None) -> str | None:
    """Returns a warning when the machine was already busy as the run began; else None. It does not excuse a failure:
    read it with the failure, and measure again on a quiet machine."""
    cores = cores or os.cpu_count() or 1
    if load <= cores:
        return None
    return (
        f"This machine was busy before: a load of {load:.1f} on {cores} cores. One process beside eight of pgbench "
        "gets less of such a machine than of a quiet one, so measure again when it is quiet."
    )


def read(path: Path = COMMITTED) -> dict[str, Committed]:
    """Returns the committed ratios by the name of their figure."""
    if not path.exists():
        return {}
    return {name: Committed(**each) for name, each in json.loads(path.read_text())["ratios"].items()}


def write(runs: list[list[Figure]], about: Mapping[str, object], path: Path = COMMITTED) -> None:
    """Writes the median of several runs for each figure. The ratios of figures that were not measured now stay as they
    are."""
    ratios: dict[str, dict[str, float | Better]] = {
        name: {"ratio": each.ratio, "better": each.better} for name, each in read(path).items()
    }
    for name in {figure.name for run in runs for figure in run}:
        figures = [figure for run in runs for figure in run if figure.name == name]
        ratio = float(f"{statistics.median(figure.ratio for figure in figures):.3g}")
        ratios[name] = {"ratio": ratio, "better": figures[0].better}
    content = {"about": dict(about), "ratios": dict(sorted(ratios.items()))}
    path.write_text(json.dumps(content, indent=2) + "\n")
