"""Files of all kinds over HTTP: uploaded with their types, read by a job, with the same result as from the shell."""

from __future__ import annotations

import csv
import gzip
import random
from pathlib import Path
from typing import Any

import pytest

from leadyard.ids import number_of
from rig.answers import refusal, violations
from rig.commands import command
from rig.file_jobs import XLSX, done, start, upload
from rig.jobs import assert_counts
from rig.service import Tenant
from tests.files.books import WRITTEN, written, xlsx

TYPES = {
    "people.xlsx": XLSX,
    "people.xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    "people.xls": "application/vnd.ms-excel",
    "people.ods": "application/vnd.oasis.opendocument.spreadsheet",
}
CARDS = b"BEGIN:VCARD\r\nVERSION:3.0\r\nN:Lovelace;Ada;;;\r\nEMAIL:ada@v.example\r\nTEL:1234567\r\nEND:VCARD\r\n"


def stored(tenant: Tenant, columns: str = "email, first_name, phone") -> list[tuple[Any, ...]]:
    text = f"SELECT {columns} FROM leads WHERE account_group_id = $1 ORDER BY email"
    return tenant.sql(text, number_of(tenant.account_group_id))


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_a_workbook_becomes_people(job_tenant: Tenant, name: str, packed: bool) -> None:
    content = (WRITTEN / name).read_bytes()
    headers = {"Content-Encoding": "gzip"} if packed else {}
    upload_id = upload(job_tenant, gzip.compress(content) if packed else content, TYPES[name], **headers)
    job = done(job_tenant, upload_id, sheet="People")
    assert_counts(job, read=2, created=2, matched=0, rejected=0, skipped=1)
    assert job["stages"]["import"]["progress"] == 1
    assert stored(job_tenant) == [
        ("lukasz@w1.example", "Łukasz", "+48 22 555 0101"),
        ("zoe@w1.example", "Zoë", "4915112345678"),
    ]


def test_a_vcard_becomes_people(job_tenant: Tenant) -> None:
    assert_counts(done(job_tenant, upload(job_tenant, CARDS, "text/vcard; charset=utf-8")), read=1, created=1)
    assert stored(job_tenant) == [("ada@v.example", "Ada", "1234567")]


def test_a_workbook_of_many_pieces_is_read_where_it_is_stored(job_tenant: Tenant) -> None:
    chance = random.Random(1)
    people = [[f"P{n}", f"p{n}@m.example", chance.randbytes(200).hex()] for n in range(9_000)]
    content = written([["First Name", "Email", "Noise"], *people])
    assert len(content) > 2 * 1024**2
    job = done(job_tenant, upload(job_tenant, content, XLSX))
    assert_counts(job, read=9_000, created=9_000, rejected=0, skipped=0)


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (xlsx("<row/>"), "UNREADABLE_FILE", "no visible sheet with rows"),
        (xlsx("")[:-40], "UNREADABLE_FILE", "damaged"),
        (written([["Email"]]), "UNREADABLE_FILE", "not a single row"),
        (written([["Colour", "Size"], ["red", 1]]), "NOBODY_IDENTIFIED", "Add a column with e-mail"),
        (b"<html><table></table></html>", "UNREADABLE_FILE", "web page"),
    ],
)  # fmt: skip
def test_a_file_without_people_is_refused_at_the_start(
    job_tenant: Tenant, content: bytes, code: str, words: str
) -> None:
    error = refusal(start(job_tenant, upload(job_tenant, content, "application/octet-stream")), 422, code)
    assert words in error["details"]
    assert job_tenant.walk("/audiences") == []


def test_a_sheet_that_does_not_exist_is_refused_with_the_names(job_tenant: Tenant) -> None:
    upload_id = upload(job_tenant, (WRITTEN / "people.xlsx").read_bytes(), XLSX)
    error = refusal(start(job_tenant, upload_id, sheet="Leads"), 422, "UNKNOWN_COLUMN")
    assert "Cover, Hidden, People" in error["details"]
    assert_counts(done(job_tenant, upload_id, sheet="Hidden"), read=1, created=1)


def test_the_charset_of_the_upload_is_the_default_encoding(job_tenant: Tenant) -> None:
    text = "Vorname;E-Mail\nJörg;joerg@c.example\n"
    for charset, content in {
        "windows-1252": text.encode("cp1252"),
        '"ISO-8859-1"': text.replace("joerg", "joerg2").encode("latin-1"),
        # A byte order mark is certain, and so is what the request says.
        "us-ascii": text.replace("joerg", "joerg3").encode(),
        "utf-8": text.replace("joerg", "joerg4").encode("utf-16"),
        "no-such-charset": text.replace("joerg", "joerg5").encode(),
    }.items():
        job = done(job_tenant, upload(job_tenant, content, f"text/csv; charset={charset}"))
        assert_counts(job, read=1, created=1)
    wrong = upload(job_tenant, text.replace("joerg", "joerg6").encode("cp1252"), "text/csv; charset=utf-8")
    refusal(start(job_tenant, wrong), 422, "UNREADABLE_FILE")
    assert_counts(done(job_tenant, wrong, encoding="cp1252"), read=1, created=1)
    assert {first for _, first, _ in stored(job_tenant)} == {"Jörg"}


def test_a_mapping_may_name_several_columns(job_tenant: Tenant) -> None:
    content = b"Who,A,B\nAda,,ada@b.example\nBob,bob@a.example,bob@b.example\nCy,n/a,cy@b.example\n"
    upload_id = upload(job_tenant, content, "text/csv")
    assert violations(start(job_tenant, upload_id, mapping={"email": []}))
    assert violations(start(job_tenant, upload_id, mapping={"email": [1]}))
    error = refusal(start(job_tenant, upload_id, mapping={"email": ["A", "C"]}), 422, "UNKNOWN_COLUMN")
    assert "no column 'C'" in error["details"]
    job = done(job_tenant, upload_id, mapping={"email": ["A", "B"], "name": "Who"})
    assert_counts(job, read=3, created=3, rejected=0)
    found = dict(stored(job_tenant, "email, custom_fields"))
    assert set(found) == {"ada@b.example", "bob@a.example", "cy@b.example"}
    assert "bob@b.example" in str(found["bob@a.example"])


def test_both_doors_agree(job_tenant: Tenant, tmp_path: Path) -> None:
    """The same messy file through both doors: the same counts, people and rejected rows."""
    content = (
        b"All contacts\n\nFirst Name,Last Name,Email,Email,City,Country\nAda,Lovelace,,ada@d.example,Bath,UK\n"
        b"First Name,Last Name,Email,Email,City,Country\nBob,B,bob@d.example,b2@d.example,Rome,\nCy,,,,,\n"
        b"Dee,D,d@d.example,,,,too,many\nTotal,,4,,,\nConfidential\n"
    )
    job = done(job_tenant, upload(job_tenant, content, "text/csv"))
    assert_counts(job, read=4, created=2, rejected=2, skipped=3)
    by_job = stored(job_tenant, "email, first_name, location, custom_fields")
    rejected = job_tenant.client.get(f"/prospecting/{job['jobId']}/rejected.csv").text
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    shell = command(
        "import", str(file), "--account-group", job_tenant.account_group_id, "--audience", "Again", "--json",
        url=job_tenant.service.database_url,
    )  # fmt: skip
    report = shell.json()
    assert (report["read"], report["matched"], report["rejected"], report["skipped"]) == (4, 2, 2, 3)
    assert stored(job_tenant, "email, first_name, location, custom_fields") == by_job
    assert [row[2] for row in by_job] == ["Bath, UK", "Rome"]
    assert Path(report["rejectsFile"]).read_bytes().decode() == rejected


def test_both_doors_keep_the_person_and_count_the_notes(job_tenant: Tenant, tmp_path: Path) -> None:
    """A workbook with messy cells and several columns for the e-mail: the same people, and the same count of notes."""
    linkedin = "https://www.linkedin.com/in/"
    content = written(
        [
            ["First Name", "Last Name", "LinkedIn URL", "Work Email", "Home Email"],
            ["Ada", "Lovelace", f"{linkedin}ada", "nope", "N/A"],
            ["Bob", "Boole", "", "email_not_unlocked@domain.com", "Bob <bob@d.example>"],
            ["Cy", "Wide", f"{linkedin}cy-wide", "bob@d.example", ""],
            ["Di", "Thin", "", "none", ""],
        ]
    )
    job = done(job_tenant, upload(job_tenant, content, XLSX))
    assert_counts(job, read=4, created=3, rejected=1, noted=2)
    by_job = stored(job_tenant, "email, first_name, public_identifier, custom_fields")
    # Cy has the address of Bob, which is stored and noted, and identifies neither of the two alone.
    found = {row[1]: (row[0], row[2], "bob@d.example" in str(row[3])) for row in by_job}
    assert found == {
        "Ada": (None, "ada", False),
        "Bob": ("bob@d.example", None, False),
        "Cy": ("bob@d.example", "cy-wide", False),
    }
    file = tmp_path / "people.xlsx"
    file.write_bytes(content)
    report = command(
        "import", str(file), "--account-group", job_tenant.account_group_id, "--audience", "Again", "--json",
        url=job_tenant.service.database_url,
    ).json()  # fmt: skip
    assert (report["read"], report["created"], report["matched"]) == (4, 0, 3)
    assert (report["rejected"], report["noted"]) == (1, 2)
    assert stored(job_tenant, "email, first_name, public_identifier, custom_fields") == by_job
    with Path(report["rejectsFile"]).open(newline="", encoding="utf-8") as rejects:
        rows = [(row["reject_line"], row["reject_code"]) for row in csv.DictReader(rejects)]
    assert rows == [("2", "INVALID_EMAIL"), ("4", "SHARED_EMAIL"), ("5", "NO_IDENTITY")]
