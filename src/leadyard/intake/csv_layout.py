"""What the beginning of a CSV file tells about the rest: its encoding, its delimiter, the lines before its header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from itertools import islice
from typing import NamedTuple

from leadyard.errors import UnreadableFile
from leadyard.intake.column_spellings import COLUMN_NAMES

SAMPLE_BYTES = 65_536
DELIMITERS = ",;\t|"

_SAMPLE_RECORDS = 50
_MAX_PREAMBLE_LINES = 20

# Longest first: the mark of UTF-16 LE is the beginning of that of UTF-32 LE.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FORMATS = (
    (b"PK\x03\x04", "an Excel workbook or another ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"%PDF", "a PDF document"),
)
# Python's codecs that are no encodings of files and that keep back what they cannot finish: the label of a domain, a
# run of base64, the name of a character. A line without an end would be kept whole, and copied with every 8 KiB.
_UNBOUNDED_CODECS = frozenset({"idna", "punycode", "utf-7", "unicode-escape", "raw-unicode-escape"})
# Excel writes and honours such a first line to name the delimiter.
_SEPARATOR_LINE = re.compile(r'"?sep=([^\r\n])"?[ \t]*[\r\n]*', re.IGNORECASE)
# Our own exports need no guessing, whatever their cells are full of.
_EXPORT_START = ",".join(COLUMN_NAMES)


class Layout(NamedTuple):
    """How to read the rest: the delimiter, and how many physical lines come before the header."""

    delimiter: str
    lines_before_header: int


def encoding_of(sample: bytes, given: str | None) -> str:
    """Returns the encoding's name: the given one, else that of the byte order mark, else UTF-8; nothing is guessed.

    Raises UnreadableFile for an unknown name, an empty file and formats that are not text.
    """
    if not sample:
        raise UnreadableFile("The file is empty: it needs at least a line with the names of the columns.")
    for start, what in _OTHER_FORMATS:
        if sample.startswith(start):
            raise UnreadableFile(f"The file is {what}, not CSV: export or save it as CSV (UTF-8) first.")
    if given is not None:
        return _known_encoding(given)
    return next((name for mark, name in _BYTE_ORDER_MARKS if sample.startswith(mark)), "utf-8")


def layout_of(sample: bytes, encoding: str, delimiter: str | None) -> Layout:
    """Returns the layout that the sample shows; a given delimiter wins.

    Raises UnreadableFile for a delimiter that cannot be one, and when the sample is blank.
    """
    if delimiter is not None:
        delimiter = _possible_delimiter(delimiter)
    lines = _sample_lines(sample, encoding)
    # Without this an endless file of blank lines would be searched for a header for ever.
    if lines and not any(line.strip().strip(' \t",;|') for line in lines):
        raise UnreadableFile("The file begins with nothing but blank lines: it needs a line that names the columns.")
    separator_line = _SEPARATOR_LINE.fullmatch(lines[0]) if lines else None
    if separator_line:
        return Layout(delimiter or _possible_delimiter(separator_line[1]), 1)
    if lines and lines[0].startswith(_EXPORT_START):
        return Layout(delimiter or ",", 0)
    skipped = _preamble_length(lines)
    return Layout(delimiter or _likeliest_delimiter(lines[skipped:]), skipped)


def _known_encoding(name: str) -> str:
    try:
        if codecs.lookup(name).name.replace("_", "-") in _UNBOUNDED_CODECS:
            raise LookupError(name)
        # Some codecs (hex, zlib) turn bytes into bytes; only the wrapper that will be used can tell them apart.
        io.TextIOWrapper(io.BytesIO(), encoding=name)
    except (LookupError, ValueError) as error:
        raise UnreadableFile(
            f"There is no text encoding {name[:60]!r}: use a name like utf-8, utf-16, cp1252 or iso-8859-15."
        ) from error
    return name


def _possible_delimiter(text: str) -> str:
    delimiter = {"tab": "\t", "\\t": "\t"}.get(text.lower(), text)
    if len(delimiter) != 1 or delimiter.isalnum() or delimiter in '" \r\n\0':
        raise UnreadableFile(f"{text[:20]!r} cannot separate columns: use one character such as , or ; or | or tab.")
    return delimiter


def _sample_lines(sample: bytes, encoding: str) -> list[str]:
    """Bytes that do not decode matter only to whoever reads the whole; here they merely must not hide the layout."""
    try:
        text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(sample)
    except UnicodeError:
        return []
    lines = list(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    cut_off = len(sample) >= SAMPLE_BYTES and len(lines) > 1
    return lines[:-1] if cut_off else lines


def _preamble_length(lines: list[str]) -> int:
    """LinkedIn's export of connections begins with `Notes:`, a paragraph and a blank line before the header."""
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
