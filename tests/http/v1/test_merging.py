"""Merging two leads: the first stands for both, in every audience, for every import, and in the record."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from leadyard.ids import key_of
from rig.answers import TIME, UNKNOWN_ID, data_of, refusal, violations
from rig.people import LEAD_KEYS, bring_in, patch, read
from rig.racing import assert_exact, assert_healthy
from rig.service import Tenant


def merge(tenant: Tenant, kept: str, other: str) -> httpx.Response:
    return tenant.client.post(f"/prospects/{kept}/merge", json={"prospectId": other})


def added_at(tenant: Tenant, audience_id: str) -> dict[str, str]:
    return {each["id"]: each["addedAt"] for each in tenant.walk(f"/audiences/{audience_id}/prospects")}


def add(tenant: Tenant, audience_id: str, **prospect: Any) -> dict[str, Any]:
    added: dict[str, Any] = data_of(
        tenant.client.post(f"/audiences/{audience_id}/prospects", json={"prospects": [prospect]})
    )
    return added


def history(tenant: Tenant, lead_id: str) -> list[dict[str, Any]]:
    return tenant.walk(f"/prospects/{lead_id}/changes")


def test_the_first_keeps_its_values_and_the_other_fills_the_empty_ones(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    kept = bring_in(
        tenant, audience, email="ada@example.com", title="CTO", company={"name": "Acme"}, customFields={"a": "1"}
    )
    other = bring_in(
        tenant, audience, linkedinUrl="linkedin.com/in/ada", email="ada@example.org", title="Engineer", phone="+1 2",
        company={"name": "Other", "industry": "Steel"}, customFields={"a": "2", "b": "3"},
    )  # fmt: skip
    before = read(tenant, kept)

    answer = merge(tenant, kept, other)
    data = data_of(answer)

    assert set(data) == {"prospect", "audienceCount"}
    assert set(data["prospect"]) == LEAD_KEYS - {"audiences"}
    assert TIME.fullmatch(data["prospect"]["createdAt"])
    after = read(tenant, kept)
    assert after == {
        **before,
        **data["prospect"],
        "audiences": after["audiences"],
        "phone": "+1 2",
        "publicIdentifier": "ada",
        "linkedinUrl": "https://www.linkedin.com/in/ada",
        "company": {**before["company"], "industry": "Steel"},
        "customFields": {"a": "1", "b": "3"},
    }
    assert (after["title"], after["email"], after["id"]) == ("CTO", "ada@example.com", kept)
    refusal(tenant.client.get(f"/prospects/{other}"), 404, "NOT_FOUND")
    for words in ("cto", "example.com"):
        assert [each["id"] for each in tenant.walk(f"/audiences/{audience}/prospects", q=words)] == [kept]
    for words in ("engineer", "example.org"):
        assert tenant.walk(f"/audiences/{audience}/prospects", q=words) == []
    assert_healthy(tenant)


def test_the_audiences_of_both_become_those_of_the_first(tenant: Tenant) -> None:
    only_kept, only_other, both, older = (tenant.create_audience(name) for name in ("K", "O", "B", "X"))
    kept = bring_in(tenant, only_kept, email="kept@example.com")
    bring_in(tenant, both, email="kept@example.com")
    other = bring_in(tenant, older, email="other@example.com")
    for audience in (only_other, both):
        add(tenant, audience, email="other@example.com")
    add(tenant, older, email="kept@example.com")
    tenant.add_leads(both, 2)
    times = {audience: added_at(tenant, audience) for audience in (only_kept, only_other, both, older)}
    assert times[older][other] <= times[older][kept]

    data = data_of(merge(tenant, kept, other))

    assert data["audienceCount"] == 4
    after = {audience: added_at(tenant, audience) for audience in times}
    assert after[only_kept] == times[only_kept]
    assert after[only_other] == {kept: times[only_other][other]}
    assert after[both] == {lead: at for lead, at in times[both].items() if lead != other}
    assert after[older] == {kept: times[older][other]}
    assert [tenant.count(audience) for audience in times] == [1, 1, 3, 1]
    assert_exact(tenant, {audience: set(leads) for audience, leads in after.items()})
    assert_healthy(tenant)


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({"email": "a@example.com"}, {"email": "b@example.com"}),
        ({"linkedinUrl": "linkedin.com/in/a"}, {"linkedinUrl": "linkedin.com/in/b"}),
        ({"providerId": "a"}, {"providerId": "b"}),
        ({"email": "a@example.com"}, {"providerId": "b"}),
        ({"linkedinUrl": "linkedin.com/in/a", "email": "a@example.com"}, {"providerId": "b", "email": "b@example.com"}),
    ],
)
def test_both_identities_lead_to_the_first(tenant: Tenant, mine: dict[str, str], theirs: dict[str, str]) -> None:
    audience, later = tenant.create_audience(), tenant.create_audience()
    kept, other = bring_in(tenant, audience, **mine), bring_in(tenant, audience, **theirs)
    data_of(merge(tenant, kept, other))

    for identities in (mine, theirs):
        for name, value in identities.items():
            added = add(tenant, later, **{name: value})
            assert (added["created"], added["matched"], added["rejected"]) == (0, 1, [])
    assert tenant.members(later) == [kept]
    assert_healthy(tenant)


def test_identities_of_both_in_one_row_are_no_conflict(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    kept = bring_in(tenant, audience, linkedinUrl="linkedin.com/in/a", email="a@example.com")
    other = bring_in(tenant, audience, linkedinUrl="linkedin.com/in/b", email="b@example.com")
    data_of(merge(tenant, kept, other))

    for linkedin, email in (("a", "b"), ("b", "a"), ("b", "b")):
        added = add(tenant, audience, linkedinUrl=f"linkedin.com/in/{linkedin}", email=f"{email}@example.com")
        assert (added["matched"], added["rejected"]) == (1, [])
    assert tenant.members(audience) == [kept]


def test_merged_identities_follow_the_lead_into_the_next_merge_and_go_with_it(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    first, second, third = (bring_in(tenant, audience, email=f"{n}@example.com") for n in range(3))
    data_of(merge(tenant, second, third))
    data_of(merge(tenant, first, second))
    for n in range(3):
        assert add(tenant, audience, email=f"{n}@example.com")["matched"] == 1
    assert tenant.members(audience) == [first]

    data_of(tenant.client.delete(f"/prospects/{first}"))
    assert tenant.sql("SELECT count(*) FROM lead_identities WHERE account_group_id = $1", tenant.number) == [(0,)]
    assert add(tenant, audience, email="2@example.com")["created"] == 1
    assert_healthy(tenant)


def test_no_other_lead_gets_a_merged_identity(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    kept, other, third = (bring_in(tenant, audience, email=f"{n}@example.com") for n in "abc")
    data_of(merge(tenant, kept, other))
    assert refusal(patch(tenant, third, email="b@example.com"), 422, "IDENTITY_CONFLICT")["leadId"] == kept
    assert data_of(patch(tenant, kept, email="b@example.com"))["email"] == "b@example.com"
    assert_healthy(tenant)


def test_an_outside_id_of_the_other_finds_the_first(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    kept = bring_in(tenant, audience, email="a@example.com", providerId="one")
    other = bring_in(tenant, audience, email="b@example.com", providerId="two")
    data_of(merge(tenant, kept, other))
    for provider_id in ("one", "two"):
        found = data_of(tenant.client.get(f"/prospects/by-provider-id/{provider_id}"))
        assert (found["resolution"], [each["prospectId"] for each in found["matches"]]) == ("unique", [kept])


def test_the_record_names_the_first_and_explains_where_it_is(tenant: Tenant) -> None:
    """The two went opposite ways before, so the record of one person contradicts itself without the merge."""
    one, two, three = (tenant.create_audience(name) for name in ("1", "2", "3"))
    kept, other = bring_in(tenant, one, email="a@example.com"), bring_in(tenant, one, email="b@example.com")
    add(tenant, two, email="a@example.com")
    left = tenant.move(one, three, [other]).headers["Move-Id"]
    back = tenant.move(two, three, [kept]).headers["Move-Id"]
    add(tenant, two, email="b@example.com")
    together = tenant.move(three, two, [kept, other]).headers["Move-Id"]
    tenant.move(two, three, [other])
    assert_healthy(tenant)
    before = {each["id"] for each in history(tenant, kept) + history(tenant, other)}

    answer = merge(tenant, kept, other)
    change = data_of(tenant.client.get(f"/changes/{answer.headers['Change-Id']}"))

    assert (change["kind"], change["leadCount"]) == ("merge", 1)
    assert (change["sourceAudienceId"], change["targetAudienceId"]) == (None, None)
    [named] = tenant.walk(f"/changes/{change['id']}/prospects")
    assert named["prospectId"] == kept
    assert {each["id"] for each in history(tenant, kept)} == before | {change["id"]}
    assert {left, back, together} <= before
    assert {each["prospectId"] for each in tenant.walk(f"/changes/{left}/prospects")} == {kept}
    assert tenant.walk("/changes", prospectId=other) == []
    assert data_of(answer)["audienceCount"] == 3
    assert_exact(tenant, {one: {kept}, two: {kept}, three: {kept}})
    assert_healthy(tenant)

    # The next changes of the lead follow the merge.
    data_of(tenant.move(one, two, [kept]))
    data_of(tenant.client.post(f"/audiences/{three}/remove-leads", json={"leadIds": [kept]}))
    assert_exact(tenant, {one: set(), two: {kept}, three: set()})
    assert_healthy(tenant)


def test_a_deleted_audience_that_still_has_both_is_emptied_exactly(tenant: Tenant) -> None:
    deleted, alive = tenant.create_audience(), tenant.create_audience()
    kept, other, *_ = tenant.add_leads(deleted, 5)
    data_of(tenant.client.delete(f"/audiences/{deleted}"))
    data_of(merge(tenant, kept, other))
    rows = tenant.sql(
        "SELECT a.prospect_count, (SELECT count(*) FROM memberships m WHERE m.account_group_id = a.account_group_id"
        " AND m.audience_id = a.number) FROM audiences a WHERE a.account_group_id = $1 AND a.id = $2",
        tenant.number,
        key_of(deleted),
    )
    assert rows[0][0] == rows[0][1]
    assert tenant.count(alive) == 0
    assert_healthy(tenant)


def test_refusals_in_their_order(tenant: Tenant) -> None:
    audience, busy = tenant.create_audience(), tenant.create_audience()
    kept, other = tenant.add_leads(audience, 2)
    violations(tenant.client.post(f"/prospects/{kept}/merge", json={}))
    for pair in ((UNKNOWN_ID, kept), (kept, UNKNOWN_ID), (UNKNOWN_ID, UNKNOWN_ID)):
        refusal(merge(tenant, *pair), 404, "NOT_FOUND")
    refusal(merge(tenant, kept, kept), 422, "SAME_PROSPECT")

    add(tenant, busy, email=read(tenant, other)["email"])
    job = tenant.insert_job(busy)
    for pair in ((kept, other), (other, kept)):
        refused = refusal(merge(tenant, *pair), 409, "AUDIENCE_NOT_READY")
        assert (refused["audienceId"], refused["jobId"]) == (busy, job)
    refusal(merge(tenant, other, other), 422, "SAME_PROSPECT")
    assert tenant.members(audience) == [kept, other]
    assert_healthy(tenant)
