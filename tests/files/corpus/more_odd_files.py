"""More files with traits of people and programs: questions as headers, links behind labels, lists of receivers, masked
addresses, names without spaces, and identities in columns of other things."""

from __future__ import annotations

import io

import xlsxwriter

from tests.files.corpus.odd_files import _IN, OddFile, _mail, _odd, _who
from tests.files.corpus.truth import Expected
from tests.files.corpus.writers import by_openpyxl, csv_bytes

_MEMBER = "ACoAABm0reAbCdEfGhIjKlMnOpQrStUvWxYz0123"


def _linked_book() -> bytes:
    """Returns a workbook whose cells are labels of links, as people paste them from a browser."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    notes = book.add_worksheet("Read me")
    notes.write(0, 0, "See the next sheet")
    sheet = book.add_worksheet("Leads")
    sheet.write_row(0, 0, ["Leads of March"])
    sheet.write_row(2, 0, ["Name", "LinkedIn", "Mail", "Firm"])
    sheet.write_row(3, 0, ["Ada Vint", "", "", "Vint & Co"])
    sheet.write_url(3, 1, f"{_IN}ada-vint-lk", string="Ada's profile")
    sheet.write_row(4, 0, ["", "", "", "Wold, Inc"])
    sheet.write_url(4, 0, f"{_IN}bob-wold-lk", string="Bob Wold")
    sheet.write_url(4, 2, "mailto:bob@lk.example", string="write to him")
    sheet.write(5, 0, "Cem Day")
    sheet.write_formula(5, 1, f'=HYPERLINK("{_IN}cem-day-lk","Profile")', None, "Profile")
    sheet.write_url(6, 1, f"{_IN}dee-ey-lk")
    sheet.write_row(6, 2, ["dee@lk.example"])
    book.close()
    return buffer.getvalue()


def _profiles(*cells: tuple[str, str | None]) -> OddFile:
    """Returns a file with an odd profile in each row, None for one that is not a profile."""
    people = tuple(
        None if identifier is None else _who(linkedin=identifier, firstName=f"P{n}")
        for n, (_, identifier) in enumerate(cells)
    )
    rows = [["First Name", "LinkedIn URL"], *([f"P{n}", cell] for n, (cell, _) in enumerate(cells))]
    return OddFile("more-profiles.csv", csv_bytes(rows), people)


_CELLS = (
    _mail(
        "more-mails",
        ('["a@w.example","a2@w.example"]', _who(["a2@w.example"], email="a@w.example")),
        ("b@w.example#mailto:b@w.example#", _who(email="b@w.example")),
        ("{c@w.example}", _who(email="c@w.example")),
        ("SMTP:d@w.example;smtp:d2@w.example", _who(["d2@w.example"], email="d@w.example")),
        ("j***@w.example", None),
        ("*****@w.example", None),
        ("noemail17@w.example", None),
        ("no-email+18@w.example", None),
        ("[]", None),
        ("not shared", None),
        ("Email not found", None),
        ("Request email", None),
        ("[not provided]", None),
        ("(not set)", None),
        ("sin correo", None),
        ("keine E-Mail", None),
        ("pas d’email", None),
        ("non indicato", None),
        ("niet bekend", None),
        ("não informado", None),
    ),
    _profiles(
        (f"https:/{_IN[8:]}more-a", "more-a"),
        (f"https://{_IN}more-b", "more-b"),
        ("https://wwww.linkedin.com/in/more-c", "more-c"),
        (f"{_IN}{_IN}more-d", "more-d"),
        ("https://www.linkedin.cn/incareer/in/more-e", "more-e"),
        (f"https://www.linkedin.com/profile/view?id={_MEMBER}&authType=name", _MEMBER),
        (f"https://www.google.com/url?q={_IN}more-g&sa=D", "more-g"),
        ("https://www.linkedin.com/authwall?x=1&sessionRedirect=https%3A%2F%2Flinkedin.com%2Fin%2Fmore-h", "more-h"),
        ("https://links.example/?url=https%3A%2F%2Fwww.linkedin.com%2Fin%2Fmore-i&data=1", "more-i"),
        (f"LinkedIn: {_IN}more-j", "more-j"),
        ("https://www.linkedin.com/login?session_redirect=%2Fin%2Fmore-k", "more-k"),
        ("https://www.google.com/url?q=https://example.com/in/x", None),
        ("https://www.linkedin.com/profile/view?id=AAkAAAB12", None),
    ),
    _odd(
        "more-phones",
        "Name,Email,Phone\nA,a@g.example,M: +44 7700 900123\nB,b@g.example,Tel.: 030 5550101\n"
        "C,c@g.example,p:+15550100101\n"
        'D,d@g.example,"[""+1 555 010 0101"",""+1 555 010 0102""]"\nE,e@g.example,"=""+4930555010"""\n'
        "F,f@g.example,0171 555 01 01 oder 030 555 01 02\nG,g@g.example,000-000-0000\nH,h@g.example,call me\n"
        'I,i@g.example,"[{""type"": ""mobile"", ""value"": ""+1 555 010 0103""}]"\n'
        'J,j@g.example,４９３０５５５０１０１\n'
        "K,k@g.example,tel:+1-555-010-0104;ext=5\nL,l@g.example,no phone found\n",
        _who(name="A", email="a@g.example", phone="+44 7700 900123"),
        _who(name="B", email="b@g.example", phone="030 5550101"),
        _who(name="C", email="c@g.example", phone="+15550100101"),
        _who(["+1 555 010 0102"], name="D", email="d@g.example", phone="+1 555 010 0101"),
        _who(name="E", email="e@g.example", phone="+4930555010"),
        _who(["030 555 01 02"], name="F", email="f@g.example", phone="0171 555 01 01"),
        _who(name="G", email="g@g.example"), _who(["call me"], name="H", email="h@g.example"),
        _who(name="I", email="i@g.example", phone="+1 555 010 0103"),
        _who(name="J", email="j@g.example", phone="49305550101"),
        _who(name="K", email="k@g.example", phone="+1-555-010-0104;ext=5"), _who(name="L", email="l@g.example"),
    ),
    _odd(
        "protected-numbers",
        'Name,Email,Zip,ID\nAda,a@z.example,="01067",="00123"\nBob,b@z.example,"=""01068""","x=1"\n',
        _who(custom={"Zip": "01067", "ID": "00123"}, name="Ada", email="a@z.example"),
        _who(custom={"Zip": "01068", "ID": "x=1"}, name="Bob", email="b@z.example"),
    ),
    _odd(
        "names-without-spaces",
        "Name,First Name,Last Name,Email\n王小明,小明,王,w@y.example\n山田太郎,太郎,山田,t@y.example\n"
        "李雷,小明,王,l@y.example\n",
        _who(name="王小明", firstName="小明", lastName="王", email="w@y.example"),
        _who(name="山田太郎", firstName="太郎", lastName="山田", email="t@y.example"),
        _who(["李雷"], firstName="小明", lastName="王", email="l@y.example"),
    ),
)  # fmt: skip
_LAYOUTS = (
    OddFile("receivers.csv", b'"Vint, Ada" <ada@r.example>\r\nBob Wold <bob@r.example>;\r\ncem@r.example\r\n', (
        _who(name="Vint, Ada", email="ada@r.example"), _who(name="Bob Wold", email="bob@r.example"),
        _who(email="cem@r.example"),
    )),
    _odd(
        "social-media",
        f"Candidate Name,Emails,Social media,Website,Firma\nAda,ada@k.example,{_IN}ada-k,https://k.example,Vint\n"
        f'Bob,[],"[""https://code.example/bob"", ""{_IN}bob-k""]",,Wold\nCem,,,{_IN}cem-k,Day\n'
        "Dee,dee@k.example,https://code.example/dee,,Ey\n",
        _who(custom={"Social media": f"{_IN}ada-k"}, name="Ada", email="ada@k.example", linkedin="ada-k",
             company="Vint", **{"company.website": "https://k.example"}),
        _who(custom={"Social media": f'["https://code.example/bob", "{_IN}bob-k"]'}, name="Bob", linkedin="bob-k",
             company="Wold"),
        _who(name="Cem", linkedin="cem-k", company="Day"),
        _who(custom={"Social media": "https://code.example/dee"}, name="Dee", email="dee@k.example", company="Ey"),
    ),
    _odd(
        "contact-details",
        f"Contact,Organisation,Details,Role\nAda Vint,Vint,ada@h.example,CEO\nBob Wold,Wold,+1 555 010 0101,CFO\n"
        f"Cem Day,Day,{_IN}cem-h,COO\n",
        _who(custom={"Details": "ada@h.example"}, name="Ada Vint", company="Vint", email="ada@h.example", title="CEO"),
        None,
        _who(custom={"Details": f"{_IN}cem-h"}, name="Cem Day", company="Day", linkedin="cem-h", title="COO"),
    ),
    _odd(
        "paths-of-exchange",
        "First Name,Last Name,E-mail Address,E-mail Type,E-mail Display Name\n"
        'Ada,Vint,/o=ExchangeLabs/ou=x/cn=ada,EX,"Vint, Ada (ada@ex.example)"\n'
        "Bob,Wold,bob@ex.example,SMTP,Bob Wold\nCem,Day,/o=ExchangeLabs/ou=x/cn=cem,EX,Cem Day\n",
        _who(["/o=ExchangeLabs/ou=x/cn=ada"],
             {"E-mail Type": "EX", "E-mail Display Name": "Vint, Ada (ada@ex.example)"},
             firstName="Ada", lastName="Vint", email="ada@ex.example"),
        _who(custom={"E-mail Type": "SMTP", "E-mail Display Name": "Bob Wold"}, firstName="Bob",
             lastName="Wold", email="bob@ex.example"),
        None,
    ),
    _odd(
        "numbers-of-contacts", "Decision Maker,Firm,Contact No.,Mail ID\nAda Vint,Vint,9876543210,ada@in.example\n"
        "Bob Wold,Wold,98765 43211,bob@in.example\n",
        _who(name="Ada Vint", company="Vint", phone="9876543210", email="ada@in.example"),
        _who(name="Bob Wold", company="Wold", phone="98765 43211", email="bob@in.example"),
    ),
    _odd(
        "academic-titles",
        "Titel,Vorname,Nachname,Position,E-Mail\nDr.,Ada,Vint,CEO,a@ti.example\n,Bob,Wold,CFO,b@ti.example\n",
        _who(custom={"Titel": "Dr."}, firstName="Ada", lastName="Vint", title="CEO", email="a@ti.example"),
        _who(firstName="Bob", lastName="Wold", title="CFO", email="b@ti.example"),
    ),
    _odd(
        "wrapped-header", '"First\nName","Last\nName","E-Mail\n(work)",Firma\nAda,Vint,a@wh.example,Vint\n',
        _who(firstName="Ada", lastName="Vint", email="a@wh.example", company="Vint"),
    ),
    _odd(
        "spaced-quotes",
        'Name , Email , Company\n"Ada Vint" , "a@sq.example" , "Vint, Inc"\n"Bob Wold" , "b@sq.example" , Wold\n',
        _who(name="Ada Vint", email="a@sq.example", company="Vint, Inc"),
        _who(name="Bob Wold", email="b@sq.example", company="Wold"),
    ),
    _odd(
        "name-in-both-orders", "lfd. Nr.;Nachname, Vorname;Unternehmen;Mailadresse\n1;Vint, Ada;Vint;ada@bo.example\n"
        "2;Wold, Bob;Wold;bob@bo.example\nAnzahl: 2;;;\nSeite 1 von 1;;;\n",
        _who(custom={"lfd. Nr.": "1"}, name="Vint, Ada", company="Vint", email="ada@bo.example"),
        _who(custom={"lfd. Nr.": "2"}, name="Wold, Bob", company="Wold", email="bob@bo.example"),
    ),
    OddFile("linked-labels.xlsx", _linked_book(), (
        _who(["Ada's profile"], name="Ada Vint", linkedin="ada-vint-lk", company="Vint & Co"),
        _who(["write to him"], name="Bob Wold", linkedin="bob-wold-lk", email="bob@lk.example", company="Wold, Inc"),
        _who(name="Cem Day", linkedin="cem-day-lk"),
        _who(linkedin="dee-ey-lk", email="dee@lk.example"),
    )),
    OddFile("report-footers.xlsx", by_openpyxl([
        ["Report: contacts"], ["Generated on", "2026-03-01"], [], ["Nome", "E-mail", "Azienda"],
        ["Ada Vint", "ada@rf.example", "Vint"], ["Bob Wold", "bob@rf.example", "Wold"], [],
        ["Numero di contatti: 2"], ["Esportato da Kim"], ["Pagina 1 di 1"],
    ]), (
        _who(name="Ada Vint", email="ada@rf.example", company="Vint"),
        _who(name="Bob Wold", email="bob@rf.example", company="Wold"),
    )),
    OddFile("cards-of-phones.vcf", "\r\n".join([
        "BEGIN:VCARD", "VERSION:4.0", "KIND:group", "FN:The team", "MEMBER:urn:uuid:1", "END:VCARD",
        "BEGIN:VCARD", "VERSION:3.0", "N:Fox;Ida", "FN:Ida Fox",
        "X-SOCIALPROFILE;type=linkedin;x-user=ida-fox-vc:x-apple:ida-fox-vc", "END:VCARD",
        "BEGIN:VCARD", "VERSION:4.0", "FN:Ørjan Åsen",
        "EMAIL;PREF=2:second@vc.example", "EMAIL;PREF=1:first@vc.example",
        "SOCIALPROFILE;SERVICE-TYPE=LinkedIn:https://www.linkedin.com/in/orjan-vc", "END:VCARD", "",
    ]).encode(), (
        Expected({"name": "Ida Fox", "firstName": "Ida", "lastName": "Fox", "publicIdentifier": "ida-fox-vc",
                  "linkedinUrl": f"{_IN}ida-fox-vc"}),
        _who(["second@vc.example"], name="Ørjan Åsen", email="first@vc.example", linkedin="orjan-vc"),
    )),
)  # fmt: skip
MORE_ODD_FILES: tuple[OddFile, ...] = (*_CELLS, *_LAYOUTS)
