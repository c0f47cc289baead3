"""Loads after the start what the first answers do not need."""

from __future__ import annotations

import asyncio
import gc

from starlette.concurrency import run_in_threadpool

from leadyard.http.v1.row_header import load_file_readers


async def load_the_rest() -> None:
    """Loads the part of anyio that Starlette imports with its first streamed answer, and the readers of files.

    That takes up to 100 ms, in which the event loop would answer no other request. It happens here in a thread, which
    leaves the loop free, and after the start, which should be short.
    """
    await asyncio.to_thread(_load_streaming_in_a_loop_of_its_own)
    await load_file_readers()
    # As in assemble.py: what was loaded stays as long as the process.
    gc.freeze()


def _load_streaming_in_a_loop_of_its_own() -> None:
    asyncio.run(run_in_threadpool(int))
