"""The header Idempotency-Key, in the form of draft-ietf-httpapi-idempotency-key-header and in the common bare form."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import Request

from leadyard.errors import InvalidRequest, Violation
from leadyard.http.wire.headers import values_of

HEADER = "Idempotency-Key"
_HEADER = HEADER.lower().encode()
# The draft requires a string of RFC 8941, but most clients send the bare key. Both mean the same key. Only a bare key
# may not begin with a quote, because it would be a string without an end.
PATTERN = r"""^(?:[!#-~][!-~]{0,254}|"(?:[!#-\[\]-~]|\\["\\]){1,255}")$"""
_KEY = re.compile(PATTERN)
_ESCAPED = re.compile(r"\\(.)")


def idempotency_key(request: Request) -> str | None:
    """Returns the key of the request, or None without one. Raises InvalidRequest for a malformed key."""
    values = values_of(request.scope, _HEADER)
    if not values:
        return None
    violation = _violation_of(values)
    if violation is not None:
        raise InvalidRequest([violation])
    return _bare(values[0])


def key_violation(request: Request) -> Violation | None:
    """Returns the problem of the request's Idempotency-Key, or None if the key is valid or missing."""
    return _violation_of(values_of(request.scope, _HEADER))


def _violation_of(values: Sequence[str]) -> Violation | None:
    if not values or (len(values) == 1 and _KEY.fullmatch(values[0])):
        return None
    message = "Send one key of 1 to 255 visible ASCII characters, a UUID for example."
    return Violation(path=HEADER, code="WRONG_FORMAT", message=message)


def _bare(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
