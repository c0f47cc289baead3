"""Uploads over HTTP: a file as the body of a request, stored piece by piece while it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import Field

from leadyard import model
from leadyard.errors import LeadyardError
from leadyard.files.encodings import is_encoding
from leadyard.http.answer.envelope import Id, Instant, Shape, Success
from leadyard.http.answer.idempotency_key import idempotency_key
from leadyard.http.answer.shown import Shown
from leadyard.http.request.answering import answer, run
from leadyard.http.request.raw_body import DIGEST_PATTERN, RawBody
from leadyard.http.request.route import needs
from leadyard.model import MAX_UPLOAD_BYTES, UPLOAD_PIECE_BYTES
from leadyard.operations import uploads

MEDIA_TYPES = (
    "text/csv", "application/gzip", "application/x-gzip", "application/octet-stream", "text/plain",
    "text/tab-separated-values", "application/vnd.ms-excel",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.ms-excel.sheet.macroenabled.12", "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    "application/vnd.oasis.opendocument.spreadsheet", "text/vcard", "text/x-vcard", "text/directory",
)  # fmt: skip

# The handler reads the body itself, piece by piece, so the parameters of the route do not contain it.
DOCUMENTED: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file, plain or compressed with gzip: CSV, Excel, OpenDocument or vCard, recognised by its "
        "content. The `charset` of the Content-Type is the encoding of a text without a byte order mark. The body may "
        "have at most 1 GiB.",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary", "minLength": 1}} for media_type in MEDIA_TYPES
        },
    },
    "parameters": [
        {
            "name": "Content-Digest",
            "in": "header",
            "required": False,
            "description": "The SHA-256 of the body (RFC 9530). The service compares the received body with it.",
            "schema": {"type": "string", "pattern": DIGEST_PATTERN},
        }
    ],
}


class UploadedFile(Shape):
    """A stored file. Jobs can start with it until `expiresAt`, or until the first of them has brought people in. While
    a job reads the file, the service keeps it."""

    upload_id: Id
    size_bytes: Annotated[int, Field(examples=[131072], description="Size of the request body.")]
    sha256: Annotated[
        str,
        Field(
            pattern="^[0-9a-f]{64}$",
            examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
            description="SHA-256 of the request body, in hex.",
        ),
    ]
    created_at: Instant
    expires_at: Instant


class UploadSuccessResponse(Success[UploadedFile]):
    """The stored file."""


@needs(uploads.start_upload)
async def create_upload(request: Request) -> Response:
    """Stores a file for a prospecting job of the type csv_upload. Send the file itself as the body, plain or compressed
    with gzip. If the connection breaks, send the whole file again: the service keeps no part of it."""
    idempotency_key(request)  # Refuses a malformed key before the client sends the file, not after.
    body = RawBody(request, media_types=MEDIA_TYPES, max_bytes=MAX_UPLOAD_BYTES)
    charset = body.charset if is_encoding(body.charset) else None
    upload_id = await run(request, uploads.start_upload, charset=charset)
    try:
        await _store(request, upload_id, body)
        request.state.body_digest = body.sha256
        response = await answer(
            request,
            uploads.finish_upload,
            _shown,
            upload_id=upload_id,
            size_bytes=body.size_bytes,
            sha256=body.sha256,
        )
    except BaseException:
        # Should this fail too, the housekeeping removes the pieces an hour after the last of them.
        with suppress(LeadyardError):
            await run(request, uploads.discard_upload, upload_id=upload_id)
        raise
    if "Idempotency-Replayed" in response.headers:
        with suppress(LeadyardError):
            await run(request, uploads.discard_upload, upload_id=upload_id)
    return response


async def _store(request: Request, upload_id: str, body: RawBody) -> None:
    """Stores each piece in its own transaction, so that no connection to the database is held while the client is
    slow."""
    number = 0
    async for content in body.pieces(UPLOAD_PIECE_BYTES):
        await run(request, uploads.add_piece, upload_id=upload_id, number=number, content=content)
        number += 1


def _shown(upload: model.Upload) -> Shown:
    return Shown(UploadSuccessResponse, UploadedFile.of(upload, upload_id=upload.id))
