"""`leadyard` on an event loop that notes who holds it: `python -m rig.held_loop REPORT serve --port 8000`.

The report has a JSON line for each callback that held the loop for longer than 0.1 ms: `at` and `until` on the
monotonic clock, `held_s`, and the `callback`. Another line has only `serving`, the moment from which clients are
answered.

Time in which the process wanted to run and another had the processor is not held: it depends on the machine and not on
the service. Only Linux counts that time; elsewhere it is held.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from pathlib import Path
from socket import socket
from typing import Any, TextIO

import uvicorn

_WORTH_A_LINE_S = 0.0001
_SCHEDULING_FILE = Path("/proc/thread-self/schedstat")


def _watch_callbacks(report: TextIO) -> None:
    run = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        if threading.current_thread() is not threading.main_thread():
            # A thread may have a loop too, and holds up only itself.
            run(handle)
            return
        at, waited_s = time.monotonic(), _waited_s()
        run(handle)
        until = time.monotonic()
        if until - at > _WORTH_A_LINE_S:
            held_s = until - at - (_waited_s() - waited_s)
            _write(report, at=at, until=until, held_s=held_s, callback=repr(handle))

    asyncio.Handle._run = timed  # type: ignore[method-assign,assignment]


def _watch_start(report: TextIO) -> None:
    startup = uvicorn.Server.startup

    async def noted(server: uvicorn.Server, sockets: list[socket] | None = None) -> None:
        await startup(server, sockets)
        _write(report, serving=time.monotonic())

    uvicorn.Server.startup = noted  # type: ignore[method-assign,assignment]


def _write(report: TextIO, **line: Any) -> None:
    print(json.dumps(line), file=report, flush=True)


def _waited_s() -> float:
    """Returns for how long this thread has waited for a processor so far."""
    try:
        return int(_SCHEDULING_FILE.read_text().split()[1]) / 1e9
    except OSError:
        return 0.0


if __name__ == "__main__":
    from leadyard.cli.main import run

    sys.modules["uvloop"] = None  # type: ignore[assignment]  # Python does not see its callbacks.
    with Path(sys.argv.pop(1)).open("w", encoding="utf-8") as report:
        _watch_callbacks(report)
        _watch_start(report)
        run()
