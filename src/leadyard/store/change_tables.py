"""The tables of the record of changes. tables.py has the rules of all tables."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)

from leadyard.model import ChangeState
from leadyard.store.table_parts import DOCUMENT, IDENTIFIER, KEY, KEYS, NUMBER, metadata

# One row per change. The lead ids are in this row, or in change_parts if a job or the housekeeping writes the change
# step by step. See docs/decisions/0039.
changes = Table(
    "changes",
    metadata,
    # No foreign key to the account group either, because each move would lock this row, and concurrent moves of a group
    # would contend for it. The locked audiences prove that the group exists.
    Column("account_group_id", NUMBER, nullable=False),
    # Whether all its subjects are in change_subjects. The housekeeping puts them there after the change.
    Column("is_indexed", Boolean, nullable=False, server_default=text("false")),
    # Begins with changed_at, so ids of the changes of an audience follow the order of their commits.
    Column("id", KEY, nullable=False),
    Column("kind", Text, nullable=False),
    Column("state", Text, nullable=False, server_default=ChangeState.COMPLETE),
    # No foreign keys to the audiences, because the record of a change outlives them.
    Column("source_audience_id", KEY),
    Column("target_audience_id", KEY),
    Column("lead_count", BigInteger, nullable=False),
    Column("already_in_target_count", BigInteger, nullable=False),
    # How many known people got values for their empty fields.
    Column("filled_count", BigInteger, nullable=False, server_default="0"),
    Column("changed_at", BigInteger, nullable=False),
    Column("api_key_id", KEY),
    Column("job_id", KEY),
    Column("undoes_change_id", KEY),
    Column("undone_by_change_id", KEY),
    # Random. By this a request finds its own move after it has lost the connection.
    Column("attempt", BigInteger),
    # The effect, lead by lead: three parallel lists. left_at has the time at which the lead was added to the source,
    # null if it did not leave. entered_at has the time at which it was added to the target, null if it did not enter.
    # No list at all: no lead left; all leads entered at changed_at, if there is a target.
    Column("lead_ids", KEYS),
    Column("left_at", KEYS),
    Column("entered_at", KEYS),
    PrimaryKeyConstraint("account_group_id", "id"),
    # One small check, because PostgreSQL reads the text of each of them again for each insert.
    CheckConstraint("already_in_target_count BETWEEN 0 AND lead_count", name="counts"),
    # The changes of the last seconds, which readers search in addition to change_subjects.
    Index(
        "changes_to_index_idx",
        "account_group_id",
        "id",
        postgresql_where=text("NOT is_indexed"),
        sqlite_where=text("NOT is_indexed"),
    ),
    Index(
        "changes_open_key",
        "account_group_id",
        "job_id",
        unique=True,
        postgresql_where=text("state = 'open'"),
        sqlite_where=text("state = 'open'"),
    ),
)

change_parts = Table(
    "change_parts",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    # How many of the leads, at the beginning of the list, the import has created, or the undo of an undone import has
    # brought back into the account group.
    Column("created_count", Integer, nullable=False, server_default="0"),
    # The smallest and the largest of the leads that an import has created, by which it is found (created_leads.py).
    Column("first_created_id", KEY),
    Column("last_created_id", KEY),
    Column("change_id", KEY, nullable=False),
    # The number of leads in the parts before this one.
    Column("position", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    # The audience of this part, if the change itself has none: a merge has a part for each audience of the lead.
    Column("target_audience_id", KEY),
    Column("lead_ids", KEYS, nullable=False),
    Column("left_at", KEYS),
    Column("entered_at", KEYS),
    Column("is_indexed", Boolean, nullable=False, server_default=text("false")),
    # A job has written what it is going to do, and has not done it yet. So the part is not an event.
    Column("is_planned", Boolean, nullable=False, server_default=text("false")),
    PrimaryKeyConstraint("account_group_id", "change_id", "position"),
    ForeignKeyConstraint(["account_group_id", "change_id"], ["changes.account_group_id", "changes.id"]),
)

# Finds the changes of a lead (its key), of an audience (minus its key) or of a kind (its small number). Of leads that
# an import has created, it has only the time (created_leads.py).
change_subjects = Table(
    "change_subjects",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("subject", BigInteger, nullable=False),
    Column("change_id", KEY, nullable=False),
    PrimaryKeyConstraint("account_group_id", "subject", "change_id"),
    sqlite_with_rowid=False,
)

# The values of known people that a change has replaced, for readers of the record and for its undo.
replaced_values = Table(
    "replaced_values",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("change_id", KEY, nullable=False),
    Column("lead_id", KEY, nullable=False),
    # Its name in exports.
    Column("field", IDENTIFIER, nullable=False),
    Column("old_value", Text),
    Column("new_value", Text),
    PrimaryKeyConstraint("account_group_id", "change_id", "lead_id", "field"),
    ForeignKeyConstraint(["account_group_id", "change_id"], ["changes.account_group_id", "changes.id"]),
    # For the erasure of a person.
    Index(None, "account_group_id", "lead_id"),
)

# People that the undo of an import has taken out of the account group, for the case that it is undone itself.
withdrawn_leads = Table(
    "withdrawn_leads",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("change_id", KEY, nullable=False),
    Column("lead_id", KEY, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # The texts of the person by attribute, `custom` with the custom fields, and `shares_email` if it is true.
    Column("profile", DOCUMENT, nullable=False),
    PrimaryKeyConstraint("account_group_id", "change_id", "lead_id"),
    ForeignKeyConstraint(["account_group_id", "change_id"], ["changes.account_group_id", "changes.id"]),
)
