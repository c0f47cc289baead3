"""The table of the page's sessions in the first migration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def make_page_sessions() -> None:
    """Creates the table of the page's sessions."""
    op.create_table(
        "page_sessions",
        sa.Column("secret_hash", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("api_key_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["api_key_id"], ["api_keys.id"], name=op.f("page_sessions_api_key_id_api_keys_fkey")),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("page_sessions_pkey")),
    )
    op.create_index("page_sessions_expires_at_idx", "page_sessions", ["expires_at"])
