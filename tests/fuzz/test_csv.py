"""Any bytes as a file: the reader reads it, or refuses it in a sentence. It raises nothing else, and it always ends."""

from __future__ import annotations

import gzip
import io
import random

from hypothesis import given
from hypothesis import strategies as st

from leadyard.errors import UnknownColumn, UnreadableFile
from leadyard.files.columns import plan_columns
from leadyard.files.csv_file import CsvFile
from leadyard.files.export import rejected_lines, rejects_header_line
from leadyard.files.gzip_unpacking import MAGIC
from leadyard.files.row_batches import checked_batch, row_batches
from leadyard.files.upload_stream import UploadStream, head_of_upload
from tests.fuzz.bounds import within_bounds
from tests.fuzz.conftest import PROFILE

_TOKENS = [
    b"email", b"linkedin url", b"First Name", b"company", b"reject_line,reject_code,reject_reason", b"customFields.a",
    b"ada@example.com", b"https://www.linkedin.com/in/ada", b",", b";", b"\t", b"|", b"\n", b"\r\n", b"\r", b'"',
    b'""', b"'",
    b"=1", b"\0", b"\xff", b"\xc3\xa9", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"sep=;", b"Notes:\n", b" ",
    b"\xe2\x80\xa8",
    b"PK\x03\x04", b"%PDF", MAGIC, b"\x85", b"\x1c", b"x" * 1_000, b"," * 400, b"\n" * 100, b'"' * 101,
]  # fmt: skip
FILES = st.one_of(st.binary(max_size=400), st.lists(st.sampled_from(_TOKENS), max_size=80).map(b"".join))
ENCODINGS = st.one_of(
    st.none(),
    st.sampled_from([
        "utf-8", "utf-16", "utf-16-le", "utf-32", "utf-7", "cp1252", "cp037", "shift_jis", "iso2022_jp", "gb18030",
        "hz", "big5",
        "idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "rot13", "hex", "zip", "mbcs",
        "oem", "utf_8_sig",
        "x", "", "\0", "..", "ascii\n",
    ]),
    st.text(max_size=12),
)  # fmt: skip
DELIMITERS = st.one_of(
    st.none(), st.sampled_from([",", ";", "\t", '"', " ", "\n", "a", "", "\0", "\ud800", "tab"]), st.text(max_size=2)
)


def read_all(stream: io.RawIOBase | io.BytesIO, encoding: str | None, delimiter: str | None) -> int:
    """Reads a file as a job does, up to the rows for the database or for the file of rejected rows. Returns the number
    of rows."""
    file = CsvFile(stream, encoding=encoding, delimiter=delimiter)
    plan = plan_columns(file.header)
    rejects_header_line(file.header)
    seen = 0
    for found in row_batches(file, size=7):
        assert all(len(row.cells) == len(file.header) for row in found.rows)
        assert all(row.message.endswith(".") for row in found.bad)
        batch = checked_batch(found, plan, progress=0.5)
        assert batch.checked is not None
        assert len(batch.checked.valid) + len(batch.checked.invalid) == len(found.rows)
        assert all(refusal.message.endswith(".") for refusal in batch.checked.invalid)
        rejected_lines(batch.rejected, file.header).encode()
        seen += len(found.rows) + len(found.bad)
    return seen


def try_to_read(stream: io.RawIOBase | io.BytesIO, encoding: str | None = None, delimiter: str | None = None) -> None:
    try:
        read_all(stream, encoding, delimiter)
    except (UnreadableFile, UnknownColumn) as refusal:
        for sentence in (refusal.message, refusal.details):
            assert sentence.endswith("."), sentence
            sentence.encode()
            assert len(sentence) < 2_000


@PROFILE
@given(FILES, ENCODINGS, DELIMITERS)
def test_any_bytes_are_read_or_refused(content: bytes, encoding: str | None, delimiter: str | None) -> None:
    with within_bounds():
        try_to_read(io.BytesIO(content), encoding, delimiter)


@PROFILE
@given(
    st.lists(st.text(max_size=30), min_size=1, max_size=30),
    st.text(max_size=20),
    st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=4),
)
def test_any_header_and_mapping_is_planned_or_refused(
    header: list[str], identity: str, mapping: dict[str, str]
) -> None:
    with within_bounds():
        for given_identity in (None, identity, header[0]):
            try:
                plan = plan_columns(header, identity_column=given_identity, mapping=mapping)
            except UnknownColumn as refusal:
                assert refusal.details.endswith(".")
            else:
                assert len(plan.profile(["x"] * len(header)).custom_fields) <= len(header)


@PROFILE
@given(
    st.lists(st.sampled_from([b"email,name\n", b"ada@example.com,Ada\n", b"\n", b'"', b"x" * 500]), max_size=60).map(
        b"".join
    ),
    st.integers(2, 3_000),
    st.integers(0, 2**32),
    st.integers(0, 5),
)
def test_mutated_gzip_is_unpacked_or_refused(content: bytes, piece_bytes: int, seed: int, changes: int) -> None:
    packed = bytearray(gzip.compress(content, seed % 10) + (gzip.compress(b"") if seed % 3 else b""))
    chance = random.Random(seed)
    for _ in range(changes):
        at = chance.randrange(len(packed))
        cut = chance.randrange(9)
        # A byte changed, some left out, some put in.
        packed[at : at + (1, cut, 0)[cut % 3]] = chance.randbytes((1, 0, 4)[cut % 3])
        packed = packed or bytearray(b"\x1f")
    stored = bytes(packed)

    def piece(number: int) -> bytes | None:
        return stored[number * piece_bytes : (number + 1) * piece_bytes] or None

    with within_bounds():
        try:
            head = head_of_upload(stored)
            assert len(head) <= 1024**2
        except UnreadableFile:
            pass
        try_to_read(UploadStream(piece, size_bytes=len(stored)))


def test_a_file_of_nothing_but_blank_rows_has_an_end() -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            buffer[:] = (b",\n" * len(buffer))[: len(buffer)]
            return len(buffer)

    class Started(Endless):
        started = False

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            if self.started:
                return super().readinto(buffer)
            self.started = True
            buffer[:6] = b"email\n"
            return 6

    try:
        read_all(Started(), None, None)
    except UnreadableFile as refusal:
        assert "blank rows" in refusal.details
    else:
        raise AssertionError("it has an end")
