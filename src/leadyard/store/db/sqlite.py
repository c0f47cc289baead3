"""SQLite: one connection for writing, a few for reading, each on its own thread."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import apsw

from leadyard.errors import Internal, ServiceUnavailable, TransactionConflict
from leadyard.secret_key import SecretKey
from leadyard.store.db.admission import Queue
from leadyard.store.db.failures import unavailable
from leadyard.store.db.log import log_statement
from leadyard.store.db.procedure import Procedure
from leadyard.store.db.sqlite_connection import (
    SYSTEM,
    SqliteConnection,
    add_rows,
    begin_immediate,
    count_changes,
    fetch_rows,
    run_command,
    run_steps,
    run_transaction,
)
from leadyard.store.db.sqlite_errors import is_busy, refuse, translated_errors
from leadyard.store.db.sqlite_together import Together
from leadyard.store.db.statement import NewRows, Row, Statement, group_number
from leadyard.watching import metrics, spans

R = TypeVar("R")


class SqliteTransaction:
    """See Transaction. Holds one connection."""

    is_postgresql = False

    def __init__(
        self, connection: SqliteConnection, account_group_id: str | None, secret_key: SecretKey | None
    ) -> None:
        self._connection = connection
        self.secret_key = secret_key
        self.account_group_id = account_group_id
        self._group = group_number(account_group_id)

    async def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        with _sent(statement.sqlite):
            return await self._connection.visit(partial(fetch_rows, statement.sqlite, self._bind(statement, values)))

    async def row(self, statement: Statement, /, **values: Any) -> Row | None:
        found = await self.rows(statement, **values)
        return found[0] if found else None

    async def run(self, statement: Statement, /, **values: Any) -> int:
        with _sent(statement.sqlite):
            return await self._connection.visit(partial(count_changes, statement.sqlite, self._bind(statement, values)))

    async def call(self, procedure: Procedure, /, **values: Any) -> list[Row]:
        values["account_group_id"] = self._group
        with translated_errors():
            return await self._connection.visit(partial(run_steps, procedure, values))

    async def add(self, new_rows: NewRows, rows: Sequence[Sequence[Any]], /) -> None:
        group = self._group
        bound = [(group, *row) for row in rows]
        with _sent(new_rows.sqlite):
            await self._connection.visit(partial(add_rows, new_rows.sqlite, bound))

    def _bind(self, statement: Statement, values: dict[str, Any]) -> dict[str, Any]:
        values["account_group_id"] = self._group
        return statement.sqlite_arguments(values)


class SqliteDatabase:
    """See Database. SQLite allows one writer at a time, so a process needs only one connection for writing. Its writers
    queue in order of arrival. SQLite's own wait, which sleeps and retries, would not keep this order."""

    def __init__(
        self, url: str, *, pool_size: int, queue_size: int, wait_s: float, secret_key: SecretKey | None
    ) -> None:
        self.url = url
        self.secret_key = secret_key
        self.path = Path(url.removeprefix("sqlite:///"))
        self._wait_s = wait_s
        self._writers = _Connections(1, queue_size)
        self._readers = _Connections(pool_size, queue_size)
        self._together = Together(self._writers.turn, self._run_on_writer, wait_s=wait_s)

    @property
    def is_connected(self) -> bool:
        # A file has no limit of connections that other processes could use up.
        return True

    @asynccontextmanager
    async def write(self, account_group_id: str | None) -> AsyncIterator[SqliteTransaction]:
        async with self._connection(self._writers) as connection:
            try:
                await self._until_not_busy(partial(connection.visit, begin_immediate))
                yield SqliteTransaction(connection, account_group_id, self.secret_key)
                with translated_errors():
                    await connection.visit(partial(run_command, "COMMIT"))
            except BaseException:
                # Also after a failed COMMIT, for example on a full disk, because SQLite then keeps the transaction
                # open. And after a BEGIN that was cancelled while it ran.
                await _roll_back(connection)
                raise

    @asynccontextmanager
    async def snapshot(self, account_group_id: str | None) -> AsyncIterator[SqliteTransaction]:
        async with self._connection(self._readers) as connection:
            try:
                with translated_errors():
                    await connection.visit(partial(run_command, "BEGIN"))
                yield SqliteTransaction(connection, account_group_id, self.secret_key)
            finally:
                await _roll_back(connection)

    @asynccontextmanager
    async def read(self, account_group_id: str | None) -> AsyncIterator[SqliteTransaction]:
        async with self._connection(self._readers) as connection:
            yield SqliteTransaction(connection, account_group_id, self.secret_key)

    async def call(self, account_group_id: str | None, procedure: Procedure, /, **values: Any) -> list[Row]:
        values["account_group_id"] = group_number(account_group_id)
        if self._together.is_needed:
            self._writers.queue.enter()
            try:
                return await self._together.call(procedure, values)
            finally:
                self._writers.queue.leave()
        async with self._connection(self._writers) as connection:
            work = partial(run_transaction, procedure, values)
            return await self._until_not_busy(partial(connection.visit, work))

    async def _run_on_writer(self, work: Callable[[apsw.Connection], R]) -> R:
        """Runs work on the writing connection, whose turn the caller has. Raises BusyError while another process
        writes, TransactionConflict, and the refusals of a failing database."""
        with metrics.holding_connection():
            async with self._held(self._writers) as connection:
                try:
                    return await connection.visit(work)
                except apsw.ConstraintError as error:
                    raise TransactionConflict(str(error)) from error
                except apsw.Error as error:
                    if not is_busy(error):
                        refuse(error)
            # Outside of the block, which would close the connection.
            raise apsw.BusyError

    async def close(self) -> None:
        for each in (self._writers, self._readers):
            await each.close()

    @asynccontextmanager
    async def _connection(self, connections: _Connections) -> AsyncIterator[SqliteConnection]:
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
            # Not wait_for: until Python 3.12 it swallows a cancellation at the very moment of our turn.
            with metrics.waiting_for_connection():
                async with asyncio.timeout(self._wait_s):
                    await connections.turn.acquire()
        except TimeoutError:
            raise unavailable("wait_timeout") from None

    @asynccontextmanager
    async def _held(self, connections: _Connections) -> AsyncIterator[SqliteConnection]:
        connection = connections.idle.pop() if connections.idle else await self._connect(connections)
        try:
            yield connection
        except (ServiceUnavailable, Internal, apsw.Error):
            # The cause may be a full disk or a replaced file. A new connection is not affected by it.
            await connection.close()
            raise
        except BaseException:
            connections.idle.append(connection)
            raise
        connections.idle.append(connection)

    async def _connect(self, connections: _Connections) -> SqliteConnection:
        connection = SqliteConnection(self.path, for_writing=connections is self._writers)
        try:
            with translated_errors():
                await connection.open()
        except BaseException:
            # Also after a cancellation: the thread may have opened the file a moment later.
            await connection.close()
            raise
        return connection

    async def _until_not_busy(self, begin: Callable[[], Awaitable[R]]) -> R:
        """Waits for the writers of other processes. SQLite's busy handler backs off to 100 ms between attempts, so a
        long import in another process would starve us. Trying every few milliseconds is fairer and costs little."""
        deadline = time.monotonic() + self._wait_s
        while True:
            try:
                return await begin()
            except apsw.ConstraintError as error:
                raise TransactionConflict(str(error)) from error
            except apsw.Error as error:
                if not is_busy(error):
                    refuse(error)
                if time.monotonic() > deadline:
                    raise unavailable("wait_timeout") from error
            await asyncio.sleep(random.uniform(0.001, 0.008))  # noqa: S311  (jitter, not a secret)


class _Connections:
    """The connections for writing, or those for reading: the queue for them, and the idle ones."""

    def __init__(self, count: int, waiters: int) -> None:
        self.count = count
        self.queue = Queue(connections=count, waiters=waiters)
        self.turn = asyncio.Semaphore(count)
        self.idle: list[SqliteConnection] = []

    async def close(self) -> None:
        """Closes all connections, after waiting for those in use. Cancelled work may still be rolling back, and a
        connection that came back after this would keep its thread, and so the process, alive."""
        for _ in range(self.count):
            await self.turn.acquire()
        while self.idle:
            await self.idle.pop().close()
        for _ in range(self.count):
            self.turn.release()


async def _roll_back(connection: SqliteConnection) -> None:
    # Work of one connection runs in order on its thread, so this waits for a statement that was abandoned. Only then is
    # it certain whether there is a transaction, because a BEGIN or a COMMIT may have been running.
    try:
        await connection.visit(partial(run_command, "ROLLBACK"))
    except apsw.Error as error:
        if connection.in_transaction:
            refuse(error)


@contextmanager
def _sent(sql: str) -> Iterator[None]:
    """Wraps the sending of a statement: logs it, traces it, and translates its errors."""
    log_statement(sql)
    with translated_errors(), spans.statement(sql, SYSTEM):
        yield
