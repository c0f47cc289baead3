"""POST {g}/uploads/{id}/preview: what an import would make of a file, with nothing written."""

from __future__ import annotations

import gzip
import io
import re
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadyard.model import Permission
from rig.answers import data_of, refusal, violations
from rig.file_jobs import XLSX, done, start, upload
from rig.jobs import assert_counts
from rig.rows import rows_of
from rig.service import Service, Tenant
from tests.files.books import WRITTEN, archive, ods, xlsx

MESSY = (
    b"Leads of the fair\n\nFirst Name,Last Name,Work Email,Home Email,Profile,Notes\n"
    b"Ada,Lovelace,n/a,ada@h.example,https://www.linkedin.com/in/ada-l,met at the stand\n"
    b"Bob,Boole,bob@w.example; b2@w.example,,,\n"
    b"Cy,Wide,nope,,,\n"
    b"Dee,Thin,dee@w.example,,,,surplus\n"
    b"Total: 4,,,,,\n"
)


def preview(tenant: Tenant, upload_id: str, **body: Any) -> Any:
    return tenant.client.post(f"/uploads/{upload_id}/preview", json=body)


def shown(tenant: Tenant, content: bytes, media_type: str = "text/csv", **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = data_of(preview(tenant, upload(tenant, content, media_type), **body))
    return found


def test_a_messy_file_as_an_import_would_read_it(job_tenant: Tenant) -> None:
    found = shown(job_tenant, MESSY)
    assert {name: found[name] for name in found if name not in ("columns", "rows", "estimate")} == {
        "format": "csv", "sheets": [], "sheet": None, "encoding": "utf-8", "delimiter": ",", "headerLine": 3,
        "rowCount": 4,
    }  # fmt: skip
    columns = {column.pop("name"): column for column in found["columns"]}
    assert columns["Work Email"] == {
        "samples": ["n/a", "bob@w.example; b2@w.example", "nope"], "field": "email", "how": "spelling",
        "alternatives": [],
    }  # fmt: skip
    assert (columns["Home Email"]["field"], columns["Home Email"]["how"]) == ("email", "spelling")
    assert (columns["Profile"]["field"], columns["Profile"]["how"]) == ("linkedinUrl", "content")
    assert (columns["Notes"]["field"], columns["Notes"]["how"]) == (None, "custom")
    ada, bob, cy, dee = found["rows"]
    assert ada["line"] == 4
    assert (ada["prospect"]["firstName"], ada["prospect"]["name"]) == ("Ada", "Ada Lovelace")
    assert ada["prospect"]["customFields"] == {"Notes": "met at the stand"}
    assert ada["identity"] == {"field": "linkedinUrl", "value": "https://www.linkedin.com/in/ada-l"}
    assert bob["identity"] == {"field": "email", "value": "bob@w.example"}
    assert bob["prospect"]["customFields"] == {"email (2)": "b2@w.example"}
    assert (cy["prospect"], cy["identity"], cy["notes"][0]["code"]) == (None, None, "INVALID_EMAIL")
    assert (dee["prospect"], dee["notes"][0]["code"]) == (None, "TOO_MANY_CELLS")
    assert found["estimate"] == {
        "read": 4, "created": 2, "matched": 0, "rejected": 2, "skipped": 1, "noted": 0, "differing": 0,
        "suppressed": 0, "notes": {"INVALID_EMAIL": 1, "TOO_MANY_CELLS": 1},
    }  # fmt: skip


@pytest.mark.parametrize("on_known", ["fill", "update", "skip"])
def test_the_estimate_is_what_the_job_then_counts(job_tenant: Tenant, on_known: str) -> None:
    """People who are known, twice in the file, share an address, get an identity from an earlier row, or are found by
    one that an earlier row has replaced."""
    linkedin = "https://www.linkedin.com/in/"
    audience = job_tenant.create_audience("Known")
    people = [{"firstName": "Ada", "lastName": "Known", "email": "ada@e.example"}]
    data_of(job_tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people}))
    lines = ["First Name,Last Name,Email,LinkedIn URL", f"Ada,Known,ada@e.example,{linkedin}ada-known"]
    lines += [f",,,{linkedin}ada-known", "Zoe,Other,ada@e.example,"]
    lines += [f"P{n},Person,p{n % 1_500}@e.example," for n in range(2_500)]
    lines += [f"Ada,Known,ada-new@e.example,{linkedin}ada-known", *["X,Y,nope,"] * 600, "Ada,Known,ada@e.example,"]
    lines += ["Cy,,nope,", f"Cy,Wide,nope,{linkedin}cy-wide-1"]
    upload_id = upload(job_tenant, "\n".join(lines).encode(), "text/csv")
    before = rows_of(job_tenant)
    estimate = data_of(preview(job_tenant, upload_id, onKnown=on_known))["estimate"]
    assert rows_of(job_tenant) == before
    job = done(job_tenant, upload_id, onKnown=on_known)
    names = ("read", "created", "matched", "rejected", "skipped", "noted", "differing", "suppressed")
    assert_counts(job, **{name: estimate[name] for name in names})
    assert estimate["read"] == 3_107
    assert estimate["differing"] >= 1


def test_a_row_with_several_people(job_tenant: Tenant) -> None:
    lines = [
        "Company,Contact 1 Name,Contact 1 Email,Contact 2 Name,Contact 2 Email",
        "Vint & Co,Ada Vint,ada@sp.example,Bob Wold,bob@sp.example",
        "Day,Cem Day,cem@sp.example,Dee Ey,nope",
    ]
    content = "\n".join(lines).encode()
    found = shown(job_tenant, content)
    assert [column["name"] for column in found["columns"]] == ["Company", "Contact Name", "Contact Email"]
    people = [(row["line"], row["prospect"] and row["prospect"]["name"]) for row in found["rows"]]
    assert people == [(2, "Ada Vint"), (2, "Bob Wold"), (3, "Cem Day"), (3, None)]
    assert [[note["code"] for note in row["notes"]] for row in found["rows"]] == [[], [], [], ["INVALID_EMAIL"]]
    names = ("read", "created", "matched", "rejected", "skipped", "noted", "differing", "suppressed")
    for expected in ({"created": 3, "matched": 0}, {"created": 0, "matched": 3}):
        upload_id = upload(job_tenant, content, "text/csv")
        estimate = data_of(preview(job_tenant, upload_id))["estimate"]
        assert {**estimate, **expected} == estimate
        assert (estimate["read"], estimate["rejected"], estimate["notes"]) == (4, 1, {"INVALID_EMAIL": 1})
        assert_counts(done(job_tenant, upload_id), **{name: estimate[name] for name in names})
    mapped = shown(job_tenant, content, mapping={"email": "Contact 2 Email"})
    assert (len(mapped["columns"]), mapped["estimate"]["read"]) == (5, 2), "a mapped row is one person"


def test_a_workbook_with_its_sheets(job_tenant: Tenant) -> None:
    content = (WRITTEN / "people.xlsx").read_bytes()
    found = shown(job_tenant, content, XLSX, rows=1)
    assert (found["format"], found["sheet"], found["encoding"], found["delimiter"]) == ("xlsx", "People", None, None)
    assert found["sheets"] == ["Cover", "Hidden", "People"]
    assert len(found["rows"]) == 1
    assert shown(job_tenant, gzip.compress(content), "application/gzip", sheet="Hidden")["sheet"] == "Hidden"
    assert shown(job_tenant, (WRITTEN / "people.ods").read_bytes(), "application/octet-stream")["format"] == "ods"
    wrong = preview(job_tenant, upload(job_tenant, content, XLSX), sheet="No")
    assert "Cover, Hidden, People" in refusal(wrong, 422, "UNKNOWN_COLUMN")["details"]


def test_cards_and_a_list_without_a_header(job_tenant: Tenant) -> None:
    cards = b"BEGIN:VCARD\nVERSION:3.0\nFN:Ada Lovelace\nEMAIL:ada@v.example\nEND:VCARD\n"
    found = shown(job_tenant, cards, "text/vcard")
    assert (found["format"], found["headerLine"], found["estimate"]["created"]) == ("vcard", None, 1)
    found = shown(job_tenant, b"ada@l.example\nbob@l.example\n")
    assert (found["headerLine"], found["columns"][0]["name"], found["columns"][0]["field"]) == (None, "Email", "email")


def test_a_mapping_and_an_identity_column(job_tenant: Tenant) -> None:
    content = b"Who,Nr,Mail of owner\nAda,7,x@o.example\nBob,8,y@o.example\n"
    plain = shown(job_tenant, content)
    assert [column["alternatives"] for column in plain["columns"]] == [[], ["providerId"], ["email"]]
    assert (plain["estimate"]["created"], plain["estimate"]["notes"]) == (0, {"NO_IDENTITY": 2})
    assert "Or name 'Nr' as identityColumn" in plain["rows"][0]["notes"][0]["message"]
    mapped = shown(
        job_tenant, content, mapping={"name": "Who", "customFields.boss": "Mail of owner"}, identityColumn="Nr"
    )
    assert [(column["field"], column["how"]) for column in mapped["columns"]] == [
        ("name", "mapped"), ("providerId", "mapped"), ("customFields.boss", "mapped"),
    ]  # fmt: skip
    assert mapped["rows"][1]["identity"] == {"field": "providerId", "value": "8"}
    assert mapped["estimate"]["created"] == 2


def test_a_long_file_has_an_estimate_of_its_beginning(job_tenant: Tenant) -> None:
    lines = ["Email", *(f"p{n}@long.example" for n in range(10_001))]
    found = shown(job_tenant, "\n".join(lines).encode())
    assert (found["rowCount"], found["estimate"]["read"], found["estimate"]["created"]) == (None, 10_000, 10_000)
    whole = shown(job_tenant, "\n".join(lines[:10_001]).encode())
    assert (whole["rowCount"], whole["estimate"]["read"]) == (10_000, 10_000)


def test_what_is_refused(job_tenant: Tenant) -> None:
    upload_id = upload(job_tenant, b"Email\na@b.example\n", "text/csv")
    for body in ({"rows": 0}, {"rows": 51}, {"rows": 1.5}, {"delimiter": ",,"}, {"audience": {"name": "x"}}):
        assert violations(preview(job_tenant, upload_id, **body))
    assert data_of(job_tenant.client.post(f"/uploads/{upload_id}/preview"))["rowCount"] == 1
    refusal(preview(job_tenant, "0" * 24), 404, "NOT_FOUND")
    refusal(preview(job_tenant, upload_id, mapping={"email": "Mail"}), 422, "UNKNOWN_COLUMN")
    refusal(preview(job_tenant, upload_id, encoding="klingon"), 422, "UNREADABLE_FILE")
    broken = upload(job_tenant, b"Email\na@b.example\n\xff\xfe@b.example\n", "text/csv")
    assert "Line 3" in refusal(preview(job_tenant, broken), 422, "UNREADABLE_FILE")["details"].capitalize()


def test_it_needs_only_the_permission_to_read(job_tenant: Tenant) -> None:
    upload_id = upload(job_tenant, b"Email\na@b.example\n", "text/csv")
    reader = job_tenant.new_client(job_tenant.key_with(Permission.PROSPECTING_READ))
    assert data_of(reader.post(f"/uploads/{upload_id}/preview", json={}))["estimate"]["created"] == 1
    other = job_tenant.new_client(job_tenant.key_with(Permission.PROSPECTING_WRITE))
    refusal(other.post(f"/uploads/{upload_id}/preview", json={}), 403, "FORBIDDEN")


# ------------------------------------------------------------------------------------------- hostile files


def memory_mib(service: Service) -> float:
    """Returns the most memory that the server has had."""
    assert service.process is not None
    [found] = re.findall(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{service.process.pid}/status").read_text())
    return int(found) / 1024


def _endless_texts() -> bytes:
    """A small workbook whose only cell has the last of 60 million texts."""
    packed = io.BytesIO()
    base = xlsx('<row><c r="A1" t="s"><v>59999999</v></c></row><row><c r="A2" t="s"><v>1</v></c></row>', texts="<si/>")
    with zipfile.ZipFile(io.BytesIO(base)) as parts, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as out:
        for name in parts.namelist():
            if "sharedStrings" not in name:
                out.writestr(name, parts.read(name))
        with out.open("xl/sharedStrings.xml", "w") as texts:
            texts.write(b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">')
            line = "".join(f"<si><t>{n * 2_654_435_761 % 2**32:x}</t></si>" for n in range(40_000)).encode()
            for _ in range(50):
                texts.write(line)
            texts.write(b"</sst>")
    return packed.getvalue()


def _repeated_rows() -> bytes:
    cells = "".join(
        f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'
        for text in ("Email", *(f"C{n}" for n in range(900)))
    )
    row = f"<table:table-row>{cells}</table:table-row>"
    again = row.replace("<table:table-row>", '<table:table-row table:number-rows-repeated="1048000">')
    again = again.replace(">Email<", ">a@b.example<")
    return ods(f'<table:table table:name="People">{row}{again}</table:table>')


HOSTILE: dict[str, Callable[[], bytes]] = {
    "texts without end": _endless_texts,
    "a row repeated a million times": _repeated_rows,
    "rows of 100 kB": lambda: b"Email,X\n" + b"".join(b"p%d@b.x,%s\n" % (n, b"x" * 100_000) for n in range(400)),
    "nothing but blank lines": lambda: b"Email\na@b.example\n" + b"\n" * 3_000_000,
    "a bomb": lambda: archive({
        "[Content_Types].xml": "<Types/>", "xl/workbook.xml": b"\0" * 200 * 1024**2,
    }),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.timeout(120)
def test_a_hostile_file_ends_and_does_not_hold_up_other_requests(job_tenant: Tenant, kind: str) -> None:
    """Other requests are answered, the answer comes within its time, and the server needs no more memory than before
    but for some dozens of MiB."""
    upload_id = upload(job_tenant, HOSTILE[kind](), "application/octet-stream")
    data_of(job_tenant.client.get("/audiences"))
    before_mib = memory_mib(job_tenant.service)
    answers: list[Any] = []
    client = job_tenant.new_client()
    looking = threading.Thread(
        target=lambda: answers.append(client.post(f"/uploads/{upload_id}/preview", json={}, timeout=100))
    )
    began = time.monotonic()
    looking.start()
    waits = []
    while looking.is_alive():
        sent = time.monotonic()
        data_of(job_tenant.client.get("/audiences"))
        waits.append(time.monotonic() - sent)
        time.sleep(0.02)
    took = time.monotonic() - began
    grown = memory_mib(job_tenant.service) - before_mib
    print(f"\n{kind}: {took:.1f} s, others waited at most {max(waits) * 1000:.0f} ms, {grown:.0f} MiB more")
    assert answers[0].status_code in (200, 422), answers[0].text
    assert took < 30
    assert sorted(waits)[int(len(waits) * 0.9)] < 0.25
    assert grown < 200


def test_the_start_of_a_job_with_such_a_file_ends_as_well(job_tenant: Tenant) -> None:
    began = time.monotonic()
    answer = start(job_tenant, upload(job_tenant, _endless_texts(), XLSX))
    assert answer.status_code in (202, 422)
    assert time.monotonic() - began < 30
