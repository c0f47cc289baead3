"""The secrets of webhooks: encrypted in the database with a key that is derived from the secret key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from leadyard.database import Transaction
from leadyard.errors import SecretKeyMissing
from leadyard.model import SealedSecret
from leadyard.sealing import Sealer, Unreadable

OVERLAP_MS = 24 * 3_600_000
"""How long an old secret signs beside the new one."""
# A client that rotates again and again must not make each request longer and longer.
_MAX_SECRETS = 4
_PURPOSE = "leadyard webhook secrets"


def seal(tx: Transaction, webhook_id: str, secret: str) -> SealedSecret:
    """Returns the secret, encrypted for this webhook. Raises SecretKeyMissing."""
    return SealedSecret(sealed=_sealer(tx).seal(secret, place=_place(tx, webhook_id)), until=None)


def rotated(old: Sequence[SealedSecret], new: SealedSecret, *, now: int) -> tuple[SealedSecret, ...]:
    """Returns the secrets after a rotation: the new one, and the old ones for the rest of their time."""
    until = now + OVERLAP_MS
    still = [each if each.until is not None else replace(each, until=until) for each in old]
    return (new, *(each for each in still if each.until is not None and each.until > now))[:_MAX_SECRETS]


def open_valid(
    tx: Transaction, webhook_id: str, secrets: Sequence[SealedSecret], *, now: int
) -> tuple[str, ...] | None:
    """Returns the secrets that sign now, the current one first, or None if they were encrypted with another key."""
    try:
        sealer, place = _sealer(tx), _place(tx, webhook_id)
        return tuple(
            sealer.open(each.sealed, place=place) for each in secrets if each.until is None or each.until > now
        )
    except (Unreadable, SecretKeyMissing):
        return None


def _place(tx: Transaction, webhook_id: str) -> str:
    return f"{tx.account_group_id}/{webhook_id}"


def _sealer(tx: Transaction) -> Sealer:
    if tx.secret_key is None:
        raise SecretKeyMissing
    return Sealer(tx.secret_key.derived(_PURPOSE))
