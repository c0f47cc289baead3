"""The tables of merged people and of likely duplicates in the first migration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql


def make_lead_identities() -> None:
    """Creates the table of the identities of merged people."""
    identifier = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "lead_identities",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", identifier, nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_group_id", "kind", "value", "lead_id", name=op.f("lead_identities_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index("lead_identities_account_group_id_lead_id_idx", "lead_identities", ["account_group_id", "lead_id"])


def make_duplicates() -> None:
    """Creates the tables of likely duplicates."""
    keys = sa.JSON().with_variant(postgresql.ARRAY(sa.BigInteger()), "postgresql")
    op.create_table(
        "leads_to_compare",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("is_range", sa.Boolean(), nullable=False),
        sa.Column("lead_ids", keys, nullable=False),
        sa.Column("old_keys", keys),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("leads_to_compare_pkey")),
    )
    op.create_table(
        "duplicate_blocks",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_group_id", "first", name=op.f("duplicate_blocks_pkey")),
        postgresql_with={"fillfactor": 60},
        sqlite_with_rowid=False,
    )
    op.create_table(
        "duplicate_groups",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_group_id", "key", name=op.f("duplicate_groups_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "duplicate_keys",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_group_id", "key", "lead_id", name=op.f("duplicate_keys_pkey")),
        sqlite_with_rowid=False,
    )
