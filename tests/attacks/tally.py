"""Counts the attacks and their outcomes, for the table at the end of the run and in docs/security.md."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

# Family → outcome → how often, in this process. The table covers all processes of the run.
_outcomes: dict[str, Counter[str]] = defaultdict(Counter)


def note(family: str, outcome: int | str, count: int = 1) -> None:
    """Counts an input and its outcome: a status, or a word or two where there is none ("closed", "refused")."""
    _outcomes[family][str(outcome)] += count


def write(folder: Path) -> None:
    """Writes the counts of this process to the folder."""
    if _outcomes:
        (folder / f"{os.getpid()}.json").write_text(json.dumps(_outcomes))


def lines(folder: Path) -> list[str]:
    """Returns the table in Markdown of all counts in the folder; nothing when nothing was attacked."""
    together: dict[str, Counter[str]] = defaultdict(Counter)
    for file in folder.glob("*.json"):
        for family, counts in json.loads(file.read_text()).items():
            together[family].update(counts)
    if not together:
        return []
    rows = [[family, f"{found.total():,}", _told(found.items())] for family, found in sorted(together.items())]
    everything = sum(found.total() for found in together.values())
    header = ["| attack | inputs | what came back |", "|---|---|---|"]
    return [*header, *(f"| {' | '.join(row)} |" for row in rows), f"| all | {everything:,} | |"]


def _told(outcomes: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{count:,} × {outcome}" for outcome, count in sorted(outcomes))
