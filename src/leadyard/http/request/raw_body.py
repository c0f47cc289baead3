"""A request body that is not JSON: refuses it by its headers, or yields it in pieces while it arrives."""

from __future__ import annotations

import asyncio
import base64
import email.message
import hashlib
import re
from collections.abc import AsyncIterator, Collection

from starlette.requests import ClientDisconnect, Request

from leadyard.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType, Violation

PATIENCE_S = 60.0
"""The time to wait for the next part of a body."""
DIGEST_PATTERN = "^sha-256=:[A-Za-z0-9+/]{43}=:$"

_ENCODINGS = ("", "identity", "gzip")
# RFC 9530 allows several digests in one header. The digest that we can verify must be among them.
_DIGEST = re.compile(r"(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):[ \t]*(?=$|,)")


class RawBody:
    """The body of a request. `size_bytes` and `sha256` describe the part that was read so far.

    The constructor checks the headers. It raises UnsupportedMediaType for a media type or coding that is not accepted,
    BodyTooLarge for an announced length above `max_bytes`, and InvalidRequest for a Content-Digest without SHA-256.
    """

    def __init__(self, request: Request, *, media_types: Collection[str], max_bytes: int) -> None:
        self._request = request
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        _check_type(request, media_types)
        self._announced_bytes = _announced_length(request)
        if self._announced_bytes is not None and self._announced_bytes > max_bytes:
            raise file_too_large(max_bytes)
        self._expected_digest = _digest(request)

    @property
    def charset(self) -> str | None:
        """The parameter `charset` of the Content-Type, None if it has none."""
        parameters = email.message.Message()
        parameters["content-type"] = self._request.headers.get("content-type", "")
        charset = parameters.get_param("charset")
        return charset if isinstance(charset, str) else None

    @property
    def sha256(self) -> str:
        """The SHA-256 in hex."""
        return self._hash.hexdigest()

    async def pieces(self, piece_bytes: int) -> AsyncIterator[bytes]:
        """Yields the body in pieces of `piece_bytes`, of which the last may be shorter, with at most two in memory.

        Raises BodyTooLarge when the body exceeds the limit, and InvalidRequest when it is empty, ends too early, stops
        for PATIENCE_S, or does not have the announced digest. Then the pieces that were yielded are not valid.
        """
        waiting = bytearray()
        async for chunk in self._chunks():
            waiting += chunk
            while len(waiting) >= piece_bytes:
                piece = bytes(memoryview(waiting)[:piece_bytes])
                del waiting[:piece_bytes]
                yield piece
        self._check_whole()
        if waiting:
            yield bytes(waiting)

    async def _chunks(self) -> AsyncIterator[bytes]:
        stream = self._request.stream()
        while True:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    chunk = await anext(stream, None)
            except TimeoutError:
                raise _wrong("TOO_SLOW", f"No more of the body arrived within {PATIENCE_S:.0f} seconds.") from None
            except ClientDisconnect:
                # The client is gone and does not read this, but the log then contains the outcome of the request.
                raise _wrong("INCOMPLETE", "The connection ended before the end of the body.") from None
            if chunk is None:
                return
            self.size_bytes += len(chunk)
            if self.size_bytes > self._max_bytes:
                raise file_too_large(self._max_bytes)
            # Hashes small chunks of a few KiB, because a whole piece at once would make other requests wait.
            self._hash.update(chunk)
            yield chunk

    def _check_whole(self) -> None:
        if self._announced_bytes not in (None, self.size_bytes):
            raise _wrong("INCOMPLETE", "The body does not have the length that Content-Length announces.")
        if self.size_bytes == 0:
            raise empty_body()
        if self._expected_digest not in (None, self._hash.digest()):
            message = "The SHA-256 of the received body differs, so it was changed on the way. Send it again."
            raise _wrong("MISMATCH", message, path="Content-Digest")


def _check_type(request: Request, media_types: Collection[str]) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in media_types:
        raise not_a_file(media_types)
    if request.headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
        raise UnsupportedMediaType(
            "Send the body as it is or compressed with 'Content-Encoding: gzip'.",
            message="This path does not accept the coding of the request body.",
        )


def _announced_length(request: Request) -> int | None:
    announced = request.headers.get("content-length", "")
    # A number with more digits is too large in any case, and slow to parse.
    return int(announced[:20]) if announced.isdecimal() else None


def _digest(request: Request) -> bytes | None:
    header = request.headers.get("content-digest")
    if header is None:
        return None
    found = _DIGEST.search(header)
    if found is None:
        raise _wrong("WRONG_FORMAT", "Must be of the form sha-256=:BASE64:, as in RFC 9530.", path="Content-Digest")
    return base64.b64decode(found[1])


def file_too_large(max_bytes: int) -> BodyTooLarge:
    """Returns the refusal of a body that is longer than `max_bytes`."""
    size = f"{max_bytes} bytes ({max_bytes / 1024**3:g} GiB)"
    return BodyTooLarge(f"Send at most {size}. Compress the file with gzip or split it.")


def not_a_file(media_types: Collection[str]) -> UnsupportedMediaType:
    """Returns the refusal of a body that has none of these types."""
    return UnsupportedMediaType(
        f"Send the file itself as the body, with a Content-Type of {', '.join(media_types)}.",
        message="This path does not accept the type of the request body.",
    )


def empty_body() -> InvalidRequest:
    """Returns the refusal of a body without content."""
    return _wrong("TOO_SHORT", "The body is empty. Send the content of the file.")


def _wrong(code: str, message: str, *, path: str = "body") -> InvalidRequest:
    return InvalidRequest([Violation(path=path, code=code, message=message)])
