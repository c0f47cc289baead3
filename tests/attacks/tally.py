"""What was tried and what came back, counted for the table at the end of the run and in docs/security.md."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

# Family → outcome → how often. One for the run, for the table is about all of it.
_outcomes: dict[str, Counter[str]] = defaultdict(Counter)


def note(family: str, outcome: int | str, count: int = 1) -> None:
    """Counts an input and what came back: a status, or a word or two for what has none ("closed", "refused")."""
    _outcomes[family][str(outcome)] += count


def inputs(family: str) -> int:
    """Returns how many were tried so far."""
    return _outcomes[family].total()


def lines() -> list[str]:
    """Returns the table in Markdown, nothing when nothing was tried."""
    if not _outcomes:
        return []
    rows = [[family, f"{found.total():,}", _told(found.items())] for family, found in sorted(_outcomes.items())]
    everything = sum(found.total() for found in _outcomes.values())
    header = ["| attack | inputs | what came back |", "|---|---|---|"]
    return [*header, *(f"| {' | '.join(row)} |" for row in rows), f"| all | {everything:,} | |"]


def _told(outcomes: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count:,} × {outcome}" for outcome, count in sorted(outcomes))
