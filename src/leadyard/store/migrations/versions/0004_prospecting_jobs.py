"""Prospecting jobs that really run, the files they read, the rows they reject; answers kept for idempotency keys."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"

IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
COUNTS = ("read", "created", "matched", "added", "already_in_audience", "rejected", "emails_found")


def upgrade() -> None:
    op.add_column("account_groups", sa.Column("max_results", sa.Integer(), server_default="2000", nullable=False))
    for column in _columns_of_jobs():
        op.add_column("jobs", column)
    _make_rejections()
    _make_uploads()
    _make_answers()


def _columns_of_jobs() -> list[sa.Column[Any]]:
    return [
        sa.Column("source", DOCUMENT, server_default="{}", nullable=False),
        sa.Column("position", DOCUMENT),
        sa.Column("search_emails", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("stage", sa.Text(), server_default="import", nullable=False),
        sa.Column("import_progress", sa.Double(), server_default="0", nullable=False),
        sa.Column("enrichment_progress", sa.Double(), server_default="0", nullable=False),
        *(sa.Column(f"{name}_count", sa.BigInteger(), server_default="0", nullable=False) for name in COUNTS),
        sa.Column("error_code", sa.Text()),
        sa.Column("error_message", sa.Text()),
        sa.Column("api_key_id", IDENTIFIER),
        sa.Column("upload_id", IDENTIFIER),
        sa.Column("lease_number", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ready_at", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed_attempts", sa.Integer(), server_default="0", nullable=False),
    ]


def _make_rejections() -> None:
    op.create_table(
        "job_rejections",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("job_id", IDENTIFIER, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger()),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("cells", DOCUMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_group_id", "job_id"],
            ["jobs.account_group_id", "jobs.id"],
            name=op.f("job_rejections_account_group_id_jobs_fkey"),
        ),
        sa.PrimaryKeyConstraint("account_group_id", "job_id", "number", name=op.f("job_rejections_pkey")),
    )


def _make_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("size_bytes", sa.BigInteger()),
        sa.Column("sha256", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_group_id"], ["account_groups.id"], name=op.f("uploads_account_group_id_account_groups_fkey")
        ),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("uploads_pkey")),
    )
    op.create_index("uploads_expires_at_idx", "uploads", ["expires_at"], unique=False)
    op.create_table(
        "upload_pieces",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("upload_id", IDENTIFIER, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_group_id", "upload_id"],
            ["uploads.account_group_id", "uploads.id"],
            name=op.f("upload_pieces_account_group_id_uploads_fkey"),
        ),
        sa.PrimaryKeyConstraint("account_group_id", "upload_id", "number", name=op.f("upload_pieces_pkey")),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Compressing what is compressed already, or will be read once, costs more than it saves.
        op.execute("ALTER TABLE upload_pieces ALTER COLUMN content SET STORAGE EXTERNAL")


def _make_answers() -> None:
    op.create_table(
        "idempotency_answers",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("key", IDENTIFIER, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("token", IDENTIFIER, nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("headers", DOCUMENT),
        sa.Column("body", sa.Text()),
        sa.Column("job_id", IDENTIFIER),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_group_id"],
            ["account_groups.id"],
            name=op.f("idempotency_answers_account_group_id_account_groups_fkey"),
        ),
        sa.PrimaryKeyConstraint("account_group_id", "key", name=op.f("idempotency_answers_pkey")),
    )
    op.create_index("idempotency_answers_expires_at_idx", "idempotency_answers", ["expires_at"], unique=False)
