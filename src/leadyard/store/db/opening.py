"""Chooses the database by its URL."""

from __future__ import annotations

from leadyard.errors import BadSetting
from leadyard.store.db.database import Database
from leadyard.watching import metrics


def open_database(
    url: str, *, pool_size: int, wait_s: float, queue_size: int = 200, prepared_statements: bool = True
) -> Database:
    """Returns the database behind `url`; connects at the first use.

    `wait_s` bounds the wait for a free connection and for other writers, in seconds; `queue_size` how many may wait at
    once. Raises BadSetting for a URL that
    names neither SQLite nor PostgreSQL.
    """
    metrics.database_limits(connections=pool_size, waiters=queue_size)
    # The driver of the other database is not imported: the commands should start fast.
    if url.startswith(("postgresql://", "postgres://")):
        from leadyard.store.db.postgresql import PostgresqlDatabase

        return PostgresqlDatabase(
            url, pool_size=pool_size, queue_size=queue_size, wait_s=wait_s, prepared_statements=prepared_statements
        )
    if url.startswith("sqlite:///"):
        from leadyard.store.db.sqlite import SqliteDatabase

        return SqliteDatabase(url, pool_size=pool_size, queue_size=queue_size, wait_s=wait_s)
    raise BadSetting("LEADYARD_DATABASE_URL must start with sqlite:/// or postgresql://.")
