"""The engine behind a database: which one it is, and what its own check finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from leadyard.database import Database
from leadyard.model import Engine, IntegrityCheck
from leadyard.store.db import Statement

_VERSION = Statement(
    """SELECT current_setting('server_version') AS version,
    CAST(current_setting('server_version_num') AS integer) AS number""",
    sqlite="SELECT sqlite_version() AS version, 0 AS number",
    across_groups=True,
)
_OLDEST_POSTGRESQL = 150_000


def describe_embedded() -> Engine:
    """Returns the SQLite of this process. Does not open the database."""
    # Only here, because PostgreSQL does not need this library.
    from leadyard.store.db.sqlite_engine import engine_version, known_faults

    return Engine("SQLite", engine_version(), tuple(known_faults()))


async def describe(db: Database) -> Engine:
    """Returns the engine that answers. Raises ServiceUnavailable."""
    if db.url.startswith("sqlite:"):
        return describe_embedded()
    async with db.read(None) as tx:
        row = await tx.row(_VERSION)
    assert row is not None
    is_old = row["number"] < _OLDEST_POSTGRESQL
    faults = ("Leadyard is not tested with PostgreSQL before 15. Upgrade the server.",) if is_old else ()
    return Engine("PostgreSQL", row["version"].split()[0], faults)


async def check_integrity(db: Database, report: Callable[[int, int], None]) -> IntegrityCheck:
    """Runs the engine's own check. `report` is called with the parts that are done and their number. SQLite checks in
    one step, so it is not called there."""
    if db.url.startswith("sqlite:"):
        from leadyard.store.db import sqlite_check
        from leadyard.store.db.sqlite_errors import translated_errors

        with translated_errors():
            path = Path(db.url.removeprefix("sqlite:///"))
            return IntegrityCheck(tuple(await asyncio.to_thread(sqlite_check.find_damage, path)))
    from leadyard.store.db import postgresql_check

    return await postgresql_check.find_damage(db.url, report)
