"""Suppressions: people who must not come back into an account group."""

from __future__ import annotations

from dataclasses import dataclass

from leadyard.model.people import Rejection

MAX_SUPPRESSIONS_PER_REQUEST = 1_000
MAX_REASON_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """A suppressed identity, of which only a keyed hash is known, with the reason that was given."""

    id: str
    hash: str
    created_at: int
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionResult:
    """The suppressions of the identities that were named, each once, in the order in which they were named. `added` of
    them are new. `rejected` are the people without a usable identity."""

    suppressions: tuple[Suppression, ...]
    added: int
    rejected: tuple[Rejection, ...] = ()
