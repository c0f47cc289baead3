"""Audiences: renamed, described, deleted (contract section 5)."""

from __future__ import annotations

from typing import Any

import pytest

from rig.answers import UNKNOWN_ID, data_of, refusal, violations
from rig.service import Tenant


def read(tenant: Tenant, audience_id: str) -> Any:
    return data_of(tenant.client.get(f"/audiences/{audience_id}"))


def patch(tenant: Tenant, audience_id: str, body: dict[str, Any]) -> Any:
    return tenant.client.patch(f"/audiences/{audience_id}", json=body)


@pytest.mark.parametrize("name", ["x", "x" * 200, "e\u0301", "שלום", "👩‍👩‍👧", "  trimmed\u3000"])
def test_an_audience_is_renamed(tenant: Tenant, name: str) -> None:
    audience_id = tenant.create_audience()
    before = read(tenant, audience_id)
    changed = data_of(patch(tenant, audience_id, {"name": name}))
    assert changed == {**before, "name": name.strip()} == read(tenant, audience_id)


def test_a_description_is_set_kept_and_cleared(tenant: Tenant) -> None:
    audience_id = tenant.create_audience()
    assert data_of(patch(tenant, audience_id, {"description": "two\nlines"}))["description"] == "two\nlines"
    assert data_of(patch(tenant, audience_id, {"name": "New"}))["description"] == "two\nlines"
    assert data_of(patch(tenant, audience_id, {"description": "x" * 2_000}))["description"] == "x" * 2_000
    assert data_of(patch(tenant, audience_id, {"description": None}))["description"] is None
    assert data_of(patch(tenant, audience_id, {"description": " "}))["description"] is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("body", "NOT_ALLOWED")),
        ({"name": None}, ("name", "WRONG_TYPE")),
        ({"name": ""}, ("name", "TOO_SHORT")),
        ({"name": "x" * 201}, ("name", "TOO_LONG")),
        ({"name": "a\u0007b"}, ("name", "NOT_ALLOWED")),
        ({"description": "x" * 2_001}, ("description", "TOO_LONG")),
        ({"description": "a\u0000b"}, ("description", "NOT_ALLOWED")),
        ({"type": "monitoring"}, ("type", "UNKNOWN_FIELD")),
    ],
)
def test_a_wrong_change_changes_nothing(tenant: Tenant, body: dict[str, Any], expected: tuple[str, str]) -> None:
    audience_id = tenant.create_audience()
    before = read(tenant, audience_id)
    assert expected in violations(patch(tenant, audience_id, body))
    assert read(tenant, audience_id) == before


def test_a_deleted_audience_is_gone_from_everywhere_and_its_leads_stay(tenant: Tenant) -> None:
    gone, other = tenant.create_audience("Gone"), tenant.create_audience("Other")
    leads = tenant.add_leads(gone, 3)
    data_of(tenant.move(gone, other, leads[:1]))

    assert data_of(tenant.client.delete(f"/audiences/{gone}")) == {"deleted": True}

    for answer in (
        tenant.client.get(f"/audiences/{gone}"),
        tenant.client.get(f"/audiences/{gone}/prospects"),
        tenant.client.get(f"/audiences/{gone}/prospects.csv"),
        tenant.client.post(f"/audiences/{gone}/prospects", json={"prospects": [{"name": "N"}]}),
        tenant.client.delete(f"/audiences/{gone}"),
        patch(tenant, gone, {"name": "x"}),
        tenant.move(gone, other, leads[1:2]),
        tenant.move(other, gone, leads[:1]),
    ):
        refusal(answer, 404, "NOT_FOUND")
    assert [each["id"] for each in tenant.walk("/audiences")] == [other]
    assert [each["id"] for each in data_of(tenant.client.get("/audiences/navigation"))["ungroupedAudiences"]] == [other]
    assert tenant.members(other) == leads[:1]
    for lead_id, audiences in ((leads[0], [other]), (leads[1], [])):
        found = data_of(tenant.client.get(f"/prospects/{lead_id}"))
        assert [audience["id"] for audience in found["audiences"]] == audiences
    assert len(tenant.walk("/moves")) == 1


def test_an_audience_being_populated_is_neither_changed_nor_deleted(tenant: Tenant) -> None:
    audience_id = tenant.create_audience("Busy")
    job_id = tenant.insert_job(audience_id, "queued")
    refusal(patch(tenant, audience_id, {"name": "x"}), 409, "AUDIENCE_NOT_READY")
    refusal(tenant.client.delete(f"/audiences/{audience_id}"), 409, "AUDIENCE_NOT_READY")
    tenant.end_job(job_id)
    assert read(tenant, audience_id)["name"] == "Busy"
    data_of(tenant.client.delete(f"/audiences/{audience_id}"))


def test_nothing_is_changed_or_deleted_that_is_not_there(tenant: Tenant) -> None:
    refusal(patch(tenant, UNKNOWN_ID, {"name": "x"}), 404, "NOT_FOUND")
    refusal(tenant.client.delete(f"/audiences/{UNKNOWN_ID}"), 404, "NOT_FOUND")
