"""A CSV file as an answer, which is sent while it is being read."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from leadyard.operations.exports import Piece


def csv_download(pieces: AsyncIterator[Piece], *, file_name: str) -> StreamingResponse:
    """Returns the answer. If a piece cannot be read, the server closes the connection early, so that the client can
    detect that the file is incomplete."""
    return StreamingResponse(
        (piece.text async for piece in pieces),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
