"""Opens a file as a table, whatever its format. The content decides, not the name."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from leadyard.errors import UnreadableFile
from leadyard.files.byte_source import ByteSource, Stream
from leadyard.files.csv_file import CsvFile
from leadyard.files.pace import Pace, PacedFile
from leadyard.files.people_in_a_row import one_person_a_row
from leadyard.files.sheet_table import SheetTable
from leadyard.files.table import Table
from leadyard.files.turned_table import upright
from leadyard.files.unpacked_file import UnpackedFile
from leadyard.files.vcard_table import VcardTable, is_vcard
from leadyard.files.workbooks.archive import Archive
from leadyard.files.workbooks.excel_parts import parts_of
from leadyard.files.workbooks.ods import OdsBook
from leadyard.files.workbooks.workbook import Workbook
from leadyard.files.workbooks.xls import XlsBook
from leadyard.files.workbooks.xlsb import XlsbBook
from leadyard.files.workbooks.xlsx import XlsxBook
from leadyard.model import UploadedCsv

MAX_WORKBOOK_BYTES = 1024**3
"""As large as an upload may be. A workbook that arrives as a stream is kept in a temporary file."""
START_BYTES = 4_096

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CHUNK_BYTES = 1024**2
_MARKUP = (
    (b"<!doctype html", "a web page"), (b"<html", "a web page"), (b"<table", "a web page"),
    (b"<?xml", "an XML document"),
    (b"mime-version:", "a web archive"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read a file; what is None is found in it. `wanted` are names of columns that the caller uses."""

    encoding: str | None = None
    default_encoding: str | None = None
    """Of a text without a byte order mark. `encoding` is of any text."""
    delimiter: str | None = None
    sheet: str | None = None
    wanted: Collection[str] = ()


_AS_FOUND = Reading()


def reading_of(wanted: UploadedCsv) -> Reading:
    """Returns how to read an upload, from the request of the job and the upload itself."""
    return Reading(
        encoding=wanted.encoding,
        default_encoding=wanted.default_encoding,
        delimiter=wanted.delimiter,
        sheet=wanted.sheet,
        wanted=wanted.named_columns,
    )


def table_in(
    stream: Stream,
    reading: Reading,
    *,
    size_bytes: int | None = None,
    whole: Callable[[], BinaryIO | None] = lambda: None,
    pace: Pace | None = None,
) -> Table:
    """Returns the table in a stream, which it reads from the beginning. The stream stays open.

    `whole` returns the same file for random access, which a workbook needs; it is closed with the table. If it returns
    None, the stream is copied to a temporary file. Raises UnreadableFile, and UnknownColumn for a sheet that does not
    exist. With a `pace`, reading may raise OutOfTime.
    """
    source = ByteSource(stream if pace is None else _paced(stream, pace))
    start = source.peek(START_BYTES)
    if needs_random_access(start):
        file = whole() or _copied(source)
        if pace is not None:
            file = _paced(file, pace)
        try:
            book = _book_in(file, start)
            table = SheetTable(book, sheet=reading.sheet, wanted=reading.wanted, closes=file.close)
            return one_person_a_row(upright(table), reading.wanted)
        except BaseException:
            file.close()
            raise
    _refuse_markup(start)
    if is_vcard(start):
        return VcardTable(
            source, encoding=reading.encoding, default_encoding=reading.default_encoding, size_bytes=size_bytes
        )
    lines = CsvFile(
        source,
        encoding=reading.encoding,
        default_encoding=reading.default_encoding,
        delimiter=reading.delimiter,
        wanted=reading.wanted,
        size_bytes=size_bytes,
    )
    return one_person_a_row(upright(lines), reading.wanted)


def needs_random_access(start: bytes) -> bool:
    """Returns whether a file that begins like this is a workbook, whose parts are not in the order of their use."""
    return start.startswith((_ZIP, _OLE))


@contextmanager
def open_table(path: Path, reading: Reading = _AS_FOUND, *, pace: Pace | None = None) -> Iterator[Table]:
    """Opens the file, reads its header, and yields it for use in a `with`. The path `-` is standard input. It unpacks a
    file that is compressed with gzip, within the limits of an upload.

    Raises like `table_in`, and the errors of GzipUnpacking."""
    if str(path) == "-":
        # Without Python's own buffer. A thread may be waiting in it when the process is interrupted, and Python aborts
        # if it cannot lock that buffer at exit.
        with closing(table_in(UnpackedFile(io.FileIO(0, closefd=False)), reading, pace=pace)) as table:
            yield table
        return
    stream, size_bytes = opened(path)
    with closing(stream):
        unpacked = UnpackedFile(stream)
        if unpacked.is_packed:
            # The size of its content is not known, and a workbook in it has no file of its own.
            table = table_in(unpacked, reading, pace=pace)
        else:
            table = table_in(unpacked, reading, size_bytes=size_bytes, whole=lambda: path.open("rb"), pace=pace)
        with closing(table):
            yield table


def _paced(file: Stream | BinaryIO, pace: Pace) -> BinaryIO:
    return cast("BinaryIO", PacedFile(cast("io.RawIOBase", file), pace))


def _book_in(file: BinaryIO, start: bytes) -> Workbook:
    if start.startswith(_OLE):
        return XlsBook(file)
    archive = Archive(file)
    if archive.has("content.xml") and archive.has("META-INF/manifest.xml") and not archive.has("[Content_Types].xml"):
        return OdsBook(archive)
    parts = parts_of(archive)
    return XlsbBook(archive, parts) if parts.workbook.lower().endswith(".bin") else XlsxBook(archive, parts)


def _copied(source: ByteSource) -> BinaryIO:
    # The table closes it.
    copy = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115
    size = 0
    while chunk := source.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > MAX_WORKBOOK_BYTES:
            copy.close()
            raise UnreadableFile(f"The workbook has more than {MAX_WORKBOOK_BYTES // 1024**3} GiB: split it.")
        copy.write(chunk)
    copy.seek(0)
    return copy


def _refuse_markup(start: bytes) -> None:
    beginning = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for tag, what in _MARKUP:
        if beginning.startswith(tag):
            raise UnreadableFile(
                f"The file is {what}, although its name may end with .xls or .csv: open it in a spreadsheet program, "
                "and save it as .xlsx or CSV (UTF-8)."
            )


def opened(path: Path) -> tuple[BinaryIO, int | None]:
    """Returns the open file, and its size unless it is a pipe or the like. Raises UnreadableFile."""
    shown = repr(str(path))
    try:
        if path.is_dir():
            raise UnreadableFile(f"{shown} is a directory: name a file in it.")
        size_bytes = path.stat().st_size if path.is_file() else None
        return path.open("rb"), size_bytes
    except FileNotFoundError as error:
        raise UnreadableFile(f"There is no file {shown}: check the path.") from error
    except PermissionError as error:
        raise UnreadableFile(f"The file {shown} cannot be read by this user: change its permissions.") from error
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"The file {shown} cannot be opened: {error}.") from error
