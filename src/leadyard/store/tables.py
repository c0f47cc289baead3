"""The tables, for the migrations and for the tests of the schema. The statements are written as SQL.

Rules 1, 4 and 8 of a schema that also fits Citus: `account_group_id` comes first in every primary key, unique index
and foreign key of a tenant table; no trigger; no ON DELETE SET NULL. Times are milliseconds since 1970 (BIGINT).

Ids are stored as their keys (ids.py). `account_group_id` is the number of the account group. `audience_id` is the whole
key of the audience, except in `memberships`, the table with the most rows, where it is the number of the audience
(docs/decisions/0034).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import Boolean

from leadyard.ids import NUMBERS
from leadyard.people.fields import TEXT_FIELDS

# These add their tables to metadata.
from leadyard.store import (  # noqa: F401
    change_tables,
    event_tables,
    job_tables,
    merging_tables,
    page_tables,
    secret_key_tables,
    suppression_tables,
    webhook_tables,
)
from leadyard.store.table_parts import DOCUMENT, IDENTIFIER, KEY, NUMBER, metadata

__all__ = ["metadata"]


def _group() -> Column[int]:
    return Column("account_group_id", NUMBER, ForeignKey("account_groups.id"), nullable=False)


account_groups = Table(
    "account_groups",
    metadata,
    Column("id", NUMBER, primary_key=True, autoincrement=False),
    # The rest of the id. A command or a request may use the group only after its whole id was compared with this.
    Column("key", KEY, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Maximum number of prospects per job from a provider.
    Column("max_results", Integer, nullable=False, server_default="2000"),
    # The lead ids of all changes before this one are removed, because of their age.
    Column("changes_expired_before", BigInteger, nullable=False, server_default="0"),
    CheckConstraint(f"id = (key & {NUMBERS - 1})", name="number"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", KEY, primary_key=True, autoincrement=False),
    Column("name", Text),
    # SHA-256, in hex, of a secret with 192 random bits, which cannot be guessed, so a slower hash is not needed.
    Column("secret_hash", IDENTIFIER, nullable=False, unique=True),
    Column("permissions", DOCUMENT, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
    # Written once a minute, so it may be a minute old.
    Column("last_used_at", BigInteger),
)

api_key_account_groups = Table(
    "api_key_account_groups",
    metadata,
    _group(),
    Column("api_key_id", KEY, ForeignKey("api_keys.id"), nullable=False),
    PrimaryKeyConstraint("account_group_id", "api_key_id"),
    Index(None, "api_key_id"),
)

folders = Table(
    "folders",
    metadata,
    _group(),
    Column("id", KEY, nullable=False),
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
    # The name of the audience in memberships: the low bits of its id.
    Column("number", NUMBER, nullable=False),
    Column("id", KEY, nullable=False),
    Column("name", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("description", Text),
    Column("folder_id", KEY),
    Column("prospect_count", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # The time when its members last changed. The next change gets a time that is not earlier. So the rows show whether
    # a lead was added before it was moved away, even if the clocks of two machines differ.
    Column("changed_at", BigInteger, nullable=False),
    # A deleted audience is hidden at once. Its members are removed bit by bit, so that no request waits for a million.
    Column("deleted_at", BigInteger),
    # The change that deleted it, which lists its members one part after another.
    Column("deleted_by_change_id", KEY),
    # The time when the last of them was gone. The index uses this and not the count, which changes with each move: a
    # change of one index costs new entries in all the others as well.
    Column("emptied_at", BigInteger),
    PrimaryKeyConstraint("account_group_id", "id"),
    UniqueConstraint("account_group_id", "number"),
    ForeignKeyConstraint(["account_group_id", "folder_id"], ["folders.account_group_id", "folders.id"]),
    # One short check, because PostgreSQL reads the text of each of them again for each move. A list of the types would
    # be longer than both, and only the code adds types (docs/decisions/0054).
    CheckConstraint(f"number = (id & {NUMBERS - 1}) AND prospect_count >= 0", name="number_and_count"),
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
    # No foreign key: the database would check it for each imported row. The locked audience, to which each new lead is
    # added in the same transaction, proves that the account group exists, and no account group is ever deleted.
    Column("account_group_id", NUMBER, nullable=False),
    Column("id", KEY, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # No foreign key, for the same reason. `leadyard doctor` checks it.
    Column("search_block_id", KEY, nullable=False),
    *(Column(field.attribute, IDENTIFIER) for field in TEXT_FIELDS if field.is_key),
    # The address of the LinkedIn profile follows from the public identifier.
    *(Column(field.attribute, Text) for field in TEXT_FIELDS if not field.is_key and field.attribute != "linkedin_url"),
    # Null without custom fields.
    Column("custom_fields", DOCUMENT),
    # Null if the e-mail identifies the lead, as nearly always. Else another person had the address before, and this is
    # the key of the name by which the lead is found together with the address (docs/decisions/0044).
    Column("shared_email_name", IDENTIFIER),
    PrimaryKeyConstraint("account_group_id", "id"),
    # Partial on purpose. A plain unique index would count as a possible target of foreign keys. An update of an e-mail
    # would then take the strongest row lock, and wait for all memberships that are being added to that lead.
    Index(
        "leads_public_identifier_key",
        "account_group_id",
        # Only member ids have capitals. Other tools lower-case them, and they name the same member.
        text("lower(public_identifier)"),
        unique=True,
        postgresql_where=text("public_identifier IS NOT NULL"),
        sqlite_where=text("public_identifier IS NOT NULL"),
    ),
    Index(
        "leads_email_key",
        "account_group_id",
        "email",
        unique=True,
        postgresql_where=text("email IS NOT NULL AND shared_email_name IS NULL"),
        sqlite_where=text("email IS NOT NULL AND shared_email_name IS NULL"),
    ),
    # Two imports at once make one lead of a person with a shared address. With two LinkedIn profiles they are two.
    Index(
        "leads_shared_email_key",
        "account_group_id",
        "email",
        "shared_email_name",
        unique=True,
        postgresql_where=text("shared_email_name IS NOT NULL AND public_identifier IS NULL"),
        sqlite_where=text("shared_email_name IS NOT NULL AND public_identifier IS NULL"),
    ),
    # Empty in nearly all account groups, so that the look-up of those who share an address costs nothing there.
    Index(
        "leads_shared_email_idx",
        "account_group_id",
        "email",
        "shared_email_name",
        "id",
        postgresql_where=text("shared_email_name IS NOT NULL"),
        sqlite_where=text("shared_email_name IS NOT NULL"),
    ),
    # An outside id identifies a lead only without a stronger identity. Otherwise two leads may share an outside id.
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
    # Every look-up is by this key, and new keys come at the end, so SQLite keeps one tree instead of two.
    sqlite_with_rowid=False,
)

# The rows that searches read: some dozens of leads in a row, a line of folded text for each (docs/decisions/0037).
search_blocks = Table(
    "search_blocks",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("is_small", Boolean, nullable=False),
    Column("id", KEY, nullable=False),
    Column("first_lead_id", KEY, nullable=False),
    Column("last_lead_id", KEY, nullable=False),
    # The keys in the order of the lines, 8 bytes each.
    Column("lead_ids", LargeBinary, nullable=False),
    Column("lines", IDENTIFIER, nullable=False),
    PrimaryKeyConstraint("account_group_id", "id"),
    Index("search_blocks_in_order_idx", "account_group_id", "first_lead_id", "id"),
    # The blocks with room for more leads.
    Index(
        "search_blocks_small_idx",
        "account_group_id",
        "id",
        postgresql_where=text("is_small"),
        sqlite_where=text("is_small"),
    ),
    # Two rows fill a page. Without this PostgreSQL would compress them and store them in pieces, from 2 KB on.
    postgresql_with={"toast_tuple_target": 8160},
)

memberships = Table(
    "memberships",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    # No foreign key: the database would check it again for each moved lead, although the audience is locked and the
    # rows of audiences stay for ever. The locks ensure it, and `leadyard doctor` checks it (docs/decisions/0034).
    Column("audience_id", NUMBER, nullable=False),
    # No foreign key either: its check took two fifths of PostgreSQL's time for an imported row. A lead that is added is
    # new in the same transaction, or locked against erasure (docs/decisions/0038).
    Column("lead_id", KEY, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    # Where a move on PostgreSQL puts the old time, to read it in the same statement. Null in any row that never moved.
    Column("previous_added_at", BigInteger),
    PrimaryKeyConstraint("account_group_id", "audience_id", "lead_id"),
    # The lead comes first, so that a list of leads is always looked up lead by lead. With the account group in front,
    # PostgreSQL may prefer to read the whole group (docs/decisions/0007).
    Index(None, "lead_id", "account_group_id"),
    # The row is only its key, so without a rowid SQLite keeps one tree instead of two.
    sqlite_with_rowid=False,
)

uploads = Table(
    "uploads",
    metadata,
    _group(),
    Column("id", KEY, nullable=False),
    # Both null until the last piece has arrived.
    Column("size_bytes", BigInteger),
    Column("sha256", Text),
    # Of the Content-Type, if it names an encoding.
    Column("charset", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_group_id", "id"),
    Index(None, "expires_at"),
)

# In the database and not in files, so that workers on all machines can read them and backups contain them.
upload_pieces = Table(
    "upload_pieces",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("upload_id", KEY, nullable=False),
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
    # Null only inside the transaction of the request, before its last statement.
    Column("status", Integer),
    Column("headers", DOCUMENT),
    Column("body", Text),
    Column("job_id", KEY),
    Column("expires_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_group_id", "key"),
    Index(None, "expires_at"),
)
