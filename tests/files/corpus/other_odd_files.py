"""Files with traits that `odd_files.py` and `more_odd_files.py` do not have: addresses in the column of names, group
headings, headers of two lines, profiles and placeholders of programs, cards of other phones, and compressed files."""

from __future__ import annotations

import gzip
import io
import quopri

import openpyxl

from tests.files.corpus.odd_files import _IN, OddFile, _mail, _odd, _who
from tests.files.corpus.truth import Expected
from tests.files.corpus.writers import by_openpyxl, by_xlwt, csv_bytes

_MEMBER = "ACoAABm0reAbCdEfGhIjKlMnOpQrStUvWxYz0124"


def _profiles(*cells: tuple[str, str | None]) -> OddFile:
    people = tuple(
        None if identifier is None else _who(linkedin=identifier, firstName=f"P{n}")
        for n, (_, identifier) in enumerate(cells)
    )
    rows = [["First Name", "LinkedIn URL"], *([f"P{n}", cell] for n, (cell, _) in enumerate(cells))]
    return OddFile("other-profiles.csv", csv_bytes(rows), people)


def _at(firm: str, website: str = "", industry: str = "", **fields: str) -> Expected:
    """Returns a person with these facts of the firm."""
    facts = {"company.name": firm, "company.website": website, "company.industry": industry}
    found = _who(**fields)  # type: ignore[arg-type]
    return Expected(found.fields | {name: text for name, text in facts.items() if text}, found.custom, found.kept)


def _merged_book() -> bytes:
    """Returns a workbook with merged headings above the header, an image of a report."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Spring fair 2026"])
    sheet.merge_cells("A1:F1")
    sheet.append(["Person", None, None, "Company", None, None])
    sheet.merge_cells("A2:C2")
    sheet.merge_cells("D2:F2")
    sheet.append(["First name", "Last name", "E-mail", "Name", "Website", "Industry"])
    sheet.append(["Ada", "Vint", "ada@mb.example", "Vint & Co", "vint.example", "Rail"])
    sheet.append(["Bob", "Wold", "bob@mb.example", "Wold, Inc", None, None])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _card(*lines: str, version: str = "3.0", end: str = "\r\n") -> str:
    return end.join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""])


def _cards(name: str, people: tuple[Expected | None, ...], *cards: str, encoding: str = "utf-8") -> OddFile:
    return OddFile(f"{name}.vcf", "".join(cards).encode(encoding), people)


def _quoted(text: str) -> str:
    return quopri.encodestring(text.encode()).decode()


_CELLS = (
    _mail(
        "other-mails",
        ("ada @ o1.example", _who(email="ada@o1.example")),
        ("bob@ o1.example", _who(email="bob@o1.example")),
        ("E: cem@o1.example", _who(["E"], email="cem@o1.example")),
        ("📧 dee@o1.example", _who(email="dee@o1.example")),
        ("Mail: eve@o1.example", _who(email="eve@o1.example")),
        ("fay+news@o1.example", _who(email="fay+news@o1.example")),
        ('=HYPERLINK("mailto:gil@o1.example","gil@o1.example")', _who(email="gil@o1.example")),
        ('=HYPERLINK("mailto:hal@o1.example";"write")', _who(["write"], email="hal@o1.example")),
        ("jo@o1.example..", _who(email="jo@o1.example")),
        ("kim@bücher.example", _who(email="kim@bücher.example")),
        ("lou@o1.example\\nlou2@o1.example", _who(["lou2@o1.example"], email="lou@o1.example")),
        ("mia@o1.example (bounced)", _who(["bounced"], email="mia@o1.example")),
        ("unknown@o1.example", None),
        ("noreply@o1.example", _who(["noreply@o1.example"])),
    ),
    _mail("other-placeholders", *((text, None) for text in (
        "brak", "Brak danych", "neuvedeno", "není", "yok", "saknas", "ej angivet", "ukendt", "ei tiedossa", "nincs",
        "нет", "не указан", "не указано", "немає", "なし", "不明", "无", "暂无", "없음", "אין", "لا يوجد",
        "###", "----------", "N/A.", "(null)", "not found.", "#NV", "#NOME?", "#BEZUG!", "NaN", "none listed",
        "No email address",
    ))),
    _profiles(
        ("https://www.linkedin.com/in/null", None),
        ("https://www.linkedin.com/in/undefined/", None),
        ("http://linkedin.com/in/None", None),
        ("https://www.linkedin.com/in/", None),
        ("https://www.linkedin.com/in/me", None),
        ("https://www.linkedin.com/in/N%2FA", None),
        ("https://www.linkedin.com/", None),
        ("https://www.linkedin.com/in/other-a/?locale=de_DE", "other-a"),
        (f"https://www.linkedin.com/in/{_MEMBER}?miniProfileUrn=urn%3Ali%3Afs_miniProfile%3A{_MEMBER}", _MEMBER),
        ("in/other-b", "other-b"),
        ("/in/other-c/", "other-c"),
        ("https://www.linkedin.com/in/other-d/recent-activity/all/", "other-d"),
        ("https://fr.linkedin.com/pub/other-e/1b/2a/3c", "other-e-03c02a1b"),
        ("LINKEDIN.COM/IN/OTHER-F", "other-f"),
        ("https:\\/\\/www.linkedin.com\\/in\\/other-g\\/", "other-g"),
        ("https:\\\\www.linkedin.com\\in\\other-j", "other-j"),
        ("https://www.linkedin.com/in/other-l,", "other-l"),
        ("https://www.linkedin.com/feed/update/urn:li:activity:7", None),
        ("https://www.linkedin.com/groups/12345", None),
    ),
)  # fmt: skip
_NAMES_AND_ADDRESSES = (
    _odd(
        "name-with-address",
        "Name,Company\nAda Vint <ada@na.example>,Vint & Co\n\"\"\"Wold, Bob\"\" <bob@na.example>\",Wold\n"
        "cem@na.example,Day\nDee Ey,Ey\n",
        _who(name="Ada Vint", email="ada@na.example", company="Vint & Co"),
        _who(name="Wold, Bob", email="bob@na.example", company="Wold"),
        _who(email="cem@na.example", company="Day"), None,
    ),
    _odd(
        "address-behind-name",
        "Kontakt;Firma;Ort\nAda Vint (ada@nb.example);Vint;Bonn\nBob Wold, bob@nb.example;Wold;Kiel\n",
        _who(custom={"Kontakt": "Ada Vint (ada@nb.example)", "Ort": "Bonn"}, name="Ada Vint", email="ada@nb.example",
             company="Vint", location="Bonn"),
        _who(custom={"Kontakt": "Bob Wold, bob@nb.example", "Ort": "Kiel"}, name="Bob Wold", email="bob@nb.example",
             company="Wold", location="Kiel"),
    ),
    _odd(
        "headerless-people",
        "Ada,Vint,ada@hl.example,Vint & Co,+49 30 5550101\nBob,Wold,bob@hl.example,Wold,+49 30 5550102\n",
        _who(custom={"Column 1": "Ada", "Column 2": "Vint", "Column 4": "Vint & Co"}, email="ada@hl.example",
             phone="+49 30 5550101"),
        _who(custom={"Column 1": "Bob", "Column 2": "Wold", "Column 4": "Wold"}, email="bob@hl.example",
             phone="+49 30 5550102"),
    ),
    _odd(
        "header-and-marks",
        "\u00a0First Name\u00a0;*E-Mail*:;\u200bCompany (required);Phone #;LinkedIn URL (optional)\n"
        f"Ada;ada@hm.example;Vint;030 5550101;{_IN}ada-hm\n",
        _who(firstName="Ada", email="ada@hm.example", company="Vint", phone="030 5550101", linkedin="ada-hm"),
    ),
    _odd(
        "markdown-table",
        "| Name | Email | Company |\n|------|:-----:|---------|\n| Ada Vint | ada@md.example | Vint |\n"
        "| Bob Wold | bob@md.example | Wold |\n",
        None, _who(name="Ada Vint", email="ada@md.example", company="Vint"),
        _who(name="Bob Wold", email="bob@md.example", company="Wold"),
    ),
    _odd(
        "quotes-of-mysql",
        'Name,Email,Company\n"Ada \\"Ace\\" Vint",ada@my.example,"Vint, Inc"\nBob Wold,bob@my.example,Wold\n',
        _who(name='Ada "Ace" Vint', email="ada@my.example", company="Vint, Inc"),
        _who(name="Bob Wold", email="bob@my.example", company="Wold"),
    ),
    _odd(
        "names-only-in-capitals", "FIRSTNAME\tLASTNAME\tEMAIL_ADDR\tORG_NAME\tJOB_TITLE\nADA\tVINT\tADA@CP.EXAMPLE\t"
        "VINT\tCEO\n",
        _who(firstName="ADA", lastName="VINT", email="ada@cp.example", company="VINT", title="CEO"),
    ),
)  # fmt: skip
_LAYOUTS = (
    OddFile("merged-headings.xlsx", _merged_book(), (
        _at("Vint & Co", "vint.example", "Rail", firstName="Ada", lastName="Vint", email="ada@mb.example"),
        _who(firstName="Bob", lastName="Wold", email="bob@mb.example", company="Wold, Inc"),
    )),
    _odd(
        "header-of-two-lines",
        "Contact,,,,Employer,\nName,Email,Phone,Title,Name,Website\n"
        "Ada Vint,ada@h2.example,030 5550101,CEO,Vint & Co,vint.example\nBob Wold,bob@h2.example,,,Wold,\n",
        _at("Vint & Co", "vint.example", name="Ada Vint", email="ada@h2.example", phone="030 5550101", title="CEO"),
        _who(name="Bob Wold", email="bob@h2.example", company="Wold"),
    ),
    _odd(
        "groups-with-headers",
        "Germany,,\nName,Email,City\nAda Vint,ada@gh.example,Bonn\n,,\nFrance,,\nName,Email,City\n"
        "Bob Wold,bob@gh.example,Lyon\nTotal: 2,,\n",
        _who(custom={"City": "Bonn"}, name="Ada Vint", email="ada@gh.example", location="Bonn"), None,
        _who(custom={"City": "Lyon"}, name="Bob Wold", email="bob@gh.example", location="Lyon"),
    ),
    _odd(
        "two-tables",
        "Name,Email,Company\nAda Vint,ada@tt.example,Vint\n,,\nSpeakers,,\nEmail,Company,Name\n"
        "bob@tt.example,Wold,Bob Wold\n",
        _who(name="Ada Vint", email="ada@tt.example", company="Vint"), None,
        _who(name="Bob Wold", email="bob@tt.example", company="Wold"),
    ),
    _odd(
        "russian-report",
        "Отчёт по контактам;;;\n;;;\nФИО;Должность;Компания;Почта\nАнна Винт;Директор;ООО «Винт»;anna@rr.example\n"
        "Итого: 1;;;\nСформировано 01.03.2026;;;\n",
        _who(name="Анна Винт", title="Директор", email="anna@rr.example", company="ООО «Винт»"),
    ),
    OddFile("japanese-list.xlsx", by_openpyxl([
        ["参加者一覧（2026年3月）"], [],
        ["No.", "氏名（漢字）", "氏名（フリガナ）", "会社名", "部署", "役職", "E-mail", "TEL"],
        ["1", "山田 太郎", "ヤマダ タロウ", "山田商事株式会社", "営業部", "部長", "yamada@jl.example", "03-5550-0101"],
        ["合計：1名"],
    ]), (
        _who(["ヤマダ タロウ"], {"No.": "1", "部署": "営業部"}, name="山田 太郎", title="部長",
             email="yamada@jl.example", phone="03-5550-0101", company="山田商事株式会社"),
    )),
    OddFile("packed.csv.gz", gzip.compress(
        b"First Name;Last Name;Mail\nAda;Vint;ada@gz.example\n", mtime=0
    ), (_who(firstName="Ada", lastName="Vint", email="ada@gz.example"),)),
    OddFile("packed.xls", by_xlwt([
        ["Adresar 2026"], ["Jméno", "Příjmení", "Firma", "E-mail"], ["Ada", "Vint", "Vint", "ada@xs.example"],
        ["Celkem", "1"],
    ]), (_who(firstName="Ada", lastName="Vint", company="Vint", email="ada@xs.example"),)),
    _odd(
        "mac-roman", "Prénom;Nom;E-mail;Société\rZoé;L’Été;zoe@mr.example;Crème\r",
        _who(firstName="Zoé", lastName="L’Été", email="zoe@mr.example", company="Crème"),
        encoding="mac_roman", named="mac_roman",
    ),
    _odd(
        "cyrillic-cp1251", "Имя;Фамилия;Эл. почта;Компания\r\nАнна;Винт;anna@cy.example;Винт\r\n",
        _who(firstName="Анна", lastName="Винт", email="anna@cy.example", company="Винт"),
        encoding="cp1251", named="cp1251",
    ),
    _odd(
        "shift-jis", "氏名,会社名,メールアドレス\r\n山田太郎,山田商事,taro@sj.example\r\n",
        _who(name="山田太郎", company="山田商事", email="taro@sj.example"), encoding="shift_jis", named="shift_jis",
    ),
    _odd(
        "consent-columns",
        "E-Mail;Vorname;Nachname;Newsletter (ja/nein);DSGVO-Einwilligung;Abgemeldet am\n"
        "ada@cc.example;Ada;Vint;ja;ja;\nbob@cc.example;Bob;Wold;nein;nein;01.03.2026\n",
        _who(custom={"Newsletter (ja/nein)": "ja", "DSGVO-Einwilligung": "ja"}, firstName="Ada", lastName="Vint",
             email="ada@cc.example"),
        _who(custom={"Newsletter (ja/nein)": "nein", "DSGVO-Einwilligung": "nein", "Abgemeldet am": "01.03.2026"},
             firstName="Bob", lastName="Wold", email="bob@cc.example"),
    ),
    _odd(
        "firms-and-people",
        "Company Name,Company Email,Company Phone,Contact Name,Contact Email,Contact Phone\n"
        "Vint & Co,info@fp.example,030 5550100,Ada Vint,ada@fp.example,030 5550101\n"
        "Wold,office@fp2.example,030 5550200,Bob Wold,,\n",
        _who(["info@fp.example", "030 5550100"], name="Ada Vint", email="ada@fp.example", phone="030 5550101",
             company="Vint & Co"),
        _who(name="Bob Wold", email="office@fp2.example", phone="030 5550200", company="Wold"),
    ),
    _odd(
        "questions-in-a-list", "Как вас зовут?;Ваш e-mail;Где вы работаете?\nАнна Винт;anna@qu.example;Винт\n",
        _who(custom={"Как вас зовут?": "Анна Винт", "Где вы работаете?": "Винт"}, email="anna@qu.example"),
    ),
)  # fmt: skip
_SEVERAL = (
    _odd(
        "receivers-in-a-line",
        '"Vint, Ada" <ada@rl.example>, Bob Wold <bob@rl.example>; cem@rl.example\n"Ey, Dee" <dee@rl.example>\n',
        _who(name="Vint, Ada", email="ada@rl.example"), _who(name="Bob Wold", email="bob@rl.example"),
        _who(email="cem@rl.example"), _who(name="Ey, Dee", email="dee@rl.example"),
    ),
    _odd(
        "addresses-in-a-line", "ada@al.example, bob@al.example; cem@al.example,dee@al.example",
        *(_who(email=f"{name}@al.example") for name in ("ada", "bob", "cem", "dee")),
    ),
    _odd(
        "names-and-addresses-in-a-column",
        'Attendees\nAda Vint - ada@nc.example\n"Bob van Wold, bob@nc.example"\ncem@nc.example\n',
        _who(custom={"Attendees": "Ada Vint - ada@nc.example"}, name="Ada Vint", email="ada@nc.example"),
        _who(custom={"Attendees": "Bob van Wold, bob@nc.example"}, name="Bob van Wold", email="bob@nc.example"),
        _who(custom={"Attendees": "cem@nc.example"}, email="cem@nc.example"),
    ),
    _odd(
        "people-in-columns",
        ",Speaker,Speaker,Chair\nFirst name,Ada,Bob,Cem\nLast name,Vint,Wold,Day\n"
        "E-mail,ada@ic.example,bob@ic.example,\nLinkedIn,,,linkedin.com/in/cem-ic\nSlot,9:00,10:00,11:00\n",
        _who(custom={"Column 1": "Speaker", "Slot": "9:00"}, firstName="Ada", lastName="Vint", email="ada@ic.example"),
        _who(custom={"Column 1": "Speaker", "Slot": "10:00"}, firstName="Bob", lastName="Wold", email="bob@ic.example"),
        _who(custom={"Column 1": "Chair", "Slot": "11:00"}, firstName="Cem", lastName="Day", linkedin="cem-ic"),
    ),
    _odd(
        "links-of-html",
        'Name,Email,LinkedIn\nAda,"<a href=""mailto:ada@ht.example"">ada@ht.example</a>",'
        '"<a target=""_blank"" href=""https://www.linkedin.com/in/ada-ht"">Profile</a>"\n',
        _who(name="Ada", email="ada@ht.example", linkedin="ada-ht"),
    ),
    _odd(
        "numbered-contacts",
        "Company,Website,Contact 1 Name,Contact 1 Title,Contact 1 Email,"
        "Contact 2 Name,Contact 2 Title,Contact 2 Email\n"
        "Vint & Co,vint.example,Ada Vint,CEO,ada@pr.example,Bob Wold,CTO,bob@pr.example\n"
        "Day,,Cem Day,,cem@pr.example,,,\nEy,,,,,Dee Ey,,dee@pr.example\n",
        _at("Vint & Co", "vint.example", name="Ada Vint", title="CEO", email="ada@pr.example"),
        _at("Vint & Co", "vint.example", name="Bob Wold", title="CTO", email="bob@pr.example"),
        _who(name="Cem Day", email="cem@pr.example", company="Day"),
        _who(name="Dee Ey", email="dee@pr.example", company="Ey"),
    ),
    _odd(
        "ordinal-contacts",
        "Account,Primary Contact First Name,Primary Contact Last Name,Primary Contact Email,"
        "Secondary Contact First Name,Secondary Contact Last Name,Secondary Contact Email\n"
        "Vint,Ada,Vint,ada@po.example,Bob,Wold,bob@po.example\n",
        _who(firstName="Ada", lastName="Vint", email="ada@po.example", company="Vint"),
        _who(firstName="Bob", lastName="Wold", email="bob@po.example", company="Vint"),
    ),
    _odd(
        "tables-beside-each-other",
        "Name;E-Mail;Firma;;Name;E-Mail;Firma\nAda Vint;ada@ps.example;Vint;;Bob Wold;bob@ps.example;Wold\n"
        "Cem Day;cem@ps.example;Day;;Dee Ey;dee@ps.example;Ey\nFay Fox;fay@ps.example;Fox;;;;\n",
        _who(name="Ada Vint", email="ada@ps.example", company="Vint"),
        _who(name="Bob Wold", email="bob@ps.example", company="Wold"),
        _who(name="Cem Day", email="cem@ps.example", company="Day"),
        _who(name="Dee Ey", email="dee@ps.example", company="Ey"),
        _who(name="Fay Fox", email="fay@ps.example", company="Fox"),
    ),
    _odd(
        "ansprechpartner",
        "Firma;Ansprechpartner 1;E-Mail AP 1;Ansprechpartner 2;E-Mail AP 2\nVint;Ada Vint;ada@ap.example;Bob Wold;"
        "bob@ap.example\nDay;Cem Day;cem@ap.example;;\n",
        _who(name="Ada Vint", email="ada@ap.example", company="Vint"),
        _who(name="Bob Wold", email="bob@ap.example", company="Vint"),
        _who(name="Cem Day", email="cem@ap.example", company="Day"),
    ),
    _odd(
        "managing-directors", "Firma;Geschäftsführer;E-Mail\nVint;Ada Vint;ada@md2.example\n",
        _who(name="Ada Vint", email="ada@md2.example", company="Vint"),
    ),
    _odd(
        "names-in-one-column", "Nachname Vorname;Mail\nVint Ada;ada@no.example\n",
        _who(name="Vint Ada", email="ada@no.example"),
    ),
    _odd(
        "sections-with-more-columns",
        "Sales,,\nName,Email,\nAda Vint,ada@sc.example,\n,,\nName,Email,Phone\nBob Wold,bob@sc.example,030 555123\n",
        _who(name="Ada Vint", email="ada@sc.example"),
        _who(name="Bob Wold", email="bob@sc.example", phone="030 555123"),
    ),
    _odd(
        "joined-tables",
        "id,name,email,name,email\n1,Ada Vint,ada@pj.example,Kim Agent,kim@agency.example\n"
        "2,Bob Wold,bob@pj.example,Kim Agent,kim@agency.example\n"
        "3,Cem Day,cem@pj.example,Kim Agent,kim@agency.example\n",
        _who(["Kim Agent", "kim@agency.example"], {"id": "1"}, name="Ada Vint", email="ada@pj.example"),
        _who(["Kim Agent", "kim@agency.example"], {"id": "2"}, name="Bob Wold", email="bob@pj.example"),
        _who(["Kim Agent", "kim@agency.example"], {"id": "3"}, name="Cem Day", email="cem@pj.example"),
    ),
    _odd(
        "attendees-of-an-order",
        "Order ID,Buyer Email,attendee_1,attendee_1_email,attendee_2,attendee_2_email\n"
        "O-1,,Ada Vint,ada@pa.example,Bob Wold,bob@pa.example\nO-2,,Cem Day,cem@pa.example,,\n",
        _who(custom={"Order ID": "O-1"}, name="Ada Vint", email="ada@pa.example"),
        _who(custom={"Order ID": "O-1"}, name="Bob Wold", email="bob@pa.example"),
        _who(custom={"Order ID": "O-2"}, name="Cem Day", email="cem@pa.example"),
    ),
)  # fmt: skip
_CARDS = (
    _cards(
        "cards-without-names",
        (_who(firstName="Ada", lastName="Vint", email="ada@c1.example"),
         _who(company="Wold, Inc", email="bob@c1.example"),
         _who(name="Cem Day", email="cem@c1.example")),
        _card("N:Vint;Ada;;;", "EMAIL;TYPE=PREF,INTERNET:ada@c1.example"),
        _card("N:;;;;", "FN:", "ORG:Wold\\, Inc;", "X-ABShowAs:COMPANY", "EMAIL:bob@c1.example").replace(
            "X-ABShowAs:COMPANY\r\n", ""),
        _card("FN:Cem Day", "EMAIL;PREF:cem@c1.example", version="2.1"),
    ),
    _cards(
        "cards-of-outlook",
        (_who(["+49 30 5550199"], {"Department": "Einkauf", "Street": "Gasse 1\r\nHof", "City": "Köln",
                                   "Postal Code": "50667", "Country": "Deutschland"},
              firstName="Jürgen", lastName="Weiß", name="Jürgen Weiß", title="Leiter; Einkauf", company="Weiß KG",
              email="j@c2.example", phone="+49 171 5550101", location="Köln, Deutschland"),),
        _card(
            f"N;CHARSET=utf-8;ENCODING=QUOTED-PRINTABLE:{_quoted('Weiß')};{_quoted('Jürgen')}",
            f"FN;CHARSET=utf-8;ENCODING=QUOTED-PRINTABLE:{_quoted('Jürgen Weiß')}",
            f"ORG;CHARSET=utf-8;ENCODING=QUOTED-PRINTABLE:{_quoted('Weiß KG')};Einkauf",
            "TITLE:Leiter; Einkauf", "TEL;WORK;VOICE:+49 30 5550199", "TEL;CELL;VOICE:+49 171 5550101",
            "ADR;WORK;PREF;CHARSET=utf-8;ENCODING=QUOTED-PRINTABLE:;;Gasse 1=0D=0AHof;K=C3=B6ln;;50667;Deutschland",
            "EMAIL;PREF;INTERNET:j@c2.example", version="2.1",
        ),
    ),
    _cards(
        "cards-of-apple",
        (_who(["ada.home@c3.example", "+1 555 0102"], {"Web Page": "https://vint.example", "Other properties":
              "X-SOCIALPROFILE: https://twitter.com/ada\nX-ABDATE (Anniversary): 2019-05-04"},
              name="Ada Vint", firstName="Ada", lastName="Vint", company="Vint & Co", email="ada@c3.example",
              phone="+1 555 0101", linkedin="ada-vint-c3"),),
        _card(
            "PRODID:-//Apple Inc.//macOS 14.0//EN", "N:Vint;Ada;;;", "FN:Ada Vint", "ORG:Vint & Co;",
            "EMAIL;type=INTERNET;type=HOME:ada.home@c3.example",
            "EMAIL;type=INTERNET;type=WORK;type=pref:ada@c3.example",
            "TEL;type=CELL;type=VOICE;type=pref:+1 555 0101", "TEL;type=HOME;type=VOICE:+1 555 0102",
            "item1.URL;type=pref:https\\://vint.example", "item1.X-ABLabel:_$!<HomePage>!$_",
            "item2.URL:https\\://www.linkedin.com/in/ada-vint-c3/", "item2.X-ABLabel:LinkedIn",
            "X-SOCIALPROFILE;type=twitter:https://twitter.com/ada", "item3.X-ABDATE:2019-05-04",
            "item3.X-ABLabel:Anniversary", "UID:1-2", "X-ABUID:1-2:ABPerson", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ",
            " SkZJRgABAQAAAQABAAD", "REV:2026-03-01T10:00:00Z",
        ).replace("UID:1-2\r\n", "").replace("X-ABUID:1-2:ABPerson\r\n", "").replace(
            "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ\r\n SkZJRgABAQAAAQABAAD\r\n", ""),
    ),
    _cards(
        "cards-with-lf-and-spaces",
        (_who(name="Ada Vint", email="ada@c4.example"), _who(name="Bob Wold", email="bob@c4.example")),
        "\ufeff\n\n", _card("fn:Ada Vint", "email;type=work:ada@c4.example", end="\n"), "\n \n---\n",
        _card("FN:Bob Wold", "EMAIL: bob@c4.example ", end="\n"),
    ),
)  # fmt: skip
OTHER_ODD_FILES: tuple[OddFile, ...] = (*_CELLS, *_NAMES_AND_ADDRESSES, *_LAYOUTS, *_SEVERAL, *_CARDS)
