"""The tables of suppressed people in the first migration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def make_suppressions() -> None:
    """Creates the tables of suppressed people."""
    identifier = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "suppression_lists",
        sa.Column("account_group_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("key_check", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_group_id"],
            ["account_groups.id"],
            name=op.f("suppression_lists_account_group_id_account_groups_fkey"),
        ),
        sa.PrimaryKeyConstraint("account_group_id", name=op.f("suppression_lists_pkey")),
    )
    op.create_table(
        "suppressions",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("hash", identifier, nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(
            ["account_group_id"],
            ["suppression_lists.account_group_id"],
            name=op.f("suppressions_account_group_id_suppression_lists_fkey"),
        ),
        sa.PrimaryKeyConstraint("account_group_id", "hash", name=op.f("suppressions_pkey")),
    )
    op.create_index("suppressions_in_order_idx", "suppressions", ["account_group_id", "id"])
