"""A messy file: each person who can be identified is imported, and the rejects file names what was left out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadyard.ids import number_of
from rig.commands import Outcome, command
from rig.service import Tenant, run_sql

Importer = Callable[..., Outcome]
HEADER = "First Name,Last Name,Email,LinkedIn URL,Title,Phone,Company\n"
MEMBER_ID = "ACwAAAc58AbCdEfGhIjKlMnOpQrStUvWxYz01234"
MESSY = HEADER + "".join(
    f"{line}\n"
    for line in [
        "Amy,Cobb,amy@a.example; amy@b.example,N/A,CEO,,Cobb Ltd",
        "Abe,Long,Not found,https://www.linkedin.com/in/abe-long,Mr.,4.91763E+11,Long Ltd",
        'Bea,Short,-,"=HYPERLINK(""https://www.linkedin.com/in/bea-short"",""Profile"")",,,"Short\nLtd"',
        f'Cy,Wide,nope,"https://www.linkedin.com/sales/lead/{MEMBER_ID},NAME_SEARCH,x",,,',
        f"Cy,Wide,,https://www.linkedin.com/in/{MEMBER_ID.lower()},,,Wide Ltd",
        "Di,Thin,di@a.example,https://www.linkedin.com/talent/profile/AEMAAAc34aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1,,,",
        "Ivo,Ito,email_not_unlocked@domain.com,,,,",
        "Jil,Jay,email_not_unlocked@domain.com,,,,",
        "Kat,Oakes,info@c31.example,,CEO,,Oakes Ltd",
        "Lou,Pike,info@c31.example,,Buyer,555-0131,Oakes Ltd",
        f"Ned,Gray,{'n' * 300}@a.example,ned-gray-7,,,",
    ]
)


@pytest.fixture
def bring_in(url: str, group: str, tmp_path: Path) -> Importer:
    """A function that writes a file and imports it into the audience 'People'."""

    def work(content: str, *arguments: str) -> Outcome:
        file = tmp_path / "people.csv"
        file.write_text(content, encoding="utf-8")
        return command("import", str(file), "--account-group", group, "--audience", "People", *arguments, url=url)

    return work


def leads_of(url: str, group: str) -> list[tuple[Any, ...]]:
    columns = "id, first_name, email, public_identifier, title, phone, company_name, custom_fields"
    rows = run_sql(url, f"SELECT {columns} FROM leads WHERE account_group_id = $1 ORDER BY id", number_of(group))
    return [(*row[:-1], json.loads(row[-1] or "{}")) for row in rows]


def remarks(file: Path) -> list[tuple[int, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        return [(int(row["reject_line"]), row["reject_code"]) for row in csv.DictReader(stream)]


def test_each_person_is_brought_in_and_the_rest_is_named(
    bring_in: Importer, url: str, group: str, tmp_path: Path
) -> None:
    report = bring_in(MESSY, "--json").json()
    assert (report["read"], report["created"], report["matched"], report["rejected"]) == (11, 8, 1, 2)
    assert report["noted"] == 6
    found = {row[1]: row[2:] for row in leads_of(url, group)}
    sales = f"https://www.linkedin.com/sales/lead/{MEMBER_ID},NAME_SEARCH,x"
    talent = "https://www.linkedin.com/talent/profile/AEMAAAc34aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1"
    assert found == {
        "Amy": ("amy@a.example", None, "CEO", None, "Cobb Ltd", {"email (2)": "amy@b.example"}),
        "Abe": (None, "abe-long", None, None, "Long Ltd", {"title (2)": "Mr."}),
        "Bea": (None, "bea-short", None, None, "Short Ltd", {}),
        "Cy": (None, MEMBER_ID, None, None, "Wide Ltd", {"linkedinUrl (2)": sales}),
        "Di": ("di@a.example", None, None, None, None, {"linkedinUrl (2)": talent}),
        "Kat": ("info@c31.example", None, "CEO", None, "Oakes Ltd", {}),
        "Lou": ("info@c31.example", None, "Buyer", "555-0131", "Oakes Ltd", {}),
        "Ned": (None, "ned-gray-7", None, None, None, {}),
    }
    assert remarks(Path(report["rejectsFile"])) == [
        (3, "INVALID_PHONE"),
        (4, "INVALID_CHARACTER"),
        (6, "INVALID_EMAIL"),
        (8, "INVALID_LINKEDIN_URL"),
        (9, "NO_IDENTITY"),
        (10, "NO_IDENTITY"),
        (12, "SHARED_EMAIL"),
        (13, "VALUE_TOO_LONG"),
    ]


def test_a_messy_file_changes_nothing_the_second_time(bring_in: Importer, url: str, group: str, tmp_path: Path) -> None:
    first = bring_in(MESSY, "--json").json()
    before, named = leads_of(url, group), Path(first["rejectsFile"]).read_bytes()
    again = bring_in(MESSY, "--json").json()
    assert (again["created"], again["matched"], again["rejected"], again["noted"]) == (0, 9, 2, 6)
    assert leads_of(url, group) == before
    assert Path(again["rejectsFile"]).read_bytes() == named
    # The rejects file is a file of people, too, and all of them are known.
    rejects = bring_in(named.decode(), "--json").json()
    assert (rejects["created"], rejects["matched"], rejects["rejected"]) == (0, 6, 2)
    assert leads_of(url, group) == before
    assert command("doctor", url=url).code == 0


def test_a_later_import_finds_a_member_id_in_lower_case(bring_in: Importer, url: str, group: str) -> None:
    bring_in(HEADER + f"Cy,Wide,,https://www.linkedin.com/in/{MEMBER_ID.lower()},,,\n")
    later = bring_in(HEADER + f"Cy,Wide,,https://www.linkedin.com/in/{MEMBER_ID},,,\n", "--json").json()
    assert (later["created"], later["matched"]) == (0, 1)
    [(_, _, _, identifier, *_)] = leads_of(url, group)
    assert identifier == MEMBER_ID


def test_member_ids_are_one_without_their_case_whichever_comes_first(bring_in: Importer, url: str, group: str) -> None:
    for name in (MEMBER_ID, MEMBER_ID.lower(), MEMBER_ID.upper().replace("ACWAA", "ACwAA")):
        bring_in(HEADER + f"Cy,Wide,,https://www.linkedin.com/in/{name},,,\n")
    [(_, _, _, identifier, *_)] = leads_of(url, group)
    assert identifier == MEMBER_ID


BOTH = "First Name,Linkedin URL Public,Linkedin URL Unique ID\n"
PUBLIC, UNIQUE = "https://www.linkedin.com/in/cy-wide", f"https://www.linkedin.com/in/{MEMBER_ID}"


@pytest.mark.parametrize("first", ["both", "member", "public"])
def test_a_member_id_beside_a_public_profile_leads_to_the_same_lead_from_then_on(
    bring_in: Importer, url: str, group: str, first: str
) -> None:
    rows = {"both": f"Cy,{PUBLIC},{UNIQUE}\n", "member": f"Cy,,{UNIQUE}\n", "public": f"Cy,{PUBLIC},\n"}
    for row in (rows[first], rows["both"]):
        bring_in(BOTH + row)
    for row in (rows["member"], rows["member"].lower(), rows["public"], rows["both"]):
        again = bring_in(BOTH + row, "--json").json()
        assert (again["created"], again["matched"], again["differing"]) == (0, 1, int(row.startswith("cy"))), row
    [(_, _, _, identifier, *_)] = leads_of(url, group)
    # The public profile can be opened by anyone.
    assert identifier == "cy-wide"
    assert command("doctor", url=url).code == 0


def test_a_file_with_notes_only_is_a_success(bring_in: Importer) -> None:
    done = bring_in(HEADER + "Amy,Cobb,nope,https://www.linkedin.com/in/amy-cobb,,,\n")
    assert (done.code, done.err) == (0, "")
    assert "created 1  matched 0  added 1  alreadyInAudience 0  rejected 0  skipped 0  noted 1" in done.out
    assert "Rejected and noted rows, with reasons: " in done.out


def test_a_program_gets_reasons_instead_of_notes(tenant: Tenant) -> None:
    audience = tenant.create_audience("Sent")
    kat = {"firstName": "Kat", "lastName": "Oakes", "email": "info@c31.example"}
    lou = {"firstName": "Lou", "lastName": "Pike", "email": "info@c31.example"}
    sales = {"linkedinUrl": f"https://www.linkedin.com/sales/lead/{MEMBER_ID},NAME_SEARCH,x", "email": "pia@a.example"}
    placeholder = {"linkedinUrl": "https://www.linkedin.com/in/abe-long", "email": "N/A"}
    unusable = {"linkedinUrl": "https://www.linkedin.com/in/cy", "email": "nope"}
    sent = tenant.client.post(
        f"/audiences/{audience}/prospects", json={"prospects": [kat, lou, sales, placeholder, unusable]}
    )
    result = sent.json()["data"]
    assert (sent.status_code, result["created"], result["matched"]) == (200, 4, 0)
    assert [(row["index"], row["code"]) for row in result["rejected"]] == [(4, "INVALID_EMAIL")]
    assert [(row["index"], row["code"]) for row in result["notes"]] == [(1, "SHARED_EMAIL")]
