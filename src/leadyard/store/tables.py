"""The tables, for the migrations and for the tests of the schema; the statements are written as SQL.

Rules 1, 4 and 8 of a schema that also fits Citus: `account_group_id` comes first in every primary key, unique index
and foreign key of a tenant table; no trigger; no ON DELETE SET NULL. Times are milliseconds since 1970 (BIGINT).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Boolean, TypeEngine

NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_name)s_%(referred_table_name)s_fkey",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}
metadata = MetaData(naming_convention=NAMES)

# Byte order, not a language's: ids are hex and identities are normalised, and byte order is the faster index.
IDENTIFIER: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
IDENTIFIERS: TypeEngine[Any] = JSON().with_variant(ARRAY(Text(collation="C")), "postgresql")
DOCUMENT: TypeEngine[Any] = JSON().with_variant(JSONB(), "postgresql")

PROFILE_TEXT_COLUMNS = (
    "first_name", "last_name", "name", "headline", "about", "photo_url", "linkedin_url", "title", "phone",
    "location", "company_name", "company_linkedin_identifier", "company_linkedin_url", "company_industry",
    "company_website",
)  # fmt: skip

JOB_COUNTS = ("read", "created", "matched", "added", "already_in_audience", "rejected", "emails_found")


def _group() -> Column[str]:
    return Column("account_group_id", IDENTIFIER, ForeignKey("account_groups.id"), nullable=False)


account_groups = Table(
    "account_groups",
    metadata,
    Column("id", IDENTIFIER, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # How many prospects one job may bring in from a provider.
    Column("max_results", Integer, nullable=False, server_default="2000"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", IDENTIFIER, primary_key=True),
    Column("name", Text),
    # SHA-256, in hex, of a secret with 192 random bits: nothing slower is needed for what cannot be guessed.
    Column("secret_hash", IDENTIFIER, nullable=False, unique=True),
    Column("permissions", DOCUMENT, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    # Written now and then, so it may be a minute old.
    Column("last_used_at", BigInteger),
)

api_key_account_groups = Table(
    "api_key_account_groups",
    metadata,
    _group(),
    Column("api_key_id", IDENTIFIER, ForeignKey("api_keys.id"), nullable=False),
    PrimaryKeyConstraint("account_group_id", "api_key_id"),
    Index(None, "api_key_id"),
)

folders = Table(
    "folders",
    metadata,
    _group(),
    Column("id", IDENTIFIER, nullable=False),
    Column("name", Text, nullable=False),
    Column("audience_type", Text, nullable=False),
    Column("is_pinned", Boolean, nullable=False),
    Column("position", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_group_id", "id"),
    CheckConstraint("audience_type IN ('on_demand', 'monitoring')", name="audience_type"),
)

audiences = Table(
    "audiences",
    metadata,
    _group(),
    Column("id", IDENTIFIER, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("description", Text),
    Column("folder_id", IDENTIFIER),
    Column("prospect_count", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # When its members last changed. Whoever changes them next takes a time that is not earlier, so that "added before
    # it was moved away" can be told from the rows even when the clocks of two machines disagree.
    Column("changed_at", BigInteger, nullable=False),
    # A deleted audience is hidden at once; its members are removed bit by bit, so that nobody waits for a million.
    Column("deleted_at", BigInteger),
    # When the last of them was gone. The index asks for this and not for the count, which changes with every move: an
    # index that a change concerns costs new entries in all the others as well.
    Column("emptied_at", BigInteger),
    PrimaryKeyConstraint("account_group_id", "id"),
    ForeignKeyConstraint(["account_group_id", "folder_id"], ["folders.account_group_id", "folders.id"]),
    CheckConstraint("prospect_count >= 0", name="prospect_count"),
    CheckConstraint(
        "type IN ('on_demand', 'monitoring', 'linkedin_search', 'sales_navigator', 'post_commenters', 'url_upload',"
        " 'csv_upload')",
        name="type",
    ),
    Index(None, "account_group_id", "folder_id"),
    Index(
        "audiences_to_empty_idx",
        "account_group_id",
        "id",
        postgresql_where=text("deleted_at IS NOT NULL AND emptied_at IS NULL"),
        sqlite_where=text("deleted_at IS NOT NULL AND emptied_at IS NULL"),
    ),
)

leads = Table(
    "leads",
    metadata,
    _group(),
    Column("id", IDENTIFIER, nullable=False),
    Column("public_identifier", IDENTIFIER),
    Column("email", IDENTIFIER),
    Column("provider_id", IDENTIFIER),
    *(Column(name, Text) for name in PROFILE_TEXT_COLUMNS),
    Column("custom_fields", DOCUMENT, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # What a search compares, folded (see folding.py). An index of trigrams on the first finds any part of a word; on
    # SQLite that is the virtual table lead_search, which only the migrations know how to make.
    Column("search_text", Text, nullable=False, server_default=""),
    Column("company_folded", Text, nullable=False, server_default=""),
    Column("title_folded", Text, nullable=False, server_default=""),
    Index(
        "leads_search_text_idx",
        "search_text",
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    ).ddl_if(dialect="postgresql"),
    PrimaryKeyConstraint("account_group_id", "id"),
    # Partial on purpose. A plain unique index would count as a key that foreign keys may point at, and then filling in
    # an e-mail would take the strongest row lock and wait for every membership being added to that lead.
    Index(
        "leads_public_identifier_key",
        "account_group_id",
        "public_identifier",
        unique=True,
        postgresql_where=text("public_identifier IS NOT NULL"),
        sqlite_where=text("public_identifier IS NOT NULL"),
    ),
    Index(
        "leads_email_key",
        "account_group_id",
        "email",
        unique=True,
        postgresql_where=text("email IS NOT NULL"),
        sqlite_where=text("email IS NOT NULL"),
    ),
    # An outside id identifies a lead only where nothing stronger does; elsewhere two leads may share one.
    Index(
        "leads_provider_id_key",
        "account_group_id",
        "provider_id",
        unique=True,
        postgresql_where=text("provider_id IS NOT NULL AND public_identifier IS NULL AND email IS NULL"),
        sqlite_where=text("provider_id IS NOT NULL AND public_identifier IS NULL AND email IS NULL"),
    ),
    Index(
        "leads_provider_id_idx",
        "account_group_id",
        "provider_id",
        postgresql_where=text("provider_id IS NOT NULL"),
        sqlite_where=text("provider_id IS NOT NULL"),
    ),
)

memberships = Table(
    "memberships",
    metadata,
    Column("account_group_id", IDENTIFIER, nullable=False),
    Column("audience_id", IDENTIFIER, nullable=False),
    Column("lead_id", IDENTIFIER, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_group_id", "audience_id", "lead_id"),
    ForeignKeyConstraint(["account_group_id", "audience_id"], ["audiences.account_group_id", "audiences.id"]),
    ForeignKeyConstraint(["account_group_id", "lead_id"], ["leads.account_group_id", "leads.id"]),
    # The lead comes first, so that a list of leads is always looked up lead by lead; with the account group in front
    # PostgreSQL may prefer to read the whole group (docs/decisions/0007).
    Index(None, "lead_id", "account_group_id"),
    # The row is its key: without a rowid SQLite keeps one tree instead of two.
    sqlite_with_rowid=False,
)

moves = Table(
    "moves",
    metadata,
    # No foreign key to the account group either: every move would lock that one row, and moves of one group that run
    # side by side would meet there. The group is proven by the locked audiences.
    Column("account_group_id", IDENTIFIER, nullable=False),
    Column("id", IDENTIFIER, nullable=False),
    # No foreign keys to the audiences: the record of a move outlives them.
    Column("source_audience_id", IDENTIFIER, nullable=False),
    Column("target_audience_id", IDENTIFIER, nullable=False),
    # All ids in one row: one insert whatever the size of the move, and never more than one shard.
    Column("lead_ids", IDENTIFIERS, nullable=False),
    Column("moved_count", Integer, nullable=False),
    Column("already_in_target_count", Integer, nullable=False),
    Column("moved_at", BigInteger, nullable=False),
    Column("api_key_id", IDENTIFIER),
    Column("undone_by_move_id", IDENTIFIER),
    PrimaryKeyConstraint("account_group_id", "id"),
    CheckConstraint("source_audience_id <> target_audience_id", name="two_audiences"),
    CheckConstraint("moved_count >= 1 AND already_in_target_count BETWEEN 0 AND moved_count", name="counts"),
)

jobs = Table(
    "jobs",
    metadata,
    _group(),
    Column("id", IDENTIFIER, nullable=False),
    Column("type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("audience_id", IDENTIFIER, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    # What the type needs, as it was asked for; and where the next batch begins, in a form only the source knows.
    Column("source", DOCUMENT, nullable=False, server_default="{}"),
    Column("position", DOCUMENT),
    Column("search_emails", Boolean, nullable=False, server_default=text("false")),
    Column("stage", Text, nullable=False, server_default="import"),
    Column("import_progress", Double, nullable=False, server_default="0"),
    Column("enrichment_progress", Double, nullable=False, server_default="0"),
    *(Column(f"{name}_count", BigInteger, nullable=False, server_default="0") for name in JOB_COUNTS),
    Column("error_code", Text),
    Column("error_message", Text),
    Column("api_key_id", IDENTIFIER),
    # No foreign key: an upload goes when no active job needs it any more, the record of the job stays.
    Column("upload_id", IDENTIFIER),
    # The lease is by the database's clock. Its number rises with every claim and is what refuses a worker that was
    # away too long; the time only says when others may try.
    Column("lease_number", BigInteger, nullable=False, server_default="0"),
    Column("lease_until", BigInteger, nullable=False, server_default="0"),
    Column("ready_at", BigInteger, nullable=False, server_default="0"),
    Column("failed_attempts", Integer, nullable=False, server_default="0"),
    PrimaryKeyConstraint("account_group_id", "id"),
    ForeignKeyConstraint(["account_group_id", "audience_id"], ["audiences.account_group_id", "audiences.id"]),
    CheckConstraint("status IN ('queued', 'running', 'completed', 'failed', 'cancelled')", name="status"),
    # At most one active job fills an audience; the same small index answers "is it being populated?".
    Index(
        "jobs_populating_key",
        "account_group_id",
        "audience_id",
        unique=True,
        postgresql_where=text("status IN ('queued', 'running')"),
        sqlite_where=text("status IN ('queued', 'running')"),
    ),
)

job_rejections = Table(
    "job_rejections",
    metadata,
    Column("account_group_id", IDENTIFIER, nullable=False),
    Column("job_id", IDENTIFIER, nullable=False),
    # Counts from 1 in the order in which the rows were rejected.
    Column("number", BigInteger, nullable=False),
    Column("line", BigInteger),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("cells", DOCUMENT, nullable=False),
    PrimaryKeyConstraint("account_group_id", "job_id", "number"),
    ForeignKeyConstraint(["account_group_id", "job_id"], ["jobs.account_group_id", "jobs.id"]),
)

uploads = Table(
    "uploads",
    metadata,
    _group(),
    Column("id", IDENTIFIER, nullable=False),
    # Both null until the last piece has arrived.
    Column("size_bytes", BigInteger),
    Column("sha256", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_group_id", "id"),
    Index(None, "expires_at"),
)

# In the database and not on a disk, so that any worker on any machine can read it, and a backup has it.
upload_pieces = Table(
    "upload_pieces",
    metadata,
    Column("account_group_id", IDENTIFIER, nullable=False),
    Column("upload_id", IDENTIFIER, nullable=False),
    Column("number", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
    PrimaryKeyConstraint("account_group_id", "upload_id", "number"),
    ForeignKeyConstraint(["account_group_id", "upload_id"], ["uploads.account_group_id", "uploads.id"]),
)

idempotency_answers = Table(
    "idempotency_answers",
    metadata,
    _group(),
    Column("key", IDENTIFIER, nullable=False),
    Column("fingerprint", Text, nullable=False),
    # Of the attempt that may store the answer. Another attempt that takes over brings its own.
    Column("token", IDENTIFIER, nullable=False),
    # Null while the request is in flight.
    Column("status", Integer),
    Column("headers", DOCUMENT),
    Column("body", Text),
    Column("job_id", IDENTIFIER),
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_group_id", "key"),
    Index(None, "expires_at"),
)
