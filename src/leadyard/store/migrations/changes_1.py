"""The tables of the record of changes in the first migration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# Repeated here and not imported from table_parts.py, because a migration must not change when the tables do.
KEYS = sa.JSON().with_variant(postgresql.ARRAY(sa.BigInteger()), "postgresql")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def make_changes() -> None:
    """Creates the tables of the record of changes."""
    op.create_table(
        "changes",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("is_indexed", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="complete", nullable=False),
        sa.Column("source_audience_id", sa.BigInteger()),
        sa.Column("target_audience_id", sa.BigInteger()),
        sa.Column("lead_count", sa.BigInteger(), nullable=False),
        sa.Column("already_in_target_count", sa.BigInteger(), nullable=False),
        sa.Column("filled_count", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("api_key_id", sa.BigInteger()),
        sa.Column("job_id", sa.BigInteger()),
        sa.Column("undoes_change_id", sa.BigInteger()),
        sa.Column("undone_by_change_id", sa.BigInteger()),
        sa.Column("attempt", sa.BigInteger()),
        sa.Column("lead_ids", KEYS),
        sa.Column("left_at", KEYS),
        sa.Column("entered_at", KEYS),
        sa.CheckConstraint("already_in_target_count BETWEEN 0 AND lead_count", name=op.f("changes_counts_check")),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("changes_pkey")),
    )
    not_indexed = sa.text("NOT is_indexed")
    op.create_index(
        "changes_to_index_idx",
        "changes",
        ["account_group_id", "id"],
        postgresql_where=not_indexed,
        sqlite_where=not_indexed,
    )
    is_open = sa.text("state = 'open'")
    op.create_index(
        "changes_open_key",
        "changes",
        ["account_group_id", "job_id"],
        unique=True,
        postgresql_where=is_open,
        sqlite_where=is_open,
    )
    op.create_table(
        "change_parts",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("created_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("first_created_id", sa.BigInteger()),
        sa.Column("last_created_id", sa.BigInteger()),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("target_audience_id", sa.BigInteger()),
        sa.Column("lead_ids", KEYS, nullable=False),
        sa.Column("left_at", KEYS),
        sa.Column("entered_at", KEYS),
        sa.Column("is_indexed", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("is_planned", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_group_id", "change_id"],
            ["changes.account_group_id", "changes.id"],
            name=op.f("change_parts_account_group_id_changes_fkey"),
        ),
        sa.PrimaryKeyConstraint("account_group_id", "change_id", "position", name=op.f("change_parts_pkey")),
    )
    op.create_table(
        "change_subjects",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_group_id", "subject", "change_id", name=op.f("change_subjects_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "replaced_values",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("old_value", sa.Text()),
        sa.Column("new_value", sa.Text()),
        sa.ForeignKeyConstraint(
            ["account_group_id", "change_id"],
            ["changes.account_group_id", "changes.id"],
            name=op.f("replaced_values_account_group_id_changes_fkey"),
        ),
        sa.PrimaryKeyConstraint("account_group_id", "change_id", "lead_id", "field", name=op.f("replaced_values_pkey")),
    )
    op.create_index("replaced_values_account_group_id_lead_id_idx", "replaced_values", ["account_group_id", "lead_id"])
    op.create_table(
        "withdrawn_leads",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("change_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("profile", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_group_id", "change_id"],
            ["changes.account_group_id", "changes.id"],
            name=op.f("withdrawn_leads_account_group_id_changes_fkey"),
        ),
        sa.PrimaryKeyConstraint("account_group_id", "change_id", "lead_id", name=op.f("withdrawn_leads_pkey")),
    )
