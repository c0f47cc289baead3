"""Encrypts short texts that the service has to read again, such as the secrets of webhooks.

AES-256-GCM of the library cryptography. A sealed text opens only with the same key and in the same place, so that its
copy in another row is of no use there.
"""

from __future__ import annotations

import base64
import secrets

_NONCE_BYTES = 12
_VERSION = b"\x01"


class Unreadable(Exception):
    """The text was sealed with another key or for another place, or it was changed."""


class Sealer:
    """Seals and opens texts with a key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        # Imported here, because most commands and most services seal nothing, and it takes long to load.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher = AESGCM(key)

    def seal(self, text: str, *, place: str) -> str:
        """Returns the sealed text. `place` names the row that it is for."""
        # Random nonces of 96 bits are safe for four billion texts with one key.
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, text.encode(), place.encode())
        return base64.b64encode(_VERSION + nonce + sealed).decode()

    def open(self, sealed: str, *, place: str) -> str:
        """Returns the text. Raises Unreadable."""
        from cryptography.exceptions import InvalidTag

        try:
            raw = base64.b64decode(sealed, validate=True)
            if raw[:1] != _VERSION:
                raise Unreadable
            nonce, rest = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
            return self._cipher.decrypt(nonce, rest, place.encode()).decode()
        except (ValueError, InvalidTag):
            raise Unreadable from None
