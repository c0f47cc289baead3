"""The signature of Standard Webhooks 1.0, made by its own library, so that the library of each receiver verifies it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

_SECRET_BYTES = 32
_PREFIX = "whsec_"


def new_secret() -> str:
    """Returns a new random secret in the form `whsec_…`."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


class Signer:
    """Signs with all secrets that are valid, so that a receiver with any of them verifies it."""

    def __init__(self, valid_secrets: Sequence[str]) -> None:
        self._webhooks = [Webhook(each) for each in valid_secrets]

    def headers(self, message_id: str, at_s: int, body: str) -> dict[str, str]:
        """Returns the three headers of a request with this body, at a time in whole seconds since 1970.

        `body` is the text whose UTF-8 is sent: the library signs bytes as their Python spelling, and takes the time of
        any zone as one in UTC.
        """
        at = datetime.fromtimestamp(at_s, UTC)
        # One blank between them: the library of the receivers splits at it.
        signatures = " ".join([each.sign(message_id, at, body) for each in self._webhooks])
        return {"webhook-id": message_id, "webhook-timestamp": str(at_s), "webhook-signature": signatures}
