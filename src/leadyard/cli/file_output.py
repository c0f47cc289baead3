"""Where a command writes a file: to a new one, which is whole or not there, or to standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TextIO

from leadyard.cli.output import wrong_usage
from leadyard.errors import UnreadableFile


def written_output(output: Path | None) -> AbstractContextManager[TextIO]:
    """Returns the stream to write to, as UTF-8 with the line ends as written; None is standard output.

    Entering raises the error of wrong usage for a file that exists or cannot be made. Writing raises UnreadableFile.
    """
    return _opened(output) if output else _standard_output()


@contextmanager
def _opened(output: Path) -> Iterator[TextIO]:
    """Opens a new file, and removes it again when it does not become a whole one."""
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
    """The same bytes on every system, whatever encoding and line ends the shell likes."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="")
    with _written_to("standard output"):
        yield sys.stdout


@contextmanager
def _written_to(what: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        # Whoever read it has enough, as `head` does; typer ends such a command quietly.
        raise
    except OSError as error:
        raise UnreadableFile(
            f"{what}: {error.strerror}. Make room, or choose another place with --output, and run the command again.",
            message="The export cannot be written.",
        ) from None
