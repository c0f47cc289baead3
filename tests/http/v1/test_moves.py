"""The record of moves: GET …/moves and …/moves/{moveId}."""

from __future__ import annotations

from typing import Any

import pytest

from rig.answers import ID, TIME, UNKNOWN_ID, data_of, refusal
from rig.service import Service, Tenant, make_tenant

MOVE_KEYS = {
    "id", "sourceAudienceId", "targetAudienceId", "movedCount", "alreadyInTargetCount", "movedAt", "apiKeyId",
    "undoneByMoveId",
}  # fmt: skip


def make_moves(tenant: Tenant, count: int) -> list[str]:
    """Moves one lead at a time and returns the ids of the moves, oldest first."""
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, count)
    return [tenant.move(source, target, [lead]).headers["Move-Id"] for lead in leads]


def test_a_group_without_moves_has_an_empty_list(tenant: Tenant) -> None:
    assert data_of(tenant.client.get("/moves")) == {"items": [], "nextCursor": None, "hasMore": False}


def test_a_move_is_listed_without_its_leads_and_read_with_them(tenant: Tenant) -> None:
    [move_id] = make_moves(tenant, 1)

    [listed] = tenant.walk("/moves")
    read = data_of(tenant.client.get(f"/moves/{move_id}"))

    assert set(listed) == MOVE_KEYS
    assert set(read) == {*MOVE_KEYS, "leadIds"}
    assert {key: read[key] for key in MOVE_KEYS} == listed
    for key in ("id", "sourceAudienceId", "targetAudienceId", "apiKeyId"):
        assert ID.fullmatch(listed[key])
    assert TIME.fullmatch(listed["movedAt"])
    assert listed["apiKeyId"] == tenant.api_key_id


@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6, 200])
def test_moves_are_listed_newest_first_in_pages(tenant: Tenant, limit: int) -> None:
    made = make_moves(tenant, 5)

    items = tenant.walk("/moves", limit)

    assert [item["id"] for item in items] == made[::-1]
    times = [item["movedAt"] for item in items]
    assert times == sorted(times, reverse=True)


def test_a_full_walk_meets_every_move_once_while_new_ones_are_made(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(source, 15)
    made = [tenant.move(source, target, [lead]).headers["Move-Id"] for lead in leads[:7]]
    rest = leads[7:]
    met: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = data_of(tenant.client.get("/moves", params=query))
        met += [item["id"] for item in page["items"]]
        if not page["hasMore"]:
            break
        query["cursor"] = page["nextCursor"]
        data_of(tenant.move(source, target, [rest.pop()]))

    assert met == made[::-1]


def test_a_refused_move_leaves_no_record(tenant: Tenant) -> None:
    source, target = tenant.create_audience(), tenant.create_audience()
    [lead] = tenant.add_leads(source, 1)
    refusal(tenant.move(source, target, [lead, UNKNOWN_ID]), 422, "LEADS_NOT_IN_SOURCE")
    refusal(tenant.move(source, source, [lead]), 422, "SAME_AUDIENCE")
    refusal(tenant.move(source, UNKNOWN_ID, [lead]), 404, "NOT_FOUND")
    assert tenant.walk("/moves") == []


def test_an_unknown_move_and_that_of_another_group_are_not_found(tenant: Tenant, service: Service) -> None:
    other = make_tenant(service)
    [foreign] = make_moves(other, 1)
    for move_id in (UNKNOWN_ID, foreign):
        assert move_id in refusal(tenant.client.get(f"/moves/{move_id}"), 404, "NOT_FOUND")["details"]
    assert tenant.walk("/moves") == []
    data_of(other.client.get(f"/moves/{foreign}"))


def test_the_record_does_not_change_when_the_leads_move_on(tenant: Tenant) -> None:
    one, two, three = (tenant.create_audience() for _ in range(3))
    leads = tenant.add_leads(one, 3)
    first = tenant.move(one, two, leads).headers["Move-Id"]
    before = data_of(tenant.client.get(f"/moves/{first}"))

    data_of(tenant.move(two, three, leads))
    data_of(tenant.move(three, one, leads))

    assert data_of(tenant.client.get(f"/moves/{first}")) == before
    assert before["leadIds"] == leads
