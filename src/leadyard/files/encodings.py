"""The encoding of a text file, from what its sender says and from its first bytes."""

from __future__ import annotations

import codecs
import io

from leadyard.errors import UnreadableFile

_MAX_NAME_CHARS = 40
# Longest first, because the mark of UTF-32 LE begins with the mark of UTF-16 LE.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FORMATS = (
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\xd0\xcf\x11\xe0", "an old document of Microsoft Office"),
    (b"\x1f\x8b", "compressed with gzip"),
    (b"%PDF", "a PDF document"),
)
# These codecs of Python are not encodings of files. They buffer text that they cannot finish, such as the label of a
# domain or a run of base64. They would buffer a whole endless line, and copy it with every 8 KiB.
_UNBOUNDED_CODECS = frozenset({"idna", "punycode", "utf-7", "unicode-escape", "raw-unicode-escape"})


def encoding_of(sample: bytes, given: str | None, default: str | None = None) -> str:
    """Returns the encoding's name: the given one, else the byte order mark's, else the default, else UTF-8. It never
    guesses.

    Raises UnreadableFile for an unknown name, an empty file and formats that are not text.
    """
    if not sample:
        raise empty_file()
    for start, what in _OTHER_FORMATS:
        if sample.startswith(start):
            raise UnreadableFile(f"The file is {what}, not CSV: export or save it as CSV (UTF-8) first.")
    if given is not None:
        return _known_encoding(given)
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if sample.startswith(mark)), None)
    # Some clients send charset=us-ascii with any file. UTF-8 contains ASCII.
    return marked or ("utf-8" if default is None or codecs.lookup(default).name == "ascii" else default)


def empty_file() -> UnreadableFile:
    """Returns the refusal of a file without a byte."""
    return UnreadableFile("The file is empty: it needs at least a line with the names of the columns.")


def is_encoding(name: str | None) -> bool:
    """Returns whether this is the name of a text encoding that a file can have."""
    try:
        return bool(name and len(name) <= _MAX_NAME_CHARS and _known_encoding(name))
    except UnreadableFile:
        return False


def _known_encoding(name: str) -> str:
    try:
        if codecs.lookup(name).name.replace("_", "-") in _UNBOUNDED_CODECS:
            raise LookupError(name)
        # Some codecs (hex, zlib) turn bytes into bytes; only the wrapper refuses them.
        io.TextIOWrapper(io.BytesIO(), encoding=name)
    except (LookupError, ValueError) as error:
        raise UnreadableFile(
            f"There is no text encoding {name[:60]!r}: use a name like utf-8, utf-16, cp1252 or iso-8859-15."
        ) from error
    return name
