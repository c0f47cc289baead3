"""A SQLAlchemy engine on the SQLite library of the service, so that a migration does not load a second one.

SQLAlchemy expects a driver with Python's DB-API, which apsw does not have. This module is that driver, with the parts
that Alembic uses: SQLAlchemy finds `paramstyle`, `sqlite_version_info` and the two errors here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apsw
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from leadyard.store.db.sqlite_engine import engine_version, open_file

paramstyle = "qmark"
sqlite_version_info = tuple(int(part) for part in engine_version().split("."))
Error = apsw.Error
ProgrammingError = apsw.ConnectionClosedError

_WAIT_S = 30


def engine_for_migrations(path: Path) -> Engine:
    """Returns an engine whose transactions hold the write lock from their beginning."""
    engine = create_engine(
        "sqlite://", module=sys.modules[__name__], creator=lambda: _Connection(path), poolclass=NullPool
    )

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Two processes that start at once on a new file must migrate it one after the other.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


class _Connection:
    # As in Python's own driver: no transaction begins by itself.
    isolation_level = None

    def __init__(self, path: Path) -> None:
        self.file = open_file(path, mode="rwc", wait_s=_WAIT_S)

    def cursor(self) -> _Cursor:
        return _Cursor(self.file)

    def commit(self) -> None:
        self._end("COMMIT")

    def rollback(self) -> None:
        self._end("ROLLBACK")

    def close(self) -> None:
        self.file.close()

    def create_function(self, name: str, parameters: int, function: Callable[..., Any], **options: bool) -> None:
        self.file.create_scalar_function(name, function, parameters, **options)

    def _end(self, command: str) -> None:
        if self.file.in_transaction:
            self.file.execute(command)


class _Cursor:
    arraysize = 1
    lastrowid: int | None = None

    def __init__(self, file: apsw.Connection) -> None:
        self._file = file
        self._rows: list[Any] = []
        self.rowcount = -1
        self.description: list[tuple[Any, ...]] | None = None

    def execute(self, sql: str, values: Sequence[Any] = ()) -> None:
        cursor = self._file.cursor()
        # Only here, before the first row, the columns of an empty answer can be read.
        cursor.exec_trace = self._note_columns
        cursor.execute(sql, tuple(values))
        self._rows = cursor.fetchall()
        self.rowcount = -1 if self.description else self._file.changes()
        self.lastrowid = self._file.last_insert_rowid()

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        before = self._file.total_changes()
        self._file.executemany(sql, [tuple(row) for row in rows])
        self._rows, self.description = [], None
        self.rowcount = self._file.total_changes() - before

    def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Any]:
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Any]:
        taken, self._rows = self._rows, []
        return taken

    def _note_columns(self, cursor: apsw.Cursor, _sql: str, _values: Any) -> bool:
        self.description = [(name, *(None,) * 6) for name, _ in cursor.get_description()] or None
        return True

    def close(self) -> None:
        """All rows are read, so nothing is left to close."""
