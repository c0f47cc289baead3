"""The tables of the events. tables.py has the rules of all tables, and docs/decisions/0047 the reasons for these."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, PrimaryKeyConstraint, Table, Text

from leadyard.store.table_parts import KEY, NUMBER, metadata

# Not JSONB, which PostgreSQL reads back in an order of its own. Readers get the fields of an event in one order, from
# both databases and each time. No statement looks into them.
_DATA = JSON()

# The transaction of a change writes a row here. The row is removed when the event gets its place in the feed.
event_outbox = Table(
    "event_outbox",
    metadata,
    # No foreign key to the account group, for the same reason as in changes.
    Column("account_group_id", NUMBER, nullable=False),
    # Begins with the time of the change. So the events of an audience follow the order of its changes.
    Column("id", KEY, nullable=False),
    Column("type", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("source_audience_id", KEY),
    Column("target_audience_id", KEY),
    # The prospect counts of both audiences, as this transaction leaves them.
    Column("source_count", BigInteger),
    Column("target_count", BigInteger),
    Column("change_id", KEY),
    Column("first_lead", BigInteger),
    # Null for a change of leads: its record has what the event reports.
    Column("data", _DATA),
    PrimaryKeyConstraint("account_group_id", "id"),
    sqlite_with_rowid=False,
)

# The feed. The id is the position: it is given with the row of event_feeds locked, to events that have committed.
events = Table(
    "events",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("id", KEY, nullable=False),
    Column("type", Text, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    # For the filter. No foreign keys, because an event outlives what it is about.
    Column("source_audience_id", KEY),
    Column("target_audience_id", KEY),
    # The lead ids are read from the record of changes, which forgets the ids of erased people.
    Column("change_id", KEY),
    Column("first_lead", BigInteger),
    Column("data", _DATA, nullable=False),
    PrimaryKeyConstraint("account_group_id", "id"),
    sqlite_with_rowid=False,
)

# One row for each account group that had an event. It is locked to give places, never by a change.
event_feeds = Table(
    "event_feeds",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    # The id of the last event of the feed, and of the last one that was removed because of its age.
    Column("last_id", KEY, nullable=False, server_default="0"),
    Column("removed_through", KEY, nullable=False, server_default="0"),
    PrimaryKeyConstraint("account_group_id"),
    sqlite_with_rowid=False,
)
