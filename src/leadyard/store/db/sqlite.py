"""SQLite by way of aiosqlite: one writing connection, a few reading ones, each on a thread of its own."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, cast

import aiosqlite

from leadyard.errors import ServiceUnavailable, TransactionConflict
from leadyard.store.db.database import Row
from leadyard.store.db.log import log_statement
from leadyard.store.db.statement import Statement

_RETRY_AFTER_S = 2
_OLDEST_SQLITE = (3, 35, 0)  # RETURNING


class SqliteTransaction:
    """See Transaction. Holds one connection."""

    is_postgresql = False

    def __init__(self, connection: aiosqlite.Connection, account_group_id: str | None) -> None:
        self._connection = connection
        self.account_group_id = account_group_id

    async def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        log_statement(statement.sqlite)
        with _errors():
            arguments = self._bind(statement, values)
            return cast("list[Row]", await self._connection.execute_fetchall(statement.sqlite, arguments))

    async def row(self, statement: Statement, /, **values: Any) -> Row | None:
        found = await self.rows(statement, **values)
        return found[0] if found else None

    async def run(self, statement: Statement, /, **values: Any) -> int:
        log_statement(statement.sqlite)
        with _errors():
            cursor = await self._connection.execute(statement.sqlite, self._bind(statement, values))
            return cursor.rowcount

    def _bind(self, statement: Statement, values: dict[str, Any]) -> dict[str, Any]:
        values["account_group_id"] = self.account_group_id
        return statement.sqlite_arguments(values)


class SqliteDatabase:
    """See Database. SQLite has one writer at a time, so a process needs one writing connection: its writers queue for
    it in the order they came, which SQLite's own waiting, sleep and try again, would not give them."""

    def __init__(self, url: str, *, pool_size: int, wait_s: float) -> None:
        self.url = url
        self.path = Path(url.removeprefix("sqlite:///"))
        self._wait_s = wait_s
        self._writing = asyncio.Semaphore(1)
        self._reading = asyncio.Semaphore(pool_size)
        self._idle_writers: list[aiosqlite.Connection] = []
        self._idle_readers: list[aiosqlite.Connection] = []

    @asynccontextmanager
    async def write(self, account_group_id: str | None) -> AsyncIterator[SqliteTransaction]:
        async with self._connection(self._writing, self._idle_writers) as connection:
            try:
                await self._begin_immediate(connection)
                yield SqliteTransaction(connection, account_group_id)
                with _errors():
                    await _command(connection, "COMMIT")
            except BaseException:
                # Also after a COMMIT that failed, on a full disk for one: SQLite then keeps the transaction open. And
                # after a BEGIN that was cancelled while it was under way.
                await _roll_back(connection)
                raise

    @asynccontextmanager
    async def snapshot(self, account_group_id: str | None) -> AsyncIterator[SqliteTransaction]:
        async with self._connection(self._reading, self._idle_readers) as connection:
            try:
                with _errors():
                    await _command(connection, "BEGIN")
                yield SqliteTransaction(connection, account_group_id)
            finally:
                await _roll_back(connection)

    @asynccontextmanager
    async def read(self, account_group_id: str | None) -> AsyncIterator[SqliteTransaction]:
        async with self._connection(self._reading, self._idle_readers) as connection:
            yield SqliteTransaction(connection, account_group_id)

    async def close(self) -> None:
        for idle in (self._idle_writers, self._idle_readers):
            while idle:
                await idle.pop().close()

    @asynccontextmanager
    async def _connection(
        self, turn: asyncio.Semaphore, idle: list[aiosqlite.Connection]
    ) -> AsyncIterator[aiosqlite.Connection]:
        try:
            # Not wait_for: until Python 3.12 it swallows a cancellation that comes just when it is our turn.
            async with asyncio.timeout(self._wait_s):
                await turn.acquire()
        except TimeoutError:
            raise _busy() from None
        try:
            connection = idle.pop() if idle else await self._connect()
            try:
                yield connection
            finally:
                idle.append(connection)
        finally:
            turn.release()

    async def _connect(self) -> aiosqlite.Connection:
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise ServiceUnavailable(
                f"This Python brings SQLite {sqlite3.sqlite_version}; Leadyard needs 3.35 or newer, or PostgreSQL."
            )
        with _errors():
            # isolation_level=None: we say BEGIN ourselves, the module never does.
            connection = await aiosqlite.connect(self.path, isolation_level=None)
            try:
                connection.row_factory = sqlite3.Row
                # synchronous=FULL: an answered move survives a power cut, not only a crash of the process.
                for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
                    await connection.execute_fetchall(f"PRAGMA {pragma}")
            except BaseException:
                await connection.close()
                raise
        return connection

    async def _begin_immediate(self, connection: aiosqlite.Connection) -> None:
        """Waits for the writers of other processes. SQLite's busy handler backs off to 100 ms between looks, so that a
        long import next door would starve us; looking again every few milliseconds is fairer and costs little."""
        deadline = time.monotonic() + self._wait_s
        await connection.execute_fetchall("PRAGMA busy_timeout=0")
        try:
            while True:
                try:
                    await _command(connection, "BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    if not _is_busy(error) or time.monotonic() > deadline:
                        raise _busy() from error
                await asyncio.sleep(random.uniform(0.001, 0.008))  # noqa: S311  (jitter, not a secret)
        finally:
            await connection.execute_fetchall("PRAGMA busy_timeout=5000")


async def _command(connection: aiosqlite.Connection, command: str) -> None:
    log_statement(command)
    await connection.execute_fetchall(command)


async def _roll_back(connection: aiosqlite.Connection) -> None:
    # Commands of one connection run in order on its thread, so this waits for a statement that was given up on. Only
    # then is it known whether there is a transaction: a BEGIN or a COMMIT may have been under way.
    try:
        await _command(connection, "ROLLBACK")
    except sqlite3.OperationalError:
        if connection.in_transaction:
            raise


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise TransactionConflict(str(error)) from error
    except sqlite3.OperationalError as error:
        if _is_busy(error):
            raise TransactionConflict(str(error)) from error
        if error.sqlite_errorcode in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise _busy() from error
        raise


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _busy() -> ServiceUnavailable:
    return ServiceUnavailable("Nothing was changed. Try again in a moment.", retry_after_s=_RETRY_AFTER_S)
