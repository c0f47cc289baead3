"""Reads a JSON body within limits, and parses it."""

from __future__ import annotations

import codecs
from typing import Any

from pydantic_core import from_json
from starlette.requests import Request

from leadyard.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType, Violation
from leadyard.http.request.duplicate_keys import find_duplicate_keys
from leadyard.http.wire.headers import announced_length, value_of

MAX_BODY_BYTES = 1024 * 1024
# RFC 7396: a PATCH of this service means just this.
_MERGE_PATCH = "application/merge-patch+json"
_INCOMPLETE = Violation(path="body", code="INCOMPLETE", message="The connection ended before the end of the body.")


async def read_json(request: Request, *, optional: bool, max_bytes: int = MAX_BODY_BYTES) -> Any:
    """Returns the parsed body of the request, and keeps it for `parsed_body`. None for an empty body if it is optional.

    A body that is not JSON is refused later, together with the errors in the path and query. Until then it is the empty
    text, which no route accepts, and the reason is in the state of the request. Raises BodyTooLarge,
    UnsupportedMediaType, and InvalidRequest for a body that ends too early.
    """
    content = await _read(request, max_bytes)
    if optional and not content:
        return None
    _check_headers(request)
    # RFC 8259 lets a reader ignore the mark, which PowerShell and .NET write.
    text = content.removeprefix(codecs.BOM_UTF8)
    state = request.scope["state"]
    try:
        parsed = from_json(text, allow_inf_nan=False)
        state["body_violations"] = [_duplicate(place) for place in find_duplicate_keys(text, parsed)]
    except ValueError as error:
        state["not_json"] = f"The body is not JSON: {error}.{_hint_at_encoding(text)}"
        parsed = ""
    state["parsed_body"] = parsed
    return parsed


def parsed_body(request: Request) -> Any:
    """Returns the JSON body of the request, or None on a route without one."""
    return request.scope["state"].get("parsed_body")


def _check_headers(request: Request) -> None:
    """Raises UnsupportedMediaType for a body that is compressed, or that is not JSON."""
    coding = value_of(request.scope, b"content-encoding").strip().lower()
    if coding not in ("", "identity"):
        raise UnsupportedMediaType(
            "Send JSON without the header 'Content-Encoding'. Only an upload may be compressed.",
            message="This path does not accept a request body with a Content-Encoding.",
        )
    media_type = value_of(request.scope, b"content-type").partition(";")[0].strip().lower()
    if media_type != "application/json" and not (request.method == "PATCH" and media_type == _MERGE_PATCH):
        raise UnsupportedMediaType.not_json()


def _duplicate(place: str) -> Violation:
    return Violation(path=place, code="DUPLICATE", message="The object contains this key more than once. Send it once.")


def _hint_at_encoding(text: bytes) -> str:
    """Returns a sentence if the text is probably in another encoding than UTF-8."""
    # Text in UTF-16 has a NUL beside each ASCII character, and JSON begins with such a character.
    if b"\0" not in text[:4] and _is_utf8(text):
        return ""
    return " Send it in UTF-8: the service ignores the charset of Content-Type."


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


async def _read(request: Request, max_bytes: int) -> bytes:
    """Reads no further than the limit, even if the client announced a shorter body."""
    if announced_length(request.scope) > max_bytes:
        raise _too_large(max_bytes)
    pieces: list[bytes] = []
    size = 0
    has_more = True
    while has_more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            # The client is gone and does not read this, but the log then contains a refusal instead of an error.
            raise InvalidRequest([_INCOMPLETE])
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > max_bytes:
            raise _too_large(max_bytes)
        pieces.append(piece)
        has_more = message.get("more_body", False)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge.of_json(max_mib=max_bytes // 1024**2)
