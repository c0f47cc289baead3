"""Uploads over HTTP: a file as the body of a request, stored piece by piece while it arrives."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import Field

from leadyard import model
from leadyard.errors import LeadyardError
from leadyard.http.caller import caller, database
from leadyard.http.envelope import Id, Instant, Shape, Success
from leadyard.http.idempotency_key import idempotency_key
from leadyard.http.once import Shown, answer_once
from leadyard.http.raw_body import DIGEST_PATTERN, RawBody
from leadyard.model import MAX_UPLOAD_BYTES, UPLOAD_PIECE_BYTES
from leadyard.operations import uploads
from leadyard.operations.operation import Database

MEDIA_TYPES = (
    "text/csv", "application/gzip", "application/x-gzip", "application/octet-stream", "text/plain",
    "text/tab-separated-values",
)  # fmt: skip

# The handler takes the request as it is, so that FastAPI neither reads the body nor knows of it.
DOCUMENTED: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file, as it is or compressed with gzip; at most 1 GiB as it is sent.",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary", "minLength": 1}} for media_type in MEDIA_TYPES
        },
    },
    "parameters": [
        {
            "name": "Content-Digest",
            "in": "header",
            "required": False,
            "description": "The SHA-256 of the body (RFC 9530). What arrives is compared with it.",
            "schema": {"type": "string", "pattern": DIGEST_PATTERN},
        }
    ],
}


class UploadedFile(Shape):
    """A file that jobs can be started on until `expiresAt`, or until one of them is completed; one that a job reads is
    kept until the job has ended."""

    upload_id: Id
    size_bytes: Annotated[int, Field(examples=[131072], description="As it was sent.")]
    sha256: Annotated[
        str,
        Field(
            pattern="^[0-9a-f]{64}$",
            examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
            description="Of the bytes as they were sent, in hex.",
        ),
    ]
    created_at: Instant
    expires_at: Instant


class UploadSuccessResponse(Success[UploadedFile]):
    """An upload."""


async def create_upload(request: Request) -> Response:
    """Stores a file for a prospecting job of the type csv_upload. Send the content of the file as the body, as it is or
    compressed with gzip. Nothing can be used before all of it has arrived; when a connection breaks, send it again."""
    db, who = database(request), caller(request)
    idempotency_key(request)  # A wrong one is told before the file is sent, not after.
    body = RawBody(request, media_types=MEDIA_TYPES, max_bytes=MAX_UPLOAD_BYTES)
    upload_id = await uploads.start_upload(db, who)
    try:
        await _store(db, who, upload_id, body)
        response = await answer_once(
            request,
            uploads.finish_upload,
            _shown,
            body_digest=body.sha256,
            upload_id=upload_id,
            size_bytes=body.size_bytes,
            sha256=body.sha256,
        )
    except BaseException:
        # Should this fail too, the housekeeping removes the pieces an hour after the last of them.
        with suppress(LeadyardError):
            await uploads.discard_upload(db, who, upload_id=upload_id)
        raise
    if "Idempotency-Replayed" in response.headers:
        with suppress(LeadyardError):
            await uploads.discard_upload(db, who, upload_id=upload_id)
    return response


async def _store(db: Database, who: model.Caller, upload_id: str, body: RawBody) -> None:
    """A transaction for each piece, so that nothing of the database is held while we wait for the client."""
    number = 0
    async for content in body.pieces(UPLOAD_PIECE_BYTES):
        await uploads.add_piece(db, who, upload_id=upload_id, number=number, content=content)
        number += 1


def _shown(upload: model.Upload) -> Shown:
    data = UploadedFile(
        upload_id=upload.id,
        size_bytes=upload.size_bytes,
        sha256=upload.sha256,
        created_at=upload.created_at,
        expires_at=upload.expires_at,
    )
    return Shown(UploadSuccessResponse, data)
