"""vCards of all versions, as phones, mail programs and web address books write them."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadyard.errors import UnreadableFile
from leadyard.files.table import Row
from leadyard.files.tables import Reading, table_in
from leadyard.people.fields import Profile
from tests.files.books import people, table


def cards(*texts: str, encoding: str = "utf-8") -> list[Profile]:
    return people(table("".join(texts).encode(encoding)))


IOS = """BEGIN:VCARD\r
VERSION:3.0\r
PRODID:-//Apple Inc.//iPhone OS 17.0//EN\r
N:Brandt;Ilse;Maria;Dr.;\r
FN:Dr. Ilse Brandt\r
ORG:Nordlicht GmbH;Vertrieb;\r
TITLE:Head of\\, Sales\r
item1.EMAIL;type=INTERNET;type=pref:ilse@w.example\r
item1.X-ABLabel:_$!<Work>!$_\r
EMAIL;type=INTERNET;type=HOME:ilse@h.example\r
TEL;type=CELL;type=VOICE:+49 171 555011\r
TEL;type=WORK;type=FAX:+49 30 5550\r
item2.ADR;type=WORK:;;Gasse 1;Köln;NRW;50667;Deutschland\r
URL:https://nordlicht.example\r
X-SOCIALPROFILE;type=linkedin;x-user=ilse:https://www.linkedin.com/in/ilse-brandt\r
NOTE:met at\\nthe fair\r
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD\r
 /2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\r
END:VCARD\r
"""


def test_a_card_of_a_phone() -> None:
    (ilse,) = cards(IOS)
    assert (ilse.first_name, ilse.last_name, ilse.name) == ("Ilse", "Brandt", "Dr. Ilse Brandt")
    assert (ilse.email, ilse.phone) == ("ilse@w.example", "+49 171 555011")
    assert (ilse.company_name, ilse.title) == ("Nordlicht GmbH", "Head of, Sales")
    assert ilse.location == "Köln, NRW, Deutschland"
    assert ilse.linkedin_url == "https://www.linkedin.com/in/ilse-brandt"
    custom = dict(ilse.custom_fields)
    assert custom.pop("Other properties") == "TEL: +49 30 5550\nPHOTO: (embedded)"
    assert custom == {
        "Middle Name": "Maria", "Name Prefix": "Dr.", "Department": "Vertrieb", "E-mail 2": "ilse@h.example",
        "Street": "Gasse 1", "City": "Köln", "State": "NRW", "Country": "Deutschland", "Postal Code": "50667",
        "Web Page": "https://nordlicht.example", "Note": "met at\nthe fair",
    }  # fmt: skip


def test_version_2_1_in_quoted_printable() -> None:
    (jurgen,) = cards(
        "BEGIN:VCARD\nVERSION:2.1\n",
        "N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=BCrgen;;;\n",
        "FN;CHARSET=windows-1252;ENCODING=QUOTED-PRINTABLE:J=FCrgen M=FCller\n",
        "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:first line=0D=0A=\nsecond =C3=A4nd=\n third\n",
        "TEL;WORK;VOICE:030 5550\nTEL;CELL:0171 555\nEMAIL;INTERNET:j@x.org\n",
        "END:VCARD\n",
    )
    assert (jurgen.first_name, jurgen.last_name, jurgen.name) == ("Jürgen", "Müller", "Jürgen Müller")
    assert jurgen.phone == "0171 555"
    assert jurgen.custom_fields["Phone 2"] == "030 5550"
    assert jurgen.custom_fields["Note"] == "first line\r\nsecond änd third"


def test_version_4_0_with_uris_and_preferences() -> None:
    (ada,) = cards(
        "BEGIN:VCARD\nVERSION:4.0\nN:Lovelace;Ada;;;\nFN:Ada Lovelace\n",
        'TEL;VALUE=uri;TYPE="voice,home":tel:+44-20-7946-0018\n',
        'TEL;VALUE=uri;PREF=1;TYPE="voice,cell":tel:+44-7700-900123\n',
        "EMAIL;TYPE=home:ada@h.org\nEMAIL;TYPE=work:ada@w.org\nURL:https\\://x.example\n",
        "PHOTO:https://img.example/ada.jpg\nBDAY:19060102\nX-MOOD:calm\nEND:VCARD\n",
    )
    assert (ada.email, ada.phone, ada.photo_url) == ("ada@w.org", "+44-7700-900123", "https://img.example/ada.jpg")
    assert ada.custom_fields["Web Page"] == "https://x.example"
    assert ada.custom_fields["Phone 2"] == "+44-20-7946-0018"
    assert ada.custom_fields["Birthday"] == "19060102"
    assert ada.custom_fields["Other properties"] == "X-MOOD: calm"


@pytest.mark.parametrize("escape", ["", "\\"])
def test_commas_are_a_part_of_the_value_with_and_without_an_escape(escape: str) -> None:
    comma = f"{escape},"
    (anna,) = cards(
        "BEGIN:VCARD\nVERSION:2.1\nFN:Anna Berg\nEMAIL:anna@x.org\n",
        f"TITLE:Head{comma} Sales\nURL:https://x.example/map?at=52.5{comma}13.4\n",
        f"NOTE:met in Rome{comma} call in May\nNICKNAME:Annie{comma}Ann\nEND:VCARD\n",
    )
    assert anna.title == "Head, Sales"
    assert anna.custom_fields == {
        "Web Page": "https://x.example/map?at=52.5,13.4", "Note": "met in Rome, call in May", "Nickname": "Annie,Ann",
    }  # fmt: skip


def test_every_address_is_kept_even_if_there_are_many() -> None:
    lines = "".join(f"EMAIL:p{n}@x.org\n" for n in range(7))
    (person,) = cards("BEGIN:VCARD\nVERSION:3.0\nFN:P\n", lines, "END:VCARD\n")
    assert person.email == "p0@x.org"
    assert person.custom_fields["E-mail 4"] == "p3@x.org"
    assert person.custom_fields["Other properties"] == "EMAIL: p4@x.org\nEMAIL: p5@x.org\nEMAIL: p6@x.org"


def test_several_cards_blank_lines_and_a_missing_end() -> None:
    one = "begin:vcard\nversion:3.0\nfn:One\nemail:one@x.org\nend:vcard\n"
    inner = "BEGIN:VCARD\nFN:Two\nAGENT:\nBEGIN:VCARD\nFN:Agent\nEND:VCARD\nEMAIL:two@x.org\nEND:VCARD\n"
    found = table(("\ufeff\n" + one + "\n\n" + inner + "BEGIN:VCARD\nFN:Three\nEMAIL:three@x.org").encode())
    assert (found.format, found.header_line) == ("vcard", None)
    rows = [row for row in found if isinstance(row, Row)]
    assert [(row.line_number, row.cells[0]) for row in rows] == [(2, "One"), (9, "Two"), (17, "Three")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str) -> None:
    assert cards("BEGIN:VCARD\nFN:Zoë 王\nEND:VCARD\n", encoding=encoding)[0].name == "Zoë 王"


def test_a_file_without_a_card_or_in_another_encoding_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="no complete vCard"):
        list(table(b"BEGIN:VCARD\n"))
    with pytest.raises(UnreadableFile, match="Line 2"):
        list(table(b"BEGIN:VCARD\nFN:Zo\xeb\nEND:VCARD\n"))
    found = table_in(io.BytesIO(b"BEGIN:VCARD\nFN:Zo\xeb\nEND:VCARD\n"), Reading(default_encoding="cp1252"))
    assert people(found)[0].name == "Zoë"


def test_a_card_without_end_needs_little_memory() -> None:
    class Endless(io.RawIOBase):
        def __init__(self, unit: bytes) -> None:
            self.unit, self.taken = unit, 0

        def read(self, size: int = -1, /) -> bytes:
            self.taken += size
            start = b"BEGIN:VCARD\n" if self.taken == size else b""
            return (start + self.unit * size)[:size]

    for unit in (b"NOTE:xxxxxxxxxxxxxxxxxxxxxxxxxx\n", b" x\n", b"NOTE;QUOTED-PRINTABLE:x=\n", b"a"):
        stream = Endless(unit)
        with pytest.raises(UnreadableFile, match=r"too long|longer than"):
            list(table_in(stream, Reading()))
        assert stream.taken < 20 * 1024**2


@settings(deadline=None)
@given(st.lists(st.sampled_from([
    "BEGIN:VCARD\n", "END:VCARD\n", "VERSION:2.1\n", "FN:Ada\n", "N:a;b;c;d;e;f;g\n", "N:;;\n", "ADR:;;s;c\n",
    "TEL:1\n",
    "item1.EMAIL:a@x.org\n", "EMAIL;TYPE=\"a;b\":x\n", "NOTE;ENCODING=QUOTED-PRINTABLE:=\n", " folded\n", "ORG:\n",
    ":\n", ";:\n", "X;Y=:z\n", "FN:\\\n", "NOTE:\\n\\,\\;\n", "PHOTO:data:image/png;base64,xx\n", "\n", "=E4\n",
]), max_size=25))  # fmt: skip
def test_any_lines_are_cards_or_a_refusal(lines: list[str]) -> None:
    try:
        found = table(("BEGIN:VCARD\nFN:X\n" + "".join(lines)).encode())
        assert all(len(row.cells) == len(found.header) for row in found if isinstance(row, Row))
    except UnreadableFile as refused:
        assert refused.details.endswith(".")
