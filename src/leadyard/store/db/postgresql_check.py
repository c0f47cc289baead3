"""PostgreSQL's own check of its indexes, by its extension amcheck."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncpg

from leadyard.model import IntegrityCheck
from leadyard.store.db.connecting import connect

_CONNECT_WITHIN_S = 60.0
_NOT_INSTALLED = "the extension amcheck is not installed in this database (CREATE EXTENSION amcheck)"
_NOT_ALLOWED = "the user may not run amcheck (GRANT EXECUTE ON FUNCTION bt_index_check(regclass, boolean) TO …)"
_INDEXES = """SELECT CAST(CAST(c.oid AS regclass) AS text) AS name
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
    WHERE a.amname = 'btree' AND i.indisvalid AND c.relnamespace = CAST(current_schema() AS regnamespace) ORDER BY 1"""


async def find_damage(url: str, report: Callable[[int, int], None]) -> IntegrityCheck:
    """Checks that every row is in every index, and every index in order. It locks nothing that a request needs.

    `report` is called with the indexes checked and their number.
    """
    connection: Any = await connect(url, within_s=_CONNECT_WITHIN_S, statement_cache_size=0)
    try:
        if not await connection.fetchval("SELECT count(*) FROM pg_extension WHERE extname = 'amcheck'"):
            return IntegrityCheck(not_run_because=_NOT_INSTALLED)
        return await _check_indexes(connection, report)
    except asyncpg.InsufficientPrivilegeError:
        return IntegrityCheck(not_run_because=_NOT_ALLOWED)
    finally:
        await connection.close()


async def _check_indexes(connection: Any, report: Callable[[int, int], None]) -> IntegrityCheck:
    names = [row["name"] for row in await connection.fetch(_INDEXES)]
    problems = []
    for number, name in enumerate(names):
        report(number, len(names))
        try:
            await connection.fetchval("SELECT bt_index_check(CAST($1 AS regclass), true)", name)
        except (asyncpg.IndexCorruptedError, asyncpg.DataCorruptedError) as error:
            problems.append(f"{name}: {error}")
    return IntegrityCheck(tuple(problems))
