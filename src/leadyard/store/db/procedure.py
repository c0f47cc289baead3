"""Several statements that are run in one go, without a word between us and the database in the middle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from sqlite3 import Cursor
from typing import Any

from leadyard.store.db.database import Row
from leadyard.store.db.statement import Statement

RunStep = Callable[..., Cursor]
"""Runs one statement of a procedure on SQLite: `run(statement, name=value, …)`; those of the call are bound as well."""


class Undone(Exception):
    """A procedure could not do all it was asked for, and nothing of it is left; nor of the transaction around it."""


class Procedure:
    """A named constant of a store module.

    On PostgreSQL it is a function that a migration made, and `call` is the statement that calls it: one round trip for
    all of its steps. SQLite has no functions of that kind; there `steps` runs the same statements in one visit to the
    thread of the connection. Either raises Undone, or PostgreSQL's function raises an exception (P0001), when something
    that was done has to be undone.
    """

    def __init__(self, call: Statement, steps: Callable[[RunStep, Mapping[str, Any]], list[Row]]) -> None:
        self.call = call
        self.steps = steps
