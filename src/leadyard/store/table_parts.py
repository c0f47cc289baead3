"""The parts that all tables share: their registry, the names of their constraints, and the types of their columns."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Integer, MetaData, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import TypeEngine

NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_name)s_%(referred_table_name)s_fkey",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}
metadata = MetaData(naming_convention=NAMES)

KEY = BigInteger()
KEYS: TypeEngine[Any] = JSON().with_variant(ARRAY(BigInteger()), "postgresql")
NUMBER = Integer()
# Byte order, not the order of a language: identities are normalised, and indexes in byte order are faster.
IDENTIFIER: TypeEngine[str] = Text().with_variant(Text(collation="C"), "postgresql")
DOCUMENT: TypeEngine[Any] = JSON().with_variant(JSONB(), "postgresql")
