"""The table of the check value of the secret key in the first migration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def make_secret_key_checks() -> None:
    """Creates the table of the check value of the secret key."""
    op.create_table(
        "secret_key_checks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("secret_key_checks_one_row_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("secret_key_checks_pkey")),
    )
