"""First schema: tenants, keys, folders, audiences, leads, memberships, the record of moves, jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

# Spelled out again rather than imported from tables.py: a migration must not change when the tables do.
IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IDENTIFIERS = sa.JSON().with_variant(postgresql.ARRAY(sa.Text(collation="C")), "postgresql")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "account_groups",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("account_groups_pkey")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("secret_hash", IDENTIFIER, nullable=False),
        sa.Column("permissions", DOCUMENT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("secret_hash", name=op.f("api_keys_secret_hash_key")),
    )
    op.create_table(
        "api_key_account_groups",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("api_key_id", IDENTIFIER, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_group_id"],
            ["account_groups.id"],
            name=op.f("api_key_account_groups_account_group_id_account_groups_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("api_key_account_groups_api_key_id_api_keys_fkey")
        ),
        sa.PrimaryKeyConstraint("account_group_id", "api_key_id", name=op.f("api_key_account_groups_pkey")),
    )
    op.create_index("api_key_account_groups_api_key_id_idx", "api_key_account_groups", ["api_key_id"], unique=False)

    op.create_table(
        "folders",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("audience_type", sa.Text(), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("audience_type IN ('on_demand', 'monitoring')", name=op.f("folders_audience_type_check")),
        sa.ForeignKeyConstraint(
            ["account_group_id"], ["account_groups.id"], name=op.f("folders_account_group_id_account_groups_fkey")
        ),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("folders_pkey")),
    )
    op.create_table(
        "leads",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("public_identifier", IDENTIFIER, nullable=True),
        sa.Column("email", IDENTIFIER, nullable=True),
        sa.Column("provider_id", IDENTIFIER, nullable=True),
        sa.Column("first_name", sa.Text(), nullable=True),
        sa.Column("last_name", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("headline", sa.Text(), nullable=True),
        sa.Column("about", sa.Text(), nullable=True),
        sa.Column("photo_url", sa.Text(), nullable=True),
        sa.Column("linkedin_url", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("company_name", sa.Text(), nullable=True),
        sa.Column("company_linkedin_identifier", sa.Text(), nullable=True),
        sa.Column("company_linkedin_url", sa.Text(), nullable=True),
        sa.Column("company_industry", sa.Text(), nullable=True),
        sa.Column("company_website", sa.Text(), nullable=True),
        sa.Column("custom_fields", DOCUMENT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_group_id"], ["account_groups.id"], name=op.f("leads_account_group_id_account_groups_fkey")
        ),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("leads_pkey")),
    )
    op.create_index(
        "leads_email_key",
        "leads",
        ["account_group_id", "email"],
        unique=True,
        postgresql_where=sa.text("email IS NOT NULL"),
        sqlite_where=sa.text("email IS NOT NULL"),
    )
    op.create_index(
        "leads_provider_id_idx",
        "leads",
        ["account_group_id", "provider_id"],
        unique=False,
        postgresql_where=sa.text("provider_id IS NOT NULL"),
        sqlite_where=sa.text("provider_id IS NOT NULL"),
    )
    op.create_index(
        "leads_provider_id_key",
        "leads",
        ["account_group_id", "provider_id"],
        unique=True,
        postgresql_where=sa.text("provider_id IS NOT NULL AND public_identifier IS NULL AND email IS NULL"),
        sqlite_where=sa.text("provider_id IS NOT NULL AND public_identifier IS NULL AND email IS NULL"),
    )
    op.create_index(
        "leads_public_identifier_key",
        "leads",
        ["account_group_id", "public_identifier"],
        unique=True,
        postgresql_where=sa.text("public_identifier IS NOT NULL"),
        sqlite_where=sa.text("public_identifier IS NOT NULL"),
    )

    op.create_table(
        "moves",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("source_audience_id", IDENTIFIER, nullable=False),
        sa.Column("target_audience_id", IDENTIFIER, nullable=False),
        sa.Column("lead_ids", IDENTIFIERS, nullable=False),
        sa.Column("moved_count", sa.Integer(), nullable=False),
        sa.Column("already_in_target_count", sa.Integer(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.Column("api_key_id", IDENTIFIER, nullable=True),
        sa.Column("undone_by_move_id", IDENTIFIER, nullable=True),
        sa.CheckConstraint(
            "moved_count >= 1 AND already_in_target_count BETWEEN 0 AND moved_count", name=op.f("moves_counts_check")
        ),
        sa.CheckConstraint("source_audience_id <> target_audience_id", name=op.f("moves_two_audiences_check")),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("moves_pkey")),
    )
    op.create_table(
        "audiences",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("folder_id", IDENTIFIER, nullable=True),
        sa.Column("prospect_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "type IN ('on_demand', 'monitoring', 'linkedin_search', 'sales_navigator', 'post_commenters', 'url_upload',"
            " 'csv_upload')",
            name=op.f("audiences_type_check"),
        ),
        sa.CheckConstraint("prospect_count >= 0", name=op.f("audiences_prospect_count_check")),
        sa.ForeignKeyConstraint(
            ["account_group_id", "folder_id"],
            ["folders.account_group_id", "folders.id"],
            name=op.f("audiences_account_group_id_folders_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["account_group_id"], ["account_groups.id"], name=op.f("audiences_account_group_id_account_groups_fkey")
        ),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("audiences_pkey")),
    )
    op.create_index(
        "audiences_account_group_id_folder_id_idx", "audiences", ["account_group_id", "folder_id"], unique=False
    )

    op.create_table(
        "jobs",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("audience_id", IDENTIFIER, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'completed', 'failed', 'cancelled')", name=op.f("jobs_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["account_group_id", "audience_id"],
            ["audiences.account_group_id", "audiences.id"],
            name=op.f("jobs_account_group_id_audiences_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["account_group_id"], ["account_groups.id"], name=op.f("jobs_account_group_id_account_groups_fkey")
        ),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("jobs_pkey")),
    )
    op.create_index(
        "jobs_populating_key",
        "jobs",
        ["account_group_id", "audience_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('queued', 'running')"),
        sqlite_where=sa.text("status IN ('queued', 'running')"),
    )

    op.create_table(
        "memberships",
        sa.Column("account_group_id", IDENTIFIER, nullable=False),
        sa.Column("audience_id", IDENTIFIER, nullable=False),
        sa.Column("lead_id", IDENTIFIER, nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_group_id", "audience_id"],
            ["audiences.account_group_id", "audiences.id"],
            name=op.f("memberships_account_group_id_audiences_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["account_group_id", "lead_id"],
            ["leads.account_group_id", "leads.id"],
            name=op.f("memberships_account_group_id_leads_fkey"),
        ),
        sa.PrimaryKeyConstraint("account_group_id", "audience_id", "lead_id", name=op.f("memberships_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "memberships_lead_id_account_group_id_idx", "memberships", ["lead_id", "account_group_id"], unique=False
    )
