"""Verifies webhooks: the signature of Standard Webhooks 1.0, symmetric."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence

from leadyard_client.events import event_from_json
from leadyard_client.models import AnyEvent
from leadyard_client.refusal import WebhookVerificationError

TOLERANCE_S = 300
_PREFIX, _VERSION = "whsec_", "v1,"


def verify_webhook(
    secret: str | Sequence[str],
    headers: Mapping[str, str],
    body: bytes,
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> AnyEvent:
    """Returns the event of a request to your receiver, if it was signed with the secret.

    `secret` begins with `whsec_`; pass several while you replace one. `headers` are those of the request, in any case.
    `body` contains the bytes as they came: verify before you parse. The time in the headers may differ by `tolerance_s`
    seconds from `now`, which is the clock of this machine in seconds since 1970.

    Raises WebhookVerificationError for a request that you must not trust, and ValueError for a malformed secret. The
    same event may arrive twice: compare its `id`.
    """
    keys = [_key(each) for each in ([secret] if isinstance(secret, str) else secret)]
    sent = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, moment, signatures = (sent[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as error:
        raise WebhookVerificationError(f"The header {error} is missing.") from None
    _check_time(moment, tolerance_s, time.time() if now is None else now)
    signed = b".".join((message_id.encode(), moment.encode(), body))
    expected = [_VERSION.encode() + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    given = [each.encode() for each in signatures.split(" ")]
    # Compares every pair, so that the time does not depend on which of them are equal.
    fitting = sum(hmac.compare_digest(one, other) for one in expected for other in given)
    if not fitting:
        raise WebhookVerificationError("No signature fits the body and the secret.")
    try:
        return event_from_json(json.loads(body))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise WebhookVerificationError("The body is signed, but it is not an event.") from error


def _key(secret: str) -> bytes:
    text = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        key = b""
    if not key:
        raise ValueError("The secret is not valid. It begins with whsec_, and create_webhook returned it.")
    return key


def _check_time(moment: str, tolerance_s: float, now: float) -> None:
    if not (moment.isascii() and moment.isdigit()):
        raise WebhookVerificationError("The header webhook-timestamp is not a number.")
    if abs(int(moment) - now) > tolerance_s:
        raise WebhookVerificationError(f"The webhook was sent more than {tolerance_s:g} s ago, or a clock is wrong.")
