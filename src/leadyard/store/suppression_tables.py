"""The tables of suppressed people. tables.py has the rules of all tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, ForeignKeyConstraint, Index, PrimaryKeyConstraint, Table, Text

from leadyard.store.table_parts import IDENTIFIER, KEY, NUMBER, metadata

# One row for each account group that has ever suppressed a person. An addition reads only this if there is none.
suppression_lists = Table(
    "suppression_lists",
    metadata,
    Column("account_group_id", NUMBER, ForeignKey("account_groups.id"), primary_key=True, autoincrement=False),
    # Rises with each addition to the list, so that an import notices what was suppressed while it ran.
    Column("version", BigInteger, nullable=False),
    # Of the secret key with which the hashes were made.
    Column("key_check", Text, nullable=False),
)

# Keyed hashes of identities, and nothing from which the person could be read.
suppressions = Table(
    "suppressions",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("hash", IDENTIFIER, nullable=False),
    # In the order of time, for the list.
    Column("id", KEY, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("reason", Text),
    PrimaryKeyConstraint("account_group_id", "hash"),
    ForeignKeyConstraint(["account_group_id"], ["suppression_lists.account_group_id"]),
    Index("suppressions_in_order_idx", "account_group_id", "id"),
)
