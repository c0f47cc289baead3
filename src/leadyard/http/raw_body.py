"""A request body that is no JSON, taken as it comes: refused by its headers, then handed on in pieces, never whole."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator, Collection

from fastapi import Request
from starlette.requests import ClientDisconnect

from leadyard.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType, Violation

PATIENCE_S = 60.0
"""How long to wait for more of a body."""
DIGEST_PATTERN = "^sha-256=:[A-Za-z0-9+/]{43}=:$"

_ENCODINGS = ("", "identity", "gzip")
# RFC 9530 allows several digests in one header; the one we can verify must be among them.
_DIGEST = re.compile(r"(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):[ \t]*(?=$|,)")


class RawBody:
    """The body of a request. `size_bytes` and `sha256` are those of what was read so far.

    Making one looks at the headers. Raises UnsupportedMediaType for another media type or coding than those taken,
    BodyTooLarge for an announced length above `max_bytes`, InvalidRequest for a Content-Digest without SHA-256.
    """

    def __init__(self, request: Request, *, media_types: Collection[str], max_bytes: int) -> None:
        self._request = request
        self._max_bytes = max_bytes
        self._hash = hashlib.sha256()
        self.size_bytes = 0
        _check_type(request, media_types)
        self._announced_bytes = _announced_length(request)
        if self._announced_bytes is not None and self._announced_bytes > max_bytes:
            raise self._too_large()
        self._expected_digest = _digest(request)

    @property
    def sha256(self) -> str:
        """The SHA-256 in hex."""
        return self._hash.hexdigest()

    async def pieces(self, piece_bytes: int) -> AsyncIterator[bytes]:
        """Yields the body in pieces of `piece_bytes`, the last one perhaps shorter, with at most two in memory.

        Raises BodyTooLarge when it grows beyond the limit, and InvalidRequest when it is empty, ends too early, does
        not go on for PATIENCE_S, or turns out to have another digest than announced: what was yielded is then void.
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
                raise _wrong("TOO_SLOW", f"Nothing more of the body arrived for {PATIENCE_S:.0f} seconds.") from None
            except ClientDisconnect:
                # Nobody is left to read this, but the log says what became of the request.
                raise _wrong("INCOMPLETE", "The connection ended before the body did.") from None
            if chunk is None:
                return
            self.size_bytes += len(chunk)
            if self.size_bytes > self._max_bytes:
                raise self._too_large()
            # Hashed here, in bits of some KiB: a whole piece at once would keep other requests waiting.
            self._hash.update(chunk)
            yield chunk

    def _check_whole(self) -> None:
        if self._announced_bytes not in (None, self.size_bytes):
            raise _wrong("INCOMPLETE", "The body does not have the length that Content-Length announces.")
        if self.size_bytes == 0:
            raise _wrong("TOO_SHORT", "The body is empty: send the content of the file.")
        if self._expected_digest not in (None, self._hash.digest()):
            message = "The SHA-256 of what arrived is another one: something was changed on the way. Send it again."
            raise _wrong("MISMATCH", message, path="Content-Digest")

    def _too_large(self) -> BodyTooLarge:
        gib = self._max_bytes / 1024**3
        return BodyTooLarge(
            f"Send at most {self._max_bytes} bytes ({gib:g} GiB); compress the file with gzip or split it."
        )


def _check_type(request: Request, media_types: Collection[str]) -> None:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in media_types:
        raise UnsupportedMediaType(
            f"Send the file itself as the body, with a Content-Type of {', '.join(media_types)}.",
            message="The request body is not of a type that is taken here.",
        )
    if request.headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
        raise UnsupportedMediaType(
            "Send the body as it is or compressed with 'Content-Encoding: gzip'.",
            message="The request body has a coding that is not taken here.",
        )


def _announced_length(request: Request) -> int | None:
    announced = request.headers.get("content-length", "")
    # A number of more digits is too large whatever it is, and long ones are slow to read.
    return int(announced[:20]) if announced.isdecimal() else None


def _digest(request: Request) -> bytes | None:
    header = request.headers.get("content-digest")
    if header is None:
        return None
    found = _DIGEST.search(header)
    if found is None:
        raise _wrong("WRONG_FORMAT", "Must be of the form sha-256=:BASE64:, as in RFC 9530.", path="Content-Digest")
    return base64.b64decode(found[1])


def _wrong(code: str, message: str, *, path: str = "body") -> InvalidRequest:
    return InvalidRequest([Violation(path=path, code=code, message=message)])
