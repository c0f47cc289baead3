"""A connection to SQLite with its own thread, and what it runs there in one visit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw

from leadyard.store.db.log import log_statement
from leadyard.store.db.procedure import Procedure, StepResult
from leadyard.store.db.sqlite_engine import LoneCheckpoints, fetch, must_checkpoint_alone, open_file
from leadyard.store.db.sqlite_thread import WorkThread
from leadyard.store.db.statement import Row, Statement
from leadyard.watching import spans

R = TypeVar("R")
SYSTEM = "sqlite"
_WAIT_S = 5.0
# synchronous=FULL, so that an answered move survives a power failure and not only a crash. secure_delete, so that the
# file does not keep the text of an erased person in a free page.
_SETTINGS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
# A statement that can fail halfway keeps a journal of its own, which is small. In memory instead of a file, it makes a
# move 1.3 times as fast. Reading connections keep files, because they may sort a whole account group.
_SETTINGS_FOR_WRITING = (*_SETTINGS, "temp_store=MEMORY")


class SqliteConnection:
    """Each visit to the thread costs more than most statements, so a visit can run several."""

    def __init__(self, path: Path, *, for_writing: bool) -> None:
        self._path = path
        self._settings = _SETTINGS_FOR_WRITING if for_writing else _SETTINGS
        self._thread = WorkThread()
        self._file: apsw.Connection | None = None
        self._checkpoints: LoneCheckpoints | None = None

    async def open(self) -> None:
        """Opens the file and creates it if it is missing. Call `close` also when this raises."""
        await self._thread.run(self._open_here)

    async def visit(self, work: Callable[[apsw.Connection], R]) -> R:
        """Runs the work on the thread. Work runs to its end, even if this coroutine is cancelled."""
        return await self._thread.run(partial(self._work_here, work))

    async def close(self) -> None:
        """Closes the file after all earlier work, and ends the thread."""
        try:
            await self._thread.run(self._close_here)
        finally:
            self._thread.stop()

    @property
    def in_transaction(self) -> bool:
        return self._file is not None and self._file.in_transaction

    def _open_here(self) -> None:
        self._file = open_file(self._path, mode="rwc", wait_s=_WAIT_S)
        for setting in self._settings:
            fetch(self._file, f"PRAGMA {setting}")
        if must_checkpoint_alone():
            self._checkpoints = LoneCheckpoints(self._file, self._path)

    def _work_here(self, work: Callable[[apsw.Connection], R]) -> R:
        assert self._file is not None
        done = work(self._file)
        if self._checkpoints is not None and not self._file.in_transaction:
            self._checkpoints.make_if_due()
        return done

    def _close_here(self) -> None:
        if self._file is not None:
            self._file.close()


def run_command(command: str, connection: apsw.Connection) -> None:
    """Runs BEGIN, COMMIT or ROLLBACK."""
    log_statement(command)
    with spans.statement(command, SYSTEM):
        connection.execute(command)


def begin_immediate(connection: apsw.Connection) -> None:
    """Takes the write lock, or raises BusyError at once: the caller waits, without holding the thread."""
    connection.set_busy_timeout(0)
    try:
        run_command("BEGIN IMMEDIATE", connection)
    finally:
        connection.set_busy_timeout(round(_WAIT_S * 1000))


def run_transaction(procedure: Procedure, values: dict[str, Any], connection: apsw.Connection) -> list[Row]:
    """Runs the whole transaction in one visit to the thread; it is committed or rolled back when the visit ends."""
    begin_immediate(connection)
    try:
        rows = run_steps(procedure, values, connection)
        run_command("COMMIT", connection)
    except BaseException:
        # Also after a failed COMMIT, for example on a full disk: SQLite then keeps the transaction open.
        if connection.in_transaction:
            run_command("ROLLBACK", connection)
        raise
    return rows


def run_steps(procedure: Procedure, values: dict[str, Any], connection: apsw.Connection) -> list[Row]:
    """Runs the steps of the procedure in the open transaction."""

    def run(statement: Statement, **more: Any) -> StepResult:
        log_statement(statement.sqlite)
        with spans.statement(statement.sqlite, SYSTEM):
            rows = fetch(connection, statement.sqlite, statement.sqlite_arguments({**values, **more}))
            return StepResult(rows, connection.changes())

    return procedure.steps(run, values)


def fetch_rows(sql: str, values: Mapping[str, Any], connection: apsw.Connection) -> list[Row]:
    """Returns the rows of the statement."""
    return fetch(connection, sql, values)


def count_changes(sql: str, values: Mapping[str, Any], connection: apsw.Connection) -> int:
    """Runs the statement and returns how many rows it changed."""
    fetch(connection, sql, values)
    return connection.changes()


def add_rows(sql: str, rows: Sequence[Sequence[Any]], connection: apsw.Connection) -> None:
    """Runs the statement once for each row, with its values in the order of the columns."""
    connection.executemany(sql, rows)
