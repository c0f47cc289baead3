"""The real schema of a database: tables, columns, keys, indexes, checks and triggers, as its own catalogue describes
them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from leadyard.store.db.sqlite_for_alembic import engine_for_migrations

R = TypeVar("R")


def on_connection(url: str, work: Callable[[Connection], R]) -> R:
    """Runs the work in one transaction on the database and returns its result."""

    if url.startswith("sqlite:"):
        with engine_for_migrations(Path(url.removeprefix("sqlite:///"))).begin() as connection:
            return work(connection)

    async def run() -> R:
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), poolclass=NullPool
        )
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(work)
        finally:
            await engine.dispose()

    return asyncio.run(run())


def schema_of(url: str) -> dict[str, dict[str, Any]]:
    """Returns table → columns, primary_key, foreign_keys, indexes, checks, options, without Alembic's own
    table."""
    return on_connection(url, _describe)


def extensions_of(url: str) -> list[str]:
    """Returns the names of the extensions of PostgreSQL, or of the virtual tables of SQLite."""
    asked = (
        "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL%'"
        if url.startswith("sqlite:")
        else "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'"
    )
    return on_connection(url, lambda connection: [row[0] for row in connection.execute(text(asked))])


def triggers_of(url: str) -> list[str]:
    """Returns the names of the triggers that a migration made."""
    asked = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if url.startswith("sqlite:")
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    return on_connection(url, lambda connection: [row[0] for row in connection.execute(text(asked))])


def _describe(connection: Connection) -> dict[str, dict[str, Any]]:
    inspector = inspect(connection)
    tables = [name for name in inspector.get_table_names() if name != "alembic_version"]
    definitions = _definitions(connection)
    return {
        name: {
            "columns": {
                column["name"]: (_type(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(name)
            },
            "primary_key": (
                inspector.get_pk_constraint(name)["name"],
                tuple(inspector.get_pk_constraint(name)["constrained_columns"]),
            ),
            "foreign_keys": sorted(
                (
                    str(key["name"]),
                    tuple(key["constrained_columns"]),
                    str(key["referred_table"]),
                    tuple(key["referred_columns"]),
                )
                for key in inspector.get_foreign_keys(name)
            ),
            "on_delete": _on_delete(connection, name),
            "unique": sorted(
                (str(each["name"]), tuple(each["column_names"])) for each in inspector.get_unique_constraints(name)
            ),
            "indexes": sorted(
                (str(index["name"]), tuple(str(each) for each in index["column_names"]), bool(index["unique"]))
                for index in inspector.get_indexes(name)
            ),
            "checks": sorted(
                (str(check["name"]), _plain(check["sqltext"])) for check in inspector.get_check_constraints(name)
            ),
            # Predicates of partial indexes, collations, WITHOUT ROWID: details that reflection leaves out.
            "definitions": sorted(definitions.get(name, [])),
        }
        for name in tables
    }


def _on_delete(connection: Connection, table: str) -> list[str]:
    """Returns what the foreign keys of the table do on delete. SQLAlchemy overlooks it in some spellings of SQLite."""
    if connection.dialect.name == "sqlite":
        return sorted(row[6] for row in connection.exec_driver_sql(f"PRAGMA foreign_key_list({table})"))
    asked = text(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' AND conrelid = to_regclass(:t)"
    )
    return sorted(
        str(row[0]).partition("ON DELETE ")[2] or "NO ACTION" for row in connection.execute(asked, {"t": table})
    )


def _definitions(connection: Connection) -> dict[str, list[str]]:
    if connection.dialect.name == "sqlite":
        asked = """SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
            UNION ALL SELECT tbl_name, CASE WHEN sql LIKE '%WITHOUT ROWID%' THEN 'WITHOUT ROWID' ELSE 'rowid' END
            FROM sqlite_master WHERE type = 'table'"""
    else:
        asked = """SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = current_schema()
            UNION ALL SELECT c.relname, a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' '
                || coalesce(l.collname, '') FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            LEFT JOIN pg_collation l ON l.oid = a.attcollation
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
                AND NOT a.attisdropped"""
    found: dict[str, list[str]] = {}
    for table, definition in connection.execute(text(asked)):
        found.setdefault(str(table), []).append(_plain(str(definition)))
    return found


def _type(of_column: Any) -> str:
    return f"{of_column} {getattr(of_column, 'collation', None) or ''}".strip()


def _plain(sql: str) -> str:
    return re.sub(r"\s+", " ", sql.replace('"', "")).strip()
