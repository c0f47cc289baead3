"""How PostgreSQL plans prepared statements: once for all values, or on a distributed database for each call.

Citus needs the values of most of our statements to plan them, so a plan that PostgreSQL makes once for all values
fails there (docs/decisions/0007).
"""

from __future__ import annotations

from typing import Any

DETECT = "detect"
_HAS_CITUS = "SELECT to_regclass('pg_dist_partition') IS NOT NULL"
_IS_DISTRIBUTED = """SELECT EXISTS (SELECT 1 FROM pg_dist_partition
    WHERE logicalrelid = to_regclass('audiences') AND partmethod = 'h')"""
_AUTO = "SET plan_cache_mode = auto"


async def is_distributed(connection: Any) -> bool:
    """Returns whether Citus has distributed the tables of this database. `connection` is one of asyncpg."""
    # Two queries, because the table exists only where the extension does.
    return bool(await connection.fetchval(_HAS_CITUS) and await connection.fetchval(_IS_DISTRIBUTED))


async def resolved(plan_mode: str, connection: Any) -> str:
    """Returns generic, custom or auto: the mode that the operator has chosen, or the one that fits the database."""
    if plan_mode != DETECT:
        return plan_mode
    return "auto" if await is_distributed(connection) else "generic"


class PlanMode:
    """Gives each new connection of a pool the plan mode that fits the database. Only the first one asks, so a database
    must not be distributed while a pool is open."""

    def __init__(self, chosen: str) -> None:
        self._chosen = chosen
        self._fits: str | None = None

    @property
    def at_start(self) -> str:
        """The mode that a connection sends when it starts."""
        return "generic" if self._chosen == DETECT else self._chosen

    async def settle(self, connection: Any) -> None:
        """Changes the mode of a new connection if the database needs another one than it has started with."""
        if self._chosen != DETECT:
            return
        if self._fits is None:
            self._fits = await resolved(self._chosen, connection)
        if self._fits != self.at_start:
            await connection.execute(_AUTO)
