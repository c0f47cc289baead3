"""The tables of merged people, and of likely duplicates. tables.py has the rules of all tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, LargeBinary, PrimaryKeyConstraint, Table, Text

from leadyard.store.table_parts import IDENTIFIER, KEY, KEYS, NUMBER, metadata

# The identities that a lead has in addition to those in its own row. They belonged to people who were merged into it.
# Only merging adds rows, so nearly every account group has none, and then no look-up reads this table for each person.
lead_identities = Table(
    "lead_identities",
    metadata,
    # No foreign keys, as in leads: the locked leads prove that both exist. `leadyard doctor` checks it.
    Column("account_group_id", NUMBER, nullable=False),
    # The column of leads in which the identity was.
    Column("kind", Text, nullable=False),
    Column("value", IDENTIFIER, nullable=False),
    Column("lead_id", KEY, nullable=False),
    # With the lead, because two leads may share a provider id.
    PrimaryKeyConstraint("account_group_id", "kind", "value", "lead_id"),
    Index(None, "account_group_id", "lead_id"),
    sqlite_with_rowid=False,
)

# One row for each transaction that has written leads, until the housekeeping has compared them.
leads_to_compare = Table(
    "leads_to_compare",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("id", KEY, nullable=False),
    # Of new leads only the first and the last, because a list of a thousand would make an import slower.
    Column("is_range", Boolean, nullable=False),
    Column("lead_ids", KEYS, nullable=False),
    # The keys that the leads have lost, each followed by the lead. Null without any.
    Column("old_keys", KEYS),
    PrimaryKeyConstraint("account_group_id", "id"),
)

# For each hash of a text that leads may share with their duplicates, a lead that has it, 14 bytes each, in order. A row
# for each of them would have 140 bytes. A block ends where the next one begins (docs/decisions/0041).
duplicate_blocks = Table(
    "duplicate_blocks",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    # The smallest key that may be in the block.
    Column("first", BigInteger, nullable=False),
    Column("entries", LargeBinary, nullable=False),
    PrimaryKeyConstraint("account_group_id", "first"),
    # Room for the next version of each row in its page, so that the index need not be written.
    postgresql_with={"fillfactor": 60},
    sqlite_with_rowid=False,
)

# The keys that two leads have had at the same time, so that a list does not read all keys.
duplicate_groups = Table(
    "duplicate_groups",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    # The number of the reason, then the hash.
    Column("key", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_group_id", "key"),
    sqlite_with_rowid=False,
)

# All leads that have the keys of duplicate_groups.
duplicate_keys = Table(
    "duplicate_keys",
    metadata,
    Column("account_group_id", NUMBER, nullable=False),
    Column("key", BigInteger, nullable=False),
    Column("lead_id", KEY, nullable=False),
    PrimaryKeyConstraint("account_group_id", "key", "lead_id"),
    sqlite_with_rowid=False,
)
