"""The people as vCards 2.1, 3.0 and 4.0, and the people that an importer must find in them."""

from __future__ import annotations

import quopri
from collections.abc import Callable, Iterable, Mapping

from tests.files.corpus.cells import cell
from tests.files.corpus.people import Person
from tests.files.corpus.truth import Expected


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> str:
    """Returns a line of at most 75 bytes, and its continuations."""
    parts, rest = [], line
    while len(rest.encode()) > 70:
        cut = 60
        while len(rest[:cut].encode()) > 70:
            cut -= 1
        parts.append(rest[:cut])
        rest = rest[cut:]
    return "\r\n ".join([*parts, rest])


def _card(version: str, lines: Iterable[str]) -> str:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *filter(None, lines), "END:VCARD", ""])


def _line(name: str, value: str) -> str:
    return _folded(f"{name}:{value}") if value else ""


def card_30(person: Person) -> str:
    """Returns a card as phones and Google write it: grouped properties, escaped texts, folded lines."""
    return _card("3.0", [
        _line("N", f"{_escaped(person.last)};{_escaped(person.first)};;;"),
        _line("FN", _escaped(cell(person, "full"))), _line("ORG", _escaped(person.company)),
        _line("TITLE", _escaped(person.title)), _line("EMAIL;TYPE=INTERNET,WORK", person.email_work),
        _line("item1.EMAIL;TYPE=INTERNET", person.email_other), _line("EMAIL;TYPE=HOME", person.email_home),
        _line("TEL;TYPE=CELL", person.phone_mobile), _line("TEL;TYPE=WORK,VOICE", person.phone_work),
        _line("TEL;TYPE=FAX", "555 0199"), _line("X-SOCIALPROFILE;TYPE=linkedin", cell(person, "profile")),
        _line("ADR;TYPE=WORK", f";;;{_escaped(person.city)};;;{_escaped(person.country)}" if person.city else ""),
        "item2.URL:" + person.website if person.website else "", "item2.X-ABLabel:_$!<HomePage>!$_",
    ])  # fmt: skip


def card_40(person: Person) -> str:
    """Returns a card with values that are addresses."""
    return _card("4.0", [
        _line("FN", _escaped(cell(person, "full"))), _line("N", f"{_escaped(person.last)};{_escaped(person.first)};;;"),
        _line("ORG", _escaped(person.company)), _line("TITLE", _escaped(person.title)),
        _line("EMAIL;PREF=1", person.email), _line("EMAIL;TYPE=home", person.email_home),
        _line('TEL;VALUE=uri;TYPE="cell"', "tel:" * bool(person.phone_mobile) + person.phone_mobile.replace(" ", "-")),
        _line("URL", cell(person, "profile")), _line("NOTE", _escaped(person.about)),
    ])  # fmt: skip


def card_21(person: Person) -> str:
    """Returns a card of an old phone, with quoted-printable texts."""

    def quoted(name: str, value: str) -> str:
        if not value or value.isascii():
            return f"{name}:{value}" if value else ""
        encoded = quopri.encodestring(value.encode(), quotetabs=False).decode().replace("=\n", "=\r\n")
        return f"{name};CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:{encoded}"

    return _card("2.1", [
        quoted("N", f"{person.last};{person.first}"), quoted("FN", cell(person, "full")),
        quoted("ORG", person.company.replace(";", "")), quoted("TITLE", person.title.replace(";", ",")),
        f"EMAIL;INTERNET;WORK:{person.email_work}" if person.email_work else "",
        f"EMAIL;INTERNET;HOME:{person.email_home}" if person.email_home else "",
        f"TEL;CELL:{person.phone_mobile}" if person.phone_mobile else "",
        f"URL:{cell(person, 'profile')}" if person.vanity else "",
    ])  # fmt: skip


_COLUMNS = {
    "3.0": ("email_work", "email_other", "email_home"),
    "4.0": ("email", "email_home"),
    "2.1": ("email_work", "email_home"),
}
CARDS: Mapping[str, Callable[[Person], str]] = {"2.1": card_21, "3.0": card_30, "4.0": card_40}


def expected_of_card(person: Person, version: str) -> Expected:
    """Returns what an importer must make of the card."""
    found = Expected()
    fields = {
        "firstName": person.first, "lastName": person.last, "name": cell(person, "full"),
        "company.name": person.company, "title": person.title.replace(";", ",") if version == "2.1" else person.title,
    }  # fmt: skip
    emails = [value for column in _COLUMNS[version] if (value := cell(person, column))]
    phones = [person.phone_mobile, *([person.phone_work] if version == "3.0" else [])]
    if version == "4.0":
        phones = [phones[0].replace(" ", "-")]
    phones = list(filter(None, phones))
    for name, values in (("email", emails), ("phone", phones)):
        if values:
            fields[name] = values[0]
            found.kept += list(dict.fromkeys(values[1:]))
    if person.vanity:
        fields |= {"publicIdentifier": person.vanity, "linkedinUrl": cell(person, "profile")}
    if version == "3.0":
        found.kept += ["TEL: 555 0199"]
        if person.city:
            fields["location"] = cell(person, "place")
            found.kept += list(filter(None, (person.city, person.country)))
        found.kept += [person.website] if person.website else []
    if version == "4.0" and person.about:
        found.kept.append(person.about)
    found.fields = {name: value for name, value in fields.items() if value}
    return found
