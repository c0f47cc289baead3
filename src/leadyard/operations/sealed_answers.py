"""Stored answers that contain a secret, such as the one of a new webhook: encrypted while they are stored."""

from __future__ import annotations

from dataclasses import replace

from leadyard.database import Transaction
from leadyard.errors import SecretKeyMissing
from leadyard.model import StoredAnswer
from leadyard.sealing import Sealer

# The body of any other answer is a JSON object.
_MARK = "sealed:"
_PURPOSE = "leadyard stored answers"


def sealed_answer(tx: Transaction, answer: StoredAnswer, *, key: str) -> StoredAnswer:
    """Returns the answer as it may be stored for the idempotency key. Raises SecretKeyMissing."""
    if not answer.has_secret:
        return answer
    return replace(answer, body=_MARK + _sealer(tx).seal(answer.body, place=_place(tx, key)))


def opened_answer(tx: Transaction, answer: StoredAnswer, *, key: str) -> StoredAnswer:
    """Returns a stored answer as it was sent. Raises SecretKeyMissing, and Unreadable if the key has changed since."""
    if not answer.body.startswith(_MARK):
        return answer
    return replace(answer, body=_sealer(tx).open(answer.body.removeprefix(_MARK), place=_place(tx, key)))


def _place(tx: Transaction, key: str) -> str:
    return f"{tx.account_group_id}/{key}"


def _sealer(tx: Transaction) -> Sealer:
    if tx.secret_key is None:
        raise SecretKeyMissing
    return Sealer(tx.secret_key.derived(_PURPOSE))
