"""What the database is like, as far as the start, the readiness and the check-up depend on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseState:
    """`revision` is that of the schema, None if there is none. The other fields describe a PostgreSQL server; SQLite
    has no `server_version`. A standby is always read-only, and a primary may be. `is_pooled`: a pooler is
    between this process and the server. `has_citus`: it has the extension, so the tables may be distributed."""

    revision: str | None
    server_version: str | None = None
    is_standby: bool = False
    is_read_only: bool = False
    is_pooled: bool = False
    has_citus: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Where the tables of a database are. `reference` and `distributed` are those that were done now, or would be;
    `foreign_keys` is the number of keys that are dropped and added again for it. `problems` are sentences for the
    operator, each with its remedy; without one the tables are as the service needs them."""

    reference: tuple[str, ...] = ()
    distributed: tuple[str, ...] = ()
    foreign_keys: int = 0
    problems: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The tables that are not where they belong yet."""
        return (*self.reference, *self.distributed)
