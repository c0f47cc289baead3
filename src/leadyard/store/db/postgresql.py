"""PostgreSQL through asyncpg."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, cast

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from leadyard.errors import CONFLICTS, CONNECTION_LOST, ServiceUnavailable, TransactionConflict
from leadyard.secret_key import SecretKey
from leadyard.store.db.admission import Queue
from leadyard.store.db.advice import explain
from leadyard.store.db.connecting import connect, is_out_of_slots, report_of
from leadyard.store.db.copy_conflicts import is_conflict_of_copy
from leadyard.store.db.failures import commit_unknown, unavailable
from leadyard.store.db.handover import Handover
from leadyard.store.db.log import log_statement
from leadyard.store.db.plan_mode import DETECT, PlanMode
from leadyard.store.db.procedure import Procedure, Undone
from leadyard.store.db.session_settings import APPLICATION_NAME, startup_settings
from leadyard.store.db.statement import NewRows, Row, Statement, group_number
from leadyard.store.db.warm_connections import LOST, TIDY_UP_S, ConnectionsAtHand, is_open
from leadyard.watching import metrics, spans

# PostgreSQL itself ends a statement after 60 s. A longer wait only happens if the server or the network no longer
# responds at all.
_SILENCE_S = 75
# Caused by another transaction and not by a mistake of ours: the same work can succeed if it is run again.
_RUN_AGAIN = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.UniqueViolationError,
    asyncpg.ForeignKeyViolationError,
)
# Failures of the server, each with its reason in a word. An OSError means no response from the server or the network.
_REASONS: dict[type[BaseException], str] = {
    asyncpg.DiskFullError: "disk_full",
    asyncpg.PostgresIOError: "io_error",
    asyncpg.ReadOnlySQLTransactionError: "read_only",
    asyncpg.OutOfMemoryError: "out_of_memory",
    asyncpg.QueryCanceledError: "statement_timeout",
    asyncpg.InsufficientPrivilegeError: "permission_denied",
    # The search_path of the role has changed, or the tables were dropped.
    asyncpg.UndefinedTableError: "tables_missing",
    asyncpg.UndefinedFunctionError: "tables_missing",
    OSError: "no_answer",
}
_FAILED: tuple[type[BaseException], ...] = tuple(_REASONS)
_ADVICE = {
    "read_only": "PostgreSQL is read-only. If it is a standby, name the primary, or all hosts with "
    "target_session_attrs=read-write, in LEADYARD_DATABASE_URL. Otherwise reset default_transaction_read_only of the "
    "role, the database or the server.",
    "permission_denied": "The role of LEADYARD_DATABASE_URL lacks a right on a table. Let it own the tables, or GRANT "
    "it SELECT, INSERT, UPDATE and DELETE on them.",
    "tables_missing": "The connection does not find the tables of Leadyard. /readyz and 'leadyard doctor' name the "
    "reason, such as a search_path that was changed.",
}
_SYSTEM = "postgresql"
# Refused connections: starting up, too many clients, no new connections allowed, database dropped, not permitted.
_UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


class PostgresqlTransaction:
    """See Transaction. Holds one connection."""

    is_postgresql = True

    def __init__(
        self,
        connection: PoolConnectionProxy,
        account_group_id: str | None,
        secret_key: SecretKey | None = None,
        *,
        is_pooled: bool = False,
    ) -> None:
        self._connection = connection
        self.secret_key = secret_key
        self.account_group_id = account_group_id
        self._group = group_number(account_group_id)
        self._is_pooled = is_pooled

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
        # PostgreSQL returns the number of changed rows in the command tag, such as "UPDATE 25".
        return int(status.rsplit(" ", 1)[-1])

    async def call(self, procedure: Procedure, /, **values: Any) -> list[Row]:
        try:
            return await self.rows(procedure.call, **values)
        except asyncpg.RaiseError as undone:
            raise Undone from undone

    async def call_alone(self, procedure: Procedure, /, **values: Any) -> list[Row]:
        """Like `call`, but on a connection without a transaction: PostgreSQL begins and commits one around the call."""
        call = procedure.call
        log_statement(call.postgresql)
        with _COMMITS, spans.statement(call.postgresql, _SYSTEM):
            return cast("list[Row]", await self._connection.fetch(call.postgresql, *self._bind(call, values)))

    async def add(self, new_rows: NewRows, rows: Sequence[Sequence[Any]], /) -> None:
        group = self._group
        records = ((group, *row) for row in rows)
        if self._is_pooled:
            with _sent(new_rows.pooled_postgresql):
                await self._connection.executemany(new_rows.pooled_postgresql, records)
            return
        with _sent(new_rows.postgresql):
            await self._connection.copy_records_to_table(new_rows.table, columns=new_rows.columns, records=records)

    def _bind(self, statement: Statement, values: dict[str, Any]) -> list[Any]:
        values["account_group_id"] = self._group
        return statement.postgresql_arguments(values)


class PostgresqlDatabase:
    """See Database."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int,
        queue_size: int,
        wait_s: float,
        is_pooled: bool = False,
        plan_mode: str = DETECT,
        secret_key: SecretKey | None = None,
    ) -> None:
        self.url = url
        self.secret_key = secret_key
        self._pool_size = pool_size
        self._queue = Queue(connections=pool_size, waiters=queue_size)
        self._wait_s = wait_s
        self._is_pooled = is_pooled
        self._plan_mode = PlanMode(plan_mode)
        self._pool: asyncpg.Pool | None = None
        self._at_hand: ConnectionsAtHand | None = None
        self._handover: Handover | None = None
        self._waiting = 0
        self._opening = asyncio.Lock()

    @property
    def is_connected(self) -> bool:
        return self._pool is not None and self._pool.get_size() > 0

    @asynccontextmanager
    async def write(self, account_group_id: str | None) -> AsyncIterator[PostgresqlTransaction]:
        # READ COMMITTED with explicit row locks: a transaction that has waited for a row reads its latest version.
        async with self._connection() as connection:
            await _command(connection, "BEGIN")
            try:
                yield PostgresqlTransaction(connection, account_group_id, self.secret_key, is_pooled=self._is_pooled)
            except BaseException:
                await _roll_back(connection)
                raise
            await _commit(connection)

    @asynccontextmanager
    async def snapshot(self, account_group_id: str | None) -> AsyncIterator[PostgresqlTransaction]:
        async with self._connection() as connection:
            await _command(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield PostgresqlTransaction(connection, account_group_id, self.secret_key)
            finally:
                await _roll_back(connection)

    @asynccontextmanager
    async def read(self, account_group_id: str | None) -> AsyncIterator[PostgresqlTransaction]:
        async with self._connection() as connection:
            yield PostgresqlTransaction(connection, account_group_id, self.secret_key)

    async def call(self, account_group_id: str | None, procedure: Procedure, /, **values: Any) -> list[Row]:
        async with self._connection() as connection:
            return await PostgresqlTransaction(connection, account_group_id).call_alone(procedure, **values)

    async def close(self) -> None:
        if self._pool is not None and self._at_hand is not None:
            await self._at_hand.release_all()
            await self._pool.close()

    def _connection(self) -> _Loan:
        return _Loan(self)

    async def take(self) -> PoolConnectionProxy:
        """Returns a connection, for `give_back`. Raises ServiceUnavailable."""
        self._queue.enter()
        try:
            return (self._at_hand and self._at_hand.take()) or await self._take_from_pool()
        except BaseException:
            self._queue.leave()
            raise

    async def _take_from_pool(self) -> PoolConnectionProxy:
        pool, at_hand, handover = await self._open()
        give_up_at = asyncio.get_running_loop().time() + self._wait_s
        self._waiting += 1
        try:
            with metrics.waiting_for_connection(), self._errors_in_connecting():
                while True:
                    within_s = give_up_at - asyncio.get_running_loop().time()
                    if (taken := at_hand.take()) is not None:
                        return taken
                    if handover.is_full and within_s > 0 and self._uses_all_it_has(pool):
                        taken = await handover.wait(within_s=within_s)
                    else:
                        taken = await self._acquire(pool, handover, within_s)
                    if taken is not None:
                        return taken
        finally:
            self._waiting -= 1

    async def _acquire(self, pool: asyncpg.Pool, handover: Handover, within_s: float) -> PoolConnectionProxy | None:
        """Returns a connection, or None if the server has no free slot for another one and this process has some."""
        try:
            return await pool.acquire(timeout=within_s)
        except (asyncpg.TooManyConnectionsError, asyncpg.ProtocolViolationError) as error:
            if not (is_out_of_slots(error) and self.is_connected):
                raise
            handover.note_full()
            return None

    @staticmethod
    def _uses_all_it_has(pool: asyncpg.Pool) -> bool:
        return bool(pool.get_size() > 0 and pool.get_idle_size() == 0)

    async def give_back(self, connection: PoolConnectionProxy, *, in_order: bool) -> None:
        """Takes back a connection after its use. `in_order` if there was no error."""
        self._queue.leave()
        assert self._at_hand is not None and self._handover is not None
        usable = in_order and is_open(connection)
        if usable and self._handover.offer(connection):
            return
        # Waiting requests wait for the pool. The pool also repairs or replaces a connection after an error.
        if usable and not self._waiting:
            self._at_hand.keep(connection)
        else:
            await self._at_hand.release(connection)
            self._handover.offer(None)

    async def distrust(self, connection: PoolConnectionProxy) -> None:
        """Closes the idle connections after a request that was given up, if its connection did not even roll back: the
        server is frozen, or the network. The next request then connects, to another host if there is one."""
        assert self._at_hand is not None
        if not is_open(connection):
            await self._at_hand.drop_idle()

    async def _open(self) -> tuple[asyncpg.Pool, ConnectionsAtHand, Handover]:
        if self._pool is not None and self._at_hand is not None and self._handover is not None:
            return self._pool, self._at_hand, self._handover
        async with self._opening:
            if self._pool is None or self._at_hand is None or self._handover is None:
                with self._errors_in_connecting():
                    pool = await asyncpg.create_pool(
                        self.url,
                        connect=connect,
                        within_s=self._wait_s,
                        min_size=0,
                        max_size=self._pool_size,
                        command_timeout=_SILENCE_S,
                        # Our transactions leave no session state behind, so the pool need not reset it.
                        reset=_leave_as_it_is,
                        # Behind a pooler the role has the mode.
                        init=None if self._is_pooled else self._plan_mode.settle,
                        # A pooler lends each transaction another session, which lacks our prepared statements.
                        statement_cache_size=0 if self._is_pooled else 200,
                        server_settings=self._startup_settings(),
                    )
                # Set together, so that a request that waited for this lock does not overwrite a pool that is in use.
                self._pool, self._at_hand = pool, ConnectionsAtHand(pool)
                self._handover = Handover(self._at_hand.keep)
            return self._pool, self._at_hand, self._handover

    def _startup_settings(self) -> dict[str, str]:
        """Returns what a connection sends at its start. Behind a pooler the role has the settings instead."""
        if self._is_pooled:
            return {"application_name": APPLICATION_NAME}
        return startup_settings(self.url, plan_mode=self._plan_mode.at_start)

    @contextmanager
    def _errors_in_connecting(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise unavailable("wait_timeout") from error
        except _UNREACHABLE as error:
            said, advice = explain(error, self.url)
            raise unavailable("unreachable", detail=said, advice=advice) from error


class _Loan:
    """Holds a connection for a block. Written out, because a generator as a context manager takes three times as long,
    and each request needs one."""

    __slots__ = ("_connection", "_db", "_held")

    def __init__(self, db: PostgresqlDatabase) -> None:
        self._db = db

    async def __aenter__(self) -> PoolConnectionProxy:
        self._connection = await self._db.take()
        self._held = metrics.holding_connection()
        self._held.__enter__()
        return self._connection

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._held.__exit__(None, None, None)
        try:
            if isinstance(error, TimeoutError | asyncio.CancelledError):
                await self._db.distrust(self._connection)
        finally:
            await self._db.give_back(self._connection, in_order=error is None)


async def _leave_as_it_is(_connection: asyncpg.Connection) -> None:
    return None


async def _command(connection: PoolConnectionProxy, command: str) -> None:
    with _sent(command):
        await connection.execute(command)


async def _commit(connection: PoolConnectionProxy) -> None:
    log_statement("COMMIT")
    with _COMMITS, spans.statement("COMMIT", _SYSTEM):
        await connection.execute("COMMIT")


class _Commits:
    """Wraps a statement that commits on success, and translates its errors."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _RUN_AGAIN):
            raise TransactionConflict(report_of(error)) from error
        if isinstance(error, asyncpg.RaiseError):
            raise Undone from error
        if isinstance(error, (*LOST, OSError)):
            raise commit_unknown(detail=report_of(error)) from error
        if isinstance(error, _FAILED):
            raise _failed(error) from error


_COMMITS = _Commits()


async def _roll_back(connection: PoolConnectionProxy) -> None:
    log_statement("ROLLBACK")
    try:
        await connection.execute("ROLLBACK", timeout=TIDY_UP_S)
    except (*LOST, OSError, asyncpg.PostgresError):
        # The transaction of a lost connection is rolled back already. After any other error the connection must not be
        # used again. If the pool has already dropped it, terminate() raises an error too.
        with suppress(asyncpg.InterfaceError):
            connection.terminate()


@contextmanager
def _sent(sql: str) -> Iterator[None]:
    """Wraps the sending of a statement: logs it, traces it, and translates its errors."""
    log_statement(sql)
    try:
        with spans.statement(sql, _SYSTEM):
            yield
    except (*_RUN_AGAIN, *LOST) as error:
        # The connection was lost before COMMIT was sent. PostgreSQL rolls back, so a retry cannot do the work twice.
        conflict = TransactionConflict(
            report_of(error), reason=CONNECTION_LOST if isinstance(error, LOST) else CONFLICTS
        )
        conflict.is_lock_timeout = isinstance(error, asyncpg.LockNotAvailableError)
        raise conflict from error
    except asyncpg.InternalServerError as error:
        if not is_conflict_of_copy(error):
            raise
        raise TransactionConflict(report_of(error)) from error
    except _FAILED as error:
        raise _failed(error) from error


def _failed(error: BaseException) -> ServiceUnavailable:
    reason = next(reason for kind, reason in _REASONS.items() if isinstance(error, kind))
    return unavailable(reason, detail=type(error).__name__, advice=_ADVICE.get(reason, ""))
