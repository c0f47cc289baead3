"""Files with a trait that comes from a person or a program between the tool and the import, or from a messy cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.files.corpus.truth import Expected
from tests.files.corpus.writers import by_openpyxl, csv_bytes

_IN = "https://www.linkedin.com/in/"
_MEMBER = "ACwAAB7oddAbCdEfGhIjKlMnOpQrStUvWxYz0123"
_LOCKED = ("email_not_unlocked@domain.com", "not_found@noemail.com", "noemail@domain.com", "none@none.com")


@dataclass(frozen=True, slots=True)
class OddFile:
    """A file, and the people in it, None for a row that is rejected."""

    name: str
    content: bytes
    people: tuple[Expected | None, ...]
    encoding: str | None = None


def _who(kept: Sequence[str] = (), custom: dict[str, str] | None = None, **fields: str) -> Expected:
    """Returns a person. `linkedin` is the public identifier and `company` the name of the firm."""
    if identifier := fields.pop("linkedin", ""):
        fields |= {"publicIdentifier": identifier, "linkedinUrl": _IN + identifier}
    if company := fields.pop("company", ""):
        fields["company.name"] = company
    return Expected(fields, custom or {}, list(kept))


def _odd(name: str, text: str, *people: Expected | None, encoding: str = "utf-8", named: str | None = None) -> OddFile:
    return OddFile(f"{name}.csv", text.encode(encoding), people, named)


def _mail(name: str, *cells: tuple[str, Expected | None]) -> OddFile:
    """Returns a file with an odd e-mail cell in each row. A profile beside it identifies each person."""
    header = ["First Name", "Email", "LinkedIn URL"]
    rows = [[f"P{n}", cell, f"{_IN}{name}-{n}-x"] for n, (cell, _) in enumerate(cells)]
    people = []
    for n, (_, who) in enumerate(cells):
        extra = who or Expected()
        identity = _who(linkedin=f"{name}-{n}-x", firstName=f"P{n}").fields
        people.append(Expected({**identity, **extra.fields}, extra.custom, extra.kept))
    return OddFile(f"{name}.csv", csv_bytes([header, *rows]), tuple(people))


_ADA = _who(firstName="Ada", lastName="Vint", email="ada@o.example", company="Vint & Co")
_BOB = _who(firstName="Bob", lastName="Wold", linkedin="bob-wold-o", company="Wold, Inc")
_TABLE = (
    "First Name,Last Name,Email,LinkedIn URL,Company\nAda,Vint,ada@o.example,,Vint & Co\n"
    f'Bob,Wold,,{_IN}bob-wold-o,"Wold, Inc"\n'
)

_CELLS = (
    _mail(
        "several-mails",
        ("a@s.example; b@s.example", _who(["b@s.example"], email="a@s.example")),
        ("a2@s.example, b2@s.example,", _who(["b2@s.example"], email="a2@s.example")),
        ("a3@s.example / b3@s.example", _who(["b3@s.example"], email="a3@s.example")),
        ("a4@s.example | b4@s.example", _who(["b4@s.example"], email="a4@s.example")),
        ("a5@s.example ::: b5@s.example", _who(["b5@s.example"], email="a5@s.example")),
        ("a6@s.example\nb6@s.example", _who(["b6@s.example"], email="a6@s.example")),
        ("a7@s.example b7@s.example", _who(["b7@s.example"], email="a7@s.example")),
        ("nope; a8@s.example", _who(["nope"], email="a8@s.example")),
    ),
    _mail(
        "dressed-mails",
        ("mailto:a@d.example", _who(email="a@d.example")),
        ("<b@d.example>", _who(email="b@d.example")),
        ("c@d.example.", _who(email="c@d.example")),
        ("d@d.example;", _who(email="d@d.example")),
        ("'e@d.example'", _who(email="e@d.example")),
        ("\u200bf@d.example\u00a0", _who(email="f@d.example")),
        ("g＠d.example", _who(email="g@d.example")),
        ("H@D.Example", _who(email="h@d.example")),
        ('"P8" <i@d.example>', _who(email="i@d.example")),
        ("mailto:j@d.example?subject=Hello", _who(email="j@d.example")),
        ("k@d.example (work)", _who(["work"], email="k@d.example")),
    ),
    _mail("placeholders", *((text, None) for text in (
        "N/A", "n/a", "-", "--", "null", "NULL", "none", "Not found", "unknown", "#N/A", "?", "…", "nicht gefunden",
        "non disponible", "desconocido", "não disponível", "no email", "tbd",
    ))),
    _mail("locked", *((address, None) for address in _LOCKED)),
    OddFile(
        "profiles.csv",
        csv_bytes([["First Name", "LinkedIn URL"], *[[f"P{n}", cell] for n, cell in enumerate((
            f"{_IN}odd-a/de", "https://de.linkedin.com/in/Odd-B?trk=x", "linkedin.com/pub/odd-c/12/3a4/5b6",
            "www.linkedin.com/comm/in/odd-d", "https://www.linkedin.com/mwlite/in/odd-e", f"{_IN}odd%2Df/",
            "odd-g-1", f"{_IN}odd-h/overlay/contact-info/", f'=HYPERLINK("{_IN}odd-i","Profile")',
            f"[Profile]({_IN}odd-j)", f"{_IN}odd-k#about", f"https://www.linkedin.com/sales/people/{_MEMBER},x,y",
            f"urn:li:fsd_profile:{_MEMBER[:-1]}4", f"<{_IN}odd-l>", f'"{_IN}odd-m"', "@odd-n-2", f"{_IN}ödd-o",
            f"{_IN}odd-p/details/experience/",
        ))]]),
        (
            *(_who(linkedin=f"odd-{letter}", firstName=f"P{n}") for n, letter in enumerate("ab")),
            _who(linkedin="odd-c-5b63a412", firstName="P2"),
            *(_who(linkedin=f"odd-{letter}", firstName=f"P{n}") for n, letter in enumerate("def", 3)),
            _who(linkedin="odd-g-1", firstName="P6"),
            *(_who(linkedin=f"odd-{letter}", firstName=f"P{n}") for n, letter in enumerate("hijk", 7)),
            _who([f"https://www.linkedin.com/sales/people/{_MEMBER},x,y"], linkedin=_MEMBER, firstName="P11"),
            _who(linkedin=f"{_MEMBER[:-1]}4", firstName="P12"),
            *(_who(linkedin=f"odd-{letter}", firstName=f"P{n}") for n, letter in enumerate("lm", 13)),
            _who(linkedin="odd-n-2", firstName="P15"),
            Expected({"firstName": "P16", "publicIdentifier": "ödd-o", "linkedinUrl": f"{_IN}%C3%B6dd-o"}),
            _who(linkedin="odd-p", firstName="P17"),
        ),
    ),
    _odd(
        "no-profiles",
        "First Name,LinkedIn URL\nA,https://www.linkedin.com/company/acme\nB,https://lnkd.in/x1\n"
        "C,https://www.linkedin.com/profile/view?id=9\nD,https://www.linkedin.com/school/x\n",
        None, None, None, None,
    ),
    _odd(
        "phones",
        "Name,Email,Phone\nA,a@f.example,tel:+49-30-5550101\nB,b@f.example,4.91763E+11\nC,c@f.example,n/a\n"
        "D,d@f.example,+1 555 0101; +1 555 0102\nE,e@f.example,030 / 5550103\nF,f@f.example,'0171 5550104\n"
        "G,g@f.example,4915112345678.0\n",
        _who(name="A", email="a@f.example", phone="+49-30-5550101"), _who(name="B", email="b@f.example"),
        _who(name="C", email="c@f.example"),
        _who(["+1 555 0102"], name="D", email="d@f.example", phone="+1 555 0101"),
        _who(name="E", email="e@f.example", phone="030 / 5550103"),
        _who(name="F", email="f@f.example", phone="0171 5550104"),
        _who(name="G", email="g@f.example", phone="4915112345678"),
    ),
    _odd(
        "names",
        "Name,First Name,Last Name,Email,Title\nSomebody Else,Ada,Vint,a@n.example,Ms.\n"
        "Bob Wold,Bob,Wold,b@n.example,Head of Mr. Right\nAccounts,,,c@n.example,Herr Dr.\n",
        _who(["Somebody Else", "Ms."], firstName="Ada", lastName="Vint", email="a@n.example"),
        _who(name="Bob Wold", firstName="Bob", lastName="Wold", email="b@n.example", title="Head of Mr. Right"),
        _who(["Herr Dr."], name="Accounts", email="c@n.example"),
    ),
)  # fmt: skip
_LAYOUTS = (
    _odd("title-above", f"Leads of the fair,,,,\n,,,,\n{_TABLE}", _ADA, _BOB),
    _odd("notes-above", f'"Exported by: Kim, 3 March"\nFilter: all\n\n\n{_TABLE}', _ADA, _BOB),
    _odd("blank-lines-above", f"\n\n{_TABLE}", _ADA, _BOB),
    _odd("header-twice", f"{_TABLE}{_TABLE.splitlines()[0]}\n", _ADA, _BOB),
    _odd("totals-below", f"{_TABLE}\nTotal,2,,,\nConfidential\nPage 1 of 1\n", _ADA, _BOB),
    _odd("german-totals", f"{_TABLE}Summe: 2,,,,\nErstellt am 1.3.2026,,,,\n", _ADA, _BOB),
    _odd("blank-rows-between", _TABLE.replace("\nBob", "\n,,,,\n\nBob"), _ADA, _BOB),
    _odd("wrapped", "".join(f'"{line.replace(chr(34), chr(34) * 2)}"\n' for line in _TABLE.splitlines()), _ADA, _BOB),
    _odd("wrapped-semicolons", "".join(
        f'"{line.replace(chr(34), chr(34) * 2)}";;;\n' for line in _TABLE.splitlines()
    ), _ADA, _BOB),
    _odd("spare-delimiters", "".join(f"{line},,\n" for line in _TABLE.splitlines()), _ADA, _BOB),
    _odd("mac-lines", _TABLE.replace("\n", "\r"), _ADA, _BOB),
    _odd("no-end-of-line", _TABLE.rstrip("\n"), _ADA, _BOB),
    _odd("utf16", _TABLE.replace(",", "\t").replace("Wold\t Inc", "Wold, Inc").replace('"', ""), _ADA, _BOB,
         encoding="utf-16"),
    _odd("ansi", "Vorname;E-Mail;Firma\nJörg;j@i.example;Bär GmbH\n",
         _who(firstName="Jörg", email="j@i.example", company="Bär GmbH"), encoding="cp1252", named="cp1252"),
    _odd("latin1", "Prénom;E-mail;Société\nZoé;z@i.example;L'Été\n",
         _who(firstName="Zoé", email="z@i.example", company="L'Été"), encoding="latin-1", named="iso-8859-1"),
    _odd("only-mails", "a@l.example\nb@l.example\nc@l.example\n",
         *(_who(email=f"{letter}@l.example") for letter in "abc")),
    _odd("only-profiles", f"{_IN}l-a-1\n{_IN}l-b-2\n", _who(linkedin="l-a-1"), _who(linkedin="l-b-2")),
    _odd("mails-and-names", "a@m.example,Ada Vint\nb@m.example,Bob Wold\n",
         _who(custom={"Column 2": "Ada Vint"}, email="a@m.example"),
         _who(custom={"Column 2": "Bob Wold"}, email="b@m.example")),
    _odd("same-names", "First Name,Email,Phone,Email,Phone\nAda,a@e.example,1234567,b@e.example,7654321\n"
         "Bob,,,c@e.example,\n",
         _who(["b@e.example", "7654321"], firstName="Ada", email="a@e.example", phone="1234567"),
         _who(firstName="Bob", email="c@e.example")),
    _odd("unknown-names", f"Kontaktadresse,Netzwerk,Wer\nada@u.example,{_IN}ada-u-1,Ada Vint\n,{_IN}bob-u-2,Bob Wold\n",
         _who(custom={"Wer": "Ada Vint"}, email="ada@u.example", linkedin="ada-u-1"),
         _who(custom={"Wer": "Bob Wold"}, linkedin="bob-u-2")),
    _odd("owners", "First Name,Email,Owner Email,Owner LinkedIn\n"
         f"Ada,,kim@agency.example,{_IN}kim-agent\nBob,b@w.example,kim@agency.example,{_IN}kim-agent\n",
         None, _who(custom={"Owner Email": "kim@agency.example", "Owner LinkedIn": f"{_IN}kim-agent"},
                    firstName="Bob", email="b@w.example")),
    _odd("company-pages", "Name,Firma,LinkedIn,E-Mail,Website\n"
         "Ada,Acme,https://www.linkedin.com/company/acme,ada@p.example,acme.example\n"
         "Bob,Nord,https://www.linkedin.com/company/nord/,bob@p.example,\n",
         Expected({"name": "Ada", "company.name": "Acme", "email": "ada@p.example", "company.website": "acme.example",
                   "company.linkedinUrl": "https://www.linkedin.com/company/acme"}),
         Expected({"name": "Bob", "company.name": "Nord", "email": "bob@p.example",
                   "company.linkedinUrl": "https://www.linkedin.com/company/nord/"})),
    _odd("german-phones", "Name,E-Mail,Telefonnr.,Mobilfunknummer,Org\nAda,a@q.example,030 5550101,0171 5550101,Acme\n",
         _who(["0171 5550101"], name="Ada", email="a@q.example", phone="030 5550101", company="Acme")),
    _odd("several-employers", "full_name,headline,current_company,current_company_position,organization_1,"
         "organization_title_1,organization_2,organization_title_2,email\n"
         "Ada Vint,Builds,Vint & Co,Founder,Vint & Co,Owner,Old Ltd,Clerk,a@j.example\n"
         "Bob Wold,Sells,,,Wold Inc,Sales Lead,Past Ltd,Intern,b@j.example\n",
         _who(["Owner", "Old Ltd", "Clerk"], name="Ada Vint", headline="Builds", title="Founder", company="Vint & Co",
              email="a@j.example"),
         _who(["Past Ltd", "Intern"], name="Bob Wold", headline="Sells", title="Sales Lead", company="Wold Inc",
              email="b@j.example")),
    _odd("notes-of-connections", "\ufeffNotes:;;;;\n\"Some of the addresses may be missing.\";;;;\n;;;;\n"
         f"First Name;Last Name;URL;Email Address;Connected On\nAda;Vint;{_IN}ada-vint-n;;12.01.2026\n",
         _who(custom={"Connected On": "12.01.2026"}, firstName="Ada", lastName="Vint", linkedin="ada-vint-n")),
    _odd("talent-pages", "First Name,Email Address,Profile URL\n"
         "Ada,a@t.example,https://www.linkedin.com/talent/profile/AEMAAAc34zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz1\n",
         _who(["https://www.linkedin.com/talent/profile/AEMAAAc34zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz1"],
              firstName="Ada", email="a@t.example")),
    OddFile("report.xlsx", by_openpyxl([
        ["Pipeline of March"], [], ["Owner:", "Kim"], [], ["Vorname", "Nachname", "E-Mail (geschäftlich)", "Kundennr."],
        ["Ada", "Vint", "ada@x.example", "0007"], ["Bob", "Wold", "bob@x.example", "12"], [], ["Gesamt: 2"],
    ]), (
        _who(custom={"Kundennr.": "0007"}, firstName="Ada", lastName="Vint", email="ada@x.example"),
        _who(custom={"Kundennr.": "12"}, firstName="Bob", lastName="Wold", email="bob@x.example"),
    )),
)  # fmt: skip
ODD_FILES: tuple[OddFile, ...] = (*_CELLS, *_LAYOUTS)
