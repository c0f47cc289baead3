"""Several statements that run in one go, without a round trip to the database between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from leadyard.store.db.statement import Row, Statement


@dataclass(frozen=True, slots=True)
class StepResult:
    """The rows that a step returned, and how many rows it changed."""

    rows: list[Row]
    changed: int


RunStep = Callable[..., StepResult]
"""Runs a statement of a procedure on SQLite: `run(statement, name=value, …)`. It also binds the values of the call."""


class Undone(Exception):
    """A procedure could not do all of its work, so all its changes are undone, and the transaction around it too."""


class Procedure:
    """A named constant of a store module.

    On PostgreSQL it is a function that a migration has created, and `call` is the statement that calls it: one round
    trip for all steps. SQLite does not have such functions, so `steps` runs the same statements in one visit to the
    thread of the connection. To undo what was done, `steps` raises Undone, and PostgreSQL's function raises an
    exception (P0001).
    """

    def __init__(self, call: Statement, steps: Callable[[RunStep, Mapping[str, Any]], list[Row]]) -> None:
        self.call = call
        self.steps = steps
