"""Two people with one address are two leads, in every way in, and each of them is found again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from leadyard.ids import id_of
from rig.answers import data_of, refusal
from rig.jobs import found_job, job_of, start, upload, work_until_ended
from rig.people import patch, read
from rig.racing import assert_healthy
from rig.service import Tenant, leadyard

MAILBOX = "info@c31.example"
PEOPLE = [
    {"firstName": "Kat", "lastName": "Oakes", "email": MAILBOX, "title": "CEO"},
    {"firstName": "Lou", "lastName": "Pike", "email": MAILBOX, "phone": "555-0131"},
    {"name": "Ann Gray", "email": MAILBOX, "providerId": "7"},
    {"firstName": "Kat", "lastName": "Oakes", "email": "kat@c31.example"},
    {"firstName": "Max", "lastName": "Moor", "email": "kat@c31.example"},
]
FILE = "firstName,lastName,name,email,title,phone,providerId\n" + "".join(
    ",".join(
        person.get(field, "") for field in ("firstName", "lastName", "name", "email", "title", "phone", "providerId")
    )
    + "\n"
    for person in PEOPLE
)


def add(tenant: Tenant, audience: str, *people: dict[str, Any], **rest: Any) -> httpx.Response:
    return tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": list(people), **rest})


def everybody(tenant: Tenant) -> list[tuple[Any, ...]]:
    text = (
        "SELECT id, name, first_name, last_name, email, title, phone, provider_id, shared_email_name FROM leads"
        " WHERE account_group_id = $1 ORDER BY id"
    )
    return tenant.sql(text, tenant.number)


def lead_named(tenant: Tenant, audience: str, last_name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        each for each in tenant.walk(f"/audiences/{audience}/prospects") if each["lastName"] == last_name
    ]
    assert len(found) == 1, found
    return found[0]


def by_request(tenant: Tenant, audience: str, folder: Path) -> dict[str, Any]:
    answered = data_of(add(tenant, audience, *PEOPLE))
    return {**answered, "rejected": len(answered["rejected"]), "noted": len(answered.get("notes", []))}


def by_job(tenant: Tenant, audience: str, folder: Path) -> dict[str, Any]:
    job_id = start(tenant, "csv_upload", uploadId=upload(tenant, FILE), audience={"id": audience})
    work_until_ended(tenant, found_job(tenant, job_id))
    counts: dict[str, Any] = job_of(tenant, job_id)["counts"]
    return counts


def by_command(tenant: Tenant, audience: str, folder: Path) -> dict[str, Any]:
    file = folder / "people.csv"
    file.write_text(FILE)
    where = ("--account-group", tenant.account_group_id, "--audience", audience, "--json")
    done = leadyard("import", str(file), *where, url=tenant.service.database_url)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("way", [by_request, by_job, by_command])
def test_every_way_in_makes_a_lead_of_each_person_once(tenant: Tenant, tmp_path: Path, way: Any) -> None:
    audience = tenant.create_audience()
    first = way(tenant, audience, tmp_path)
    assert (first["created"], first["matched"], first["rejected"], first["noted"]) == (5, 0, 0, 3)
    before = everybody(tenant)
    assert [row[4] for row in before] == [MAILBOX] * 3 + ["kat@c31.example"] * 2
    assert sum(row[8] is not None for row in before) == 3
    again = way(tenant, audience, tmp_path)
    assert (again["created"], again["matched"], again["rejected"], again["noted"]) == (0, 5, 0, 3)
    assert everybody(tenant) == before
    assert_healthy(tenant)


def test_a_nameless_address_of_a_function_is_a_lead_of_its_own(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    data_of(add(tenant, audience, PEOPLE[0]))
    nameless = {"email": MAILBOX, "company": {"name": "Oakes Ltd"}}
    assert data_of(add(tenant, audience, nameless))["created"] == 1
    assert data_of(add(tenant, audience, nameless))["matched"] == 1
    assert len(everybody(tenant)) == 2


def test_an_edit_may_share_the_address_of_a_function_and_nothing_else(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    data_of(add(tenant, audience, *PEOPLE[:2], {"firstName": "Tom", "lastName": "Tull", "email": "tom@c31.example"}))
    lou, tom = (lead_named(tenant, audience, name)["id"] for name in ("Pike", "Tull"))
    # Another field of a lead that shares its address.
    assert data_of(patch(tenant, lou, title="Buyer"))["email"] == MAILBOX
    kat = lead_named(tenant, audience, "Oakes")["id"]
    assert data_of(patch(tenant, tom, email=MAILBOX))["email"] == MAILBOX
    assert refusal(patch(tenant, tom, firstName="Lou", lastName="Pike"), 422, "IDENTITY_CONFLICT")["leadId"] == lou
    data_of(patch(tenant, tom, email="tom@c31.example"))
    assert refusal(patch(tenant, lou, email="tom@c31.example"), 422, "IDENTITY_CONFLICT")["leadId"] == tom
    assert (
        refusal(patch(tenant, kat, firstName="X", email="tom@c31.example"), 422, "IDENTITY_CONFLICT")["leadId"] == tom
    )
    # An address of their own is free for others again.
    data_of(patch(tenant, lou, email="lou@c31.example"))
    assert read(tenant, lou)["email"] == "lou@c31.example"
    assert_healthy(tenant)


def test_a_renamed_person_is_found_by_the_name_of_the_file(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    data_of(add(tenant, audience, *PEOPLE[:2]))
    lou = lead_named(tenant, audience, "Pike")["id"]
    data_of(patch(tenant, lou, firstName="Louis", lastName="Hill"))
    again = data_of(add(tenant, audience, *PEOPLE[:2]))
    assert (again["created"], again["matched"]) == (0, 2)
    assert len(everybody(tenant)) == 2


def test_a_merged_person_is_found_by_the_address_and_either_name(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    data_of(add(tenant, audience, *PEOPLE[:3], {"firstName": "Louis", "lastName": "Hill", "email": "lou@own.example"}))
    louis, lou, kat = (lead_named(tenant, audience, name)["id"] for name in ("Hill", "Pike", "Oakes"))
    data_of(tenant.client.post(f"/prospects/{louis}/merge", json={"prospectId": lou}))
    again = data_of(add(tenant, audience, *PEOPLE[:3]))
    assert (again["created"], again["matched"], len(everybody(tenant))) == (0, 3, 3)
    # The owner goes into a lead that shares the address, which then owns it.
    ann = next(row[0] for row in everybody(tenant) if row[1] == "Ann Gray")
    data_of(tenant.client.post(f"/prospects/{id_of(ann)}/merge", json={"prospectId": kat}))
    assert [row[8] for row in everybody(tenant) if row[0] == ann] == [None]
    last = data_of(add(tenant, audience, *PEOPLE[:3]))
    assert (last["created"], last["matched"], len(everybody(tenant))) == (0, 3, 2)
    assert_healthy(tenant)


def test_an_undone_import_brings_each_of_them_back(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience()
    by_command(tenant, audience, tmp_path)
    before = everybody(tenant)
    change: str = tenant.walk("/changes", kind="import")[0]["id"]
    undo = data_of(tenant.client.post(f"/changes/{change}/undo"))["change"]["id"]
    assert everybody(tenant) == []
    data_of(tenant.client.post(f"/changes/{undo}/undo"))
    assert everybody(tenant) == before
    # While they are away, a person of the same name may come in by the same address, and then keeps the place.
    data_of(tenant.client.post(f"/changes/{tenant.walk('/changes', kind='undo')[0]['id']}/undo"))
    data_of(add(tenant, audience, PEOPLE[3], PEOPLE[4]))
    newest: str = tenant.walk("/changes", kind="undo")[0]["id"]
    data_of(tenant.client.post(f"/changes/{newest}/undo", json={"skipChanged": True}))
    assert len(everybody(tenant)) == 5
    assert_healthy(tenant)


def test_an_erased_owner_leaves_the_others_as_they_are(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    data_of(add(tenant, audience, *PEOPLE[:3]))
    kat = lead_named(tenant, audience, "Oakes")["id"]
    data_of(tenant.client.delete(f"/prospects/{kat}"))
    again = data_of(add(tenant, audience, *PEOPLE[1:3]))
    assert (again["created"], again["matched"]) == (0, 2)
    back = data_of(add(tenant, audience, PEOPLE[0]))
    assert (back["created"], len(back["notes"])) == (1, 1)
    assert (data_of(add(tenant, audience, *PEOPLE[:3]))["matched"], len(everybody(tenant))) == (3, 3)
    assert_healthy(tenant)


def test_the_export_brings_the_same_people_in(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience()
    data_of(add(tenant, audience, *PEOPLE))
    before = everybody(tenant)
    file = tmp_path / "export.csv"
    file.write_bytes(tenant.client.get(f"/audiences/{audience}/prospects.csv").content)
    where = ("--account-group", tenant.account_group_id, "--audience", audience, "--json")
    done = leadyard("import", str(file), *where, url=tenant.service.database_url)
    assert '"created": 0, "matched": 5' in done.stdout, done.stdout
    assert everybody(tenant) == before
