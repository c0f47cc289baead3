"""The layout of a CSV file, read from its beginning: the delimiter, and the lines before the header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from leadyard.errors import UnreadableFile
from leadyard.files.column_content import is_email
from leadyard.files.column_spellings import column_key
from leadyard.files.heading import header_place, score
from leadyard.people.fields import COLUMN_NAMES

SAMPLE_BYTES = 65_536
DELIMITERS = ",;\t|"

_SAMPLE_RECORDS = 50
_MAX_PREAMBLE_LINES = 30
_MAX_LINES_A_HEADER = 20

# Excel writes and honours such a first line to name the delimiter.
_SEPARATOR_LINE = re.compile(r'"?sep=([^\r\n])"?[ \t]*[\r\n]*', re.IGNORECASE)
# The receivers of an e-mail, one a line. The quotes are around the name, and not around a cell.
_RECEIVER = re.compile(r'(?:[ \t]*"[^"\r\n]*"[ \t]*|[^"<>\r\n]*)<[^\s<>@]+@[^\s<>@]+>[;, \t]*[\r\n]*')
# A comma can be in the quotes around a name.
_BETWEEN_COMMAS = re.compile(r'(?:"[^"]*"|[^";,])+')
_MAX_RECEIVER_CHARS = 400
_BETWEEN_RECEIVERS = ";, \t\r\n"
_FEWEST_IN_A_LINE = 3
_WRAPPED = re.compile(r'[ \t]*"((?:[^"]|"")*)"[;,|\t ]*([\r\n]*)')
# The delimiter of our own exports is certain, even if their cells are full of other delimiters.
_EXPORT_START = ",".join(COLUMN_NAMES)


class Layout(NamedTuple):
    """The delimiter, the number of physical lines before the header, whether there is a header, and whether every line
    is one quoted cell that contains the real line."""

    delimiter: str
    lines_before_header: int
    has_header: bool = True
    is_wrapped: bool = False
    has_receivers: bool = False
    """Whether the lines are like `Name <address>`, each of which is one cell."""


def layout_of(sample: bytes, encoding: str, delimiter: str | None, wanted: Collection[str] = ()) -> Layout:
    """Returns the layout of the sample. A given delimiter overrides the detected one. `wanted` are names of columns
    that the caller uses, which help to find the header.

    Raises UnreadableFile for an invalid delimiter, and for a blank sample.
    """
    if delimiter is not None:
        delimiter = _possible_delimiter(delimiter)
    lines = _sample_lines(sample, encoding)
    # Without this limit an endless file of blank lines would be searched for a header without end.
    if lines and not any(line.strip().strip(' \t",;|') for line in lines):
        raise UnreadableFile("The file begins with nothing but blank lines: it needs a line that names the columns.")
    separator_line = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if separator_line:
        given = delimiter or _possible_delimiter(separator_line[1])
        return _below(Layout(given, 1), _layout_of_lines(lines[1:], given, wanted))
    if lines and lines[0].startswith(_EXPORT_START):
        return Layout(delimiter or ",", 0)
    skipped = _preamble_length(lines)
    return _below(Layout("", skipped), _layout_of_lines(lines[skipped:], delimiter, wanted))


def _joined(lines: list[str]) -> list[str]:
    """Returns the lines, where a name of a column that goes over several lines is in the first of them, and the others
    are blank. A quote that is not closed near by is part of a title."""
    result: list[str] = []
    has_open_quote = [line.count('"') % 2 == 1 for line in lines]
    while len(result) < len(lines):
        start = len(result)
        ends = range(start + 1, min(start + _MAX_LINES_A_HEADER, len(lines)))
        end = next((each for each in ends if has_open_quote[each]), start) if has_open_quote[start] else start
        result += ["".join(lines[start : end + 1]), *[""] * (end - start)]
    return result


def _below(above: Layout, layout: Layout) -> Layout:
    lines = above.lines_before_header + layout.lines_before_header
    return Layout(layout.delimiter, lines, layout.has_header, layout.is_wrapped, layout.has_receivers)


def _layout_of_lines(lines: list[str], delimiter: str | None, wanted: Collection[str]) -> Layout:
    first = _joined(lines[:_MAX_PREAMBLE_LINES])
    if not any(line.strip() for line in first):
        return Layout(delimiter or _likeliest_delimiter(lines), 0)
    if delimiter is None and _are_receivers(list(filter(str.strip, lines[: len(first)]))):
        return Layout(",", 0, has_header="@" not in first[0], has_receivers=True)
    candidates = delimiter or DELIMITERS
    inner = [unwrapped(line) for line in first if line.strip()]
    if _are_wrapped(inner, list(filter(str.strip, first))):
        found = _named_header(inner, candidates, wanted)
        if found is not None:
            place = _line_of(first, header_place(_records(inner, found), wanted) or 0)
            return Layout(found, place, is_wrapped=True)
    chosen = _named_header(first, candidates, wanted) or delimiter or _likeliest_delimiter(_without_titles(lines))
    place_in_records = header_place(_records(first, chosen), wanted)
    if place_in_records is None:
        return Layout(chosen, 0, has_header=False)
    return Layout(chosen, _line_of(first, place_in_records))


def _are_wrapped(inner: Sequence[str], outer: Sequence[str]) -> bool:
    changed = [line != whole for line, whole in zip(inner, outer, strict=True)]
    return changed[0] and 3 * sum(changed) >= 2 * len(changed)


def _are_receivers(lines: Sequence[str]) -> bool:
    """Returns whether most lines, apart from a header, are addresses and some of them have a name before it."""
    below = lines[1:] or lines
    named = sum(1 for line in below if _RECEIVER.fullmatch(line) or ("<" in line and len(receivers_in(line)) > 1))
    bare = sum(1 for line in below if is_email(line.strip(" \t\r\n;,")))
    if len(lines) == 1 and len(receivers_in(lines[0])) >= _FEWEST_IN_A_LINE:
        return True
    return named > 0 and named + bare >= 0.6 * len(below)


def receivers_in(line: str) -> list[str]:
    """Returns the receivers in the field of a message, such as `Ada <ada@x.example>; bob@x.example`. A line with
    something else in it is one of them."""
    whole = line.strip(_BETWEEN_RECEIVERS)
    if "@" not in line:
        return [whole]
    parts = [text for found in _BETWEEN_COMMAS.finditer(line) if (text := found[0].strip(_BETWEEN_RECEIVERS))]
    return parts if all(map(_is_receiver, parts)) else [whole]


def _is_receiver(text: str) -> bool:
    return len(text) <= _MAX_RECEIVER_CHARS and (_RECEIVER.fullmatch(text) is not None or is_email(text))


def as_one_cell(line: str) -> Iterator[str]:
    """Yields each receiver of the line as a line of one quoted cell."""
    if not line.strip():
        yield line
        return
    for text in receivers_in(line):
        yield f'"{text.replace(chr(34), chr(34) * 2)}"\n'


def unwrapped(line: str) -> str:
    """Returns the line inside a line that is one quoted cell, or the line itself. Excel makes such lines of a CSV file
    whose delimiter it does not expect."""
    found = _WRAPPED.fullmatch(line)
    return found[1].replace('""', '"') + found[2] if found else line


def _named_header(lines: Sequence[str], delimiters: str, wanted: Collection[str]) -> str | None:
    """Returns the delimiter under which one of the lines has most known names, None if none has two of them."""
    keys = {column_key(name) for name in wanted}
    scores = [max(score(record, keys) for record in _records(lines, each)) for each in delimiters]
    best = max(scores)
    if best < 2:
        return None
    likely = [each for each, found in zip(delimiters, scores, strict=True) if found == best]
    return likely[0] if len(likely) == 1 else max(likely, key=lambda each: _agreement(list(lines), each))


def _records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Returns the cells of each line that is not blank, each line read by itself."""
    records = []
    for line in lines:
        if not line.strip():
            continue
        try:
            records.append(next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter, skipinitialspace=True), []))
        except csv.Error:
            records.append([])
    return records


def _line_of(lines: Sequence[str], record: int) -> int:
    """Returns the number of lines before the record with this number among those that are not blank."""
    return [index for index, line in enumerate(lines) if line.strip()][record] if record else 0


def _without_titles(lines: list[str]) -> list[str]:
    """Returns the lines from the first one that has a delimiter between two texts."""
    for index, line in enumerate(lines[:_MAX_PREAMBLE_LINES]):
        if any(line.strip().strip(each).count(each) for each in DELIMITERS):
            return lines[index:]
    return lines


def _possible_delimiter(text: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(text.lower(), text)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '" \r\n\0':
        raise UnreadableFile(f"{text[:20]!r} is not a valid delimiter: use one character such as , or ; or | or tab.")
    return delimiter


def _sample_lines(sample: bytes, encoding: str) -> list[str]:
    """Returns the lines of the sample. It replaces bytes that do not decode, which are refused later with the rows."""
    try:
        text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample)
    except UnicodeError:
        return []
    lines = list(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    cut_off = len(sample) >= SAMPLE_BYTES and len(lines) > 1
    return lines[:-1] if cut_off else lines


def _preamble_length(lines: list[str]) -> int:
    """Returns the number of lines before the header. LinkedIn's export of connections begins with `Notes:`, a paragraph
    and a blank line."""
    if not lines or lines[0].strip(' \t\r\n",;') != "Notes:":
        return 0
    for index, line in enumerate(lines[:_MAX_PREAMBLE_LINES]):
        if not line.strip(" \t\r\n,;"):
            return index + 1
    return 0


def _likeliest_delimiter(lines: list[str]) -> str:
    """Returns the candidate under which most records are as wide as the header, then the one with most columns."""
    return max(DELIMITERS, key=lambda delimiter: _agreement(lines, delimiter))


def _agreement(lines: list[str], delimiter: str) -> tuple[float, int]:
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    try:
        widths = [len(cells) for cells in islice(filter(None, reader), _SAMPLE_RECORDS)]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return widths.count(widths[0]) / len(widths), widths[0]
