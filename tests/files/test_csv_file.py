"""Reads CSV as people really have it, and refuses the rest clearly and without filling the memory."""

from __future__ import annotations

import csv
import io
import os
import tracemalloc
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadyard.errors import UnreadableFile
from leadyard.files.csv_file import CsvFile
from leadyard.files.csv_header import MAX_COLUMNS
from leadyard.files.table import BadRow, Row, SkippedRow
from leadyard.files.tables import open_table
from leadyard.files.text_lines import MAX_RECORD_CHARS

LEGISLATORS = Path(__file__).parents[2] / "examples" / "legislators-current.csv"


def table(content: bytes | str, *, encoding: str | None = None, delimiter: str | None = None) -> CsvFile:
    data = content.encode() if isinstance(content, str) else content
    return CsvFile(io.BytesIO(data), encoding=encoding, delimiter=delimiter)


def cells_of(file: CsvFile) -> list[tuple[str, ...]]:
    return [row.cells for row in file if isinstance(row, Row)]


def refusal(content: bytes | str, *, encoding: str | None = None, delimiter: str | None = None) -> str:
    with pytest.raises(UnreadableFile) as caught:
        list(table(content, encoding=encoding, delimiter=delimiter))
    assert len(caught.value.details) < 400
    return caught.value.details


class Endless:
    """A stream without end that counts the bytes read from it."""

    def __init__(self, start: bytes, unit: bytes) -> None:
        self.start, self.unit, self.taken = start, unit, 0

    def read(self, size: int) -> bytes:
        chunk = (self.start + self.unit * size)[:size] if not self.taken else (self.unit * size)[:size]
        self.taken += len(chunk)
        return chunk


def test_the_legislators_are_read_whole() -> None:
    with open_table(LEGISLATORS) as file:
        assert isinstance(file, CsvFile)
        rows = [row for row in file if isinstance(row, Row)]
    with LEGISLATORS.open(newline="", encoding="utf-8") as plain:
        expected = list(csv.DictReader(plain))
    assert len(rows) == 537
    assert [dict(zip(file.header, row.cells, strict=True)) for row in rows] == expected
    assert file.delimiter == ","
    assert file.bytes_read == LEGISLATORS.stat().st_size
    assert file.part_read == 1.0
    assert any(not cell.isascii() for row in rows for cell in row.cells)
    assert any("," in cell for row in rows for cell in row.cells)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le+bom", "utf-16-be+bom", "utf-32"]
)  # fmt: skip
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str, newline: str) -> None:
    text = newline.join(['"Näme",city', "Zoë,Łódź", "用户,😀"])
    name, _, bom = encoding.partition("+")
    file = table((("\ufeff" if bom else "") + text).encode(name))
    assert file.header == ("Näme", "city")
    assert cells_of(file) == [("Zoë", "Łódź"), ("用户", "😀")]


def test_an_encoding_can_be_forced() -> None:
    assert cells_of(table("name;city\nZoë;Köln\n".encode("cp1252"), encoding="cp1252")) == [("Zoë", "Köln")]
    assert table("\ufeffname,city\n".encode("utf-16-le"), encoding="utf-16-le").header == ("name", "city")
    assert table("\ufeff\ufeffname,city\n").header == ("name", "city")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("lines_before", [1, 3, 40_000])
def test_bytes_that_are_not_utf8_are_located(newline: str, lines_before: int) -> None:
    good = f"name,city{newline}" + f"Ada,London{newline}" * (lines_before - 1)
    details = refusal(good.encode() + b"Zo\xeb,x" + newline.encode())
    assert f"Line {lines_before + 1:,} (byte 0xEB at position {len(good) + 2:,})" in details
    assert "--encoding cp1252" in details


def test_a_cut_off_last_character_is_noticed() -> None:
    assert "Line 3 (byte 0xC3 at position 9)" in refusal(b"name\nada\n\xc3")


def test_utf16_without_a_mark_is_named_as_the_likely_cause() -> None:
    assert "utf-16-le" in refusal("name,city\nAda,London\n".encode("utf-16-le"))


_NONE_TO_PYTHON = ("klingon", "hex", "zlib", "utf-8\0", "x" * 1_000, "")
# Python offers them as encodings, but they keep back input without a limit: 32 MiB of one line took them minutes.
_WITHOUT_BOUNDS = ("idna", "punycode", "utf-7", "U7", "unicode_escape", "Raw-Unicode-Escape")


@pytest.mark.parametrize("name", [*_NONE_TO_PYTHON, *_WITHOUT_BOUNDS])
def test_an_unknown_encoding_is_refused(name: str) -> None:
    assert "no text encoding" in refusal("name\n", encoding=name)


@pytest.mark.parametrize("encoding", ["undefined", "utf-16", "utf-8-sig", "cp1252", "shift_jis", "hz", "iso2022_kr"])
def test_a_wrong_encoding_never_fails_otherwise_than_by_refusing(encoding: str) -> None:
    try:
        list(table(bytes(range(1, 256)) * 3, encoding=encoding))
    except UnreadableFile as refused:
        assert refused.details


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    lines = [["name", "motto", "city"], ["Ada", '"a, b; c | d\te"', ""], ["Bob", '"line\none, two; three"', "X"]]
    file = table("\n".join(delimiter.join(line) for line in lines))
    assert file.delimiter == delimiter
    assert [len(cells) for cells in cells_of(file)] == [3, 3]


@pytest.mark.parametrize(
    "text, delimiter",
    [
        ("Name;Company, Inc;City\nAda;Acme;London\nBob;Beta, Gamma;Rome\n", ";"),
        ("Lead | Name,Email\nAda,a@x.org\nBob,b@x.org\n", ","),
        ("email\nada@example.org\n", ","),
        ("a,b;c\n1,2;3\n", ","),
        ("name,notes\n" + "Ada,x;y;z\n" * 60, ","),
        ('"a;b","c;d"\n"1","2"\n', ","),
    ],
)
def test_the_delimiter_follows_header_and_rows(text: str, delimiter: str) -> None:
    assert table(text).delimiter == delimiter


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', "\ufeffsep=;"])
def test_excels_separator_line_is_honoured(first: str) -> None:
    rows = list(table(f"{first}\r\na,x;b\r\n1,5;2\r\n"))
    assert rows == [Row(3, ("1,5", "2"))]


def test_a_delimiter_can_be_forced() -> None:
    assert table("a|b,c\n", delimiter=",").header == ("a|b", "c")
    assert table("a,b\tc\n", delimiter="tab").header == ("a,b", "c")
    for impossible in ("", ",,", '"', "\n", " ", "a"):
        assert "is not a valid delimiter" in refusal("a,b\n", delimiter=impossible)


def test_linkedins_notes_before_the_header_are_skipped() -> None:
    text = 'Notes:\n"When exporting, some addresses, are missing."\n\nFirst Name,URL\nAda,https://x\n'
    file = table(text)
    assert file.header == ("First Name", "URL")
    assert list(file) == [Row(5, ("Ada", "https://x"))]
    assert table("Notes:,name\nx,Ada\n").header == ("Notes:", "name")
    assert table("Notes:\nremember the milk\n").header == ("Notes:",)


def test_quotes_newlines_and_blank_lines() -> None:
    file = table('name,motto\r\n\r\n"Ada ""A"" L","one\r\ntwo"\r\n , \r\n,\r\nBob, "a, b"\r\n')
    assert list(file) == [Row(3, ('Ada "A" L', "one\r\ntwo")), Row(7, ("Bob", "a, b"))]


def test_short_rows_are_filled_and_long_rows_reported() -> None:
    rows = list(table("a,b,c\n1\n1,2,3,,\n1,2,3,4\n7,8,9\n"))
    assert rows[0] == Row(2, ("1", "", ""))
    assert rows[1] == Row(3, ("1", "2", "3"))
    assert isinstance(rows[2], BadRow)
    assert (rows[2].line_number, rows[2].code, rows[2].cells) == (4, "TOO_MANY_CELLS", ("1", "2", "3", "4"))
    assert rows[3] == Row(5, ("7", "8", "9"))


def test_nul_and_stray_quotes_cost_a_row_each() -> None:
    nul, stray, good = table('a,b\nx\0,1\n"say "hi"",2\nok,3\n')
    assert isinstance(nul, BadRow) and isinstance(stray, BadRow)
    assert (nul.line_number, nul.code) == (2, "INVALID_CHARACTER")
    assert (stray.line_number, stray.code, stray.cells) == (3, "MALFORMED_QUOTES", ('"say "hi"",2',))
    assert good == Row(4, ("ok", "3"))


def test_a_quote_that_is_never_closed_ends_the_reading() -> None:
    assert "begins on line 3 has a quote that is never closed" in refusal('a,b\n1,2\n3,"4\n5,6\n')
    assert "begins on line 3 has a quote that is never closed" in refusal('a,b\n1,2\n3,"4\n' + "5,6\n" * 50_000)


def test_header_names_are_trimmed_and_unique() -> None:
    assert table(" a ,b,,\n").header == ("a", "b", "", "")
    assert table("a,b, a,a (2),a\n").header == ("a", "b", "a (2)", "a (2) (2)", "a (3)")


@pytest.mark.parametrize("content, word", [("", "empty"), ("\n \n\r\n", "blank"), ("\ufeff", "blank")])
def test_a_file_without_a_header_is_refused(content: str, word: str) -> None:
    assert word in refusal(content)


def test_only_a_header_is_no_rows() -> None:
    assert list(table("a,b")) == []


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"%PDF"])
def test_other_formats_are_named(start: bytes) -> None:
    assert "not CSV" in refusal(start + b"\0\1\2")


def test_columns_are_limited() -> None:
    assert len(table(",".join(f"c{n}" for n in range(MAX_COLUMNS))).header) == MAX_COLUMNS
    assert "10,000 columns" in refusal(",".join(f"column {n}" for n in range(10_000)))


@pytest.mark.parametrize(
    "start, unit, what",
    [
        (b"", b"x", "record that begins on line 1 "),
        (b"a,b\n1,2\n", b"x", "line 3 "),
        (b"a,b\n1,2\n", b"x,", "line 3 "),
        (b'a,b\n1,"', b"line\n", "line 2 "),
        (b'a,b\n"', b'x",\n"', None),
        (b"", b"\0", "line 1 "),
        (b"\xff\xfe", b"x\0", "line 1 "),
        (b"", b"\n", "blank lines"),
        (b"", b",\n", "blank lines"),
    ],
)
def test_endless_input_is_refused_early_and_in_little_memory(start: bytes, unit: bytes, what: str | None) -> None:
    stream = Endless(start, unit)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFile) as caught:
            for row in CsvFile(cast("BinaryIO", stream)):
                assert isinstance(row, Row | BadRow | SkippedRow)
                if what is None and stream.taken > 300_000:
                    raise UnreadableFile("reading goes on as long as rows keep coming")
            assert what is None
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert what is None or what in caught.value.details
    assert stream.taken < 5 * MAX_RECORD_CHARS
    assert peak < 32 * MAX_RECORD_CHARS


def test_a_long_but_legal_file_needs_the_memory_of_a_short_one() -> None:
    def peak(rows: int) -> int:
        content = io.BytesIO(b"name,city\n" + b"Ada Lovelace,London\n" * rows)
        tracemalloc.start()
        assert sum(1 for _ in CsvFile(content)) == rows
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    assert peak(50_000) < peak(5_000) + 100_000


def test_paths_that_are_no_readable_file(tmp_path: Path) -> None:
    (tmp_path / "locked.csv").write_text("a\n")
    (tmp_path / "locked.csv").chmod(0)
    expected = {tmp_path: "directory", tmp_path / "none.csv": "no file", Path("nul\0.csv"): "cannot be opened"}
    if os.geteuid() != 0:
        expected[tmp_path / "locked.csv"] = "permissions"
    for path, words in expected.items():
        with pytest.raises(UnreadableFile, match=words), open_table(path):
            raise AssertionError("it was opened")


def test_a_stream_that_fails_is_refused() -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(UnreadableFile, match="Input/output error"):
        CsvFile(cast("BinaryIO", Broken()))


def test_streams_may_be_slow_and_stay_open() -> None:
    class OneByOne(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 1, 1))

    stream = OneByOne("näme,b\r\nZoë,2\r\n".encode())
    with CsvFile(stream) as file:
        assert list(file) == [Row(2, ("Zoë", "2"))]
    assert not stream.closed


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=12).map(str.strip)


@settings(deadline=None)
@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS).filter(any), max_size=8),
    st.sampled_from(",;\t|"),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_python_writes_is_read_back(
    rows: list[tuple[str, str, str]], delimiter: str, encoding: str, newline: str
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=newline, quoting=csv.QUOTE_ALL)
    writer.writerows([("name", "email", "city"), *rows])
    assert cells_of(table(text.getvalue().encode(encoding))) == rows


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_a_refusal(data: bytes) -> None:
    try:
        file = table(b"a,b\n" + data)
        for row in file:
            assert not isinstance(row, Row) or len(row.cells) == len(file.header)
    except UnreadableFile as refused:
        assert refused.details.isprintable()
