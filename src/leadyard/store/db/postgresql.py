"""PostgreSQL by way of asyncpg."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from leadyard.errors import ServiceUnavailable, TransactionConflict
from leadyard.store.db.at_hand import LOST, TIDY_UP_S, ConnectionsAtHand, is_open
from leadyard.store.db.database import Row
from leadyard.store.db.failures import commit_unknown, unavailable
from leadyard.store.db.log import log_statement
from leadyard.store.db.procedure import Procedure, Undone
from leadyard.store.db.queue import Queue
from leadyard.store.db.statement import NewRows, Statement
from leadyard.watching import metrics, spans

# PostgreSQL itself ends a statement after 60 s. Longer than that is waited only for a server, or a network, that says
# nothing at all any more.
_SILENCE_S = 75
# What another transaction did to us, not what we did wrong: the same work, run again, can succeed.
_RUN_AGAIN = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.UniqueViolationError,
    asyncpg.ForeignKeyViolationError,
)
# What the server could not do, and why in a word. An OSError is the silence of the server, or of the network.
_REASONS: dict[type[BaseException], str] = {
    asyncpg.DiskFullError: "disk_full",
    asyncpg.PostgresIOError: "io_error",
    asyncpg.ReadOnlySQLTransactionError: "read_only",
    asyncpg.OutOfMemoryError: "out_of_memory",
    asyncpg.QueryCanceledError: "statement_timeout",
    OSError: "no_answer",
}
_FAILED: tuple[type[BaseException], ...] = tuple(_REASONS)
_SYSTEM = "postgresql"
# Whatever PostgreSQL says instead of letting us in: starting up, too many, closed to connections, dropped, not allowed.
_UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class PostgresqlTransaction:
    """See Transaction. Holds one connection."""

    is_postgresql = True

    def __init__(self, connection: PoolConnectionProxy, account_group_id: str | None) -> None:
        self._connection = connection
        self.account_group_id = account_group_id

    async def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        with _sent(statement.postgresql):
            return cast("list[Row]", await self._connection.fetch(statement.postgresql, *self._bind(statement, values)))

    async def row(self, statement: Statement, /, **values: Any) -> Row | None:
        with _sent(statement.postgresql):
            found = await self._connection.fetchrow(statement.postgresql, *self._bind(statement, values))
            return cast("Row | None", found)

    async def run(self, statement: Statement, /, **values: Any) -> int:
        with _sent(statement.postgresql):
            status = await self._connection.execute(statement.postgresql, *self._bind(statement, values))
        # The command tag, "UPDATE 25", is where PostgreSQL says how many rows it changed.
        return int(status.rsplit(" ", 1)[-1])

    async def call(self, procedure: Procedure, /, **values: Any) -> list[Row]:
        try:
            return await self.rows(procedure.call, **values)
        except asyncpg.RaiseError as undone:
            raise Undone from undone

    async def call_alone(self, procedure: Procedure, /, **values: Any) -> list[Row]:
        """The same on a connection without a transaction: PostgreSQL begins one and commits it around the call."""
        call = procedure.call
        log_statement(call.postgresql)
        with _commits(), spans.statement(call.postgresql, _SYSTEM):
            return cast("list[Row]", await self._connection.fetch(call.postgresql, *self._bind(call, values)))

    async def add(self, new_rows: NewRows, rows: Sequence[Sequence[Any]], /) -> None:
        group = self.account_group_id
        with _sent(new_rows.postgresql):
            await self._connection.copy_records_to_table(
                new_rows.table, columns=new_rows.columns, records=((group, *row) for row in rows)
            )

    def _bind(self, statement: Statement, values: dict[str, Any]) -> list[Any]:
        values["account_group_id"] = self.account_group_id
        return statement.postgresql_arguments(values)


class PostgresqlDatabase:
    """See Database."""

    def __init__(self, url: str, *, pool_size: int, queue_size: int, wait_s: float, prepared_statements: bool) -> None:
        self.url = url
        self._pool_size = pool_size
        self._queue = Queue(connections=pool_size, waiters=queue_size)
        self._wait_s = wait_s
        self._prepared_statements = prepared_statements
        self._pool: asyncpg.Pool | None = None
        self._at_hand: ConnectionsAtHand | None = None
        self._waiting = 0
        self._opening = asyncio.Lock()

    @asynccontextmanager
    async def write(self, account_group_id: str | None) -> AsyncIterator[PostgresqlTransaction]:
        # READ COMMITTED with explicit row locks: whoever waits for an audience sees it, once locked, as it then is.
        async with self._connection() as connection:
            await _command(connection, "BEGIN")
            try:
                yield PostgresqlTransaction(connection, account_group_id)
            except BaseException:
                await _roll_back(connection)
                raise
            await _commit(connection)

    @asynccontextmanager
    async def snapshot(self, account_group_id: str | None) -> AsyncIterator[PostgresqlTransaction]:
        async with self._connection() as connection:
            await _command(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield PostgresqlTransaction(connection, account_group_id)
            finally:
                await _roll_back(connection)

    @asynccontextmanager
    async def read(self, account_group_id: str | None) -> AsyncIterator[PostgresqlTransaction]:
        async with self._connection() as connection:
            yield PostgresqlTransaction(connection, account_group_id)

    async def call(self, account_group_id: str | None, procedure: Procedure, /, **values: Any) -> list[Row]:
        async with self._connection() as connection:
            return await PostgresqlTransaction(connection, account_group_id).call_alone(procedure, **values)

    async def close(self) -> None:
        if self._pool is not None and self._at_hand is not None:
            await self._at_hand.release_all()
            await self._pool.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[PoolConnectionProxy]:
        connection = await self._take()
        in_order = False
        try:
            with metrics.holding_connection():
                yield connection
            in_order = True
        finally:
            await self._give_back(connection, in_order=in_order)

    async def _take(self) -> PoolConnectionProxy:
        self._queue.enter()
        try:
            return (self._at_hand and self._at_hand.take()) or await self._take_from_pool()
        except BaseException:
            self._queue.leave()
            raise

    async def _take_from_pool(self) -> PoolConnectionProxy:
        pool = self._pool or await self._open()
        self._waiting += 1
        try:
            with metrics.waiting_for_connection(), _errors_in_connecting():
                return await pool.acquire(timeout=self._wait_s)
        finally:
            self._waiting -= 1

    async def _give_back(self, connection: PoolConnectionProxy, *, in_order: bool) -> None:
        self._queue.leave()
        assert self._at_hand is not None
        # Whoever waits, waits for the pool. And the pool looks after a connection on which something went wrong.
        if in_order and not self._waiting and is_open(connection):
            self._at_hand.keep(connection)
        else:
            await self._at_hand.release(connection)

    async def _open(self) -> asyncpg.Pool:
        async with self._opening:
            if self._pool is None:
                with _errors_in_connecting():
                    pool = await asyncpg.create_pool(
                        self.url,
                        min_size=0,
                        max_size=self._pool_size,
                        timeout=self._wait_s,
                        command_timeout=_SILENCE_S,
                        # Our transactions leave nothing behind, so the round trip that wipes a session is spared.
                        reset=_leave_as_it_is,
                        # Poolers that hand each transaction another session cannot keep prepared statements.
                        statement_cache_size=200 if self._prepared_statements else 0,
                        server_settings={
                            "application_name": "leadyard",
                            "jit": "off",
                            # Our plans are to be the same for every list, audience and hour (docs/decisions/0007).
                            "plan_cache_mode": "force_generic_plan",
                            # A plan made while a table was tiny reads all of it, and is kept until somebody analyses
                            # the table: the check of a foreign key then read a grown table of audiences once for each
                            # lead moved. Whatever a request asks has an index; only the check-up, which does read
                            # everything, takes a twentieth to a tenth longer by them.
                            "enable_seqscan": "off",
                            "lock_timeout": "10s",
                            "statement_timeout": "60s",
                            "idle_in_transaction_session_timeout": "60s",
                        },
                    )
                # Only with the pool: who waited for this lock must not put an empty hand in the place of a full one.
                self._pool, self._at_hand = pool, ConnectionsAtHand(pool)
            return self._pool


async def _leave_as_it_is(_connection: asyncpg.Connection) -> None:
    return None


async def _command(connection: PoolConnectionProxy, command: str) -> None:
    with _sent(command):
        await connection.execute(command)


async def _commit(connection: PoolConnectionProxy) -> None:
    log_statement("COMMIT")
    with _commits(), spans.statement("COMMIT", _SYSTEM):
        await connection.execute("COMMIT")


@contextmanager
def _commits() -> Iterator[None]:
    """Around what commits when all goes well: what its errors mean."""
    try:
        yield
    except _RUN_AGAIN as error:
        raise TransactionConflict(str(error)) from error
    except asyncpg.RaiseError as error:
        raise Undone from error
    except (*LOST, OSError) as error:
        raise commit_unknown() from error
    except _FAILED as error:
        raise _failed(error) from error


async def _roll_back(connection: PoolConnectionProxy) -> None:
    log_statement("ROLLBACK")
    try:
        await connection.execute("ROLLBACK", timeout=TIDY_UP_S)
    except (*LOST, OSError, asyncpg.PostgresError):
        # A connection that is gone has rolled back already; one in any other trouble must not be used again. One that
        # the pool has already dropped does not even let itself be terminated.
        with suppress(asyncpg.InterfaceError):
            connection.terminate()


@contextmanager
def _sent(sql: str) -> Iterator[None]:
    """Around the sending of a text: its log line, its span, and what its errors mean."""
    log_statement(sql)
    try:
        with spans.statement(sql, _SYSTEM):
            yield
    except (*_RUN_AGAIN, *LOST) as error:
        # Lost before COMMIT was sent: PostgreSQL rolls back, so running again cannot do the work twice.
        raise TransactionConflict(type(error).__name__) from error
    except _FAILED as error:
        raise _failed(error) from error


def _failed(error: BaseException) -> ServiceUnavailable:
    reason = next(reason for kind, reason in _REASONS.items() if isinstance(error, kind))
    return unavailable(reason, detail=type(error).__name__)


@contextmanager
def _errors_in_connecting() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise unavailable("wait_timeout") from error
    except _UNREACHABLE as error:
        raise unavailable("unreachable", detail=type(error).__name__) from error
