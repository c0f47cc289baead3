"""SQLite by way of aiosqlite: one writing connection, a few reading ones, each on a thread of its own."""

from __future__ import annotations

import asyncio
import contextvars
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import aiosqlite

from leadyard.errors import Internal, ServiceUnavailable, TransactionConflict
from leadyard.store.db.database import Row
from leadyard.store.db.failures import broken, unavailable
from leadyard.store.db.log import log_statement
from leadyard.store.db.procedure import Procedure
from leadyard.store.db.queue import Queue
from leadyard.store.db.statement import NewRows, Statement
from leadyard.watching import metrics, spans

R = TypeVar("R")
_SYSTEM = "sqlite"
_OLDEST_SQLITE = (3, 35, 0)  # RETURNING


class _Connection(aiosqlite.Connection):
    """Also lets a whole piece of work visit the thread: each visit costs more than most statements do."""

    async def visit(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Runs the work on the connection's thread. Once begun it is done to its end, also when this is cancelled."""
        # With the context of the request, so that its log lines and spans know whose they are.
        context = contextvars.copy_context()
        return cast("R", await self._execute(lambda: context.run(work, self._conn)))  # type: ignore[no-untyped-call]


class SqliteTransaction:
    """See Transaction. Holds one connection."""

    is_postgresql = False

    def __init__(self, connection: _Connection, account_group_id: str | None) -> None:
        self._connection = connection
        self.account_group_id = account_group_id

    async def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        with _sent(statement.sqlite):
            arguments = self._bind(statement, values)
            return cast("list[Row]", await self._connection.execute_fetchall(statement.sqlite, arguments))

    async def row(self, statement: Statement, /, **values: Any) -> Row | None:
        found = await self.rows(statement, **values)
        return found[0] if found else None

    async def run(self, statement: Statement, /, **values: Any) -> int:
        with _sent(statement.sqlite):
            cursor = await self._connection.execute(statement.sqlite, self._bind(statement, values))
            return cursor.rowcount

    async def call(self, procedure: Procedure, /, **values: Any) -> list[Row]:
        values["account_group_id"] = self.account_group_id
        with _errors():
            return await self._connection.visit(partial(_run_steps, procedure, values))

    async def add(self, new_rows: NewRows, rows: Sequence[Sequence[Any]], /) -> None:
        group = self.account_group_id
        with _sent(new_rows.sqlite):
            await self._connection.executemany(
                new_rows.sqlite, [dict(zip(new_rows.columns, (group, *row), strict=True)) for row in rows]
            )

    def _bind(self, statement: Statement, values: dict[str, Any]) -> dict[str, Any]:
        values["account_group_id"] = self.account_group_id
        return statement.sqlite_arguments(values)


class SqliteDatabase:
    """See Database. SQLite has one writer at a time, so a process needs one writing connection: its writers queue for
    it in the order they came, which SQLite's own waiting, sleep and try again, would not give them."""

    def __init__(self, url: str, *, pool_size: int, queue_size: int, wait_s: float) -> None:
        self.url = url
        self.path = Path(url.removeprefix("sqlite:///"))
        self._wait_s = wait_s
        self._writers = _Connections(1, queue_size)
        self._readers = _Connections(pool_size, queue_size)

    @asynccontextmanager
    async def write(self, account_group_id: str | None) -> AsyncIterator[SqliteTransaction]:
        async with self._connection(self._writers) as connection:
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
        async with self._connection(self._readers) as connection:
            try:
                with _errors():
                    await _command(connection, "BEGIN")
                yield SqliteTransaction(connection, account_group_id)
            finally:
                await _roll_back(connection)

    @asynccontextmanager
    async def read(self, account_group_id: str | None) -> AsyncIterator[SqliteTransaction]:
        async with self._connection(self._readers) as connection:
            yield SqliteTransaction(connection, account_group_id)

    async def call(self, account_group_id: str | None, procedure: Procedure, /, **values: Any) -> list[Row]:
        values["account_group_id"] = account_group_id
        async with self._connection(self._writers) as connection:
            work = partial(_run_transaction, procedure, values)
            return await self._until_not_busy(partial(connection.visit, work))

    async def close(self) -> None:
        for each in (self._writers, self._readers):
            await each.close()

    @asynccontextmanager
    async def _connection(self, connections: _Connections) -> AsyncIterator[_Connection]:
        connections.queue.enter()
        try:
            await self._wait_for_turn(connections)
            try:
                with metrics.holding_connection():
                    async with self._held(connections) as connection:
                        yield connection
            finally:
                connections.turn.release()
        finally:
            connections.queue.leave()

    async def _wait_for_turn(self, connections: _Connections) -> None:
        try:
            # Not wait_for: until Python 3.12 it swallows a cancellation that comes just when it is our turn.
            with metrics.waiting_for_connection():
                async with asyncio.timeout(self._wait_s):
                    await connections.turn.acquire()
        except TimeoutError:
            raise unavailable("wait_timeout") from None

    @asynccontextmanager
    async def _held(self, connections: _Connections) -> AsyncIterator[_Connection]:
        connection = connections.idle.pop() if connections.idle else await self._connect()
        try:
            yield connection
        except (ServiceUnavailable, Internal, sqlite3.Error):
            # Whatever the trouble is, a full disk or a file that was replaced: a fresh connection is not part of it.
            await connection.close()
            raise
        except BaseException:
            connections.idle.append(connection)
            raise
        connections.idle.append(connection)

    async def _connect(self) -> _Connection:
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise ServiceUnavailable(
                f"This Python brings SQLite {sqlite3.sqlite_version}; Leadyard needs 3.35 or newer, or PostgreSQL."
            )
        with _errors():
            connection = await self._open()
            try:
                connection.row_factory = sqlite3.Row
                # synchronous=FULL: an answered move survives a power cut, not only a crash of the process.
                for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
                    await connection.execute_fetchall(f"PRAGMA {pragma}")
            except BaseException:
                await connection.close()
                raise
        return connection

    async def _open(self) -> _Connection:
        # isolation_level=None: we say BEGIN ourselves, the module never does.
        connection = _Connection(partial(sqlite3.connect, self.path, isolation_level=None), iter_chunk_size=64)
        opening = asyncio.ensure_future(connection.__aenter__())
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            # Its thread would go on and report to a loop that may be closed by then.
            await opening
            await connection.close()
            raise
        return connection

    async def _begin_immediate(self, connection: _Connection) -> None:
        with _errors():
            await connection.execute_fetchall("PRAGMA busy_timeout=0")
        try:
            await self._until_not_busy(partial(_command, connection, "BEGIN IMMEDIATE"))
        finally:
            await connection.execute_fetchall("PRAGMA busy_timeout=5000")

    async def _until_not_busy(self, begin: Callable[[], Awaitable[R]]) -> R:
        """Waits for the writers of other processes. SQLite's busy handler backs off to 100 ms between looks, so that a
        long import next door would starve us; looking again every few milliseconds is fairer and costs little."""
        deadline = time.monotonic() + self._wait_s
        while True:
            try:
                return await begin()
            except sqlite3.IntegrityError as error:
                raise TransactionConflict(str(error)) from error
            except sqlite3.DatabaseError as error:
                if not _is_busy(error):
                    _refuse(error)
                if time.monotonic() > deadline:
                    raise unavailable("wait_timeout") from error
            await asyncio.sleep(random.uniform(0.001, 0.008))  # noqa: S311  (jitter, not a secret)


class _Connections:
    """Those that write, or those that read: who may have one, and which are free."""

    def __init__(self, count: int, waiters: int) -> None:
        self.count = count
        self.queue = Queue(connections=count, waiters=waiters)
        self.turn = asyncio.Semaphore(count)
        self.idle: list[_Connection] = []

    async def close(self) -> None:
        """Waits for those in use: what was cancelled a moment ago is still rolling back, and a connection that came
        back after this would keep its thread, and so the process, for ever."""
        for _ in range(self.count):
            await self.turn.acquire()
        while self.idle:
            await self.idle.pop().close()
        for _ in range(self.count):
            self.turn.release()


def _run_transaction(procedure: Procedure, values: dict[str, Any], connection: sqlite3.Connection) -> list[Row]:
    """The whole transaction in one visit to the thread: it is over when the visit is, one way or the other."""
    # How long to wait for other processes is decided by our caller, without holding the thread.
    connection.execute("PRAGMA busy_timeout=0")
    try:
        _execute(connection, "BEGIN IMMEDIATE")
        try:
            rows = _run_steps(procedure, values, connection)
            _execute(connection, "COMMIT")
        except BaseException:
            # Also after a COMMIT that failed, on a full disk for one: SQLite then keeps the transaction open.
            if connection.in_transaction:
                _execute(connection, "ROLLBACK")
            raise
        return rows
    finally:
        connection.execute("PRAGMA busy_timeout=5000")


def _run_steps(procedure: Procedure, values: dict[str, Any], connection: sqlite3.Connection) -> list[Row]:
    def run(statement: Statement, **more: Any) -> sqlite3.Cursor:
        return _execute(connection, statement.sqlite, statement.sqlite_arguments({**values, **more}))

    return procedure.steps(run, values)


def _execute(connection: sqlite3.Connection, sql: str, values: Mapping[str, Any] | tuple[()] = ()) -> sqlite3.Cursor:
    log_statement(sql)
    with spans.statement(sql, _SYSTEM):
        return connection.execute(sql, values)


async def _command(connection: _Connection, command: str) -> None:
    log_statement(command)
    with spans.statement(command, _SYSTEM):
        await connection.execute_fetchall(command)


async def _roll_back(connection: _Connection) -> None:
    # Commands of one connection run in order on its thread, so this waits for a statement that was given up on. Only
    # then is it known whether there is a transaction: a BEGIN or a COMMIT may have been under way.
    try:
        await _command(connection, "ROLLBACK")
    except sqlite3.DatabaseError as error:
        if connection.in_transaction:
            _refuse(error)


@contextmanager
def _sent(sql: str) -> Iterator[None]:
    """Around the sending of a text: its log line, its span, and what its errors mean."""
    log_statement(sql)
    with _errors(), spans.statement(sql, _SYSTEM):
        yield


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise TransactionConflict(str(error)) from error
    except sqlite3.DatabaseError as error:
        if _is_busy(error):
            raise TransactionConflict(str(error)) from error
        _refuse(error)


def _refuse(error: sqlite3.DatabaseError) -> NoReturn:
    """Raises the refusal that the error means; the error itself if it is no failure of the database but a bug."""
    code = _code(error)
    name = getattr(error, "sqlite_errorname", "")
    if code in _DAMAGED:
        raise broken("corrupt", detail=name) from error
    if code in _REASONS:
        raise unavailable(_REASONS[code], detail=name) from error
    raise error


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_REASONS = {
    sqlite3.SQLITE_FULL: "disk_full",
    sqlite3.SQLITE_IOERR: "io_error",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_CANTOPEN: "unreachable",
    sqlite3.SQLITE_NOMEM: "out_of_memory",
}


def _is_busy(error: sqlite3.DatabaseError) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: sqlite3.DatabaseError) -> int:
    # The lowest byte is the kind, the rest says where: SQLITE_IOERR_WRITE. Errors of the module itself have none.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
