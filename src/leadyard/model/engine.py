"""The database engine, as the operator sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Engine:
    """Name, version, and a sentence for each known fault of that version, with what to do."""

    name: str
    version: str
    known_faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IntegrityCheck:
    """The engine's own check of its files: a sentence for each problem, or the reason why it did not run."""

    problems: tuple[str, ...] = ()
    not_run_because: str = ""
