"""Single leads: read with their audiences, edited, erased, found by an external id (contract section 5, and ours)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from leadyard.ids import key_of
from rig.answers import AUDIENCE_KEYS, ID, TIME, UNKNOWN_ID, data_of, refusal, violations
from rig.people import LEAD_KEYS, bring_in, patch, read
from rig.racing import assert_healthy
from rig.service import Tenant


def test_a_lead_is_shown_with_the_audiences_it_is_in(tenant: Tenant) -> None:
    first, second, busy = (tenant.create_audience(name) for name in ("First", "Second", "Busy"))
    lead_id = bring_in(tenant, first, email="ada@example.com", firstName="Ada", lastName="L")
    for audience_id in (second, busy):
        bring_in(tenant, audience_id, email="ada@example.com")
    tenant.insert_job(busy)
    found = read(tenant, lead_id)
    assert set(found) == LEAD_KEYS
    assert (found["id"], found["name"], found["email"]) == (lead_id, "Ada L", "ada@example.com")
    assert TIME.fullmatch(found["createdAt"])
    assert [audience["id"] for audience in found["audiences"]] == [first, second, busy]
    assert all(set(audience) == AUDIENCE_KEYS for audience in found["audiences"])


def test_only_what_is_sent_is_changed_and_null_clears(tenant: Tenant) -> None:
    audience_id = tenant.create_audience()
    lead_id = bring_in(
        tenant, audience_id, email="a@example.com", title="CTO", company={"name": "Acme", "industry": "Steel"},
        customFields={"keep": "1", "drop": "2"},
    )  # fmt: skip
    before = read(tenant, lead_id)
    changed = data_of(
        patch(
            tenant,
            lead_id,
            title=None,
            phone="+49 1",
            company={"industry": None},
            customFields={"drop": None, "n": "3"},
        )
    )
    assert changed == {
        **before,
        "title": None,
        "phone": "+49 1",
        "company": {**before["company"], "industry": None},
        "customFields": {"keep": "1", "n": "3"},
    }
    assert read(tenant, lead_id) == changed


def test_linkedin_url_and_identifier_change_together(tenant: Tenant) -> None:
    lead_id = bring_in(tenant, tenant.create_audience(), linkedinUrl="linkedin.com/in/old")
    changed = data_of(patch(tenant, lead_id, linkedinUrl="https://de.linkedin.com/in/New/?x=1"))
    assert (changed["publicIdentifier"], changed["linkedinUrl"]) == ("new", "https://www.linkedin.com/in/new")
    changed = data_of(patch(tenant, lead_id, publicIdentifier="newer"))
    assert (changed["publicIdentifier"], changed["linkedinUrl"]) == ("newer", "https://www.linkedin.com/in/newer")
    changed = data_of(patch(tenant, lead_id, linkedinUrl=None, email="x@example.com"))
    assert (changed["publicIdentifier"], changed["linkedinUrl"], changed["email"]) == (None, None, "x@example.com")


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        ({"email": "taken@example.com"}, {"email": "TAKEN@example.com"}),
        ({"linkedinUrl": "linkedin.com/in/taken"}, {"publicIdentifier": "Taken"}),
        ({"providerId": "taken"}, {"providerId": "taken", "email": None}),
    ],
)
def test_an_identity_of_somebody_else_is_refused(
    tenant: Tenant, known: dict[str, str], wanted: dict[str, str | None]
) -> None:
    audience_id = tenant.create_audience()
    other = bring_in(tenant, audience_id, **known)
    lead_id = bring_in(tenant, audience_id, email="mine@example.com", firstName="Mine")
    before = read(tenant, lead_id)
    assert refusal(patch(tenant, lead_id, **wanted), 422, "IDENTITY_CONFLICT")["leadId"] == other
    assert read(tenant, lead_id) == before


def test_an_outside_id_may_be_shared_by_people_with_a_stronger_identity(tenant: Tenant) -> None:
    audience_id = tenant.create_audience()
    bring_in(tenant, audience_id, providerId="7")
    lead_id = bring_in(tenant, audience_id, email="a@example.com")
    assert data_of(patch(tenant, lead_id, providerId="7"))["providerId"] == "7"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"email": "no address"}, "INVALID_EMAIL"),
        ({"linkedinUrl": "https://example.com/in/x"}, "INVALID_LINKEDIN_URL"),
        ({"title": "x" * 501}, "VALUE_TOO_LONG"),
        ({"name": "a\u0000b"}, "INVALID_CHARACTER"),
        ({"linkedinUrl": "linkedin.com/in/a", "publicIdentifier": "b"}, "CONTRADICTING_IDENTITY"),
        ({"email": None}, "EMPTY_PROSPECT"),
        ({"customFields": {"": "x"}}, "INVALID_CUSTOM_FIELD_NAME"),
    ],
)
def test_a_value_that_is_not_valid_is_refused_with_its_reason(
    tenant: Tenant, change: dict[str, Any], reason: str
) -> None:
    lead_id = bring_in(tenant, tenant.create_audience(), email="a@example.com")
    assert refusal(patch(tenant, lead_id, **change), 422, "INVALID_PROSPECT")["reason"] == reason
    assert read(tenant, lead_id)["email"] == "a@example.com"


def test_a_malformed_change_is_told_in_full(tenant: Tenant) -> None:
    lead_id = bring_in(tenant, tenant.create_audience(), email="a@example.com")
    assert violations(patch(tenant, lead_id)) == {("body", "NOT_ALLOWED")}
    assert violations(patch(tenant, lead_id, id="x", email=1, company=None, customFields={"a": 1})) == {
        ("id", "UNKNOWN_FIELD"),
        ("email", "WRONG_TYPE"),
        ("company", "WRONG_TYPE"),
        ("customFields.a", "WRONG_TYPE"),
    }


def test_an_erased_person_is_nowhere_and_counts_stay_exact(tenant: Tenant) -> None:
    a, b = tenant.create_audience("A"), tenant.create_audience("B")
    lead_id = bring_in(tenant, a, email="gone@example.com", firstName="Gone")
    stays = bring_in(tenant, a, email="stays@example.com")
    bring_in(tenant, b, email="gone@example.com")
    move_id = tenant.move(a, b, [stays, lead_id]).headers["Move-Id"]

    assert data_of(tenant.client.delete(f"/prospects/{lead_id}")) == {"deleted": True}

    refusal(tenant.client.get(f"/prospects/{lead_id}"), 404, "NOT_FOUND")
    refusal(tenant.client.delete(f"/prospects/{lead_id}"), 404, "NOT_FOUND")
    assert (tenant.count(a), tenant.count(b), tenant.members(b)) == (0, 1, [stays])
    record = data_of(tenant.client.get(f"/moves/{move_id}"))
    assert (record["movedCount"], record["leadIds"]) == (2, [stays, "0" * 24])
    for table in ("leads", "memberships", "changes"):
        rows = tenant.sql(f"SELECT * FROM {table} WHERE account_group_id = $1", tenant.number)
        assert str(key_of(lead_id)) not in str(rows)
        assert "gone@" not in str(rows)
    assert_healthy(tenant)
    again = bring_in(tenant, a, email="gone@example.com")
    assert again != lead_id
    assert read(tenant, again)["firstName"] is None


def test_who_bears_an_outside_id(tenant: Tenant) -> None:
    audience_id = tenant.create_audience()
    one = bring_in(tenant, audience_id, providerId="crm/1 ü", name="One", title="CTO", company={"name": "Acme"})
    for email in ("a@example.com", "b@example.com"):
        bring_in(tenant, audience_id, providerId="shared", email=email)

    def ask(provider_id: str) -> Any:
        return data_of(tenant.client.get(f"/prospects/by-provider-id/{quote(provider_id, safe='')}"))

    assert ask("nobody") == {"providerId": "nobody", "resolution": "none", "matches": []}
    assert ask("crm/1 ü") == {
        "providerId": "crm/1 ü",
        "resolution": "unique",
        "matches": [
            {
                "prospectId": one, "personId": one, "publicIdentifier": None, "linkedinUrl": None, "name": "One",
                "companyName": "Acme", "title": "CTO",
            }
        ],
    }  # fmt: skip
    shared = ask("shared")
    assert (shared["resolution"], len(shared["matches"])) == ("ambiguous", 2)
    assert all(ID.fullmatch(match["prospectId"]) for match in shared["matches"])


@pytest.mark.parametrize("provider_id", ["%00", "x" * 301, "a%07b"])
def test_an_outside_id_that_cannot_be_is_a_wrong_request(tenant: Tenant, provider_id: str) -> None:
    assert {path for path, _ in violations(tenant.client.get(f"/prospects/by-provider-id/{provider_id}"))} == {
        "providerId"
    }


def test_nobody_is_not_found(tenant: Tenant) -> None:
    for answer in (
        tenant.client.get(f"/prospects/{UNKNOWN_ID}"),
        patch(tenant, UNKNOWN_ID, title="x"),
        tenant.client.delete(f"/prospects/{UNKNOWN_ID}"),
    ):
        refusal(answer, 404, "NOT_FOUND")
