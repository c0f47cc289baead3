"""Tables for people: columns of equal width, without characters that could control the terminal."""

from __future__ import annotations

from collections.abc import Collection, Sequence

WIDEST = 36


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], *, to_the_right: Collection[str] = ()) -> str:
    """Returns a line of titles and a line for each row. Cells longer than WIDEST are cut."""
    cells = [tuple(titles), *(tuple(map(short, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(_aligned(titles, row, widths, to_the_right) for row in cells)


def short(text: str) -> str:
    """Returns the text on one line, cut to WIDEST characters."""
    line = one_line(text)
    return line if len(line) <= WIDEST else line[: WIDEST - 1] + "…"


def one_line(text: str) -> str:
    """Returns the text on one line. A space replaces each character that does not print."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _aligned(titles: Sequence[str], row: Sequence[str], widths: Sequence[int], to_the_right: Collection[str]) -> str:
    cells = [
        cell.rjust(width) if title in to_the_right else cell.ljust(width)
        for title, cell, width in zip(titles, row, widths, strict=True)
    ]
    return "  ".join(cells).rstrip()
