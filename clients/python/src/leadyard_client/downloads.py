"""CSV files on their way from the service, as streams that never have the whole file in memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import aclosing, closing, contextmanager
from pathlib import Path

import httpx

from leadyard_client.refusal import NoAnswer

PathLike = str | os.PathLike[str]


class Download:
    """A CSV file in UTF-8. The request is sent when you read: once for each call of a method."""

    def __init__(self, open_stream: Callable[[], httpx.Response]) -> None:
        self._open_stream = open_stream

    def iter_bytes(self) -> Generator[bytes, None, None]:
        """Yields the file in pieces. Raises ApiError, and NoAnswer if the connection breaks before its end.

        If you leave the loop early, close the generator, for example with `contextlib.closing`.
        """
        response = self._open_stream()
        try:
            with _breaks_reported():
                yield from response.iter_bytes()
        finally:
            response.close()

    def read(self) -> bytes:
        """Returns the whole file. Raises ApiError and NoAnswer."""
        return b"".join(self.iter_bytes())

    def save(self, path: PathLike) -> int:
        """Writes the file to `path`, and returns its size in bytes.

        The file appears at its place when it is complete; until then it has the additional suffix `.part`. Raises
        ApiError, NoAnswer, and OSError if the file cannot be written.
        """
        with _complete_or_absent(path) as part, part.open("wb") as file, closing(self.iter_bytes()) as pieces:
            return sum(file.write(piece) for piece in pieces)


class AsyncDownload:
    """The same for `async for`."""

    def __init__(self, open_stream: Callable[[], Awaitable[httpx.Response]]) -> None:
        self._open_stream = open_stream

    async def iter_bytes(self) -> AsyncGenerator[bytes, None]:
        """Yields the file in pieces. Raises ApiError, and NoAnswer if the connection breaks before its end.

        If you leave the loop early, close the generator, for example with `contextlib.aclosing`.
        """
        response = await self._open_stream()
        try:
            with _breaks_reported():
                async for piece in response.aiter_bytes():
                    yield piece
        finally:
            await response.aclose()

    async def read(self) -> bytes:
        """Returns the whole file. Raises ApiError and NoAnswer."""
        return b"".join([piece async for piece in self.iter_bytes()])

    async def save(self, path: PathLike) -> int:
        """Writes the file to `path` as `Download.save` does, and returns its size in bytes."""
        size = 0
        with _complete_or_absent(path) as part, part.open("wb") as file:
            async with aclosing(self.iter_bytes()) as pieces:
                async for piece in pieces:
                    size += await asyncio.to_thread(file.write, piece)
        return size


@contextmanager
def _breaks_reported() -> Iterator[None]:
    try:
        yield
    except httpx.TransportError as error:
        reason = f"{type(error).__name__}: {error}. The file is incomplete."
        raise NoAnswer(reason, may_have_happened=False) from error


@contextmanager
def _complete_or_absent(path: PathLike) -> Iterator[Path]:
    """Gives a file beside `path`, and moves it there at the end. It removes the file after an error."""
    whole = Path(path)
    part = whole.with_name(f"{whole.name}.part")
    try:
        yield part
        part.replace(whole)
    finally:
        part.unlink(missing_ok=True)
