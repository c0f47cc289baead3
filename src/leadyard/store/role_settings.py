"""The settings of the role in its database, for sessions that a pooler lends to several clients."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import asyncpg

from leadyard.errors import DatabaseUnfit
from leadyard.store.db.plan_mode import resolved
from leadyard.store.db.session_settings import is_met, needed_settings
from leadyard.store.db.warm_connections import LOST
from leadyard.store.postgresql_state import connected_to

# `setting` is what the session has now, `reset_val` what it had when it started: and the value of the role counts then.
_IN_FORCE = "SELECT name, setting, reset_val FROM pg_catalog.pg_settings WHERE name = ANY(CAST($1 AS text[]))"
# The names of the role and the database, and the value, are quoted by PostgreSQL, because ALTER takes no parameters.
_ALTER = """SELECT format('ALTER ROLE %I IN DATABASE %I SET %I = %L', session_user, current_database(),
    CAST($1 AS text), CAST($2 AS text))"""
_OF_ROLE = """SELECT split_part(each, '=', 1) AS name FROM pg_catalog.pg_db_role_setting s
    JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase AND d.datname = current_database()
    JOIN pg_catalog.pg_roles r ON r.oid = s.setrole AND r.rolname = session_user
    CROSS JOIN LATERAL unnest(s.setconfig) AS each"""
_RECONNECT = "et the pooler open new sessions, with PgBouncer: psql … --dbname=pgbouncer --command=RECONNECT"


async def refuse_missing(url: str, *, plan_mode: str, within_s: float) -> None:
    """Raises DatabaseUnfit if a session does not have the settings that it needs, with the command that sets them."""
    async with connected_to(url, within_s=within_s) as connection:
        missing = await _missing(connection, "setting", plan_mode)
        if not missing:
            return
        of_role = {row["name"] for row in await connection.fetch(_OF_ROLE)}
    listed = ", ".join(f"{name} = {value}" for name, value in missing.items())
    raise DatabaseUnfit(f"The sessions of the pooler lack settings: {listed}. {_remedy(missing.keys() <= of_role)}")


async def read_missing(url: str, *, plan_mode: str, within_s: float) -> dict[str, str]:
    """Returns the settings that `write` would set for the role."""
    async with connected_to(url, within_s=within_s) as connection:
        return await _missing(connection, "reset_val", plan_mode)


async def write(url: str, *, plan_mode: str, within_s: float) -> dict[str, str]:
    """Gives the role of `url`, in its database, the settings that its new sessions would lack. Returns them.

    Behind a pooler it then ends the session that it has used, so that a first one starts with the new settings.
    """
    async with connected_to(url, within_s=within_s) as connection:
        async with connection.transaction():
            missing = await _missing(connection, "reset_val", plan_mode)
            for name, value in missing.items():
                await connection.execute(await connection.fetchval(_ALTER, name, value))
        if missing:
            await _end_session(connection)
    return missing


async def _missing(connection: Any, column: str, plan_mode: str) -> dict[str, str]:
    needed = needed_settings(plan_mode=await resolved(plan_mode, connection))
    in_force = {row["name"]: row[column] for row in await connection.fetch(_IN_FORCE, list(needed))}
    return {name: value for name, value in needed.items() if not is_met(name, value, in_force[name])}


def _remedy(the_role_has_them: bool) -> str:
    if the_role_has_them:
        return f"The role has them: l{_RECONNECT}. Use a role that no other program uses, so that none changes them."
    return f"Run 'leadyard migrate --role-settings'. Then l{_RECONNECT}"


async def _end_session(connection: Any) -> None:
    with suppress(asyncpg.PostgresError, *LOST):
        await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
