"""Chooses the database by its URL."""

from __future__ import annotations

from leadyard.database import Database
from leadyard.errors import BadSetting
from leadyard.secret_key import SecretKey
from leadyard.watching import metrics


def open_database(
    url: str,
    *,
    pool_size: int,
    wait_s: float,
    queue_size: int = 200,
    is_pooled: bool = False,
    plan_mode: str = "detect",
    secret_key: SecretKey | None = None,
) -> Database:
    """Returns the database of `url`; it connects at its first use.

    `wait_s` limits the wait for a free connection and for other writers, in seconds. `queue_size` limits the number of
    requests that wait at once. `secret_key` is the one of the installation, for the operations. The others are for
    PostgreSQL: `is_pooled`, a pooler is between, and `plan_mode` (detect, generic, custom or auto). Raises BadSetting
    for a URL of neither SQLite nor PostgreSQL.
    """
    metrics.database_limits(connections=pool_size, waiters=queue_size)
    # The driver of the other database is not imported, so that the commands start fast.
    if url.startswith(("postgresql://", "postgres://")):
        from leadyard.store.db.postgresql import PostgresqlDatabase

        return PostgresqlDatabase(
            url,
            pool_size=pool_size,
            queue_size=queue_size,
            wait_s=wait_s,
            is_pooled=is_pooled,
            plan_mode=plan_mode,
            secret_key=secret_key,
        )
    if url.startswith("sqlite:///"):
        from leadyard.store.db.sqlite import SqliteDatabase

        return SqliteDatabase(url, pool_size=pool_size, queue_size=queue_size, wait_s=wait_s, secret_key=secret_key)
    raise BadSetting("LEADYARD_DATABASE_URL must start with sqlite:/// or postgresql://.")
