"""POST …/move-leads: the guarantees of a move and its refusals (contract section 3)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from leadyard.clock import now_ms, to_iso
from leadyard.ids import id_of, new_id, number_of
from leadyard.model import Permission
from rig.answers import AUDIENCE_KEYS, ID, TIME, UNKNOWN_ID, data_of, refusal
from rig.service import Service, Tenant, make_key, make_tenant


def state_of(tenant: Tenant, *audience_ids: str) -> list[Any]:
    """Returns everything a move can change: the audiences, their members (with the times), the record of moves."""
    found: list[Any] = [tenant.walk("/moves")]
    for audience_id in audience_ids:
        found.append(tenant.client.get(f"/audiences/{audience_id}").json()["data"])
        found.append(tenant.walk(f"/audiences/{audience_id}/prospects"))
    return found


def test_moved_leads_are_in_the_target_and_no_longer_in_the_source(tenant: Tenant) -> None:
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    leads = tenant.add_leads(source, 5)

    answer = tenant.move(source, target, leads[:3])

    assert data_of(answer)["movedCount"] == 3
    assert tenant.members(source) == leads[3:]
    assert tenant.members(target) == leads[:3]


def test_the_body_is_exactly_as_published_and_its_audiences_are_what_a_reader_sees_after_it(tenant: Tenant) -> None:
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target", type="monitoring")
    leads = tenant.add_leads(source, 5)

    data = data_of(tenant.move(source, target, leads[:2]))

    assert set(data) == {"sourceAudience", "targetAudience", "movedCount"}
    assert set(data["sourceAudience"]) == set(data["targetAudience"]) == AUDIENCE_KEYS
    assert data["movedCount"] == 2
    assert data["sourceAudience"] == data_of(tenant.client.get(f"/audiences/{source}"))
    assert data["targetAudience"] == data_of(tenant.client.get(f"/audiences/{target}"))
    assert (data["sourceAudience"]["name"], data["sourceAudience"]["prospectCount"]) == ("Source", 3)
    assert (data["targetAudience"]["name"], data["targetAudience"]["prospectCount"]) == ("Target", 2)


def test_both_counts_are_exact_when_the_target_has_leads_of_its_own(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 7)
    tenant.add_leads(target, 4, prefix="other")
    tenant.add_leads(target, 2)  # the first two of the source

    data = data_of(tenant.move(source, target, leads[:5]))

    assert data["movedCount"] == 5
    assert data["sourceAudience"]["prospectCount"] == 2 == len(tenant.members(source))
    assert data["targetAudience"]["prospectCount"] == 4 + 5 == len(tenant.members(target))


@pytest.mark.parametrize("place", [0, 250, 499], ids=["first", "middle", "last"])
def test_one_bad_lead_among_many_and_nothing_has_changed(tenant: Tenant, place: int) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 500)
    tenant.add_leads(target, 10)
    tenant.add_leads(target, 1, prefix="other")
    before = state_of(tenant, source, target)

    answer = tenant.move(source, target, [*leads[:place], UNKNOWN_ID, *leads[place:]])

    error = refusal(answer, 422, "LEADS_NOT_IN_SOURCE")
    assert (error["leadIds"], error["leadCount"]) == ([UNKNOWN_ID], 1)
    assert "Move-Id" not in answer.headers
    assert state_of(tenant, source, target) == before


def test_a_lead_already_in_the_target_counts_as_moved_and_stays_there_once(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 4)
    tenant.add_leads(target, 2)
    there_before = tenant.walk(f"/audiences/{target}/prospects")

    answer = tenant.move(source, target, leads)

    assert data_of(answer)["movedCount"] == 4
    assert data_of(answer)["targetAudience"]["prospectCount"] == 4
    assert tenant.members(source) == []
    assert tenant.members(target) == leads
    assert tenant.walk(f"/audiences/{target}/prospects")[:2] == there_before
    record = data_of(tenant.client.get(f"/moves/{answer.headers['Move-Id']}"))
    assert (record["movedCount"], record["alreadyInTargetCount"]) == (4, 2)


def test_moving_only_leads_that_are_already_in_the_target_takes_them_out_of_the_source(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 3)
    tenant.add_leads(target, 3)

    data = data_of(tenant.move(source, target, leads))

    assert data["movedCount"] == 3
    assert (data["sourceAudience"]["prospectCount"], data["targetAudience"]["prospectCount"]) == (0, 3)
    assert (tenant.members(source), tenant.members(target)) == ([], leads)


def test_repeated_ids_count_once(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 3)

    answer = tenant.move(source, target, [leads[1], leads[0], leads[1], leads[0], leads[1]])

    data = data_of(answer)
    assert data["movedCount"] == 2
    assert (data["sourceAudience"]["prospectCount"], data["targetAudience"]["prospectCount"]) == (1, 2)
    record = data_of(tenant.client.get(f"/moves/{answer.headers['Move-Id']}"))
    assert record["leadIds"] == [leads[1], leads[0]]
    assert record["movedCount"] == 2


def test_the_header_names_the_record_of_who_moved_what_when_from_where_to_where(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 3)
    key_id, secret = make_key(tenant.service.database_url, [tenant.account_group_id])
    started = to_iso(now_ms())

    answer = tenant.move(source, target, [leads[2], leads[0]], client=tenant.new_client(secret))

    move_id = answer.headers["Move-Id"]
    assert ID.fullmatch(move_id)
    record = data_of(tenant.client.get(f"/moves/{move_id}"))
    moved_at = record.pop("movedAt")
    assert TIME.fullmatch(moved_at)
    assert started <= moved_at <= to_iso(now_ms())
    assert record == {
        "id": move_id,
        "sourceAudienceId": source,
        "targetAudienceId": target,
        "movedCount": 2,
        "alreadyInTargetCount": 0,
        "apiKeyId": key_id,
        "undoneByMoveId": None,
        "leadIds": [leads[2], leads[0]],
    }
    assert key_id != tenant.api_key_id
    assert [item["addedAt"] for item in tenant.walk(f"/audiences/{target}/prospects")] == [moved_at, moved_at]


def test_a_move_changes_nothing_about_a_lead_but_where_it_is(tenant: Tenant) -> None:
    source, target, bystander = (tenant.create_audience() for _ in range(3))
    person = {"email": "ada@example.com", "firstName": "Ada", "customFields": {"Born": "1815"}, "providerId": "p-1"}
    for audience in (source, bystander):
        data_of(tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": [person]}))
    [before] = tenant.walk(f"/audiences/{source}/prospects")
    there = state_of(tenant, bystander)[1:]

    data_of(tenant.move(source, target, [before["id"]]))

    [after] = tenant.walk(f"/audiences/{target}/prospects")
    assert {**after, "addedAt": None} == {**before, "addedAt": None}
    assert after["firstName"] == "Ada"
    assert state_of(tenant, bystander)[1:] == there


def test_a_single_lead_can_be_moved_and_may_be_the_last_one(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    [lead] = tenant.add_leads(source, 1)

    data = data_of(tenant.move(source, target, [lead]))

    assert data["movedCount"] == 1
    assert (data["sourceAudience"]["prospectCount"], data["targetAudience"]["prospectCount"]) == (0, 1)


def test_leads_can_be_moved_back_and_forth(tenant: Tenant) -> None:
    one, other = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(one, 10)

    for source, target in [(one, other), (other, one)] * 3:
        data = data_of(tenant.move(source, target, leads))
        assert data["movedCount"] == 10
        assert (data["sourceAudience"]["id"], data["sourceAudience"]["prospectCount"]) == (source, 0)
        assert (data["targetAudience"]["id"], data["targetAudience"]["prospectCount"]) == (target, 10)

    assert (tenant.members(one), tenant.members(other)) == (leads, [])
    assert len(tenant.walk("/moves")) == 6


def test_the_same_move_again_is_refused_and_changes_nothing(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 3)
    data_of(tenant.move(source, target, leads[:2]))
    before = state_of(tenant, source, target)

    error = refusal(tenant.move(source, target, leads[:2]), 422, "LEADS_NOT_IN_SOURCE")

    assert (error["leadIds"], error["leadCount"]) == (leads[:2], 2)
    assert state_of(tenant, source, target) == before


def test_ten_thousand_leads_move_at_once(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 10_001)

    answer = tenant.move(source, target, leads[:10_000])

    data = data_of(answer)
    assert data["movedCount"] == 10_000
    assert (data["sourceAudience"]["prospectCount"], data["targetAudience"]["prospectCount"]) == (1, 10_000)
    assert tenant.members(source) == leads[10_000:]
    in_target = "SELECT lead_id FROM memberships WHERE account_group_id = $1 AND audience_id = $2 ORDER BY lead_id"
    assert [id_of(lead) for (lead,) in tenant.sql(in_target, tenant.number, number_of(target))] == leads[:10_000]
    assert data_of(tenant.client.get(f"/moves/{answer.headers['Move-Id']}"))["leadIds"] == leads[:10_000]


@pytest.mark.parametrize("missing", ["source", "target", "both"])
def test_an_unknown_audience_is_not_found(tenant: Tenant, missing: str) -> None:
    known = tenant.create_audience()
    leads = tenant.add_leads(known, 2)
    before = state_of(tenant, known)
    source = UNKNOWN_ID if missing in ("source", "both") else known
    target = new_id() if missing in ("target", "both") else known

    error = refusal(tenant.move(source, target, leads), 404, "NOT_FOUND")

    assert (UNKNOWN_ID if source == UNKNOWN_ID else target) in error["details"]
    assert state_of(tenant, known) == before


@pytest.mark.parametrize("theirs", ["source", "target"])
def test_the_audience_of_another_account_group_is_not_found(tenant: Tenant, service: Service, theirs: str) -> None:
    other = make_tenant(service)
    foreign, mine = other.create_audience(), tenant.create_audience()
    foreign_leads, leads = other.add_leads(foreign, 2), tenant.add_leads(mine, 2)
    before = state_of(tenant, mine), state_of(other, foreign)

    if theirs == "source":
        refusal(tenant.move(foreign, mine, foreign_leads), 404, "NOT_FOUND")
    else:
        refusal(tenant.move(mine, foreign, leads), 404, "NOT_FOUND")

    assert (state_of(tenant, mine), state_of(other, foreign)) == before


def test_source_and_target_must_differ(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    leads = tenant.add_leads(audience, 2)
    before = state_of(tenant, audience)

    refusal(tenant.move(audience, audience, leads), 422, "SAME_AUDIENCE")

    assert state_of(tenant, audience) == before


@pytest.mark.parametrize("status", ["queued", "running"])
@pytest.mark.parametrize("role", ["source", "target"])
def test_an_audience_being_populated_is_not_ready(tenant: Tenant, role: str, status: str) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 2)
    before = state_of(tenant, source, target)
    populated = source if role == "source" else target
    job = tenant.insert_job(populated, status)

    answer = tenant.move(source, target, leads)

    error = refusal(answer, 409, "AUDIENCE_NOT_READY")
    assert (error["audienceId"], error["jobId"]) == (populated, job)
    assert int(answer.headers["Retry-After"]) > 0
    tenant.end_job(job)
    assert state_of(tenant, source, target) == before
    assert data_of(tenant.move(source, target, leads))["movedCount"] == 2


@pytest.mark.parametrize("role", ["source", "target"])
def test_the_second_audience_of_a_job_is_not_ready(tenant: Tenant, role: str) -> None:
    source, target, third = (tenant.create_audience() for _ in range(3))
    leads = tenant.add_leads(source, 2)
    before = state_of(tenant, source, target)
    populated = source if role == "source" else target
    job = tenant.insert_job(third, second=populated)

    error = refusal(tenant.move(source, target, leads), 409, "AUDIENCE_NOT_READY")

    assert (error["audienceId"], error["jobId"]) == (populated, job)
    tenant.end_job(job)
    assert state_of(tenant, source, target) == before
    assert data_of(tenant.move(source, target, leads))["movedCount"] == 2


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_a_job_that_has_ended_does_not_matter(tenant: Tenant, status: str) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 2)
    tenant.insert_job(source, status)
    tenant.insert_job(target, status)

    assert data_of(tenant.move(source, target, leads))["movedCount"] == 2


def test_a_job_that_populates_a_third_audience_does_not_matter(tenant: Tenant) -> None:
    source, target, third = (tenant.create_audience() for _ in range(3))
    leads = tenant.add_leads(source, 2)
    tenant.insert_job(third)

    assert data_of(tenant.move(source, target, leads))["movedCount"] == 2


def test_of_many_missing_leads_the_first_hundred_are_named_in_the_order_sent_and_all_are_counted(
    tenant: Tenant,
) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 150)
    # Descending, so that the order sent differs from the order of the ids and of their creation.
    missing = sorted((new_id() for _ in range(150)), reverse=True)
    sent = [lead for pair in zip(leads, missing, strict=True) for lead in pair]

    error = refusal(tenant.move(source, target, [*sent, *missing[:20]]), 422, "LEADS_NOT_IN_SOURCE")

    assert error["leadIds"] == missing[:100]
    assert error["leadCount"] == 150
    assert tenant.members(source) == leads
    assert tenant.members(target) == []


def test_leads_elsewhere_are_not_in_the_source(tenant: Tenant, service: Service) -> None:
    source, target, elsewhere = (tenant.create_audience() for _ in range(3))
    [mine] = tenant.add_leads(source, 1)
    [in_target] = tenant.add_leads(target, 1, prefix="target")
    [in_other_audience] = tenant.add_leads(elsewhere, 1, prefix="elsewhere")
    stranger = make_tenant(service)
    [of_other_group] = stranger.add_leads(stranger.create_audience(), 1)
    before = state_of(tenant, source, target, elsewhere)

    answer = tenant.move(source, target, [of_other_group, mine, in_target, in_other_audience])

    error = refusal(answer, 422, "LEADS_NOT_IN_SOURCE")
    assert (error["leadIds"], error["leadCount"]) == ([of_other_group, in_target, in_other_audience], 3)
    assert state_of(tenant, source, target, elsewhere) == before


def test_of_moves_of_the_same_leads_at_once_exactly_one_wins(tenant: Tenant) -> None:
    source = tenant.create_audience()
    targets = [tenant.create_audience() for _ in range(8)]
    leads = tenant.add_leads(source, 20)

    with ThreadPoolExecutor(len(targets)) as threads:
        answers = list(threads.map(lambda target: tenant.move(source, target, leads, tenant.new_client()), targets))

    won = [target for target, answer in zip(targets, answers, strict=True) if answer.status_code == 200]
    assert len(won) == 1
    for answer in answers:
        if answer.status_code != 200:
            assert refusal(answer, 422, "LEADS_NOT_IN_SOURCE")["leadCount"] == 20
    assert tenant.count(source) == 0
    assert [tenant.count(target) for target in targets] == [20 if target in won else 0 for target in targets]
    assert tenant.members(won[0]) == leads
    assert len(tenant.walk("/moves")) == 1


def test_permission_to_write_audiences_is_enough(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 1)
    client = tenant.new_client(tenant.key_with(Permission.AUDIENCES_WRITE))

    assert data_of(tenant.move(source, target, leads, client))["movedCount"] == 1
