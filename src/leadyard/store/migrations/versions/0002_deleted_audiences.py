"""Audiences are deleted in two steps: hidden at once, emptied afterwards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("audiences", sa.Column("deleted_at", sa.BigInteger(), nullable=True))
    op.create_index(
        "audiences_to_empty_idx",
        "audiences",
        ["account_group_id", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NOT NULL AND prospect_count > 0"),
        sqlite_where=sa.text("deleted_at IS NOT NULL AND prospect_count > 0"),
    )
