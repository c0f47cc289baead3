"""The secret key of an installation, and the keys that the service derives from it.

Each purpose has a key of its own, derived with HKDF (RFC 5869, SHA-256). So a key that leaks, or that another program
gets, is of no use for another purpose.
"""

from __future__ import annotations

import hmac
import secrets

MIN_LENGTH = 32
"""The least number of characters of a secret key. A generated one has 43, with 256 random bits."""
_SALT = b"leadyard"
_DIGEST = "sha256"


class SecretKey:
    """A secret key. Its text is never shown: neither by `repr` nor in a log."""

    __slots__ = ("_root", "is_confirmed")

    def __init__(self, text: str) -> None:
        """`text` must be secret and have enough random bits, because no slow hash protects it."""
        self._root = hmac.digest(_SALT, text.encode(), _DIGEST)
        # Whether this process has seen that the database is used with this key.
        self.is_confirmed = False

    def __repr__(self) -> str:
        return "SecretKey(***)"

    def derived(self, purpose: str) -> bytes:
        """Returns the key for this purpose: 32 bytes, the same in each process with the same secret key."""
        return hmac.digest(self._root, purpose.encode() + b"\x01", _DIGEST)

    @property
    def check_value(self) -> str:
        """A text that is the same for the same key, and from which the key cannot be computed. The database keeps it,
        so that another key is noticed."""
        return self.derived("leadyard check value").hex()[:32]


def new_secret_text() -> str:
    """Returns a new random secret key as text."""
    return secrets.token_urlsafe(32)
