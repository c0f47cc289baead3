"""Suppressed people stay away, in every way in, and nothing that is kept of them names them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leadyard.ids import id_of
from leadyard.model import Permission
from rig.answers import data_of, refusal, violations
from rig.jobs import found_job, job_of, start, upload, work_until_ended
from rig.racing import assert_healthy
from rig.secret_key import SECRET_KEY
from rig.service import Service, Tenant, leadyard, make_tenant

MEMBER_ID = "ACwAAAc58AbCdEfGhIjKlMnOpQrStUvWxYz01234"
KAT = {"firstName": "Kat", "lastName": "Oakes", "email": "kat@own.example"}
LOU = {"firstName": "Lou", "lastName": "Pike", "email": "lou@own.example"}
ADA = {"firstName": "Ada", "linkedinUrl": f"https://www.linkedin.com/in/{MEMBER_ID}"}
HEADER = "firstName,lastName,email,linkedinUrl\n"
ROWS = HEADER + f"Kat,Oakes,KAT@own.example,\nLou,Pike,lou@own.example,\nAda,,,linkedin.com/in/{MEMBER_ID.lower()}\n"


def add(tenant: Tenant, audience: str, *people: dict[str, Any]) -> dict[str, Any]:
    answered: dict[str, Any] = data_of(
        tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": list(people)})
    )
    return answered


def suppress(tenant: Tenant, *people: dict[str, str], **rest: Any) -> dict[str, Any]:
    answered: dict[str, Any] = data_of(tenant.client.post("/suppressions", json={"prospects": list(people), **rest}))
    return answered


def lead_ids(tenant: Tenant) -> list[str]:
    rows = tenant.sql("SELECT id FROM leads WHERE account_group_id = $1 ORDER BY id", tenant.number)
    return [id_of(key) for (key,) in rows]


def by_request(tenant: Tenant, audience: str, folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    answered = add(tenant, audience, KAT, LOU, ADA)
    rows = [{"reject_line": str(each["index"] + 2), "reject_code": each["code"]} for each in answered["rejected"]]
    return {"suppressed": 0, **answered, "rejected": len(rows)}, rows


def by_job(tenant: Tenant, audience: str, folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    job_id = start(tenant, "csv_upload", uploadId=upload(tenant, ROWS), audience={"id": audience})
    work_until_ended(tenant, found_job(tenant, job_id))
    rejected = tenant.client.get(f"/prospecting/{job_id}/rejected.csv").text
    return job_of(tenant, job_id)["counts"], list(csv.DictReader(io.StringIO(rejected)))


def by_command(tenant: Tenant, audience: str, folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    file = folder / "people.csv"
    file.write_text(ROWS)
    where = ("--account-group", tenant.account_group_id, "--audience", audience, "--json")
    done = leadyard("import", str(file), *where, url=tenant.service.database_url)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    if report["rejectsFile"] is None:
        return report, []
    with Path(report["rejectsFile"]).open(newline="") as stream:
        return report, list(csv.DictReader(stream))


@pytest.mark.parametrize("way", [by_request, by_job, by_command])
def test_every_way_in_leaves_suppressed_people_out(tenant: Tenant, tmp_path: Path, way: Any) -> None:
    audience = tenant.create_audience()
    suppressed = suppress(tenant, {"email": "Kat@OWN.example"}, {"linkedinUrl": ADA["linkedinUrl"]}, reason="Asked")
    assert (suppressed["added"], suppressed["rejected"]) == (2, [])
    counts, rows = way(tenant, audience, tmp_path)
    assert (counts["created"], counts["rejected"], counts["suppressed"]) == (1, 2, 2)
    assert [(row["reject_line"], row["reject_code"]) for row in rows] == [("2", "SUPPRESSED"), ("4", "SUPPRESSED")]
    # Not even the list of rejected rows keeps what was in the row.
    assert "kat@own.example" not in json.dumps(rows).lower()
    assert [each["email"] for each in tenant.walk(f"/audiences/{audience}/prospects")] == ["lou@own.example"]
    # Whom somebody lets in again comes in.
    for each in suppressed["suppressions"]:
        data_of(tenant.client.delete(f"/suppressions/{each['hash']}"))
    counts, rows = way(tenant, audience, tmp_path)[0], []
    assert (counts["created"], counts["matched"], counts["suppressed"]) == (2, 1, 0)
    assert_healthy(tenant)


def test_a_reason_without_a_suppression_erases_no_person(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    add(tenant, audience, KAT)
    [kat] = lead_ids(tenant)
    for query in ({"reason": "Asked"}, {"reason": "Asked", "suppress": "false"}):
        assert violations(tenant.client.delete(f"/prospects/{kat}", params=query)) == {("reason", "NOT_ALLOWED")}
    wrong = tenant.client.delete(f"/prospects/{kat}", params={"suppress": "maybe"})
    assert wrong.json()["error"]["details"] == "suppress: Must be true or false."
    assert tenant.count(audience) == 1
    data_of(tenant.client.delete(f"/prospects/{kat}", params={"reason": "Asked", "suppress": "true"}))
    assert tenant.count(audience) == 0


def test_an_erased_person_stays_away_by_each_identity(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    profile = "https://www.linkedin.com/in/kat-oakes"
    add(tenant, audience, {**KAT, "linkedinUrl": profile}, LOU, {"email": "kat@other.example", "firstName": "Kat"})
    kat, _, other = lead_ids(tenant)
    data_of(tenant.client.post(f"/prospects/{kat}/merge", json={"prospectId": other}))
    data_of(tenant.client.delete(f"/prospects/{kat}", params={"suppress": "true", "reason": "Asked to be deleted"}))
    for body in ({"email": "kat@own.example"}, {"linkedinUrl": profile}, {"email": "kat@other.example"}):
        result = add(tenant, audience, body)
        assert [each["code"] for each in result["rejected"]] == ["SUPPRESSED"], body
        assert (result["created"], result["matched"], result["suppressed"]) == (0, 0, 1)
    listed = tenant.walk("/suppressions")
    assert [each["reason"] for each in listed] == ["Asked to be deleted"] * 3
    assert all(set(each) == {"hash", "reason", "createdAt"} for each in listed)
    # Nothing of the person is left in the database.
    assert tenant.sql("SELECT count(*) FROM leads WHERE account_group_id = $1", tenant.number) == [(1,)]
    hashes = tenant.sql("SELECT hash, reason FROM suppressions WHERE account_group_id = $1", tenant.number)
    assert not any("kat" in str(value) for row in hashes for value in row)
    assert_healthy(tenant)


def test_erasing_without_suppressing_keeps_nothing(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    add(tenant, audience, KAT)
    data_of(tenant.client.delete(f"/prospects/{lead_ids(tenant)[0]}"))
    assert tenant.walk("/suppressions") == []
    assert add(tenant, audience, KAT)["created"] == 1


def test_who_reads_a_shared_mailbox_does_not_keep_the_others_away(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    people = [{**each, "email": "info@c31.example"} for each in (KAT, LOU)]
    add(tenant, audience, *people)
    for lead in lead_ids(tenant)[:1]:
        data_of(tenant.client.delete(f"/prospects/{lead}", params={"suppress": "true"}))
    result = add(tenant, audience, *people, {"email": "info@c31.example", "firstName": "Max", "lastName": "Moor"})
    assert len(result["rejected"]) == 1
    assert (result["rejected"][0]["code"], result["created"], result["matched"]) == ("SUPPRESSED", 1, 1)
    # A list that names the mailbox means all who read it.
    suppress(tenant, {"email": "info@c31.example"})
    assert add(tenant, audience, *people)["suppressed"] == 2


def test_a_person_with_an_outside_id_alone_is_suppressed_by_it_alone(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    add(tenant, audience, {"providerId": "7", "name": "Kat"})
    data_of(tenant.client.delete(f"/prospects/{lead_ids(tenant)[0]}", params={"suppress": "true"}))
    result = add(tenant, audience, {"providerId": "7"}, {"providerId": "7", "email": "lou@own.example"})
    assert ([each["index"] for each in result["rejected"]], result["created"]) == ([0], 1)


def test_suppressing_again_changes_nothing_and_people_without_an_identity_are_named(tenant: Tenant) -> None:
    one = {"email": "a@x.example"}
    people = [one, {"email": "nonsense"}, {}, one, {"linkedinUrl": "acme.com"}]
    first = suppress(tenant, *people)
    assert (first["added"], len(first["suppressions"])) == (1, 1)
    codes = [(each["index"], each["code"]) for each in first["rejected"]]
    assert codes == [(1, "INVALID_EMAIL"), (2, "EMPTY_PROSPECT"), (4, "INVALID_LINKEDIN_URL")]
    again = suppress(tenant, *people, reason="Another one")
    assert (again["added"], again["suppressions"]) == (0, first["suppressions"])


def test_the_list_has_pages_and_each_group_its_own_hashes(service: Service) -> None:
    one, other = make_tenant(service), make_tenant(service)
    for number in range(5):
        suppress(one, {"email": f"a{number}@x.example"}, reason=f"r{number}")
    suppress(other, {"email": "a0@x.example"})
    listed = one.walk("/suppressions", limit=2)
    assert [each["reason"] for each in listed] == ["r4", "r3", "r2", "r1", "r0"]
    [theirs] = other.walk("/suppressions")
    assert theirs["hash"] not in {each["hash"] for each in listed}
    refusal(one.client.delete(f"/suppressions/{theirs['hash']}"), 404, "NOT_FOUND")
    assert violations(one.client.delete("/suppressions/nonsense")) == {("hash", "NOT_ALLOWED")}
    assert add(other, other.create_audience(), {"email": "a1@x.example"})["created"] == 1


def test_permissions_and_limits(tenant: Tenant) -> None:
    reader = tenant.new_client(tenant.key_with(Permission.PROSPECTS_READ))
    writer = tenant.new_client(tenant.key_with(Permission.AUDIENCES_WRITE))
    body = {"prospects": [{"email": "a@x.example"}]}
    refusal(reader.post("/suppressions", json=body), 403, "FORBIDDEN")
    refusal(writer.get("/suppressions"), 403, "FORBIDDEN")
    refusal(reader.delete(f"/suppressions/{'0' * 64}"), 403, "FORBIDDEN")
    data_of(writer.post("/suppressions", json=body))
    assert len(data_of(reader.get("/suppressions"))["items"]) == 1
    too_many = {"prospects": [{"email": "a@x.example"}] * 1_001}
    assert ("prospects", "TOO_LONG") in violations(writer.post("/suppressions", json=too_many))
    assert ("reason", "TOO_LONG") in violations(writer.post("/suppressions", json={**body, "reason": "x" * 201}))


def test_the_command_suppresses_the_people_of_a_file(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "optouts.csv"
    file.write_text("kat@own.example\nnot an address\nlou@own.example\n")
    where = ("--account-group", tenant.account_group_id, "--reason", "Opt-out list")
    done = leadyard("suppress", str(file), *where, "--json", url=tenant.service.database_url)
    report = json.loads(done.stdout)
    assert (done.returncode, report["read"], report["added"]) == (1, 3, 2)
    assert [(row["line"], row["code"]) for row in report["rejected"]] == [(2, "INVALID_EMAIL")]
    again = leadyard("suppress", str(file), *where, url=tenant.service.database_url)
    assert "read 3  added 0  rejected 1" in again.stdout
    assert add(tenant, tenant.create_audience(), KAT, LOU, ADA)["suppressed"] == 2


def test_an_undo_does_not_bring_back_who_is_suppressed_since(tenant: Tenant, tmp_path: Path) -> None:
    audience = tenant.create_audience()
    file = tmp_path / "people.csv"
    file.write_text(ROWS)
    where = ("--account-group", tenant.account_group_id, "--audience", audience, "--json")
    assert leadyard("import", str(file), *where, url=tenant.service.database_url).returncode == 0
    change: str = tenant.walk("/changes", kind="import")[0]["id"]
    undone = data_of(tenant.client.post(f"/changes/{change}/undo"))["change"]["id"]
    suppress(tenant, {"email": KAT["email"]})
    refusal(tenant.client.post(f"/changes/{undone}/undo"), 422, "CHANGED_SINCE")
    data_of(tenant.client.post(f"/changes/{undone}/undo", json={"skipChanged": True}))
    assert sorted(each["firstName"] for each in tenant.walk(f"/audiences/{audience}/prospects")) == ["Ada", "Lou"]
    assert tenant.sql("SELECT 1 FROM withdrawn_leads WHERE account_group_id = $1", tenant.number) == []
    assert_healthy(tenant)


def test_a_key_that_is_missing_or_wrong_lets_nobody_back_in(
    new_service: Callable[..., Service], tenant: Tenant, tmp_path: Path
) -> None:
    """Not even a process that was running, or a command, which do not check the key at their start."""
    audience = tenant.create_audience()
    suppress(tenant, {"email": KAT["email"]})
    file = tmp_path / "people.csv"
    file.write_text(ROWS)
    where = ("--account-group", tenant.account_group_id, "--audience", audience)
    for command in (("import", str(file), *where), ("suppress", str(file), *where[:2])):
        refused = leadyard(*command, url=tenant.service.database_url, LEADYARD_SECRET_KEY="x" * 32)
        assert refused.returncode == 1
        assert "The database was used with another secret key." in refused.stderr
    if tenant.service.is_postgresql:
        refused = leadyard("import", str(file), *where, url=tenant.service.database_url, LEADYARD_SECRET_KEY="")
        assert "This service has no secret key." in refused.stderr
    assert lead_ids(tenant) == []
    done = leadyard("import", str(file), *where, url=tenant.service.database_url, LEADYARD_SECRET_KEY=SECRET_KEY)
    assert (done.returncode, len(lead_ids(tenant))) == (0, 2)
