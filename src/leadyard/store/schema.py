"""Brings a database to the current schema and tells which one it has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from leadyard.errors import ServiceUnavailable

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

MIGRATIONS = Path(__file__).parent / "migrations"


def head_revision() -> str:
    """Returns the schema revision that this version of the service works with."""
    from alembic.script import ScriptDirectory

    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


async def current_revision(url: str) -> str | None:
    """Returns the revision of the database behind `url`, None for an empty one. Raises ServiceUnavailable when it is
    out of reach."""
    from alembic.runtime.migration import MigrationContext

    def ask(connection: Connection) -> str | None:
        return MigrationContext.configure(connection).get_current_revision()

    engine = _engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(ask)
    except _unreachable_errors() as error:
        raise _unreachable() from error
    finally:
        await engine.dispose()


async def migrate(url: str) -> tuple[str | None, str]:
    """Runs the missing migrations in one transaction. Returns the revision before and after.

    Raises ServiceUnavailable when the database is out of reach.
    """
    from alembic import command

    before = await current_revision(url)

    def upgrade(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    if before != head_revision():
        engine = _engine(url)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(upgrade)
        finally:
            await engine.dispose()
    return before, head_revision()


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _engine(url: str) -> AsyncEngine:
    from sqlalchemy import event
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    scheme, rest = url.split("://", 1)
    driver = "sqlite+aiosqlite" if scheme == "sqlite" else "postgresql+asyncpg"
    engine = create_async_engine(f"{driver}://{rest}", poolclass=NullPool)
    if scheme == "sqlite":

        @event.listens_for(engine.sync_engine, "begin")
        def _begin(connection: Connection) -> None:
            # Two processes that start together on a new file must migrate it one after the other.
            connection.exec_driver_sql("PRAGMA busy_timeout=30000")
            connection.exec_driver_sql("BEGIN IMMEDIATE")

        @event.listens_for(engine.sync_engine, "connect")
        def _connect(dbapi_connection: object, _record: object) -> None:
            dbapi_connection.isolation_level = None  # type: ignore[attr-defined]

    return engine


def _unreachable_errors() -> tuple[type[Exception], ...]:
    import asyncpg
    from sqlalchemy.exc import SQLAlchemyError

    # asyncpg's errors on the way to a connection reach us as they are, not as SQLAlchemy's.
    return (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)


def _unreachable() -> ServiceUnavailable:
    return ServiceUnavailable(
        "Check LEADYARD_DATABASE_URL and that the database is running and takes connections.", retry_after_s=5
    )
