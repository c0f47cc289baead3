"""The result of a comparison of two builds: one line for each measure, as a table and as JSON."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from benchmarks.suite.figures import Better


@dataclass(frozen=True)
class Line:
    """One line of the table: the ratio of each round, and the values that it comes from.

    `better` is the direction of a good ratio. `unit` belongs to `ours` and `theirs`, the values of both sides of the
    ratio, which explain it and are not for quoting. `target` is a goal of the project, if it has one for this line.
    """

    name: str
    what: str
    against: str
    unit: str
    better: Better
    ratios: tuple[float, ...]
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    target: float | None = None

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        reached = self.ratio >= self.target if self.better == "higher" else self.ratio <= self.target
        return "reached" if reached else "missed"

    @property
    def target_text(self) -> str:
        return "" if self.target is None else f"{'≥' if self.better == 'higher' else '≤'} {self.target:g}"

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "what": self.what,
            "against": self.against,
            "ratio": _rounded(self.ratio),
            "lowest": _rounded(min(self.ratios)),
            "highest": _rounded(max(self.ratios)),
            "better": self.better,
            "target": self.target,
            "reached": None if self.target is None else self.verdict == "reached",
            "unit": self.unit,
            "rounds": [
                {"ratio": _rounded(ratio), "ours": _rounded(one), "theirs": _rounded(other)}
                for ratio, one, other in zip(self.ratios, self.ours, self.theirs, strict=True)
            ],
        }


def faster(rates: tuple[float, ...], other_rates: tuple[float, ...]) -> tuple[float, ...]:
    """Returns how many times as fast we are, from rates."""
    return tuple(one / other for one, other in zip(rates, other_rates, strict=True))


def quicker(seconds: tuple[float, ...], other_seconds: tuple[float, ...]) -> tuple[float, ...]:
    """Returns how many times as fast we are, from the time that the same work takes."""
    return faster(other_seconds, seconds)


def table_of(lines: list[Line]) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in ("what", "against", "ratio", "lowest to highest", "target", "", "ours / theirs"):
        table.add_column(head, justify="right" if head == "ratio" else "left", overflow="fold")
    for line in lines:
        medians = " / ".join(f"{statistics.median(values):.4g}" for values in (line.ours, line.theirs))
        table.add_row(
            line.what,
            line.against,
            f"{line.ratio:.2f}",
            f"{min(line.ratios):.2f} to {max(line.ratios):.2f}",
            line.target_text,
            line.verdict,
            f"{medians} {line.unit}",
        )
    return table


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
