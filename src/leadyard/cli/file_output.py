"""The output of a command: a new file, which is complete or does not exist, or standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from leadyard.cli.output import wrong_usage
from leadyard.errors import UnreadableFile

if TYPE_CHECKING:
    from leadyard.operations.exports import Piece


def written_output(output: Path | None) -> AbstractContextManager[TextIO]:
    """Returns the stream to write to, in UTF-8 and with unchanged line ends. None is standard output.

    Entering raises a usage error for a file that exists or cannot be created. Writing raises UnreadableFile.
    """
    return _opened(output) if output else _standard_output()


@contextmanager
def replaced_output(path: Path) -> Iterator[TextIO]:
    """Opens a file to write to, which may exist. Raises UnreadableFile."""
    try:
        with path.open("w", newline="", encoding="utf-8") as stream:
            yield stream
    except OSError as error:
        raise UnreadableFile(
            f"{path}: {error.strerror}. Choose another place with --rejects and import the file again.",
            message="The rejected rows cannot be written.",
        ) from error


async def write_pieces(
    pieces: AsyncIterator[Piece], stream: TextIO, advance: Callable[[int], None] = lambda _: None
) -> int:
    """Writes the pieces and returns how many rows they have; calls `advance` with the rows so far after each piece."""
    rows = 0
    async for piece in pieces:
        stream.write(piece.text)
        rows += piece.rows
        advance(rows)
    # A failure to write has to be noticed here, where the command can still report it.
    stream.flush()
    return rows


async def write_text(
    pieces: AsyncIterator[str], stream: TextIO, advance: Callable[[int], None] = lambda _: None
) -> int:
    """Writes the text of a CSV file with a header. Returns and reports the rows like `write_pieces`."""
    rows, is_quoted = -1, False
    async for piece in pieces:
        stream.write(piece)
        for number, part in enumerate(piece.split('"')):
            is_quoted ^= number > 0
            rows += 0 if is_quoted else part.count("\n")
        advance(max(rows, 0))
    stream.flush()
    return max(rows, 0)


@contextmanager
def _opened(output: Path) -> Iterator[TextIO]:
    """Opens a new file, and removes it if it cannot be completed."""
    try:
        stream = output.open("x", newline="", encoding="utf-8")
    except OSError as error:
        raise wrong_usage(f"Cannot write {output}: {error.strerror}.") from None
    try:
        with _written_to(str(output)), stream:
            yield stream
    except BaseException:
        output.unlink(missing_ok=True)
        raise


@contextmanager
def _standard_output() -> Iterator[TextIO]:
    """Writes the same bytes on every system, independent of the encoding and line ends of the shell."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    with _written_to("standard output"):
        yield sys.stdout


@contextmanager
def _written_to(what: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        # The reader has closed the pipe, as `head` does. Typer then ends the command quietly.
        raise
    except OSError as error:
        raise UnreadableFile(
            f"{what}: {error.strerror}. Free some space or choose another place with --output, then try again.",
            message="The export cannot be written.",
        ) from None
