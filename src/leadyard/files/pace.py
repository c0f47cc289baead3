"""Reading with an end: a thread that looks at a file gives way to other threads, and stops after some seconds.

Python runs one thread at a time. A thread that reads a file without a pause leaves the requests of the server only the
moments between its turns, so it works for 10 ms and then sleeps. A hostile file can be endless to read within all other
limits, and then the time is the limit.
"""

from __future__ import annotations

import io
import time

_TURN_S = 0.01


class OutOfTime(Exception):
    """The time for reading is over."""


class Pace:
    """The time of one look at a file. Call `step` between small parts of the work.

    `rest_s` is the pause after a turn of 10 ms, 0 in a process that does nothing else.
    """

    def __init__(self, *, seconds: float, rest_s: float = 0.0) -> None:
        self._rest_s = rest_s
        self._turn_began = time.monotonic()
        self._ends_at = self._turn_began + seconds

    def step(self) -> None:
        """Pauses if the turn is over. Raises OutOfTime if all of the time is over."""
        now = time.monotonic()
        if now >= self._ends_at:
            raise OutOfTime
        if self._rest_s and now - self._turn_began > _TURN_S:
            time.sleep(self._rest_s)
            self._turn_began = time.monotonic()

    def extend(self, *, seconds: float) -> None:
        """Allows at least so much time from now on."""
        self._ends_at = max(self._ends_at, time.monotonic() + seconds)


class PacedFile(io.RawIOBase):
    """A file that calls `step` before each read. Raises OutOfTime. Closing it closes the file."""

    def __init__(self, file: io.RawIOBase, pace: Pace) -> None:
        self._file = file
        self._pace = pace

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int | None = -1, /) -> bytes | None:
        self._pace.step()
        return self._file.read(-1 if size is None else size)

    def close(self) -> None:
        self._file.close()
        super().close()
