"""copy-leads and remove-leads: what they do, and the refusals of move-leads in the same order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from rig.answers import UNKNOWN_ID, data_of, refusal, violations
from rig.racing import assert_healthy
from rig.service import Tenant

VERBS = ["copy-leads", "remove-leads"]


def send(tenant: Tenant, verb: str, source: str, target: str, lead_ids: list[str]) -> httpx.Response:
    return tenant.copy(source, target, lead_ids) if verb == "copy-leads" else tenant.remove(source, lead_ids)


def test_copied_leads_are_in_both_audiences(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 5)
    tenant.add_leads(target, 2)

    data = data_of(tenant.copy(source, target, [leads[3], leads[0], leads[1], leads[3]]))

    assert (data["copiedCount"], data["alreadyInTargetCount"]) == (1, 2)
    assert (data["sourceAudience"]["prospectCount"], data["targetAudience"]["prospectCount"]) == (5, 3)
    assert tenant.members(source) == leads
    assert tenant.members(target) == [leads[0], leads[1], leads[3]]
    assert (tenant.count(source), tenant.count(target)) == (5, 3)


def test_a_lead_that_is_copied_again_keeps_the_time_at_which_it_was_added(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 1)
    data_of(tenant.copy(source, target, leads))
    before = tenant.walk(f"/audiences/{target}/prospects")

    data = data_of(tenant.copy(source, target, leads))

    assert (data["copiedCount"], data["alreadyInTargetCount"]) == (0, 1)
    assert tenant.walk(f"/audiences/{target}/prospects") == before


def test_removed_leads_stay_in_the_account_group_and_in_other_audiences(tenant: Tenant) -> None:
    source, other = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 4)
    tenant.add_leads(other, 4)

    data = data_of(tenant.remove(source, [leads[2], leads[0], leads[2]]))

    assert set(data) == {"audience", "removedCount"}
    assert (data["removedCount"], data["audience"]["prospectCount"]) == (2, 2)
    assert tenant.members(source) == [leads[1], leads[3]]
    assert tenant.members(other) == leads
    assert data_of(tenant.client.get(f"/prospects/{leads[0]}"))["audiences"] == [
        data_of(tenant.client.get(f"/audiences/{other}"))
    ]


@pytest.mark.parametrize("verb", VERBS)
def test_ten_thousand_leads_at_once_and_not_one_more(tenant: Tenant, verb: str) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 10_001)

    violations(send(tenant, verb, source, target, leads))
    data_of(send(tenant, verb, source, target, leads[:10_000]))

    assert tenant.count(target) == (10_000 if verb == "copy-leads" else 0)
    assert tenant.count(source) == (10_001 if verb == "copy-leads" else 1)


@pytest.mark.parametrize("verb", VERBS)
def test_all_or_nothing(tenant: Tenant, verb: str) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 2)
    missing = [*tenant.add_leads(target, 1, "elsewhere"), UNKNOWN_ID]

    error = refusal(send(tenant, verb, source, target, [*leads, *missing]), 422, "LEADS_NOT_IN_SOURCE")

    assert (error["leadIds"], error["leadCount"]) == (missing, 2)
    assert (tenant.members(source), tenant.members(target)) == (leads, missing[:1])


@pytest.mark.parametrize("verb", VERBS)
def test_the_refusals_and_their_order(tenant: Tenant, verb: str) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 1)
    job = tenant.insert_job(source)

    refusal(send(tenant, verb, UNKNOWN_ID, target, [UNKNOWN_ID]), 404, "NOT_FOUND")
    error = refusal(send(tenant, verb, source, target, [UNKNOWN_ID]), 409, "AUDIENCE_NOT_READY")
    assert (error["audienceId"], error["jobId"]) == (source, job)
    if verb == "copy-leads":
        refusal(send(tenant, verb, source, UNKNOWN_ID, leads), 404, "NOT_FOUND")
        refusal(send(tenant, verb, UNKNOWN_ID, UNKNOWN_ID, leads), 404, "NOT_FOUND")
        refusal(send(tenant, verb, source, source, leads), 422, "SAME_AUDIENCE")
    tenant.end_job(job)
    if verb == "copy-leads":
        tenant.insert_job(target)
        refusal(send(tenant, verb, source, target, leads), 409, "AUDIENCE_NOT_READY")
    else:
        refusal(send(tenant, verb, source, target, [UNKNOWN_ID]), 422, "LEADS_NOT_IN_SOURCE")
    assert tenant.members(source) == leads


@pytest.mark.parametrize("verb", VERBS)
def test_a_body_that_is_not_valid(tenant: Tenant, verb: str) -> None:
    path = f"/audiences/{tenant.create_audience()}/{verb}"
    target = {"targetAudienceId": UNKNOWN_ID} if verb == "copy-leads" else {}
    assert violations(tenant.client.post(path, json={**target, "leadIds": []})) == {("leadIds", "TOO_SHORT")}
    assert violations(tenant.client.post(path, json={**target, "leadIds": ["x"], "more": 1})) == {
        ("leadIds[0]", "WRONG_FORMAT"),
        ("more", "UNKNOWN_FIELD"),
    }


def test_of_many_who_remove_the_same_lead_one_succeeds(tenant: Tenant) -> None:
    source = tenant.create_audience()
    leads = tenant.add_leads(source, 2)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tenant.remove(source, leads[:1]), range(8)))

    assert sorted(each.status_code for each in answers) == [200] + [422] * 7
    assert tenant.members(source) == leads[1:]
    assert_healthy(tenant)


def test_copies_both_ways_and_moves_at_once_lose_and_duplicate_no_lead(tenant: Tenant) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 30)
    tenant.add_leads(there, 20)

    def work(turn: int) -> int:
        source, target = (here, there) if turn % 2 else (there, here)
        chosen = leads[turn % 10 : turn % 10 + 10]
        if turn % 3 == 0:
            return tenant.move(source, target, chosen).status_code
        return tenant.copy(source, target, chosen).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(work, range(48))) <= {200, 422}

    members = {*tenant.members(here), *tenant.members(there)}
    assert members == set(leads)
    assert_healthy(tenant)
