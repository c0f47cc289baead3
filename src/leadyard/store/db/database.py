"""What the rest of the service may expect of a database, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

from leadyard.store.db.statement import NewRows, Statement

if TYPE_CHECKING:
    from leadyard.store.db.procedure import Procedure

Row = Mapping[str, Any]


class Transaction(Protocol):
    """A transaction of one account group. Every statement is bound to that group by the transaction, never by the
    caller."""

    account_group_id: str | None
    is_postgresql: bool

    async def rows(self, statement: Statement, /, **values: Any) -> list[Row]:
        """Returns all rows of the answer."""

    async def row(self, statement: Statement, /, **values: Any) -> Row | None:
        """Returns the first row of the answer, or None."""

    async def run(self, statement: Statement, /, **values: Any) -> int:
        """Returns how many rows the statement changed."""

    async def call(self, procedure: Procedure, /, **values: Any) -> list[Row]:
        """Runs the procedure and returns its rows. Raises Undone; then the transaction must not commit."""

    async def add(self, new_rows: NewRows, rows: Sequence[Sequence[Any]], /) -> None:
        """Adds the rows, with values in the order of the columns. Raises TransactionConflict when one of them, or one
        of its unique values, is there already; the transaction is then good for nothing but to be run again."""


class Database(Protocol):
    """A pool of connections. All ways in raise ServiceUnavailable when the database cannot be reached and
    TransactionConflict when the work should simply be run again."""

    url: str

    def write(self, account_group_id: str | None) -> AbstractAsyncContextManager[Transaction]:
        """A transaction that is durably committed when its block ends and rolled back when the block raises."""

    def snapshot(self, account_group_id: str | None) -> AbstractAsyncContextManager[Transaction]:
        """A read-only transaction whose statements all see the same moment."""

    def read(self, account_group_id: str | None) -> AbstractAsyncContextManager[Transaction]:
        """A connection for a single reading statement, without the round trips of a transaction."""

    async def call(self, account_group_id: str | None, procedure: Procedure, /, **values: Any) -> list[Row]:
        """Runs the procedure as a write transaction by itself, in a single round trip, and returns its rows once they
        are durably committed. Raises Undone. When the connection is lost on the way the ServiceUnavailable has the
        reason COMMIT_UNKNOWN: the change is either wholly there or wholly not."""

    async def close(self) -> None:
        """Closes all connections."""
