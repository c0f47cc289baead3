"""The table of the check value of the secret key. tables.py has the rules of all tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Table, Text

from leadyard.store.table_parts import metadata

# One row at most, written at the first use of the secret key. It belongs to no account group.
secret_key_checks = Table(
    "secret_key_checks",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
