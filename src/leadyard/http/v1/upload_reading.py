"""Reads an upload while a request waits: in a thread, a little at a time, and not for long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from leadyard.database import Database
from leadyard.errors import UnreadableFile
from leadyard.files.pace import OutOfTime, Pace
from leadyard.model import Caller
from leadyard.operations import uploads

R = TypeVar("R")
Piece = Callable[[int], bytes | None]

# The thread rests as long as it works, so two of them leave the other requests half of the time.
_REST_S = 0.01
_SECONDS = 10.0
_PIECE_WITHIN_S = 30.0
_places = asyncio.Semaphore(2)


async def read_upload(db: Database, who: Caller, upload_id: str, work: Callable[[Piece, Pace], R]) -> R:
    """Returns the result of the work, which gets a function that reads a piece of the upload, and the pace for it.

    A process reads two uploads at a time, and further requests wait. Raises UnreadableFile after 10 s, and the errors
    of the work.
    """
    loop = asyncio.get_running_loop()

    async def stored(number: int) -> bytes | None:
        return await uploads.read_piece(db, who.account_group_id, upload_id, number)

    def piece(number: int) -> bytes | None:
        return asyncio.run_coroutine_threadsafe(stored(number), loop).result(_PIECE_WITHIN_S)

    async with _places:
        try:
            return await asyncio.to_thread(work, piece, Pace(seconds=_SECONDS, rest_s=_REST_S))
        except OutOfTime as error:
            raise UnreadableFile(
                f"Its header was not found within {_SECONDS:g} s: save the sheet with the people as CSV (UTF-8) and "
                "send that."
            ) from error
