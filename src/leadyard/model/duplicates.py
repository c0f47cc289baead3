"""Leads that are probably one person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from leadyard.model.people import Lead


class DuplicateReason(StrEnum):
    """The value that the leads have in common, most certain first."""

    EMAIL = "email"
    NAME_AND_COMPANY = "name_and_company"
    PHONE = "phone"
    LINKEDIN = "linkedin"


DUPLICATE_HASH_BITS = 45
"""With the reason, a key then has six bytes. Among ten million different texts about one pair has the same hash, and a
list of duplicates compares the profiles again."""


class DuplicateKey(NamedTuple):
    """A text that leads may have in common, as a hash, which is not negative."""

    reason: DuplicateReason
    hash: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateGroup:
    """Leads that are probably one person, oldest first."""

    leads: tuple[Lead, ...]
    reason: DuplicateReason
