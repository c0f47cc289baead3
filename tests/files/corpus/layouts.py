"""The headers of tools, and which part of a person each column has.

A layout is a text of columns, one a line: `Name of the column = source`. A source is an attribute of Person, one of the
texts that `cells.py` composes, or a text in quotes, which is the same in each row. The layout does not name fields:
`truth.py` derives them from the sources.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Layout:
    """The table of a tool. `above` are lines before the header, `below` lines behind the rows, and `empty` is the text
    that the tool writes into a cell without value."""

    name: str
    columns: tuple[tuple[str, str], ...]
    language: str = "en"
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    empty: str = ""
    options: dict[str, str] = field(default_factory=dict)


def layout(name: str, text: str, **rest: object) -> Layout:
    """Returns a layout from its text."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    columns = tuple((left.strip(), right.strip()) for left, _, right in (line.rpartition(" = ") for line in lines))
    return Layout(name, columns, **rest)  # type: ignore[arg-type]
