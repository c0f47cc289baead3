"""Reads from PostgreSQL what Leadyard depends on: the revision of the schema, the encoding, whether it may write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from leadyard.errors import DatabaseUnfit, ServiceUnavailable
from leadyard.model import DatabaseState
from leadyard.store.db.advice import explain
from leadyard.store.db.connecting import connect, is_out_of_slots
from leadyard.store.schema import TOO_MANY_CONNECTIONS

# The names without a schema are looked up in the search_path, as in every statement of ours.
_STATE = """SELECT pg_backend_pid() AS process_id, current_setting('server_version') AS version,
    current_setting('server_encoding') AS encoding,
    current_database() AS database, pg_is_in_recovery() AS is_standby,
    current_setting('transaction_read_only') = 'on' AS is_read_only,
    to_regclass('pg_dist_partition') IS NOT NULL AS has_citus,
    to_regclass('alembic_version') IS NOT NULL AS has_version,
    to_regclass('account_groups') IS NOT NULL AND to_regclass('memberships') IS NOT NULL AS has_tables"""
_REVISION = "SELECT version_num FROM alembic_version"
_SEARCH_PATH = "SELECT setting, source FROM pg_catalog.pg_settings WHERE name = 'search_path'"
_SCHEMAS = """SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname IN ('alembic_version', 'account_groups', 'memberships') AND c.relkind IN ('r', 'p')
    GROUP BY n.nspname HAVING count(*) = 3 ORDER BY n.nspname"""


async def read_state(url: str, *, within_s: float) -> DatabaseState:
    """Returns the state of the database of `url`. Connecting may take `within_s` seconds.

    Raises what connected_to raises. Raises DatabaseUnfit if the encoding is not UTF8, or if the tables are there and
    cannot be used.
    """
    async with connected_to(url, within_s=within_s) as connection:
        return await _read(connection)


@asynccontextmanager
async def connected_to(url: str, *, within_s: float) -> AsyncIterator[Any]:
    """Yields a connection that sets nothing in its session, and closes it. Connecting may take `within_s` seconds.

    Raises ServiceUnavailable if the server cannot be reached, with the reason TOO_MANY_CONNECTIONS if it has no free
    slot.
    """
    try:
        # Nothing is kept for a second use, so that a pooler may pass each statement to another server process.
        connection = await connect(url, within_s=within_s, command_timeout=within_s, statement_cache_size=0)
        try:
            yield connection
        finally:
            await connection.close(timeout=within_s)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        said, advice = explain(error, url)
        refusal = ServiceUnavailable(f"{said}. {advice}", retry_after_s=5)
        if is_out_of_slots(error):
            refusal.reason = TOO_MANY_CONNECTIONS
        raise refusal from error


async def _read(connection: Any) -> DatabaseState:
    found = await connection.fetchrow(_STATE)
    _refuse_encoding(found["encoding"], found["database"])
    revision = await connection.fetchval(_REVISION) if found["has_version"] else None
    if revision is None and (refusal := await _tables_without_revision(connection, has_tables=found["has_tables"])):
        # A migration may have ended between two of these statements, or a standby may have replayed one.
        found = await connection.fetchrow(_STATE)
        revision = await connection.fetchval(_REVISION) if found["has_version"] else None
        if revision is None:
            raise refusal
    return DatabaseState(
        revision=revision,
        server_version=found["version"],
        is_standby=found["is_standby"],
        is_read_only=found["is_read_only"],
        # A pooler invents the number that the client gets when it connects.
        has_citus=found["has_citus"],
        is_pooled=found["process_id"] != connection.get_server_pid(),
    )


def _refuse_encoding(encoding: str, database: str) -> None:
    if encoding != "UTF8":
        raise DatabaseUnfit(
            f"Its encoding is {encoding}, which cannot store every name. Create another one, name it in "
            "LEADYARD_DATABASE_URL, and restore the data into it: "
            f"createdb --encoding=UTF8 --locale=C.UTF-8 --template=template0 {database}_utf8"
        )


async def _tables_without_revision(connection: Any, *, has_tables: bool) -> DatabaseUnfit | None:
    """Returns the reason why a migration would fail, or would create a second, empty set of tables. Only a search_path
    in the URL proves that another schema is intended."""
    if has_tables:
        return DatabaseUnfit(
            "It has the tables of Leadyard but no revision, as after a restore of the schema without the data. Do not "
            "migrate it. Restore the whole dump into an empty database."
        )
    path = await connection.fetchrow(_SEARCH_PATH)
    schemas = [row["nspname"] for row in await connection.fetch(_SCHEMAS)]
    if not schemas or path["source"] == "client":
        return None
    now = path["setting"] or "empty"
    right = ", ".join(dict.fromkeys([*schemas[:1], "public"]))
    return DatabaseUnfit(
        f"The tables are in the schema {' and in '.join(schemas)}, but the search_path is {now}. "
        f"Do not migrate it. Set the search_path of the role: ALTER ROLE … SET search_path = {right}; "
        "or reset the one that hides the schema."
    )
