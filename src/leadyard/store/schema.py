"""Migrates a database to the current schema, and reads its current revision."""

from __future__ import annotations

import asyncio
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leadyard.errors import DatabaseReadOnly, DatabaseUnfit, SchemaOutOfDate, ServiceUnavailable
from leadyard.model import DatabaseState, Distribution

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import AsyncEngine


# How long a command waits for a server that is silent, in seconds.
CONNECT_WITHIN_S = 60.0
# The reason of a refusal of PostgreSQL, whose connections are all in use.
TOO_MANY_CONNECTIONS = "too_many_connections"
MIGRATIONS = Path(__file__).parent / "migrations"
_CURRENT = "SELECT version_num FROM alembic_version"
_DISTRIBUTE_ATTEMPTS = 3
# Deadlock, and no lock within the lock_timeout.
_IN_USE = {"40P01", "55P03"}
_MIGRATION_LOCK = 0x6C6561647961_7264  # "leadyard"


def head_revision() -> str:
    """Returns the schema revision that this version of the service requires."""
    return max(_known_revisions())


def is_known(revision: str) -> bool:
    """Returns whether this version of the service has a migration with this name."""
    return revision in _known_revisions()


def refuse_unknown(revision: str | None) -> None:
    """Raises SchemaOutOfDate for a revision that this version of the service does not have."""
    if revision is not None and revision not in _known_revisions():
        raise SchemaOutOfDate(
            f"It is at {revision}, which is unknown to this version ({head_revision()}). A newer Leadyard has migrated "
            "it: run that version or a newer one. If a development version before 0.1.0 made it, start with an empty "
            "database, because their tables cannot be converted."
        )


async def read_state(url: str, *, within_s: float = CONNECT_WITHIN_S) -> DatabaseState:
    """Returns the state of the database of `url`. Raises ServiceUnavailable if it cannot be reached, and DatabaseUnfit
    if it cannot be used."""
    if url.startswith("sqlite:"):
        return DatabaseState(revision=await _ask_sqlite(url))
    # The driver of the other database is not loaded.
    from leadyard.store.postgresql_state import read_state

    return await read_state(url, within_s=within_s)


async def current_revision(url: str) -> str | None:
    """Returns the revision of the database of `url`, or None if it is empty. Raises what read_state raises."""
    return (await read_state(url)).revision


def refuse_outdated(state: DatabaseState) -> None:
    """Raises SchemaOutOfDate for a schema that is older than this version requires."""
    if state.revision is None or (state.revision != head_revision() and is_known(state.revision)):
        where = " on the primary: this server is a standby" if state.is_standby else ""
        raise SchemaOutOfDate(
            f"It is at {state.revision or 'no revision'}, {head_revision()} is required. Run 'leadyard migrate'{where}."
        )


def refuse_read_only(state: DatabaseState) -> None:
    """Raises DatabaseReadOnly for a server that takes no writes."""
    if state.is_standby:
        raise DatabaseReadOnly(
            "read-only: it is a standby. Name the primary in LEADYARD_DATABASE_URL, or all hosts with "
            "target_session_attrs=read-write."
        )
    if state.is_read_only:
        raise DatabaseReadOnly(
            "read-only: not a standby, but default_transaction_read_only is on. Reset it for the role, the database or "
            "the server; or wait, if a switchover is in progress."
        )


def refuse_unknown_pooler(state: DatabaseState, *, is_pooled: bool) -> None:
    """Raises DatabaseUnfit for a pooler that the settings do not name."""
    if state.is_pooled and not is_pooled:
        raise DatabaseUnfit(
            "A pooler is between Leadyard and PostgreSQL. Set LEADYARD_DATABASE_POOLER=transaction, also if it pools "
            "whole sessions."
        )


async def migrate(url: str, *, is_pooled: bool = False) -> tuple[str | None, str]:
    """Runs the missing migrations in one transaction. Returns the revisions before and after. `is_pooled`: a pooler is
    between this process and PostgreSQL.

    Several processes may do this at once: the first does the work, the others find it done. Raises ServiceUnavailable
    if the database cannot be reached, DatabaseUnfit if it cannot be used, and SchemaOutOfDate if a migration fails or a
    newer version has migrated the database.
    """
    state = await read_state(url)
    refuse_unknown_pooler(state, is_pooled=is_pooled)
    before = state.revision
    refuse_unknown(before)
    if before == head_revision():
        return before, before
    refuse_read_only(state)
    from sqlalchemy.exc import DBAPIError

    try:
        if url.startswith("sqlite:"):
            before = await asyncio.to_thread(_migrate_sqlite, _path(url))
        else:
            before = await _migrate_postgresql(url, is_pooled=is_pooled)
    except DBAPIError as error:
        raise SchemaOutOfDate(f"The migration failed and nothing was changed: {_reason(error, url)}") from error
    return before, head_revision()


async def distribute(url: str, *, is_pooled: bool, plan_only: bool) -> Distribution:
    """Distributes the tables over the nodes of a Citus cluster, in one transaction, and then frees the coordinator's
    copies. Returns what was done, or with `plan_only` what would be.

    Raises ServiceUnavailable, DatabaseUnfit or SchemaOutOfDate, with the step that is missing, and DatabaseUnfit if the
    tables stay in use: then nothing was changed.
    """
    state = await read_state(url)
    refuse_unknown_pooler(state, is_pooled=is_pooled)
    refuse_unknown(state.revision)
    refuse_outdated(state)
    refuse_read_only(state)
    from leadyard.store import distribution

    engine = _engine(url, is_pooled=is_pooled)
    try:
        if plan_only:
            async with engine.begin() as connection:
                return await connection.run_sync(distribution.plan)
        found = await _distribute_unhindered(engine, url)
        async with engine.begin() as connection:
            await connection.run_sync(partial(distribution.free_local_copies, tables=found.missing))
        return found
    finally:
        await engine.dispose()


async def read_distribution(url: str, *, is_pooled: bool = False) -> Distribution | None:
    """Returns the state of a distributed database of `url`, None for one that is not distributed."""
    from leadyard.store import distribution

    engine = _engine(url, is_pooled=is_pooled)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(distribution.examine)
    finally:
        await engine.dispose()


async def _distribute_unhindered(engine: AsyncEngine, url: str) -> Distribution:
    from sqlalchemy.exc import DBAPIError

    for attempt in range(_DISTRIBUTE_ATTEMPTS):
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(_distribute)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in _IN_USE:
                raise DatabaseUnfit(f"Nothing was changed: {_reason(error, url)}") from error
            if attempt + 1 == _DISTRIBUTE_ATTEMPTS:
                raise DatabaseUnfit(
                    "The tables are in use, and nothing was changed. Stop 'leadyard serve' and 'leadyard worker' on "
                    "all machines, and run this again."
                ) from error
    raise AssertionError("the loop returns or raises")


def _distribute(connection: Connection) -> Distribution:
    from leadyard.store import distribution

    _begin_on_postgresql(connection)
    return distribution.distribute(connection)


def _migrate_sqlite(path: Path) -> str | None:
    from leadyard.store.db.sqlite_for_alembic import engine_for_migrations

    with engine_for_migrations(path).begin() as connection:
        return _upgrade(connection)


async def _migrate_postgresql(url: str, *, is_pooled: bool) -> str | None:
    engine = _engine(url, is_pooled=is_pooled)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _reason(error: DBAPIError, url: str) -> str:
    """Returns the reason of the database, and the remedy if there is one."""
    cause = error.orig.__cause__ if error.orig is not None else None
    if url.startswith("sqlite:") or cause is None:
        return str(error.orig).partition("\n")[0]
    from leadyard.store.db.advice import explain

    said, advice = explain(cause, url)
    return f"{said}. {advice}"


def _revision(connection: Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext

    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> str | None:
    from alembic import command

    if connection.dialect.name == "postgresql":
        _begin_on_postgresql(connection)
    before = _revision(connection)
    refuse_unknown(before)
    config = _config()
    config.attributes["connection"] = connection
    if connection.dialect.name != "postgresql":
        command.upgrade(config, "head")
        return before
    from leadyard.store import distribution

    is_distributed = distribution.prepare_migration(connection)
    command.upgrade(config, "head")
    if is_distributed:
        # A new table with a key to a distributed one must be distributed before anything else refers to it.
        distribution.distribute(connection)
    return before


def _begin_on_postgresql(connection: Connection) -> None:
    from leadyard.store.db.session_settings import SETTINGS_OF_A_MIGRATION

    for statement in SETTINGS_OF_A_MIGRATION:
        connection.exec_driver_sql(statement)
    # Another process that migrates at the same moment waits here and then finds the work done. Requests may not use
    # advisory locks, because these work on one node only. Migrations do run on one node only, the coordinator.
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")


def _known_revisions() -> set[str]:
    # Taken from the file names, which a test compares with the content. Every command needs the revisions first, and
    # Alembic takes longer to load than most commands take to run. The same is true for the functions below.
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")}


async def _ask_sqlite(url: str) -> str | None:
    # Only here, because PostgreSQL does not need this library.
    import apsw

    path = _path(url)
    try:
        return await asyncio.to_thread(_read_sqlite, path)
    except (OSError, apsw.Error) as error:
        advice = f"{path} must be an SQLite database, or a new file in a folder that exists and is writable."
        raise ServiceUnavailable(f"SQLite reports: {error}. {advice}", retry_after_s=5) from error


def _read_sqlite(path: Path) -> str | None:
    from leadyard.store.db.sqlite_engine import fetch, open_file

    with closing(open_file(path, mode="rwc", wait_s=30)) as connection:
        if not fetch(connection, "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"):
            return None
        rows = fetch(connection, _CURRENT)
        return rows[0]["version_num"] if rows else None


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


async def _connect_to_migrate(url: str, *, is_pooled: bool) -> Any:
    from leadyard.store.db.connecting import connect
    from leadyard.store.db.session_settings import startup_settings_for_migrations

    settings = startup_settings_for_migrations(url, is_pooled=is_pooled)
    return await connect(url, within_s=CONNECT_WITHIN_S, statement_cache_size=0, server_settings=settings)


def _engine(url: str, *, is_pooled: bool) -> AsyncEngine:
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    # asyncpg parses the URL itself, as it does for the service. SQLAlchemy would pass on sslmode=... unparsed.
    return create_async_engine(
        "postgresql+asyncpg://",
        poolclass=NullPool,
        connect_args={
            "async_creator_fn": lambda *_, **__: _connect_to_migrate(url, is_pooled=is_pooled),
            # A name of a prepared statement may already be taken in the session that a pooler lends. Statements
            # without a name replace each other, so SQLAlchemy must not keep them.
            "prepared_statement_name_func": str,
            "prepared_statement_cache_size": 0,
        },
    )
