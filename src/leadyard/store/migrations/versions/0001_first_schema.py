"""The first schema, and what is not in tables.py: the function of the move, sizes for SQLite."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from leadyard.store.migrations.changes_1 import make_changes
from leadyard.store.migrations.events_1 import make_events
from leadyard.store.migrations.jobs_1 import make_jobs
from leadyard.store.migrations.merging_1 import make_duplicates, make_lead_identities
from leadyard.store.migrations.move_leads_1 import MOVE_LEADS_1
from leadyard.store.migrations.page_1 import make_page_sessions
from leadyard.store.migrations.secret_key_1 import make_secret_key_checks
from leadyard.store.migrations.suppression_1 import make_suppressions
from leadyard.store.migrations.webhooks_1 import make_webhooks

revision = "0001"
down_revision = None

# Repeated here and not imported from tables.py, because a migration must not change when the tables do.
IDENTIFIER = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KEYS = sa.JSON().with_variant(postgresql.ARRAY(sa.BigInteger()), "postgresql")
DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TEXTS_OF_LEADS = (
    "first_name",
    "last_name",
    "name",
    "headline",
    "about",
    "photo_url",
    "title",
    "phone",
    "location",
    "company_name",
    "company_linkedin_identifier",
    "company_linkedin_url",
    "company_industry",
    "company_website",
)

# Rows of the table, then rows for each value of the first column, of the first two columns, and so on. Without these
# numbers SQLite expects ten rows for an account group. Then a walk over all of them looks as cheap as a look-up, and
# SQLite 3.54 walks, also for its own check of foreign keys. ANALYZE replaces the numbers by measured ones.
SIZES = (
    ("leads", "leads", "10000000 1000000 1"),
    ("leads", "leads_public_identifier_key", "10000000 1000000 1"),
    ("leads", "leads_email_key", "10000000 1000000 1"),
    ("leads", "leads_shared_email_key", "1000 1000 10 1"),
    ("leads", "leads_shared_email_idx", "1000 1000 10 2 1"),
    ("leads", "leads_provider_id_key", "10000000 1000000 1"),
    ("leads", "leads_provider_id_idx", "10000000 1000000 2"),
    ("lead_identities", "lead_identities", "1000 1000 500 1 1"),
    ("lead_identities", "lead_identities_account_group_id_lead_id_idx", "1000 1000 2"),
    ("duplicate_blocks", "duplicate_blocks", "200000 20000 1"),
    ("duplicate_groups", "duplicate_groups", "100000 10000 1"),
    ("duplicate_keys", "duplicate_keys", "300000 30000 3 1"),
    ("memberships", "memberships", "10000000 1000000 1000 1"),
    ("memberships", "memberships_lead_id_account_group_id_idx", "10000000 10 10"),
    ("search_blocks", "sqlite_autoindex_search_blocks_1", "200000 20000 1"),
    ("search_blocks", "search_blocks_in_order_idx", "200000 20000 1 1"),
    ("search_blocks", "search_blocks_small_idx", "100 10 1"),
    ("changes", "sqlite_autoindex_changes_1", "1000000 100000 1"),
    ("changes", "changes_to_index_idx", "1000 100 1"),
    ("change_parts", "sqlite_autoindex_change_parts_1", "100000 10000 100 1"),
    ("replaced_values", "sqlite_autoindex_replaced_values_1", "1000000 100000 1000 3 1"),
    ("replaced_values", "replaced_values_account_group_id_lead_id_idx", "1000000 100000 10"),
    ("suppressions", "sqlite_autoindex_suppressions_1", "100000 10000 1"),
    ("suppressions", "suppressions_in_order_idx", "100000 10000 1"),
    ("change_subjects", "change_subjects", "10000000 1000000 10 1"),
    ("event_outbox", "event_outbox", "1000 100 1"),
    ("events", "events", "1000000 100000 1"),
    ("event_feeds", "event_feeds", "1000 1"),
    ("upload_pieces", "sqlite_autoindex_upload_pieces_1", "100000 10000 100 1"),
)


def upgrade() -> None:
    _make_tenants_and_keys()
    make_page_sessions()
    make_secret_key_checks()
    make_suppressions()
    _make_audiences()
    _make_leads()
    _make_search_blocks()
    make_lead_identities()
    make_duplicates()
    _make_memberships()
    make_changes()
    make_events()
    make_webhooks()
    make_jobs()
    _make_uploads()
    _make_answers()
    if op.get_bind().dialect.name == "postgresql":
        _add_what_only_postgresql_has()
    else:
        _add_what_only_sqlite_has()


def _in_group(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"{table}_account_group_id_account_groups_fkey")
    return sa.ForeignKeyConstraint(["account_group_id"], ["account_groups.id"], name=name)


def _refers(column: str, table: str, name: str) -> sa.ForeignKeyConstraint:
    there = [f"{table}.account_group_id", f"{table}.id"]
    return sa.ForeignKeyConstraint(["account_group_id", column], there, name=op.f(name))


def _partial_index(name: str, table: str, *columns: str | sa.TextClause, where: str, unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=unique, postgresql_where=condition, sqlite_where=condition)


def _make_tenants_and_keys() -> None:
    op.create_table(
        "account_groups",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("max_results", sa.Integer(), server_default="2000", nullable=False),
        sa.Column("changes_expired_before", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("id = (key & 2097151)", name=op.f("account_groups_number_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("account_groups_pkey")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("secret_hash", IDENTIFIER, nullable=False),
        sa.Column("permissions", DOCUMENT, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("secret_hash", name=op.f("api_keys_secret_hash_key")),
    )
    op.create_table(
        "api_key_account_groups",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("api_key_id", sa.BigInteger(), nullable=False),
        _in_group("api_key_account_groups"),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("api_key_account_groups_api_key_id_api_keys_fkey")
        ),
        sa.PrimaryKeyConstraint("account_group_id", "api_key_id", name=op.f("api_key_account_groups_pkey")),
    )
    op.create_index("api_key_account_groups_api_key_id_idx", "api_key_account_groups", ["api_key_id"])


def _make_audiences() -> None:
    op.create_table(
        "folders",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("audience_type", sa.Text(), nullable=False),
        sa.Column("is_pinned", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("audience_type IN ('on_demand', 'monitoring')", name=op.f("folders_audience_type_check")),
        _in_group("folders"),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("folders_pkey")),
    )
    op.create_table(
        "audiences",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("folder_id", sa.BigInteger()),
        sa.Column("prospect_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger()),
        sa.Column("deleted_by_change_id", sa.BigInteger()),
        sa.Column("emptied_at", sa.BigInteger()),
        sa.CheckConstraint(
            "number = (id & 2097151) AND prospect_count >= 0", name=op.f("audiences_number_and_count_check")
        ),
        _refers("folder_id", "folders", "audiences_account_group_id_folders_fkey"),
        _in_group("audiences"),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("audiences_pkey")),
        sa.UniqueConstraint("account_group_id", "number", name=op.f("audiences_account_group_id_number_key")),
    )
    op.create_index("audiences_account_group_id_folder_id_idx", "audiences", ["account_group_id", "folder_id"])
    _partial_index(
        "audiences_to_empty_idx",
        "audiences",
        "account_group_id",
        "id",
        where="deleted_at IS NOT NULL AND emptied_at IS NULL",
    )


def _make_leads() -> None:
    op.create_table(
        "leads",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("search_block_id", sa.BigInteger(), nullable=False),
        sa.Column("public_identifier", IDENTIFIER),
        sa.Column("email", IDENTIFIER),
        sa.Column("provider_id", IDENTIFIER),
        *(sa.Column(name, sa.Text()) for name in TEXTS_OF_LEADS),
        sa.Column("custom_fields", DOCUMENT),
        sa.Column("shared_email_name", IDENTIFIER),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("leads_pkey")),
        sqlite_with_rowid=False,
    )
    _partial_index(
        "leads_email_key",
        "leads",
        "account_group_id",
        "email",
        unique=True,
        where="email IS NOT NULL AND shared_email_name IS NULL",
    )
    _partial_index(
        "leads_shared_email_key",
        "leads",
        "account_group_id",
        "email",
        "shared_email_name",
        unique=True,
        where="shared_email_name IS NOT NULL AND public_identifier IS NULL",
    )
    _partial_index(
        "leads_shared_email_idx",
        "leads",
        "account_group_id",
        "email",
        "shared_email_name",
        "id",
        where="shared_email_name IS NOT NULL",
    )
    _partial_index("leads_provider_id_idx", "leads", "account_group_id", "provider_id", where="provider_id IS NOT NULL")
    _partial_index(
        "leads_provider_id_key",
        "leads",
        "account_group_id",
        "provider_id",
        unique=True,
        where="provider_id IS NOT NULL AND public_identifier IS NULL AND email IS NULL",
    )
    _partial_index(
        "leads_public_identifier_key",
        "leads",
        "account_group_id",
        sa.text("lower(public_identifier)"),
        unique=True,
        where="public_identifier IS NOT NULL",
    )


def _make_search_blocks() -> None:
    op.create_table(
        "search_blocks",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("is_small", sa.Boolean(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("first_lead_id", sa.BigInteger(), nullable=False),
        sa.Column("last_lead_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_ids", sa.LargeBinary(), nullable=False),
        sa.Column("lines", IDENTIFIER, nullable=False),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("search_blocks_pkey")),
        postgresql_with={"toast_tuple_target": 8160},
    )
    op.create_index("search_blocks_in_order_idx", "search_blocks", ["account_group_id", "first_lead_id", "id"])
    _partial_index("search_blocks_small_idx", "search_blocks", "account_group_id", "id", where="is_small")


def _make_memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("audience_id", sa.Integer(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("previous_added_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("account_group_id", "audience_id", "lead_id", name=op.f("memberships_pkey")),
        sqlite_with_rowid=False,
    )
    op.create_index("memberships_lead_id_account_group_id_idx", "memberships", ["lead_id", "account_group_id"])


def _make_uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger()),
        sa.Column("sha256", sa.Text()),
        sa.Column("charset", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        _in_group("uploads"),
        sa.PrimaryKeyConstraint("account_group_id", "id", name=op.f("uploads_pkey")),
    )
    op.create_index("uploads_expires_at_idx", "uploads", ["expires_at"])
    op.create_table(
        "upload_pieces",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("upload_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _refers("upload_id", "uploads", "upload_pieces_account_group_id_uploads_fkey"),
        sa.PrimaryKeyConstraint("account_group_id", "upload_id", "number", name=op.f("upload_pieces_pkey")),
    )


def _make_answers() -> None:
    op.create_table(
        "idempotency_answers",
        sa.Column("account_group_id", sa.Integer(), nullable=False),
        sa.Column("key", IDENTIFIER, nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("headers", DOCUMENT),
        sa.Column("body", sa.Text()),
        sa.Column("job_id", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        _in_group("idempotency_answers"),
        sa.PrimaryKeyConstraint("account_group_id", "key", name=op.f("idempotency_answers_pkey")),
    )
    op.create_index("idempotency_answers_expires_at_idx", "idempotency_answers", ["expires_at"])


def _add_what_only_postgresql_has() -> None:
    # Compression would cost more than it saves: pieces are often compressed already, or are read only once.
    op.execute("ALTER TABLE upload_pieces ALTER COLUMN content SET STORAGE EXTERNAL")
    # Keys hardly become smaller, and compressing them took a quarter of the server's time for a transfer.
    op.execute("ALTER TABLE change_parts ALTER lead_ids SET STORAGE EXTERNAL, ALTER left_at SET STORAGE EXTERNAL")
    op.get_bind().exec_driver_sql(MOVE_LEADS_1)


def _add_what_only_sqlite_has() -> None:
    # Creates the table of statistics and measures nothing.
    op.execute("ANALYZE sqlite_schema")
    for table, index, numbers in SIZES:
        op.execute(f"INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('{table}', '{index}', '{numbers}')")
