"""Chooses the database by its URL."""

from __future__ import annotations

from leadyard.errors import BadSetting
from leadyard.store.db.database import Database


def open_database(url: str, *, pool_size: int, wait_s: float, prepared_statements: bool = True) -> Database:
    """Returns the database behind `url`; connects at the first use.

    `wait_s` bounds the wait for a free connection and for other writers, in seconds. Raises BadSetting for a URL that
    names neither SQLite nor PostgreSQL.
    """
    # The driver of the other database is not imported: the commands should start fast.
    if url.startswith(("postgresql://", "postgres://")):
        from leadyard.store.db.postgresql import PostgresqlDatabase

        return PostgresqlDatabase(url, pool_size=pool_size, wait_s=wait_s, prepared_statements=prepared_statements)
    if url.startswith("sqlite:///"):
        from leadyard.store.db.sqlite import SqliteDatabase

        return SqliteDatabase(url, pool_size=pool_size, wait_s=wait_s)
    raise BadSetting("LEADYARD_DATABASE_URL must start with sqlite:/// or postgresql://.")
