"""The tables of jobs in the first migration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

# Repeated here and not imported from table_parts.py, because a migration must not change when the tables do.
KEYS = sa.JSON().with_variant(postgresql.ARRAY(sa.BigInteger()), "postgresql")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
COUNTS = (
    *("read", "created", "matched", "added", "already_in_audience", "rejected", "skipped", "noted", "differing"),
    *("suppressed", "emails_found"),
)
COUNTS_OF_TRANSFERS = ("selected", "applied", "kept_edits")
STAGES_OF_TRANSFERS = ("select", "apply", "withdraw", "revert")


def make_jobs() -> None:
    """Creates the tables of jobs."""
    op.create_table(
        "jobs",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="prospecting", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("audience_id", sa.BigInteger(), nullable=False),
        sa.Column("second_audience_id", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("source", DOCUMENT, server_default="{}", nullable=False),
        sa.Column("position", DOCUMENT),
        sa.Column("search_emails", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("stage", sa.Text(), server_default="import", nullable=False),
        sa.Column("import_progress", sa.Double(), server_default="0", nullable=False),
        sa.Column("enrichment_progress", sa.Double(), server_default="0", nullable=False),
        *(
            sa.Column(f"{name}_progress", sa.Double(), server_default="0", nullable=False)
            for name in STAGES_OF_TRANSFERS
        ),
        *(
            sa.Column(f"{name}_count", sa.BigInteger(), server_default="0", nullable=False)
            for name in (*COUNTS, *COUNTS_OF_TRANSFERS)
        ),
        sa.Column("error_code", sa.Text()),
        sa.Column("error_message", sa.Text()),
        sa.Column("error_extra", DOCUMENT),
        sa.Column("ends_as", sa.Text()),
        sa.Column("change_id", sa.BigInteger()),
        sa.Column("lead_ids", KEYS),
        sa.Column("excluded_lead_ids", KEYS),
        sa.Column("api_key_id", sa.BigInteger()),
        sa.Column("upload_id", sa.BigInteger()),
        sa.Column("lease_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ready_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'completed', 'failed', 'cancelled')", name=op.f("jobs_status_check")
        ),
        sa.CheckConstraint("second_audience_id <> audience_id", name=op.f("jobs_two_audiences_check")),
        _refers("audience_id", "audiences", "jobs_account_group_id_audiences_fkey"),
        _refers("second_audience_id", "audiences", "jobs_second_audience_id_audiences_fkey"),
        _in_group("jobs"),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("jobs_pkey")),
    )
    _partial_index(
        "jobs_populating_key",
        "jobs",
        "account_group_id",
        "audience_id",
        unique=True,
        where="status IN ('queued', 'running')",
    )
    _partial_index(
        "jobs_populating_second_key",
        "jobs",
        "account_group_id",
        "second_audience_id",
        unique=True,
        where="second_audience_id IS NOT NULL AND status IN ('queued', 'running')",
    )
    op.create_table(
        "job_rejections",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger()),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("cells", DOCUMENT, nullable=False),
        sa.Column("is_note", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("note_count", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("lead_id", sa.BigInteger()),
        _refers("job_id", "jobs", "job_rejections_account_group_id_jobs_fkey"),
        sa.PrimaryKeyConstraint("account_group_id", "job_id", "number", name=op.f("job_rejections_pkey")),
    )
    _partial_index(
        "job_rejections_lead_idx", "job_rejections", "account_group_id", "lead_id", where="lead_id IS NOT NULL"
    )


def _in_group(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"{table}_account_group_id_account_groups_fkey")
    return sa.ForeignKeyConstraint(["account_group_id"], ["account_groups.id"], name=name)


def _refers(column: str, table: str, name: str) -> sa.ForeignKeyConstraint:
    there = [f"{table}.account_group_id", f"{table}.id"]
    return sa.ForeignKeyConstraint(["account_group_id", column], there, name=op.f(name))


def _partial_index(name: str, table: str, *columns: str, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, postgresql_where=condition, sqlite_where=condition)
