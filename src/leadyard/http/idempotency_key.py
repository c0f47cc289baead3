"""The header Idempotency-Key: as draft-ietf-httpapi-idempotency-key-header has it, and as people send it."""

from __future__ import annotations

import re

from fastapi import Request

from leadyard.errors import InvalidRequest, Violation

HEADER = "Idempotency-Key"
# A string of RFC 8941, which the draft asks for; the bare form is what everybody sends. Both name the same key. Only a
# bare one may not begin with a quote: it is a string that was never closed.
PATTERN = r"""^(?:[!#-~][!-~]{0,254}|"(?:[!#-\[\]-~]|\\["\\]){1,255}")$"""
_KEY = re.compile(PATTERN)
_ESCAPED = re.compile(r"\\(.)")


def idempotency_key(request: Request) -> str | None:
    """Returns the key the request came with, None without one. Raises InvalidRequest."""
    violation = key_violation(request)
    if violation is not None:
        raise InvalidRequest([violation])
    values = request.headers.getlist(HEADER)
    return _bare(values[0]) if values else None


def key_violation(request: Request) -> Violation | None:
    """Returns what is wrong with the request's Idempotency-Key, None if nothing is or it came without."""
    values = request.headers.getlist(HEADER)
    if not values or (len(values) == 1 and _KEY.fullmatch(values[0])):
        return None
    message = "Send one key of 1 to 255 visible ASCII characters, a UUID for example."
    return Violation(path=HEADER, code="WRONG_FORMAT", message=message)


def _bare(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if value.startswith('"') else value
