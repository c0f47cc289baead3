"""Folders, their order, their audiences, and the navigation that shows them (contract section 5)."""

from __future__ import annotations

from typing import Any

import pytest

from leadyard.ids import key_of
from leadyard.model import AudienceType
from rig.answers import AUDIENCE_KEYS, ID, TIME, UNKNOWN_ID, data_of, refusal, violations
from rig.service import Tenant

FOLDER_KEYS = {"id", "name", "audienceType", "isPinned", "position", "createdAt", "updatedAt"}


def create(tenant: Tenant, name: str = "Folder", audience_type: str = "on_demand") -> Any:
    body = {"name": name, "audienceType": audience_type}
    return data_of(tenant.client.post("/audiences/folders", json=body), 201)


def patch(tenant: Tenant, folder_id: str, **body: Any) -> Any:
    return data_of(tenant.client.patch(f"/audiences/folders/{folder_id}", json=body))


def put_in(tenant: Tenant, audience_id: str, folder_id: str) -> Any:
    return tenant.client.post(f"/audiences/{audience_id}/move-to-folder", json={"folderId": folder_id})


def navigation(tenant: Tenant) -> Any:
    return data_of(tenant.client.get("/audiences/navigation"))


def order(tenant: Tenant) -> list[tuple[str, int]]:
    """Returns (name, position) of every folder by position."""
    return sorted(
        ((folder["name"], folder["position"]) for folder in navigation(tenant)["folders"]), key=lambda f: f[1]
    )


def test_a_new_folder_is_empty_and_behind_the_others(tenant: Tenant) -> None:
    first, second = create(tenant, "  First  "), create(tenant, "Second", "monitoring")
    assert set(first) == FOLDER_KEYS
    assert ID.fullmatch(first["id"])
    assert TIME.fullmatch(first["createdAt"])
    assert first["createdAt"] == first["updatedAt"]
    assert (first["name"], first["audienceType"], first["isPinned"], first["position"]) == (
        "First", "on_demand", False, 0,
    )  # fmt: skip
    assert (second["audienceType"], second["position"]) == ("monitoring", 1)


def test_a_folder_is_renamed_pinned_and_unpinned(tenant: Tenant) -> None:
    folder = create(tenant)
    renamed = patch(tenant, folder["id"], name="Neu ✓")
    assert {**folder, "name": "Neu ✓", "updatedAt": renamed["updatedAt"]} == renamed
    assert renamed["updatedAt"] >= folder["updatedAt"]
    assert patch(tenant, folder["id"], isPinned=True)["isPinned"] is True
    assert patch(tenant, folder["id"], isPinned=False)["isPinned"] is False


@pytest.mark.parametrize(
    ("moved", "position", "expected"),
    [("A", 2, "BCAD"), ("D", 0, "DABC"), ("B", 1, "ABCD"), ("A", 99, "BCDA"), ("C", 0, "CABD")],
)
def test_a_new_position_shifts_the_others_and_leaves_no_gap(
    tenant: Tenant, moved: str, position: int, expected: str
) -> None:
    id_of = {name: create(tenant, name)["id"] for name in "ABCD"}
    answered = patch(tenant, id_of[moved], position=position)
    assert answered["position"] == expected.index(moved)
    assert order(tenant) == [(name, place) for place, name in enumerate(expected)]


def test_deleting_a_folder_closes_the_gap_and_ungroups_its_audiences(tenant: Tenant) -> None:
    id_of = {name: create(tenant, name)["id"] for name in "ABC"}
    audience_id = tenant.create_audience()
    data_of(put_in(tenant, audience_id, id_of["B"]))
    assert data_of(tenant.client.delete(f"/audiences/folders/{id_of['B']}")) == {"deleted": True}
    assert order(tenant) == [("A", 0), ("C", 1)]
    assert data_of(tenant.client.get(f"/audiences/{audience_id}"))["folderId"] is None
    assert [audience["id"] for audience in navigation(tenant)["ungroupedAudiences"]] == [audience_id]
    refusal(tenant.client.delete(f"/audiences/folders/{id_of['B']}"), 404, "NOT_FOUND")


def test_the_navigation_shows_pinned_folders_first_and_each_audience_once(tenant: Tenant) -> None:
    a, b = create(tenant, "A"), create(tenant, "B")
    patch(tenant, b["id"], isPinned=True)
    inside, outside, busy = (tenant.create_audience(name) for name in ("inside", "outside", "busy"))
    data_of(put_in(tenant, inside, a["id"]))
    data_of(put_in(tenant, busy, a["id"]))
    tenant.insert_job(busy)

    found = navigation(tenant)

    assert set(found) == {"folders", "ungroupedAudiences"}
    assert [folder["name"] for folder in found["folders"]] == ["B", "A"]
    assert all(set(folder) == FOLDER_KEYS | {"audiences"} for folder in found["folders"])
    assert [[each["id"] for each in folder["audiences"]] for folder in found["folders"]] == [[], [inside]]
    assert [each["id"] for each in found["ungroupedAudiences"]] == [outside]
    assert set(found["ungroupedAudiences"][0]) == AUDIENCE_KEYS


@pytest.mark.parametrize("audience_type", list(AudienceType))
@pytest.mark.parametrize("folder_type", ["on_demand", "monitoring"])
def test_a_folder_takes_its_type_only(tenant: Tenant, audience_type: AudienceType, folder_type: str) -> None:
    audience_id, folder = tenant.create_audience(), create(tenant, audience_type=folder_type)
    tenant.sql("UPDATE audiences SET type = $1 WHERE id = $2 AND account_group_id = $3",
               str(audience_type), key_of(audience_id), tenant.number)  # fmt: skip
    answer = put_in(tenant, audience_id, folder["id"])
    if (audience_type is AudienceType.MONITORING) == (folder_type == "monitoring"):
        assert data_of(answer)["folderId"] == folder["id"]
    else:
        refusal(answer, 422, "FOLDER_TYPE_MISMATCH")
        assert data_of(tenant.client.get(f"/audiences/{audience_id}"))["folderId"] is None


def test_an_audience_is_in_one_folder_at_most(tenant: Tenant) -> None:
    a, b, audience_id = create(tenant, "A"), create(tenant, "B"), tenant.create_audience()
    for folder in (a, b, b):
        moved = data_of(put_in(tenant, audience_id, folder["id"]))
        assert (moved["id"], moved["folderId"]) == (audience_id, folder["id"])
    assert [len(folder["audiences"]) for folder in navigation(tenant)["folders"]] == [0, 1]
    for _ in range(2):
        removed = data_of(tenant.client.post(f"/audiences/{audience_id}/remove-from-folder"))
        assert removed["folderId"] is None


def test_what_stands_in_the_way_of_a_folder(tenant: Tenant) -> None:
    audience_id = tenant.create_audience()
    fits, other = create(tenant), create(tenant, audience_type="monitoring")
    refusal(put_in(tenant, UNKNOWN_ID, fits["id"]), 404, "NOT_FOUND")
    refusal(put_in(tenant, audience_id, UNKNOWN_ID), 404, "NOT_FOUND")
    job_id = tenant.insert_job(audience_id)
    refusal(put_in(tenant, audience_id, UNKNOWN_ID), 404, "NOT_FOUND")
    refusal(put_in(tenant, audience_id, other["id"]), 422, "FOLDER_TYPE_MISMATCH")
    error = refusal(put_in(tenant, audience_id, fits["id"]), 409, "AUDIENCE_NOT_READY")
    assert (error["audienceId"], error["jobId"]) == (audience_id, job_id)
    refusal(tenant.client.post(f"/audiences/{audience_id}/remove-from-folder"), 409, "AUDIENCE_NOT_READY")
    refusal(tenant.client.post(f"/audiences/{UNKNOWN_ID}/remove-from-folder"), 404, "NOT_FOUND")
    refusal(tenant.client.patch(f"/audiences/folders/{UNKNOWN_ID}", json={"name": "x"}), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {("body", "NOT_ALLOWED")}),
        ({"name": None}, {("name", "WRONG_TYPE")}),
        ({"name": " "}, {("name", "TOO_SHORT")}),
        ({"isPinned": "true"}, {("isPinned", "WRONG_TYPE")}),
        ({"position": -1}, {("position", "TOO_SMALL")}),
        ({"position": True}, {("position", "WRONG_TYPE")}),
        ({"audienceType": "monitoring"}, {("audienceType", "UNKNOWN_FIELD")}),
    ],
)
def test_a_wrong_change_of_a_folder_is_told_in_full(
    tenant: Tenant, body: dict[str, Any], expected: set[tuple[str, str]]
) -> None:
    folder = create(tenant)
    found = violations(tenant.client.patch(f"/audiences/folders/{folder['id']}", json=body))
    assert found >= expected
    assert navigation(tenant)["folders"][0]["name"] == "Folder"
