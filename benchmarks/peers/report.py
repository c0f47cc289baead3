"""The figures of a run, as JSON and as a table."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

BASE = "Leadyard"
HEAD = (
    f"{'moves/s':>10}   {'lowest..highest':18} {'of pgbench':>10}   {'Leadyard is':>12}   {'target':>8} {'':8} "
    f"{'CPU ms/move':>11}"
)
# How many times as fast as a peer Leadyard should be, by the number of leads in a move.
TARGETS = {
    "PostGraphile": {25: 1.2, 1_000: 1.2, 10_000: 1.2},
    "Django REST": {25: 8.0, 1_000: 3.5, 10_000: 3.0},
}


@dataclass(frozen=True)
class Turn:
    """Moves per second, and the milliseconds of processor time that the service took for each (None if unknown)."""

    rate: float
    cpu_ms: float | None


@dataclass
class Figures:
    """The turns by size of a move and by contender, in the order of the rounds."""

    turns: dict[int, dict[str, list[Turn]]] = field(default_factory=dict)

    def add(self, size: int, name: str, turn: Turn) -> None:
        self.turns.setdefault(size, {}).setdefault(name, []).append(turn)

    def ratio(self, size: int, name: str, to: str) -> float | None:
        """Returns the median over the rounds of one rate divided by another rate of the same round."""
        of = self.turns[size]
        if name not in of or to not in of:
            return None
        return statistics.median(a.rate / b.rate for a, b in zip(of[name], of[to], strict=True))

    def rows(self, size: int) -> list[dict[str, Any]]:
        """Returns a row for each contender, the fastest first. Shares are relative to the faster of the two pgbench
        variants."""
        of = self.turns[size]
        medians = {name: statistics.median(turn.rate for turn in turns) for name, turns in of.items()}
        ideal = max((name for name in medians if name.startswith("pgbench")), key=medians.__getitem__, default="")
        rows = []
        for name, median in sorted(medians.items(), key=lambda item: -item[1]):
            cpu = [turn.cpu_ms for turn in of[name] if turn.cpu_ms is not None]
            times, target = self.ratio(size, BASE, name), TARGETS.get(name, {}).get(size)
            rows.append(
                {
                    "name": name,
                    "movesPerSecond": round(median, 1),
                    "leadsPerSecond": round(median * size),
                    "lowest": round(min(turn.rate for turn in of[name]), 1),
                    "highest": round(max(turn.rate for turn in of[name]), 1),
                    "shareOfPgbench": _rounded(self.ratio(size, name, ideal)),
                    "leadyardIsTimes": _rounded(times),
                    "target": target,
                    "reached": None if times is None or target is None else times >= target,
                    "cpuMsPerMove": _rounded(statistics.median(cpu) if cpu else None),
                }
            )
        return rows

    def table(self) -> str:
        lines = []
        for size in self.turns:
            lines.append(f"\n{f'{size:,} leads a move':32} {HEAD}")
            for row in self.rows(size):
                span = f"{row['lowest']:.1f}..{row['highest']:.1f}"
                share, times, cpu = map(_shown, (row["shareOfPgbench"], row["leadyardIsTimes"], row["cpuMsPerMove"]))
                target = "" if row["target"] is None else f"≥ {row['target']:g}"
                verdict = {True: "reached", False: "missed", None: ""}[row["reached"]]
                line = f"{row['name']:32} {row['movesPerSecond']:>10.1f}   {span:18} {share:>10}   {times:>10} x"
                lines.append(f"{line}   {target:>8} {verdict:8} {cpu:>11}")
        return "\n".join(lines)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
