"""The rejected rows of a job with the notes on imported rows: the same bytes as the file of the command, and gone when
the person is erased. The plan of the columns, and the upload of a job to which no person came."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadyard.model import MAX_STORED_REJECTIONS
from leadyard.store import job_rejections
from rig.answers import data_of, refusal, violations
from rig.commands import command
from rig.file_jobs import XLSX, done, start, upload
from rig.jobs import assert_counts, job_of
from rig.service import Tenant
from tests.files.books import written

LINKEDIN = "https://www.linkedin.com/in/"
MEMBER_ID = "ACwAAAc58AbCdEfGhIjKlMnOpQrStUvWxYz01234"
HEADER = ["Record", "First Name", "Last Name", "Email", "LinkedIn URL", "Phone", "Company", "=Odd"]
ROWS = [
    ["7", "Ada", "Lovelace", "nope", f"{LINKEDIN}ada-l", "4.91763E+11", "Long\nLtd", "+1"],
    ["8", "Bob", "Boole", "also nope", "", "", "", "@x"],
    ["9", "Cy", "Wide", "cy@n.example", f"{LINKEDIN}{MEMBER_ID}", "", "c" * 400, ""],
    ["10", "Dee", "Thin", "cy@n.example", "", "", "", "-"],
    ["11", "Eva", "Quill", "Eva@N.example", "https://www.linkedin.com/company/x", "555 0101", "", ""],
    *[[str(n), f"P{n}", "Person", f"p{n}@n.example", "n/a", "1.5E+11", "", ""] for n in range(2_500)],
]


def quoted(rows: list[list[str]]) -> bytes:
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in rows).encode()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_both_doors_write_the_same_bytes(job_tenant: Tenant, tmp_path: Path, kind: str) -> None:
    content = written([HEADER, *ROWS]) if kind == "xlsx" else quoted([HEADER, *ROWS])
    job = done(job_tenant, upload(job_tenant, content, XLSX if kind == "xlsx" else "text/csv"))
    assert_counts(job, read=2_505, created=2_504, rejected=1)
    assert job["counts"]["noted"] == 2_504
    path = f"/prospecting/{job['jobId']}/rejected.csv"
    with_notes = job_tenant.client.get(path, params={"notes": "true"}).content
    plain = job_tenant.client.get(path).content
    assert len(plain.splitlines()) == 2
    assert set(plain.splitlines()) < set(with_notes.splitlines())
    file = tmp_path / f"people.{kind}"
    file.write_bytes(content)
    # In another account group, because here these people are known now.
    options = ("--audience", "Again", "--json", "--account-group")
    url = job_tenant.service.database_url
    other = command("account-groups", "create", "Other", "--json", url=url).json()["id"]
    report = command("import", str(file), *options, other, url=url).json()
    assert Path(report["rejectsFile"]).read_bytes() == with_notes
    assert (report["rejected"], report["noted"]) == (job["counts"]["rejected"], job["counts"]["noted"])
    ours = ("--account-group", job_tenant.account_group_id)
    assert command("jobs", "rejected", job["jobId"], *ours, "--notes", url=url).out.encode() == with_notes
    assert violations(job_tenant.client.get(path, params={"notes": "perhaps"}))


def test_notes_do_not_push_out_rejected_rows(job_tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_STORED_REJECTIONS == 100_000
    monkeypatch.setattr(job_rejections, "MAX_STORED_REJECTIONS", 3)
    rows = [[str(n), f"P{n}", "X", "nope", f"{LINKEDIN}p-{n}-x", "", "", ""] for n in range(10)]
    rows += [[str(n), f"P{n}", "X", "nope", "", "", "", ""] for n in range(10)]
    job = done(job_tenant, upload(job_tenant, quoted([HEADER, *rows]), "text/csv"))
    assert_counts(job, noted=10, rejected=10)
    path = f"/prospecting/{job['jobId']}/rejected.csv"
    assert len(job_tenant.client.get(path).text.splitlines()) == 1 + 3
    assert len(job_tenant.client.get(path, params={"notes": "true"}).text.splitlines()) == 1 + 6
    assert job_tenant.service.doctor()["findings"] == []


def test_an_erased_person_is_in_no_note(job_tenant: Tenant) -> None:
    job = done(job_tenant, upload(job_tenant, quoted([HEADER, ROWS[0], ROWS[2]]), "text/csv"))
    path = f"/prospecting/{job['jobId']}/rejected.csv"
    assert "Lovelace" in job_tenant.client.get(path, params={"notes": "true"}).text
    members = job_tenant.walk(f"/audiences/{job['audienceId']}/prospects")
    ada, cy = (next(each["id"] for each in members if each["firstName"] == name) for name in ("Ada", "Cy"))
    # Merged before: the notes on the other one go with the person who remains.
    data_of(job_tenant.client.post(f"/prospects/{cy}/merge", json={"prospectId": ada}))
    assert "Lovelace" in job_tenant.client.get(path, params={"notes": "true"}).text
    data_of(job_tenant.client.delete(f"/prospects/{cy}"))
    assert len(job_tenant.client.get(path, params={"notes": "true"}).text.splitlines()) == 1


def test_the_job_shows_its_plan(job_tenant: Tenant) -> None:
    content = b"Work Email,Home Email,Who,vmid,Segment\n,ada@p.example,Ada L,,A\n"
    job = done(
        job_tenant, upload(job_tenant, content, "text/csv"), mapping={"name": "Who", "customFields.s": "Segment"}
    )
    assert job["plan"] == [
        {"name": "Work Email", "field": "email", "how": "spelling"},
        {"name": "Home Email", "field": "email", "how": "spelling"},
        {"name": "Who", "field": "name", "how": "mapped"},
        {"name": "vmid", "field": "publicIdentifier", "how": "spelling"},
        {"name": "Segment", "field": "customFields.s", "how": "mapped"},
    ]
    body = {"type": "url_upload", "audience": {"name": "U"}, "profileUrls": [f"{LINKEDIN}ada"]}
    job_id = data_of(job_tenant.client.post("/prospecting", json=body), 202)["jobId"]
    assert job_of(job_tenant, job_id)["plan"] is None
    shown = command(
        "jobs", "show", job["jobId"], "--account-group", job_tenant.account_group_id,
        url=job_tenant.service.database_url,
    )  # fmt: skip
    assert "email             from 'Work Email' (spelling), 'Home Email' (spelling)" in shown.out


def test_an_upload_of_which_no_person_came_stays_for_another_attempt(job_tenant: Tenant) -> None:
    content = b"Email,Mail of owner\nn/a,ada@k.example\nnope,bob@k.example\n"
    upload_id = upload(job_tenant, content, "text/csv")
    assert_counts(done(job_tenant, upload_id), read=2, created=0, rejected=2)
    assert_counts(done(job_tenant, upload_id, mapping={"email": "Mail of owner"}), read=2, created=2)
    refusal(start(job_tenant, upload_id), 404, "NOT_FOUND")


def test_a_start_that_identifies_nobody_is_refused_with_the_columns_that_would_do(job_tenant: Tenant) -> None:
    content = b"Name,Record ID,Mail of owner\nAda,801,x@k.example\nBob,802,y@k.example\n"
    upload_id = upload(job_tenant, content, "text/csv")
    error = refusal(start(job_tenant, upload_id), 422, "NOBODY_IDENTIFIED")
    assert error["columns"] == [
        {"name": "Mail of owner", "field": "email"}, {"name": "Record ID", "field": "providerId"},
    ]  # fmt: skip
    assert "--identity-column" in error["details"]
    assert job_tenant.walk("/audiences") == []
    assert_counts(done(job_tenant, upload_id, identityColumn="Record ID"), created=2)
