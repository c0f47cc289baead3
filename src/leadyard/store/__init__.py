"""ROOM 3: SQL and nothing else. One statement per function; no rule is decided and nothing is committed here."""
