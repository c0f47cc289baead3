"""Statements on the check value of the secret key, by which the database shows that it was used with another key."""

from __future__ import annotations

from leadyard.database import Transaction
from leadyard.store.db import Statement

_READ = Statement("SELECT value FROM secret_key_checks WHERE id = 1", across_groups=True)
_ADD = Statement(
    "INSERT INTO secret_key_checks (id, value, created_at) VALUES (1, :value, :now) ON CONFLICT DO NOTHING",
    across_groups=True,
)


async def read(tx: Transaction) -> str | None:
    """Returns the check value of the key with which the database is used, None before the first use of a key."""
    row = await tx.row(_READ)
    return row["value"] if row else None


async def add(tx: Transaction, value: str, *, now: int) -> None:
    """Writes the check value, unless there is one."""
    await tx.run(_ADD, value=value, now=now)
