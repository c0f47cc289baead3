"""Brings a database to the current schema and tells which one it has."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadyard.errors import SchemaOutOfDate, ServiceUnavailable

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

MIGRATIONS = Path(__file__).parent / "migrations"
_CURRENT = "SELECT version_num FROM alembic_version"
_MIGRATION_LOCK = 0x6C6561647961_7264  # "leadyard"


def head_revision() -> str:
    """Returns the schema revision that this version of the service works with."""
    return max(_known_revisions())


def is_known(revision: str) -> bool:
    """Returns whether this version of the service has a migration of that name."""
    return revision in _known_revisions()


def refuse_unknown(revision: str | None) -> None:
    """Raises SchemaOutOfDate for a revision that this version of the service has never heard of."""
    if revision is not None and revision not in _known_revisions():
        raise SchemaOutOfDate(
            f"It is at {revision}, which this version does not know, so a newer Leadyard has migrated it. Run that "
            f"version or a newer one; this one needs {head_revision()}."
        )


async def current_revision(url: str) -> str | None:
    """Returns the revision of the database behind `url`, None for an empty one. Raises ServiceUnavailable when it is
    out of reach."""
    if url.startswith("sqlite:"):
        return await _ask_sqlite(url)
    return await _ask_postgresql(url)


def _out_of_reach(said: str, advice: str) -> ServiceUnavailable:
    return ServiceUnavailable(f"{said}. {advice}", retry_after_s=5)


async def migrate(url: str) -> tuple[str | None, str]:
    """Runs the missing migrations in one transaction. Returns the revision before and after.

    Several may do this at once: the first does the work, the others find it done. Raises ServiceUnavailable when the
    database is out of reach, and SchemaOutOfDate when a migration fails or the database is that of a newer version.
    """
    before = await current_revision(url)
    refuse_unknown(before)
    if before == head_revision():
        return before, before
    from sqlalchemy.exc import DBAPIError

    engine = _engine(url)
    try:
        async with engine.begin() as connection:
            before = await connection.run_sync(_upgrade)
    except DBAPIError as error:
        reason = str(error.orig).partition("\n")[0]
        raise SchemaOutOfDate(f"The migration failed and nothing was changed: {reason}") from error
    finally:
        await engine.dispose()
    return before, head_revision()


def _revision(connection: Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> str | None:
    from alembic import command

    if connection.dialect.name == "postgresql":
        # Whoever migrates at the same moment waits here and then finds the work done. An advisory lock, although no
        # request may use one: it holds on one node only, and migrations run on one node only, the coordinator.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
    before = _revision(connection)
    refuse_unknown(before)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return before


def _known_revisions() -> set[str]:
    # Read off the names of the files (a test holds them to what is inside), because every command asks for this first
    # and Alembic takes longer to load than most commands take to run. The same goes for the two functions below.
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")}


async def _ask_sqlite(url: str) -> str | None:
    path = url.removeprefix("sqlite:///")
    try:
        # Without the asynchronous driver: its thread outlives a file that cannot be opened, and then reports, with a
        # stack trace, that nobody is left to report to.
        return await asyncio.to_thread(_read_sqlite, path)
    except (OSError, sqlite3.Error) as error:
        advice = f"{path} has to be a database of SQLite, or a new file in a folder that exists and may be written."
        raise _out_of_reach(f"SQLite says: {error}", advice) from error


def _read_sqlite(path: str) -> str | None:
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall():
            return None
        row = connection.execute(_CURRENT).fetchone()
        return row[0] if row else None


async def _ask_postgresql(url: str) -> str | None:
    # The driver of the other database is not loaded.
    import asyncpg

    try:
        connection: Any = await asyncpg.connect(url)
        try:
            if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
                return None
            revision: str | None = await connection.fetchval(_CURRENT)
            return revision
        finally:
            await connection.close()
    except asyncpg.PostgresError as error:
        # The first line names a user or a database, never a password.
        said = str(error).partition("\n")[0]
        raise _out_of_reach(f"PostgreSQL says: {said}", _advice(error.sqlstate or "")) from error
    except OSError as error:
        raise _out_of_reach(error.strerror or str(error) or "Nothing answered in time", _advice("")) from error
    except asyncpg.InterfaceError as error:
        # What is wrong with a parameter of the URL. Scheme and port, whose messages quote more, were checked before.
        said = str(error).partition("\n")[0]
        raise _out_of_reach(f"LEADYARD_DATABASE_URL cannot be used: {said}", _advice("")) from error


def _advice(sqlstate: str) -> str:
    """Returns what to do about a refusal of PostgreSQL's, by its code; without one, when it cannot be reached."""
    if sqlstate == "3D000":
        return "Make it with createdb, or name another in LEADYARD_DATABASE_URL."
    if sqlstate.startswith("28"):
        return "Check the user and the password in LEADYARD_DATABASE_URL."
    return "Check LEADYARD_DATABASE_URL and that the database is running and takes connections."


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _engine(url: str) -> AsyncEngine:
    from sqlalchemy import event
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    if not url.startswith("sqlite:"):
        import asyncpg

        # asyncpg reads the URL itself, as it does for the service: SQLAlchemy would hand it sslmode=... unread.
        return create_async_engine(
            "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
        )
    engine = create_async_engine(f"sqlite+aiosqlite:{url.removeprefix('sqlite:')}", poolclass=NullPool)

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # Two processes that start together on a new file must migrate it one after the other.
        connection.exec_driver_sql("PRAGMA busy_timeout=30000")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(dbapi_connection: object, _record: object) -> None:
        dbapi_connection.isolation_level = None  # type: ignore[attr-defined]

    return engine
