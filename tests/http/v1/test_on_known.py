"""An addition fills, updates or skips known people, and counts the ones with other values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leadyard.ids import id_of
from rig.answers import data_of, refusal, violations
from rig.jobs import found_job, job_of, start, upload, work_until_ended
from rig.people import patch
from rig.racing import assert_healthy
from rig.service import Tenant, leadyard

PROFILE = "https://www.linkedin.com/in/kat-oakes"
FIELDS = ("linkedinUrl", "email", "firstName", "lastName", "title", "phone", "company.name", "Team", "providerId")
OLD = {
    "linkedinUrl": PROFILE, "email": "kat@old.example", "firstName": "Kat", "lastName": "Oakes", "title": "CEO",
    "company.name": "Oakes Ltd", "Team": "red", "providerId": "7",
}  # fmt: skip
NEW = {
    "linkedinUrl": PROFILE, "email": "kat@new.example", "firstName": "Kat", "lastName": "Hill", "title": "CFO",
    "phone": "555-0131", "company.name": "Hill Ltd", "Team": "blue", "providerId": "8",
}  # fmt: skip


def text_of(*rows: dict[str, str]) -> str:
    return "".join(",".join(row) + "\n" for row in (FIELDS, *([row.get(each, "") for each in FIELDS] for row in rows)))


def prospect(row: dict[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {name: value for name, value in row.items() if name not in ("company.name", "Team")}
    return {**body, "company": {"name": row["company.name"]}, "customFields": {"Team": row["Team"]}}


def by_request(tenant: Tenant, audience: str, folder: Path, mode: str, *rows: dict[str, str]) -> dict[str, Any]:
    body = {"prospects": [prospect(row) for row in rows], "onKnown": mode}
    counts: dict[str, Any] = data_of(tenant.client.post(f"/audiences/{audience}/prospects", json=body))
    return {"differing": 0, "suppressed": 0} | counts


def by_job(tenant: Tenant, audience: str, folder: Path, mode: str, *rows: dict[str, str]) -> dict[str, Any]:
    uploaded = upload(tenant, text_of(*rows))
    job_id = start(tenant, "csv_upload", uploadId=uploaded, audience={"id": audience}, onKnown=mode)
    work_until_ended(tenant, found_job(tenant, job_id))
    counts: dict[str, Any] = job_of(tenant, job_id)["counts"]
    return counts


def by_command(tenant: Tenant, audience: str, folder: Path, mode: str, *rows: dict[str, str]) -> dict[str, Any]:
    file = folder / "people.csv"
    file.write_text(text_of(*rows))
    where = ("--account-group", tenant.account_group_id, "--audience", audience, "--on-known", mode, "--json")
    done = leadyard("import", str(file), *where, url=tenant.service.database_url)
    assert done.returncode == 0, done.stderr
    counts: dict[str, Any] = json.loads(done.stdout)
    return counts


WAYS = pytest.mark.parametrize("way", [by_request, by_job, by_command])


def person(tenant: Tenant) -> dict[str, str]:
    [row] = tenant.sql(
        "SELECT id FROM leads WHERE account_group_id = $1 AND public_identifier = 'kat-oakes'", tenant.number
    )
    found = data_of(tenant.client.get(f"/prospects/{id_of(row[0])}"))
    flat = {**found, "company.name": found["company"]["name"], **found["customFields"]}
    return {name: flat[name] for name in FIELDS if flat.get(name) is not None}


def newest_change(tenant: Tenant) -> str:
    change: str = tenant.walk("/changes")[0]["id"]
    return change


def replaced(tenant: Tenant, change: str) -> dict[str, tuple[str | None, str | None]]:
    values = tenant.walk(f"/changes/{change}/replaced-values")
    return {each["field"]: (each["oldValue"], each["newValue"]) for each in values}


def undo(tenant: Tenant, change: str) -> dict[str, Any]:
    result: dict[str, Any] = data_of(tenant.client.post(f"/changes/{change}/undo"))
    return result


@WAYS
@pytest.mark.parametrize("mode", ["fill", "update", "skip"])
def test_each_mode_writes_what_it_says_and_nothing_the_second_time(
    tenant: Tenant, tmp_path: Path, way: Any, mode: str
) -> None:
    audience = tenant.create_audience()
    assert way(tenant, audience, tmp_path, mode, OLD)["differing"] == 0
    counts = way(tenant, audience, tmp_path, mode, NEW)
    assert (counts["created"], counts["matched"], counts["differing"]) == (0, 1, 1)
    expected = {"fill": {**NEW, **OLD}, "update": NEW, "skip": OLD}[mode]
    assert person(tenant) == expected
    change = newest_change(tenant)
    found = replaced(tenant, change)
    assert found == ({} if mode != "update" else {
        "email": ("kat@old.example", "kat@new.example"), "lastName": ("Oakes", "Hill"), "title": ("CEO", "CFO"),
        "company.name": ("Oakes Ltd", "Hill Ltd"), "customFields.Team": ("red", "blue"), "providerId": ("7", "8"),
    })  # fmt: skip
    again = way(tenant, audience, tmp_path, mode, NEW)
    assert (again["matched"], again["differing"]) == (1, 0 if mode == "update" else 1)
    assert person(tenant) == expected
    assert replaced(tenant, newest_change(tenant)) == {}
    assert_healthy(tenant)


def test_an_updated_person_is_still_found_by_the_replaced_identities(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience()
    for row in (OLD, NEW):
        by_request(tenant, audience, tmp_path, "update", row)
    for body in ({"email": "kat@old.example"}, {"email": "kat@new.example"}, {"providerId": "7"}, {"providerId": "8"}):
        added = data_of(tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": [body]}))
        assert (added["created"], added["matched"]) == (0, 1), body
    other = {"email": "tom@own.example", "linkedinUrl": "https://www.linkedin.com/in/tom"}
    data_of(tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": [other]}))
    [tom] = [each["id"] for each in tenant.walk(f"/audiences/{audience}/prospects") if each["email"] == other["email"]]
    refusal(patch(tenant, tom, email="kat@old.example"), 422, "IDENTITY_CONFLICT")


def test_a_new_name_removes_one_that_contradicts_it(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience()
    known = {"linkedinUrl": PROFILE, "name": "Kat Oakes", "firstName": "Kat", "lastName": "Oakes"}
    married = {"linkedinUrl": PROFILE, "firstName": "Kat", "lastName": "Hill"}
    for each in (known, married):
        body = {"prospects": [each], "onKnown": "update"}
        data_of(tenant.client.post(f"/audiences/{audience}/prospects", json=body))
    assert tenant.walk(f"/audiences/{audience}/prospects")[0]["name"] == "Kat Hill"
    change = newest_change(tenant)
    assert replaced(tenant, change) == {"lastName": ("Oakes", "Hill"), "name": ("Kat Oakes", None)}
    back = undo(tenant, change)["change"]["id"]
    lead = tenant.sql("SELECT name, first_name, last_name FROM leads WHERE account_group_id = $1", tenant.number)
    assert lead == [("Kat Oakes", "Kat", "Oakes")]
    undo(tenant, back)
    lead = tenant.sql("SELECT name, first_name, last_name FROM leads WHERE account_group_id = $1", tenant.number)
    assert lead == [(None, "Kat", "Hill")]


@WAYS
def test_an_undo_puts_replaced_values_back_and_keeps_filled_ones(tenant: Tenant, tmp_path: Path, way: Any) -> None:
    audience = tenant.create_audience()
    way(tenant, audience, tmp_path, "update", OLD)
    way(tenant, audience, tmp_path, "update", NEW)
    change = newest_change(tenant)
    first = undo(tenant, change)
    assert first["keptEdits"] == (None if way is by_request else 1)
    # The phone was empty before, so it stays, as for any import.
    assert person(tenant) == {**OLD, "phone": "555-0131"}
    second = undo(tenant, first["change"]["id"])
    assert person(tenant) == NEW
    undo(tenant, second["change"]["id"])
    assert person(tenant) == {**OLD, "phone": "555-0131"}
    assert_healthy(tenant)


def test_an_undo_keeps_a_later_edit_and_an_address_that_another_lead_has_got(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience()
    by_command(tenant, audience, tmp_path, "update", OLD)
    by_command(tenant, audience, tmp_path, "update", NEW)
    change = newest_change(tenant)
    [lead] = [id_of(row[0]) for row in tenant.sql("SELECT id FROM leads WHERE account_group_id = $1", tenant.number)]
    data_of(patch(tenant, lead, title="Chair"))
    # The old address was given to another person by hand in the meantime.
    tenant.sql("DELETE FROM lead_identities WHERE account_group_id = $1 RETURNING kind", tenant.number)
    tom = {"email": "kat@old.example", "firstName": "Tom", "lastName": "Tull"}
    data_of(tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": [tom]}))
    assert undo(tenant, change)["keptEdits"] == 2
    kept = {"title": "Chair", "email": "kat@new.example", "phone": "555-0131"}
    assert person(tenant) == {**OLD, **kept}
    assert_healthy(tenant)


def test_an_erased_or_merged_person_leaves_no_replaced_values(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience()
    for row in (OLD, NEW):
        by_request(tenant, audience, tmp_path, "update", row)
    change = newest_change(tenant)
    assert len(replaced(tenant, change)) == 6
    [lead] = [id_of(row[0]) for row in tenant.sql("SELECT id FROM leads WHERE account_group_id = $1", tenant.number)]
    data_of(tenant.client.delete(f"/prospects/{lead}"))
    assert replaced(tenant, change) == {}
    assert tenant.sql("SELECT count(*) FROM replaced_values WHERE account_group_id = $1", tenant.number) == [(0,)]


def test_two_values_replaced_in_one_import_are_one_in_the_record(tenant: Tenant, tmp_path: Path) -> None:
    """Two batches of one import: the change has the first old value and the last new one."""
    audience = tenant.create_audience()
    by_command(tenant, audience, tmp_path, "update", OLD)
    others = [{"linkedinUrl": f"https://www.linkedin.com/in/p{n}", "firstName": f"P{n}"} for n in range(2_100)]
    middle = {"linkedinUrl": PROFILE, "title": "COO"}
    counts = by_command(tenant, audience, tmp_path, "update", middle, *others, NEW)
    assert (counts["created"], counts["matched"], counts["differing"]) == (2_100, 2, 2)
    assert replaced(tenant, counts["changeId"])["title"] == ("CEO", "CFO")
    first = tenant.client.get(f"/changes/{counts['changeId']}/replaced-values", params={"limit": 1})
    assert data_of(first)["hasMore"] is True
    assert len(replaced(tenant, counts["changeId"])) == 6


def test_a_word_that_is_no_mode_is_refused(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    body = {"prospects": [{"email": "a@b.example"}], "onKnown": "replace"}
    assert violations(tenant.client.post(f"/audiences/{audience}/prospects", json=body)) == {
        ("onKnown", "UNKNOWN_VALUE")
    }
    refusal(tenant.client.get(f"/changes/{'0' * 24}/replaced-values"), 404, "NOT_FOUND")
