"""The table of the page's sessions. tables.py has the rules of all tables."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table

from leadyard.store.table_parts import IDENTIFIER, KEY, metadata

# A reference table like api_keys: a session serves all account groups of its key.
page_sessions = Table(
    "page_sessions",
    metadata,
    # SHA-256, in hex, of 256 random bits.
    Column("secret_hash", IDENTIFIER, primary_key=True),
    Column("api_key_id", KEY, ForeignKey("api_keys.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "expires_at"),
)
