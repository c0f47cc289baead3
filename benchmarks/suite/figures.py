"""The result of a benchmark: a ratio of two sides that took turns in one run, its goal, and absolute limits."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Better = Literal["higher", "lower"]


@dataclass(frozen=True)
class Limit:
    """An absolute bound next to the ratio, for quantities that are the same on every machine, such as memory."""

    what: str
    value: float
    most: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value <= self.most

    @property
    def text(self) -> str:
        return f"{self.what} {self.value:g} {self.unit} (goal: at most {self.most:g})"


@dataclass(frozen=True)
class Figure:
    """One line of the table. `details` contains absolute values, which explain the ratio and are not for quoting."""

    number: int
    name: str
    what: str
    against: str
    ratio: float
    better: Better
    goal: float
    rounds: tuple[float, ...] = ()
    limits: tuple[Limit, ...] = ()
    # The reason outside the service why the goal cannot be reached here. It is measured, never assumed.
    instead: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        return self.ratio >= self.goal if self.better == "higher" else self.ratio <= self.goal

    @property
    def met(self) -> bool:
        return (self.reached or self.instead is not None) and all(limit.met for limit in self.limits)

    @property
    def goal_text(self) -> str:
        return f"{'≥' if self.better == 'higher' else '≤'} {self.goal:.2f}"

    @property
    def verdict(self) -> str:
        if not self.met:
            return "missed"
        return "reached" if self.reached else "limit shown"

    def as_json(self) -> dict[str, Any]:
        """Returns it for a file, rounded to the digits that the measurement supports."""
        found: dict[str, Any] = _rounded(asdict(self))
        return found


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {str(key): _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list | tuple) else value


def figure_from_json(found: dict[str, Any]) -> Figure:
    limits = tuple(Limit(**each) for each in found["limits"])
    return Figure(**{**found, "rounds": tuple(found["rounds"]), "limits": limits})


@dataclass(frozen=True)
class NotMeasured:
    """A benchmark that this machine cannot run, and the tool or resource that it lacks."""

    name: str
    lacks: str


@dataclass(frozen=True)
class Pairs:
    """The values of both sides in each round."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        return tuple(one / other for one, other in zip(self.ours, self.theirs, strict=True))

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)


def take_turns(
    ours: Callable[[], float], theirs: Callable[[], float], *, rounds: int, told: Callable[[], object] = lambda: None
) -> Pairs:
    """Measures both sides in turns, after one round that only warms up. The order changes from round to round, so that
    neither side always runs on the machine as the other has left it."""
    found: list[tuple[float, float]] = []
    for number in range(rounds + 1):
        if number % 2:
            one, other = ours(), theirs()
        else:
            other, one = theirs(), ours()
        told()
        if number:
            found.append((one, other))
    return Pairs(tuple(one for one, _ in found), tuple(other for _, other in found))


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the value below which that share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
