"""Workbooks that no program writes: refused early, or read harmlessly. Every input is made here and is harmless."""

from __future__ import annotations

import io
import itertools
import random
import re
import socket
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadyard.errors import LeadyardError, UnreadableFile
from leadyard.files.tables import Reading, table_in
from leadyard.files.workbooks import archive as archives
from leadyard.files.workbooks.archive import Archive
from leadyard.files.workbooks.shared_texts import SharedTexts
from tests.files.books import WRITTEN, archive, cells, ods, table, written, xlsx

RELATIONS = "xl/_rels/workbook.xml.rels"
NAMES = '<row r="1"><c r="A1" t="inlineStr"><is><t>Email</t></is></c></row>'


def refusal(content: bytes) -> str:
    """Reads all of it, and returns the refusal. It must come soon, and in little memory."""
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(UnreadableFile) as caught:
            for _ in table(content):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 48 * 1024**2
    assert time.process_time() - began < 30
    assert caught.value.details.endswith(".")
    return caught.value.details


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
TEXTS = "xl/sharedStrings.xml"
SHARED = '<row r="2"><c r="A2" t="s"><v>0</v></c></row>'
FILLING = f"<!--{'-x' * 250_000}-->" * 150
CELL = '<row><c t="inlineStr"><is><t>{}</t></is></c></row>'


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda: xlsx(CELL.format("&b;"), before=ENTITIES), "document type", id="entities"),
        pytest.param(lambda: xlsx(CELL.format("&a;"), before=OUTSIDE), "document type", id="an outside entity"),
        pytest.param(lambda: ods("", before=ENTITIES), "document type", id="entities in ods"),
        pytest.param(
            lambda: xlsx(f"{NAMES}{SHARED}", **{TEXTS: f"{ENTITIES}<sst><si><t>&b;</t></si></sst>"}),
            "document type", id="entities in shared texts",
        ),
        pytest.param(lambda: xlsx("", **{"xl/workbook.xml": f"{ENTITIES}<workbook>&b;</workbook>"}), "document type",
        id="entities in the list of sheets"),
        pytest.param(lambda: xlsx("<a>" * 200), "inside each other", id="nesting"),
        pytest.param(lambda: xlsx("<row>" * 200), "inside each other", id="nested rows"),
        pytest.param(lambda: xlsx("<row " + " ".join(f"a{n}=''" for n in range(3_000)) + "/>"), "names",
        id="attributes"),
        pytest.param(lambda: xlsx("".join(f"<c a{n}=''/>" for n in range(3_000))), "names", id="attributes, one each"),
        pytest.param(lambda: xlsx("".join(f"<x{n}/>" for n in range(3_000))), "names", id="elements"),
        pytest.param(lambda: xlsx(f'<row r="{"1" * 2_000_000}"/>'), "1 MiB", id="a long tag"),
        pytest.param(lambda: xlsx(NAMES + CELL.format("x" * 6_000_000)), "4 MiB|longer than", id="a long cell"),
        pytest.param(
            lambda: xlsx(NAMES + '<row><c t="s"><v>0</v></c></row>', texts=f"<si><t>{'x' * 6_000_000}</t></si>"),
            "4 MiB|characters", id="a long shared text",
        ),
        pytest.param(lambda: xlsx(NAMES + '<row><c t="s"><v>7</v></c></row>', texts=""), "missing", id="no such text"),
        pytest.param(lambda: xlsx(NAMES + '<row r="2"><c r="XFE2"><v>1</v></c></row>'), "columns", id="column 16,385"),
        pytest.param(lambda: xlsx(NAMES + '<row r="2"><c r="ZZZZZZZ2"><v>1</v></c></row>'), "columns", id="far column"),
        pytest.param(lambda: xlsx('<row r="1"><c r="XFD1"><v>1</v></c></row>'), "columns", id="a wide header"),
        pytest.param(lambda: xlsx(NAMES + '<row r="1048577"><c><v>1</v></c></row>'), "rows", id="row 1,048,577"),
        pytest.param(
            lambda: ods('<table:table><table:table-row table:number-rows-repeated="2000000"><table:table-cell>'
                        "<text:p>Email</text:p></table:table-cell></table:table-row></table:table>"),
            "rows", id="repeated rows in ods",
        ),
        pytest.param(
            lambda: ods('<table:table><table:table-row><table:table-cell table:number-columns-repeated="90000000">'
                        "<text:p>Email</text:p></table:table-cell></table:table-row></table:table>"),
            "columns", id="repeated cells in ods",
        ),
        pytest.param(lambda: xlsx(FILLING), "100 times", id="a bomb"),
        pytest.param(lambda: xlsx(f"{NAMES}{SHARED}", texts=FILLING), "100 times", id="a bomb of shared texts"),
        pytest.param(lambda: xlsx(f"{NAMES}{SHARED}", styles=FILLING), "large|100 times", id="a bomb of styles"),
        pytest.param(lambda: ods(FILLING), "100 times", id="a bomb in ods"),
        pytest.param(lambda: xlsx("")[:-30], "damaged", id="cut off"),
        pytest.param(lambda: xlsx("<row"), "damaged|empty", id="XML that ends in a tag"),
        pytest.param(lambda: xlsx("</row>"), "damaged", id="XML that is not well-formed"),
        pytest.param(lambda: archive({"a.csv": "Email\na@x.org\n"}), "without a workbook", id="a CSV in a ZIP"),
        pytest.param(lambda: archive({f"{n}": "" for n in range(30_000)}), "damaged", id="many entries"),
        pytest.param(lambda: xlsx("").replace(b"PK\x01\x02", b"PK\x01\x03"), "damaged", id="a damaged list"),
        pytest.param(lambda: b"PK\x03\x04", "damaged", id="only the mark"),
        pytest.param(lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged|password", id="an empty OLE"),
        pytest.param(lambda: b"<html><table><tr><td>Email</td></tr></table></html>", "web page", id="HTML"),
        pytest.param(lambda: b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "XML document", id="XML of Excel 2003"),
        pytest.param(lambda: xlsx("", **{RELATIONS: "<Relationships/>"}), "no visible", id="no sheet"),
    ],
)  # fmt: skip
def test_a_hostile_workbook_is_refused_soon_and_in_little_memory(make: Callable[[], bytes], words: str) -> None:
    found = refusal(make())
    assert re.search(words, found), found


def test_a_workbook_that_is_encrypted_is_refused_with_a_remedy() -> None:
    content = bytearray(written([["Email"], ["a@x.org"]]))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            content[at + offset] |= 1
    assert "password" in refusal(bytes(content))


def test_links_and_formulas_are_not_followed() -> None:
    link = (
        '<Relationships><Relationship Id="s1" Type="x/worksheet" Target="http://x.example/a.xml"'
        ' TargetMode="External"/></Relationships>'
    )
    assert "no visible" in refusal(xlsx("", **{RELATIONS: link}))
    outside = link.replace("http://x.example/a.xml", "../../../../etc/hostname").replace(' TargetMode="External"', "")
    assert "no visible" in refusal(xlsx("", **{RELATIONS: outside}))


def test_values_from_elsewhere_are_read_as_they_were_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell that comes from another workbook, from the web or from a program keeps its value, and nothing is asked."""

    def refuse(*_: object) -> None:
        raise AssertionError("Reading a workbook opened a connection.")

    monkeypatch.setattr(socket, "socket", refuse)
    formulas = ("[1]Sheet1!A1", "WEBSERVICE(&quot;http://x.example/a&quot;)", "cmd|&apos;/C calc&apos;!A0")
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="str"><f>{formula}</f><v>p{n}@x.org</v></c></row>'
        for n, formula in enumerate(formulas, 2)
    )
    link = '<Relationship Id="r1" Type="x/externalLinkPath" Target="http://x.example/b.xlsx" TargetMode="External"/>'
    content = xlsx(NAMES + rows, **{
        "xl/externalLinks/externalLink1.xml": "<externalLink/>",
        "xl/externalLinks/_rels/externalLink1.xml.rels": f"<Relationships>{link}</Relationships>",
    })  # fmt: skip
    assert cells(content) == [("p2@x.org",), ("p3@x.org",), ("p4@x.org",)]


def test_an_archive_that_announces_a_small_part_is_counted_by_what_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_UNPACKED_BYTES", 1024**2)
    big = archive({"part": bytes(range(256)) * 8_192}, method=zipfile.ZIP_STORED)
    with pytest.raises(UnreadableFile, match="unpacks to more than"):
        list(Archive(io.BytesIO(big)).chunks("part"))


def test_ways_of_packing_that_need_much_memory_are_refused() -> None:
    for method in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        with pytest.raises(UnreadableFile, match="unusual way"):
            list(Archive(io.BytesIO(archive({"part": b"x"}, method=method))).chunks("part"))


def test_far_blank_cells_cost_nothing() -> None:
    row = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>a@x.org</t></is></c><c r="XFD{0}" s="1"/></row>'
    content = xlsx(NAMES + "".join(row.format(n) for n in range(2, 2_000)))
    assert sum(1 for _ in table(content)) == 1_998


def test_shared_texts_on_disk_are_those_in_memory() -> None:
    def texts() -> Iterator[str]:
        return (f"text {n} {'x' * (n % 700)} 王😀" for n in range(90_000))

    expected = list(texts())
    tracemalloc.start()
    shared = SharedTexts(texts())
    chance = random.Random(1)
    order = [*range(90_000), *(chance.randrange(90_000) for _ in range(20_000))]
    try:
        assert all(shared[number] == expected[number] for number in order)
        assert tracemalloc.get_traced_memory()[1] < 80 * 1024**2
    finally:
        tracemalloc.stop()
        shared.close()
    for number in (90_000, 10**8, -1):
        again = SharedTexts(itertools.islice(texts(), 100))
        with pytest.raises(UnreadableFile, match="missing"):
            again[number]
        again.close()


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["xlsx", "xlsb", "xls", "ods"]), st.integers(0, 2**32), st.integers(1, 12))
def test_changed_workbooks_are_read_or_refused(kind: str, seed: int, changes: int) -> None:
    content = bytearray((WRITTEN / f"people.{kind}").read_bytes())
    chance = random.Random(seed)
    for _ in range(changes):
        content[chance.randrange(8, len(content))] = chance.randrange(256)
    read_or_refused(bytes(content))


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(["xlsb", "xlsx", "ods"]), st.integers(0, 2**32), st.integers(1, 12))
def test_workbooks_whose_parts_are_changed_are_read_or_refused(kind: str, seed: int, changes: int) -> None:
    """Changes below the ZIP, whose checksums would refuse most of the others."""
    chance = random.Random(seed)
    with zipfile.ZipFile(WRITTEN / f"people.{kind}") as packed:
        parts = {name: bytearray(packed.read(name)) for name in packed.namelist()}
    for name in chance.sample(sorted(parts), min(3, len(parts))):
        for _ in range(changes):
            if parts[name]:
                parts[name][chance.randrange(len(parts[name]))] = chance.randrange(256)
    read_or_refused(archive({name: bytes(part) for name, part in parts.items()}))


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=300), st.booleans())
def test_any_records_of_an_xlsb_are_read_or_refused(data: bytes, has_row: bool) -> None:
    with zipfile.ZipFile(WRITTEN / "people.xlsb") as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    row = b"\x00\x19" + struct.pack("<I", 1) + bytes(21) if has_row else b""
    sheet = next(name for name in parts if name.endswith("sheet3.bin"))
    read_or_refused(archive({**parts, sheet: row + data}))


def read_or_refused(content: bytes) -> None:
    try:
        found = table_in(io.BytesIO(content), Reading())
        found.sample()
        for row in found:
            "".join(getattr(row, "cells", ()))
    except LeadyardError as refused:
        assert refused.details.endswith(".")
