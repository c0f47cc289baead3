"""Uploads read back as files: pieces put together, gzip unpacked, and malicious files refused in little memory.

The bound on memory, measured with everything that CsvFile holds, is 32 MiB, whatever the size of the file. Most of it
is one record of a million characters, taken apart; ordinary files stay below 4 MiB.
"""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadyard.errors import UnreadableFile
from leadyard.files import gzip_unpacking, upload_stream
from leadyard.files.csv_file import CsvFile
from leadyard.files.table import BadRow, Row, SkippedRow
from leadyard.files.upload_stream import HEAD_BYTES, UploadStream, head_of_upload
from leadyard.model import UPLOAD_PIECE_BYTES

MIB = 1024**2
MEMORY_BOUND = 32 * MIB
ORDINARY_MEMORY = 4 * MIB


def stored(content: bytes, piece_bytes: int = UPLOAD_PIECE_BYTES) -> UploadStream:
    """Returns the stream of an upload with that content."""

    def read_piece(number: int) -> bytes | None:
        return content[number * piece_bytes : (number + 1) * piece_bytes] or None

    return UploadStream(read_piece, size_bytes=len(content))


def repeated(piece: bytes, count: int) -> UploadStream:
    """Returns the stream of an upload that never exists as a whole."""
    return UploadStream(lambda number: piece if number < count else None, size_bytes=len(piece) * count)


@contextmanager
def memory_below(bound: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < bound, f"{peak / MIB:.1f} MiB"


def refusal(stream: UploadStream) -> str:
    with pytest.raises(UnreadableFile) as caught:
        for row in CsvFile(stream):
            assert isinstance(row, Row | BadRow | SkippedRow)
    details = caught.value.details
    assert details.endswith(".")
    assert len(details) < 400
    return details


@pytest.fixture(autouse=True)
def no_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------------------------------------------- valid files


@settings(deadline=None)
@given(
    st.binary(max_size=300).filter(lambda data: not data.startswith(b"\x1f\x8b")),
    st.integers(2, 40),
    st.integers(1, 50),
)
def test_what_was_sent_is_read_back_whatever_the_pieces(content: bytes, piece_bytes: int, size: int) -> None:
    stream, read = stored(content, piece_bytes), bytearray()
    while chunk := stream.read(size):
        assert len(chunk) <= size
        read += chunk
    assert read == content
    assert stream.packed_bytes_read == len(content)


@settings(deadline=None)
@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.integers(2, 40), st.integers(1, 50), st.integers(0, 9)
)
def test_gzip_of_several_members_is_unpacked_whatever_the_pieces(
    contents: list[bytes], piece_bytes: int, size: int, padding: int
) -> None:
    packed = b"".join(gzip.compress(content) for content in contents) + b"\0" * padding
    stream, read = stored(packed, piece_bytes), bytearray()
    while chunk := stream.read(size):
        assert len(chunk) <= size
        read += chunk
    assert read == b"".join(contents)
    assert stream.packed_bytes_read == len(packed)


def test_a_table_is_the_same_plain_and_packed_and_progress_is_told() -> None:
    rows = 20_000
    content = b"email,name\n" + b"".join(b"lead-%d@example.com,Lead %d\n" % (n, n * 7_919) for n in range(rows))
    for data in (content, gzip.compress(content)):
        stream = stored(data, 32_768)
        with memory_below(ORDINARY_MEMORY):
            file = CsvFile(stream)
            seen = [stream.packed_bytes_read for _ in file]
        assert len(seen) == rows
        assert seen == sorted(seen)
        assert 0 < seen[0] < len(data) / 2
        assert seen[-1] == len(data)


def test_a_large_file_needs_the_memory_of_a_small_one() -> None:
    rows = b"lead@example.com," + b"x" * 1_000 + b"\n"
    members = [gzip.compress(b"email,about\n"), gzip.compress(rows * 100, 0)]
    packed = members[0] + members[1] * 300
    assert len(packed) > 25 * MIB
    stream = stored(packed)
    with memory_below(ORDINARY_MEMORY):
        assert sum(1 for _ in CsvFile(stream)) == 30_000


def test_what_the_storage_says_is_passed_on() -> None:
    def broken(number: int) -> bytes | None:
        raise RuntimeError("out of reach")

    with pytest.raises(RuntimeError, match="out of reach"):
        CsvFile(UploadStream(broken, size_bytes=5))


def test_an_upload_of_which_pieces_are_missing_does_not_pass_for_a_whole_one() -> None:
    content = b"email\n" + b"lead@example.com\n" * 100
    for data in (content, gzip.compress(content)):
        half = len(data) // 2
        stream = UploadStream(lambda number, part=data[:half]: None if number else part, size_bytes=len(data))  # type: ignore[misc]
        assert "upload the file again" in refusal(stream)


# ---------------------------------------------------------------------------------------------------------- the head


def test_the_head_shows_the_header_of_plain_and_packed_files() -> None:
    content = b"email,name\n" + b"".join(b"%d@example.com,x\n" % n for n in range(200_000))
    incompressible = b"a\n" + b"".join(zlib.crc32(b"%d" % n).to_bytes(4, "big") for n in range(400_000))
    for data in (content, incompressible):
        for sent in (data, gzip.compress(data)):
            head = head_of_upload(sent[:UPLOAD_PIECE_BYTES])
            assert data.startswith(head)
            assert 0.9 * HEAD_BYTES < len(head) <= HEAD_BYTES
    assert CsvFile(io.BytesIO(head_of_upload(gzip.compress(content)[:UPLOAD_PIECE_BYTES]))).header == ("email", "name")
    assert head_of_upload(b"a,b\n") == b"a,b\n"
    assert head_of_upload(gzip.compress(b"a,b\n")) == b"a,b\n"


@pytest.mark.parametrize("data", [b"\x1f\x8b", b"\x1f\x8bnothing of the kind", gzip.compress(b"a,b\n", mtime=0)[:11]])
def test_the_head_of_what_is_no_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="gzip data"):
        head_of_upload(data)


def test_the_head_of_a_bomb_is_small() -> None:
    bomb = gzip.compress(b"a" * 50 * MIB)
    with memory_below(8 * MIB):
        assert len(head_of_upload(bomb)) == HEAD_BYTES


# ------------------------------------------------------------------------------------------------------ hostile files


def nothing_but(unit: bytes) -> Callable[[], UploadStream]:
    """1 GiB of these bytes."""
    return lambda: repeated((unit * (MIB // len(unit) + 1))[:MIB], 1024)


def bomb(content: bytes) -> Callable[[], UploadStream]:
    """10 MB that unpack to 10 GB: a member of 10 MB, a thousand times over."""

    def make() -> UploadStream:
        member = gzip.compress((content * (10 * MIB // len(content) + 1))[: 10 * MIB], 9)
        return repeated(member, 1_000)

    return make


@pytest.mark.parametrize(("make", "words"), [
    pytest.param(nothing_but(b"x"), "line 1", id="1 GiB of one line"),
    pytest.param(nothing_but(b"x,"), "line 1", id="1 GiB of one header"),
    pytest.param(nothing_but(b"\0"), "line 1", id="1 GiB of NULs"),
    pytest.param(nothing_but(b"\n"), "blank lines", id="1 GiB of blank lines"),
    pytest.param(nothing_but(b"\""), "blank lines", id="1 GiB of quotes"),
    pytest.param(nothing_but(b"\xff"), "not valid utf-8", id="1 GiB of 0xFF"),
    pytest.param(bomb(b"x"), "line 1", id="a bomb of one line"),
    pytest.param(bomb(b"a\n" + b"b" * 9_998 + b"\n"), "100 times", id="a bomb of rows"),
    pytest.param(lambda: repeated(gzip.compress(b""), 50_000_000), "empty parts", id="1 GiB of empty members"),
    pytest.param(lambda: stored(gzip.compress(gzip.compress(b"a,b\n1,2\n"))), "with gzip", id="gzip of gzip"),
    pytest.param(lambda: stored(gzip.compress(b"a,b\n" + b"1,2\n" * 9_999)[:-20]), "in the middle", id="truncated"),
    pytest.param(lambda: stored(gzip.compress(b"a,b\n1,2\n")[:-3]), "in the middle", id="truncated in its checksum"),
    pytest.param(lambda: stored(gzip.compress(b"a\n")[:-8] + b"\1" * 8), "damaged", id="a wrong checksum"),
    pytest.param(lambda: stored(gzip.compress(b"a,b\n1,2\n") + b"rubbish"), "damaged", id="rubbish behind gzip"),
    pytest.param(lambda: stored(b"\x1f\x8b"), "in the middle", id="nothing but the mark"),
    pytest.param(lambda: stored(b"\x1f\x8b" * 100), "damaged", id="only marks"),
    pytest.param(lambda: stored(",".join(map(str, range(10_000))).encode()), "10,000 columns", id="10,000 columns"),
    pytest.param(lambda: stored("email,name\nada@x.org,Ada\n".encode("utf-16-le")), "UTF-16", id="UTF-16 LE, no BOM"),
    pytest.param(lambda: stored("email,name\nada@x.org,Ada\n".encode("utf-16-be")), "UTF-16", id="UTF-16 BE, no BOM"),
    pytest.param(lambda: stored(b"name\nJ\xc3\xbcrgen\nJ\xfcrgen\n"), "Line 3", id="two encodings"),
    pytest.param(lambda: stored(b'a,b\n1,"2\n' + b"3,4\n" * 300_000), "never closed", id="a lone quote"),
    pytest.param(lambda: stored(b""), "empty", id="nothing"),
])  # fmt: skip
def test_a_hostile_file_is_refused_soon_and_in_little_memory(make: Callable[[], UploadStream], words: str) -> None:
    stream = make()
    with memory_below(MEMORY_BOUND):
        assert words in refusal(stream)
    assert stream.packed_bytes_read <= 8 * MIB


def test_nuls_in_a_row_cost_that_row() -> None:
    rows = list(CsvFile(stored(gzip.compress(b"a,b\n1,2\n\0,3\n4,5\n"))))
    assert [type(row) for row in rows] == [Row, BadRow, Row]


def test_a_file_may_be_dense_as_long_as_it_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"a\n" + b"same\n" * 100_000
    packed = gzip.compress(content)
    assert len(content) > 100 * len(packed)
    assert sum(1 for _ in CsvFile(stored(packed))) == 100_000
    monkeypatch.setattr(gzip_unpacking, "_HARMLESS_BYTES", 100_000)
    assert "100 times" in refusal(stored(packed))


def test_there_is_an_end_to_unpacking_however_little_was_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gzip_unpacking, "MAX_UNPACKED_BYTES", 1024**2)
    packed = gzip.compress(b"a\n" + b"some row\n" * 200_000, 0)
    assert "GiB: split it" in refusal(stored(packed))


def test_the_limits_are_those_that_are_documented() -> None:
    assert (gzip_unpacking.MAX_UNPACKED_BYTES, gzip_unpacking.MAX_RATIO) == (8 * 1024**3, 100)
    assert gzip_unpacking._HARMLESS_BYTES == 64 * MIB
    assert upload_stream.HEAD_BYTES == MIB
