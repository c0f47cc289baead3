"""The protocol of a database, which every room may name. The store implements it for SQLite and for PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from leadyard.secret_key import SecretKey
    from leadyard.store.db import NewRows, Procedure, Row, Statement


class Transaction(Protocol):
    """A transaction of one account group. The transaction binds every statement to that group; the caller cannot choose
    another one. Only the store calls its methods; the other rooms pass it on."""

    account_group_id: str | None
    is_postgresql: bool
    # Of the installation, None if it has none. The operations use it, the database does not.
    secret_key: SecretKey | None

    async def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        """Returns all rows of the result."""

    async def row(self, statement: Statement, /, **values: Any) -> Row | None:
        """Returns the first row of the result, or None."""

    async def run(self, statement: Statement, /, **values: Any) -> int:
        """Returns the number of rows that the statement changed."""

    async def call(self, procedure: Procedure, /, **values: Any) -> list[Row]:
        """Runs the procedure and returns its rows. Raises Undone, after which the transaction must not commit."""

    async def add(self, new_rows: NewRows, rows: Sequence[Sequence[Any]], /) -> None:
        """Adds the rows, with values in the order of the columns. Raises TransactionConflict if a row or one of its
        unique values already exists; the transaction can then only be run again."""


class Database(Protocol):
    """A pool of connections. Its methods raise ServiceUnavailable if the database cannot be reached, and
    TransactionConflict if the work should simply be run again."""

    url: str
    secret_key: SecretKey | None

    @property
    def is_connected(self) -> bool:
        """Whether at least one connection is open."""

    def write(self, account_group_id: str | None) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that is durably committed at the end of its block, and rolled back if the block raises."""

    def snapshot(self, account_group_id: str | None) -> AbstractAsyncContextManager[Transaction]:
        """A read-only transaction whose statements all see the same moment."""

    def read(self, account_group_id: str | None) -> AbstractAsyncContextManager[Transaction]:
        """A connection for a single reading statement, without the round trips of a transaction."""

    async def call(self, account_group_id: str | None, procedure: Procedure, /, **values: Any) -> list[Row]:
        """Runs the procedure as its own write transaction, in a single round trip, and returns its rows after a durable
        commit. Raises Undone. If the connection is lost during the call, the ServiceUnavailable has the reason
        COMMIT_UNKNOWN: the change was made either completely or not at all."""

    async def close(self) -> None:
        """Closes all connections."""
