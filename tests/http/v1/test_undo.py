"""Undo over HTTP: what each kind of change leaves behind, when it is refused, and in which order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from leadyard.model import Permission
from leadyard.operations.audiences import empty_deleted_audiences
from leadyard.operations.changes.indexing import expire_changes, index_changes
from rig.answers import UNKNOWN_ID, data_of, refusal, violations
from rig.racing import assert_healthy
from rig.service import Service, Tenant, leadyard, make_tenant, on_database


def undo(tenant: Tenant, change_id: str, **sent: Any) -> httpx.Response:
    return tenant.client.post(f"/changes/{change_id}/undo", **sent)


def skipping(tenant: Tenant, change_id: str) -> dict[str, Any]:
    found: dict[str, Any] = data_of(undo(tenant, change_id, json={"skipChanged": True}))
    return found


def copy(tenant: Tenant, source: str, target: str, leads: list[str]) -> str:
    body = {"targetAudienceId": target, "leadIds": leads}
    return made(tenant.client.post(f"/audiences/{source}/copy-leads", json=body))


def remove(tenant: Tenant, audience: str, leads: list[str]) -> str:
    return made(tenant.client.post(f"/audiences/{audience}/remove-leads", json={"leadIds": leads}))


def move(tenant: Tenant, source: str, target: str, leads: list[str]) -> str:
    return made(tenant.move(source, target, leads))


def delete(tenant: Tenant, audience: str) -> str:
    return made(tenant.client.delete(f"/audiences/{audience}"))


async def expire_all(db: Any) -> None:
    while await index_changes(db):
        pass
    while await expire_changes(db, keep_days=-1):
        pass


def made(answer: httpx.Response) -> str:
    data_of(answer)
    return answer.headers["Change-Id"]


def new_folder(tenant: Tenant) -> str:
    body = {"name": "F", "audienceType": "on_demand"}
    return str(data_of(tenant.client.post("/audiences/folders", json=body), 201)["id"])


def members(tenant: Tenant, audience: str) -> dict[str, str]:
    """Returns lead → addedAt, after checking the count."""
    found = {each["id"]: each["addedAt"] for each in tenant.walk(f"/audiences/{audience}/prospects")}
    assert tenant.count(audience) == len(found)
    return found


@pytest.fixture
def two(tenant: Tenant) -> tuple[str, str]:
    return tenant.create_audience("Here"), tenant.create_audience("There")


# ------------------------------------------------------------------------------------------ each kind


def test_an_undone_move_puts_each_lead_back_as_it_was(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    leads = tenant.add_leads(here, 4)
    copy(tenant, here, there, leads[:1])
    before = members(tenant, here), members(tenant, there)
    moved = move(tenant, here, there, leads[:3])

    answer = undo(tenant, moved)

    data = data_of(answer)
    change = data.pop("change")
    assert data == {"undoneCount": 3, "skippedCount": 0, "keptEdits": None}
    assert answer.headers["Change-Id"] == change["id"]
    assert (change["kind"], change["sourceAudienceId"], change["targetAudienceId"]) == ("undo", there, here)
    assert (change["leadCount"], change["alreadyInTargetCount"], change["undoesChangeId"]) == (3, 0, moved)
    assert change["apiKeyId"] == tenant.api_key_id
    assert (members(tenant, here), members(tenant, there)) == before
    assert data_of(tenant.client.get(f"/changes/{moved}"))["undoneByChangeId"] == change["id"]
    assert data_of(tenant.client.get(f"/moves/{moved}"))["undoneByMoveId"] == change["id"]
    assert data_of(tenant.client.get(f"/changes/{change['id']}")) == change
    assert_healthy(tenant)


def test_an_undone_copy_leaves_those_that_were_there_before(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    leads = tenant.add_leads(here, 3)
    tenant.add_leads(there, 1)
    before = members(tenant, here), members(tenant, there)
    copied = copy(tenant, here, there, leads)

    data = data_of(undo(tenant, copied, json={}))

    assert (data["undoneCount"], data["skippedCount"]) == (3, 0)
    assert (data["change"]["sourceAudienceId"], data["change"]["targetAudienceId"]) == (there, None)
    assert (members(tenant, here), members(tenant, there)) == before
    assert_healthy(tenant)


def test_an_undone_removal_brings_each_lead_back_with_its_time(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    leads = tenant.add_leads(here, 3)
    move(tenant, here, there, leads[:1])
    move(tenant, there, here, leads[:1])
    before = members(tenant, here)
    assert len(set(before.values())) == 2
    removed = remove(tenant, here, leads[:2])

    change = data_of(undo(tenant, removed))["change"]

    assert (change["sourceAudienceId"], change["targetAudienceId"]) == (None, here)
    assert members(tenant, here) == before
    assert_healthy(tenant)


def test_an_undone_addition_takes_out_the_new_members_and_keeps_the_people(
    tenant: Tenant, two: tuple[str, str]
) -> None:
    here, _ = two
    tenant.add_leads(here, 2)
    before = members(tenant, here)
    people = [{"email": "new@example.com"}, {"email": "lead-0@example.com"}]
    answer = tenant.client.post(f"/audiences/{here}/prospects", json={"prospects": people})
    [new] = members(tenant, here).keys() - before.keys()

    data = data_of(undo(tenant, made(answer)))

    assert (data["undoneCount"], data["skippedCount"]) == (2, 0)
    assert members(tenant, here) == before
    assert data_of(tenant.client.get(f"/prospects/{new}"))["audiences"] == []
    assert_healthy(tenant)


@pytest.mark.parametrize("emptied", [True, False])
def test_a_deleted_audience_comes_back_with_its_folder_and_members(tenant: Tenant, emptied: bool) -> None:
    folder = new_folder(tenant)
    here, there = tenant.create_audience("Here"), tenant.create_audience("There")
    data_of(tenant.client.post(f"/audiences/{here}/move-to-folder", json={"folderId": folder}))
    leads = tenant.add_leads(here, 4)
    move(tenant, here, there, leads[:1])
    move(tenant, there, here, leads[:1])
    before = data_of(tenant.client.get(f"/audiences/{here}")), members(tenant, here)
    deleted = delete(tenant, here)
    if emptied:
        on_database(tenant.service.database_url, empty_deleted_audiences)

    change = data_of(undo(tenant, deleted))["change"]

    assert (change["sourceAudienceId"], change["targetAudienceId"], change["leadCount"]) == (None, here, 4)
    assert (data_of(tenant.client.get(f"/audiences/{here}")), members(tenant, here)) == before
    listed = tenant.walk(f"/changes/{deleted}/prospects")
    assert sorted(each["prospectId"] for each in listed) == sorted(leads)
    assert_healthy(tenant)


def test_a_deleted_audience_comes_back_without_a_folder_that_was_deleted(tenant: Tenant) -> None:
    folder = new_folder(tenant)
    here = tenant.create_audience("Here")
    data_of(tenant.client.post(f"/audiences/{here}/move-to-folder", json={"folderId": folder}))
    deleted = delete(tenant, here)
    data_of(tenant.client.delete(f"/audiences/folders/{folder}"))

    assert data_of(undo(tenant, deleted))["undoneCount"] == 0

    found = data_of(tenant.client.get(f"/audiences/{here}"))
    assert (found["name"], found["folderId"], found["prospectCount"]) == ("Here", None, 0)
    assert_healthy(tenant)


def test_an_undo_can_be_undone_again_and_again(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    leads = tenant.add_leads(here, 3)
    tenant.add_leads(there, 1)
    before = members(tenant, here), members(tenant, there)
    change = move(tenant, here, there, leads)
    after = members(tenant, here), members(tenant, there)

    for number in range(4):
        change = data_of(undo(tenant, change))["change"]["id"]
        assert (members(tenant, here), members(tenant, there)) == (after if number % 2 else before)
    assert_healthy(tenant)


def test_the_undo_of_a_copy_can_be_undone_after_the_source_has_changed(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    leads = tenant.add_leads(here, 2)
    copied = copy(tenant, here, there, leads)
    after = members(tenant, there)
    undone = data_of(undo(tenant, copied))["change"]["id"]
    remove(tenant, here, leads)

    data_of(undo(tenant, undone))

    assert (members(tenant, here), members(tenant, there)) == ({}, after)
    assert_healthy(tenant)


def test_a_deletion_that_was_undone_is_made_again(tenant: Tenant, two: tuple[str, str]) -> None:
    here, _ = two
    tenant.add_leads(here, 3)
    before = members(tenant, here)
    change = delete(tenant, here)

    for _ in range(2):
        change = data_of(undo(tenant, change))["change"]["id"]
        assert members(tenant, here) == before
        change = data_of(undo(tenant, change))["change"]["id"]
        refusal(tenant.client.get(f"/audiences/{here}"), 404, "NOT_FOUND")
        assert_healthy(tenant)


def test_a_deletion_is_not_made_again_if_somebody_came_since(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    tenant.add_leads(here, 2)
    [late] = tenant.add_leads(there, 1, prefix="late")
    undone = data_of(undo(tenant, delete(tenant, here)))["change"]["id"]
    copy(tenant, there, here, [late])

    again = data_of(undo(tenant, undone))["change"]["id"]

    assert list(members(tenant, here)) == [late]
    data_of(undo(tenant, again))
    assert len(members(tenant, here)) == 3
    assert_healthy(tenant)


# ------------------------------------------------------------------------------------------ changed since


def test_leads_that_were_moved_on_are_named_and_skipped_if_wanted(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    leads = tenant.add_leads(here, 5)
    before = members(tenant, here)
    moved = move(tenant, here, there, leads)
    remove(tenant, there, [leads[1]])
    copy(tenant, there, here, [leads[3]])
    now = members(tenant, here), members(tenant, there)

    error = refusal(undo(tenant, moved), 422, "CHANGED_SINCE")
    assert (error["leadIds"], error["leadCount"]) == ([leads[1], leads[3]], 2)
    assert (members(tenant, here), members(tenant, there)) == now

    data = skipping(tenant, moved)
    assert (data["undoneCount"], data["skippedCount"], data["change"]["leadCount"]) == (3, 2, 3)
    expected = {lead: before[lead] for lead in leads if lead not in (leads[1], leads[3])}
    assert members(tenant, here) == {**expected, leads[3]: now[0][leads[3]]}
    assert members(tenant, there) == {leads[3]: now[1][leads[3]]}
    assert_healthy(tenant)


def test_at_most_a_hundred_leads_are_named(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    leads = tenant.add_leads(here, 120)
    moved = move(tenant, here, there, leads)
    move(tenant, there, here, leads)

    error = refusal(undo(tenant, moved), 422, "CHANGED_SINCE")

    assert (error["leadIds"], error["leadCount"]) == (leads[:100], 120)
    assert skipping(tenant, moved)["undoneCount"] == 0
    assert_healthy(tenant)


def test_erased_leads_are_skipped(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    leads = tenant.add_leads(here, 3)
    before = members(tenant, here)
    moved = move(tenant, here, there, leads)
    removed = remove(tenant, there, [leads[2]])
    for lead in leads[1:]:
        data_of(tenant.client.delete(f"/prospects/{lead}"))

    data = data_of(undo(tenant, removed))
    assert (data["undoneCount"], data["skippedCount"]) == (0, 1)
    data = data_of(undo(tenant, moved))
    assert (data["undoneCount"], data["skippedCount"]) == (1, 2)
    assert members(tenant, here) == {leads[0]: before[leads[0]]}
    assert_healthy(tenant)


# ------------------------------------------------------------------------------------------ refusals


def test_a_change_is_undone_once(tenant: Tenant, two: tuple[str, str]) -> None:
    leads = tenant.add_leads(two[0], 1)
    moved = move(tenant, *two, leads)
    undone = data_of(undo(tenant, moved))["change"]["id"]

    error = refusal(undo(tenant, moved), 422, "ALREADY_UNDONE")

    assert error["undoneByChangeId"] == undone


def test_what_cannot_be_undone(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    leads = tenant.add_leads(here, 2)
    moved = move(tenant, here, there, leads)
    data_of(tenant.client.delete(f"/prospects/{leads[0]}"))
    [erased] = [each["id"] for each in tenant.walk("/changes", kind="erase")]
    refusal(undo(tenant, erased), 422, "NOT_UNDOABLE")

    on_database(tenant.service.database_url, expire_all)

    refusal(undo(tenant, moved), 422, "NOT_UNDOABLE")


def test_an_unknown_change_or_a_deleted_audience_is_not_found(tenant: Tenant, service: Service) -> None:
    other = make_tenant(service)
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 1)
    moved = move(tenant, here, there, leads)
    refusal(undo(tenant, UNKNOWN_ID), 404, "NOT_FOUND")
    refusal(undo(other, moved), 404, "NOT_FOUND")
    data_of(undo(tenant, moved))
    delete(tenant, there)
    # That the audience is gone comes before that the change is undone.
    refusal(undo(tenant, moved), 404, "NOT_FOUND")


def test_a_busy_audience_is_refused_after_what_needs_no_lead(tenant: Tenant, two: tuple[str, str]) -> None:
    here, there = two
    leads = tenant.add_leads(here, 2)
    moved = move(tenant, here, there, leads)
    copied = copy(tenant, there, here, leads)
    job = tenant.insert_job(here)

    error = refusal(undo(tenant, moved), 409, "AUDIENCE_NOT_READY")
    assert (error["audienceId"], error["jobId"]) == (here, job)
    refusal(undo(tenant, copied), 409, "AUDIENCE_NOT_READY")
    tenant.end_job(job)
    refusal(undo(tenant, moved), 422, "CHANGED_SINCE")
    data_of(undo(tenant, copied))
    job = tenant.insert_job(here)
    refusal(undo(tenant, copied), 422, "ALREADY_UNDONE")
    tenant.end_job(job)


def test_the_body_is_optional_and_checked(tenant: Tenant, two: tuple[str, str]) -> None:
    leads = tenant.add_leads(two[0], 1)
    moved = move(tenant, *two, leads)
    bodies: tuple[Any, ...] = ({"skipChanged": "yes"}, {"other": True}, [], "")
    for body in bodies:
        assert violations(undo(tenant, moved, json=body))
    refusal(undo(tenant, moved, content=b"{}", headers={"Content-Type": "text/plain"}), 415, "UNSUPPORTED_MEDIA_TYPE")
    refusal(undo(tenant, "not-an-id"), 400, "VALIDATION_ERROR")
    data_of(undo(tenant, moved, content=b"null", headers={"Content-Type": "application/json"}))


def test_a_key_without_the_permission_is_refused(tenant: Tenant, two: tuple[str, str]) -> None:
    moved = move(tenant, *two, tenant.add_leads(two[0], 1))
    reader = tenant.new_client(tenant.key_with(Permission.AUDIENCES_READ))
    refusal(reader.post(f"/changes/{moved}/undo"), 403, "FORBIDDEN")


def test_a_repeated_undo_gets_the_same_answer(tenant: Tenant, two: tuple[str, str]) -> None:
    moved = move(tenant, *two, tenant.add_leads(two[0], 1))
    first, second = (undo(tenant, moved, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert first.content == second.content and first.headers["Change-Id"] == second.headers["Change-Id"]
    assert second.headers["Idempotency-Replayed"] == "true"
    refusal(undo(tenant, moved, headers={"Idempotency-Key": "twice"}), 422, "ALREADY_UNDONE")


# ------------------------------------------------------------------------------------------ imports


def bring_in(tenant: Tenant, audience: str, folder: Path, rows: list[str]) -> str:
    """Imports the rows by command, and returns the change."""
    file = folder / "people.csv"
    file.write_text("\n".join(["email,firstName,company,Shoe size", *rows]) + "\n")
    where = ("--account-group", tenant.account_group_id, "--audience", audience, "--json")
    done = leadyard("import", str(file), *where, url=tenant.service.database_url)
    assert done.returncode == 0, done.stderr
    newest: str = tenant.walk("/changes", kind="import")[0]["id"]
    return newest


def person(tenant: Tenant, email: str) -> dict[str, Any] | None:
    lead = tenant.ids_by_email(email).get(email)
    return data_of(tenant.client.get(f"/prospects/{lead}")) if lead else None


def test_an_undone_import_takes_out_whom_it_created_and_keeps_the_others(tenant: Tenant, tmp_path: Path) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    tenant.add_leads(here, 2)
    rows = [f"lead-{n}@example.com,Known,K,{n}" for n in range(4)] + [
        f"new-{n}@example.com,New,N,{n}" for n in range(4)
    ]
    tenant.add_leads(there, 4)
    before = members(tenant, here), members(tenant, there)
    imported = bring_in(tenant, here, tmp_path, rows)
    after = members(tenant, here)
    people = {email: person(tenant, email) for email in (f"new-{n}@example.com" for n in range(4))}
    ids = {email: each["id"] for email, each in people.items() if each}
    # One of the new ones is in another audience too, and one only in another change.
    copy(tenant, here, there, [ids["new-0@example.com"], ids["new-1@example.com"]])
    remove(tenant, there, [ids["new-1@example.com"]])

    answer = undo(tenant, imported)
    data = data_of(answer)

    assert (data["undoneCount"], data["skippedCount"], data["keptEdits"]) == (8, 0, 4)
    assert members(tenant, here) == before[0]
    assert members(tenant, there).keys() == before[1].keys() | {ids["new-0@example.com"]}
    for number, email in enumerate(ids):
        assert (person(tenant, email) is None) == (number >= 2), email
    known = person(tenant, "lead-0@example.com")
    assert known and (known["firstName"], known["customFields"]) == ("Known", {"Shoe size": "0"})
    listed = {each["prospectId"] for each in tenant.walk(f"/changes/{data['change']['id']}/prospects")}
    assert "0" * 24 in listed and not listed & {ids["new-2@example.com"], ids["new-3@example.com"]}
    assert_healthy(tenant)

    change = data["change"]["id"]
    for _ in range(2):
        again = data_of(undo(tenant, change))
        assert (again["undoneCount"], again["skippedCount"], again["keptEdits"]) == (8, 0, None)
        assert members(tenant, here) == after
        found = person(tenant, "new-3@example.com")
        assert found is not None and people["new-3@example.com"] is not None
        assert {**found, "audiences": []} == {**people["new-3@example.com"], "audiences": []}
        assert_healthy(tenant)
        change = data_of(undo(tenant, again["change"]["id"]))["change"]["id"]
        assert members(tenant, here) == before[0] and person(tenant, "new-3@example.com") is None
        assert_healthy(tenant)


def test_a_person_who_was_brought_in_again_is_not_brought_back(tenant: Tenant, tmp_path: Path) -> None:
    here = tenant.create_audience()
    imported = bring_in(tenant, here, tmp_path, ["a@x.com,A,,", "b@x.com,B,,"])
    old = tenant.ids_by_email()
    change = data_of(undo(tenant, imported))["change"]["id"]
    data_of(tenant.client.post(f"/audiences/{here}/prospects", json={"prospects": [{"email": "a@x.com"}]}))

    error = refusal(undo(tenant, change), 422, "CHANGED_SINCE")
    assert error["leadIds"] == [old["a@x.com"]] and person(tenant, "b@x.com") is None
    assert (skipping(tenant, change)["undoneCount"], len(members(tenant, here))) == (1, 2)

    new = tenant.ids_by_email()
    assert new["b@x.com"] == old["b@x.com"] and new["a@x.com"] != old["a@x.com"]
    assert tenant.sql("SELECT 1 FROM withdrawn_leads WHERE account_group_id = $1", tenant.number) == []
    assert_healthy(tenant)


def test_an_expired_undo_forgets_the_people_it_has_taken_out(tenant: Tenant, tmp_path: Path) -> None:
    here = tenant.create_audience()
    change = data_of(undo(tenant, bring_in(tenant, here, tmp_path, ["a@x.com,A,,"])))["change"]["id"]
    kept = "SELECT 1 FROM withdrawn_leads WHERE account_group_id = $1"
    assert len(tenant.sql(kept, tenant.number)) == 1

    on_database(tenant.service.database_url, expire_all)

    assert tenant.sql(kept, tenant.number) == []
    refusal(undo(tenant, change), 422, "NOT_UNDOABLE")
    assert_healthy(tenant)
