"""Measures how much processor time a service takes for a move. Unlike a rate, it hardly depends on what else the
machine does."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def seconds_of(pid: int) -> float | None:
    """Returns the seconds of processor time that the process and its living children have used so far; None where there
    is no /proc."""
    if not (PROC / "self" / "stat").exists():
        return None
    own = _own_seconds(pid)
    return own + sum(seconds_of(child) or 0 for child in _children(pid))


def _own_seconds(pid: int) -> float:
    # The name in brackets may contain anything, blanks too. The fields after it are counted from field 3 of proc(5).
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in (PROC / str(pid) / "task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found
