"""Another tenant's ids in every place where the caller's own id, cursor or key belongs.

tests/http/v1/test_tenants.py runs every route next to a twin that owns the same ids. Here the ids differ and really
belong to another tenant. The answers must be the same as if those ids did not exist.
"""

from __future__ import annotations

import json
import re

import httpx
import pytest

from leadyard.ids import key_of, new_id
from rig.answers import data_of, refusal
from rig.service import Tenant, make_key
from tests.attacks import tally
from tests.attacks.requests import Place
from tests.attacks.target import Target

FAMILY = "ids, cursors and keys of another tenant"
_ID = re.compile("^[0-9a-f]{24}$")
# The service compares its own ids with these, so it accepts any.
COMPARED = {"exclude", "audienceIds"}
_IDS_OR_TIME = re.compile(r"[0-9a-f]{32}|[0-9a-f]{24}")


def _id_places(target: Target) -> list[Place]:
    """Returns every place that contains an id in a valid request."""
    found = []
    for place in target.places:
        value = place.request.path_values.get(str(place.steps[0])) if place.where == "path" else None
        if place.where == "body" and not place.is_key:
            value = place.request.body
            for step in place.steps:
                value = value[step]
        if isinstance(value, str) and _ID.match(value):
            found.append(place)
    return found


def test_a_foreign_id_is_told_from_no_id_by_nothing(target: Target) -> None:
    places = [place for place in _id_places(target) if place.steps[0] not in COMPARED]
    names = {str(place.steps[0]) for place in places}
    assert names >= {"accountGroupId", "audienceId", "folderId", "prospectId", "moveId", "changeId", "jobId", "leadIds",
                     "uploadId", "targetAudienceId", "audience", "sourceAudienceId", "select", "webhookId",
                     "deliveryId"}  # fmt: skip
    looked_up = set()
    foreign = {value for value in target.victims_values.values() if _ID.match(value)}
    for place in places:
        unknown = _without_ids(target.attack(FAMILY, place, new_id()))
        if unknown[0] == 400:
            continue  # A shape with two fields that exclude each other: the service looks nothing up.
        looked_up.add(str(place.steps[0]))
        for value in foreign:
            answer = target.attack(FAMILY, place, value)
            assert answer.status_code in (403, 404, 409, 422), f"{place}: {answer.text}"
            assert _without_ids(answer) == unknown, str(place)
    assert looked_up == names


def test_a_foreign_id_that_is_only_compared_discloses_nothing(target: Target) -> None:
    places = [place for place in _id_places(target) if place.steps[0] in COMPARED]
    assert {str(place.steps[0]) for place in places} == COMPARED
    for place in places:
        unknown = target.attack(FAMILY, place, new_id())
        for name in ("audienceId", "leadIds"):
            assert target.attack(FAMILY, place, target.victims_values[name]).status_code == unknown.status_code


def _without_ids(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, _IDS_OR_TIME.sub("", answer.text)


def test_every_id_of_a_request_is_foreign_and_the_group_ones_own(target: Target) -> None:
    """The key is valid for the group in the path. No other id in the request may lead to another group."""
    ids = dict(zip(target.values.values(), target.victims_values.values(), strict=True))
    ids.pop(target.attacker.account_group_id)
    swaps = {own: other for own, other in ids.items() if _ID.match(own)}
    for request in target.requests:
        for place in [each for each in _id_places(target) if each.request == request][:1]:
            text = json.dumps([dict(request.path_values), request.body])
            for own, other in swaps.items():
                text = text.replace(own, other)
            path_values, body = json.loads(text)
            kept = {key: value for key, value in (request.body or {}).items() if key in COMPARED}
            body = {**body, **kept} if kept else body
            if [path_values, body] == [dict(request.path_values), request.body]:
                continue
            all_foreign = type(request)(request.method, request.path, request.documented, path_values, body=body)
            answer = target.judged(FAMILY, target.send(all_foreign), request, str(place))
            assert answer.status_code in (400, 404, 422, 409), f"{request}: {answer.text}"


def _cursors(tenant: Tenant, audience: str) -> dict[str, str]:
    """Returns a cursor of every list that has two pages."""
    paths = ["/audiences", "/moves", "/prospecting", f"/audiences/{audience}/prospects"]
    pages = {path: data_of(tenant.client.get(path, params={"limit": 1})) for path in paths}
    return {path: page["nextCursor"] for path, page in pages.items() if page["nextCursor"]}


def test_a_cursor_of_another_tenant_or_list_is_none(target: Target) -> None:
    cursors = _cursors(target.victim, target.victims_values["audienceId"])
    assert len(cursors) >= 2
    lists = [place for place in target.places if place.steps == ("cursor",)]
    assert len(lists) >= 6
    for place in lists:
        for cursor in cursors.values():
            answer = target.attack(FAMILY, place, cursor)
            assert answer.status_code in (400, 422), f"{place}: {answer.text[:300]}"
    # Its own list accepts the cursor, so the refusal is due to its owner.
    for path, cursor in cursors.items():
        assert target.victim.client.get(path, params={"cursor": cursor}).status_code == 200


def test_an_idempotency_key_of_another_tenant_replays_nothing(target: Target) -> None:
    body, headers = {"name": "Once", "type": "on_demand"}, {"Idempotency-Key": "the-same-for-both"}
    theirs = data_of(target.victim.client.post("/audiences", json=body, headers=headers), 201)
    own = target.attacker.client.post("/audiences", json=body, headers=headers)
    tally.note(FAMILY, own.status_code)
    assert "Idempotency-Replayed" not in own.headers
    assert data_of(own, 201)["id"] != theirs["id"]
    # It is not replayed to another key of the same group either.
    _, secret = make_key(target.service.database_url, [target.victim.account_group_id])
    again = target.victim.new_client(secret).post("/audiences", json=body, headers=headers)
    assert data_of(again, 201)["id"] == theirs["id"] or "Idempotency-Replayed" not in again.headers
    assert target.victim.client.delete(f"/audiences/{theirs['id']}").status_code == 200
    target.victims_rows = target.rows_of_victim()


def test_a_key_for_two_groups_keeps_them_apart(target: Target) -> None:
    """A caller with access to both groups must still not be able to mix them."""
    groups = [target.attacker.account_group_id, target.victim.account_group_id]
    _, secret = make_key(target.service.database_url, groups)
    client = target.attacker.new_client(secret)
    own, theirs = target.values, target.victims_values
    for path, body in {
        f"/audiences/{own['audienceId']}/move-leads": {
            "targetAudienceId": theirs["targetAudienceId"],
            "leadIds": [own["leadIds"]],
        },
        f"/audiences/{own['audienceId']}/move-to-folder": {"folderId": theirs["folderId"]},
        "/prospecting": {"type": "csv_upload", "uploadId": theirs["uploadId"], "audience": {"name": "x"}},
    }.items():
        answer = client.post(path, json=body)
        tally.note(FAMILY, answer.status_code)
        refusal(answer, 404, "NOT_FOUND")
    answer = client.post(
        f"/audiences/{own['audienceId']}/move-leads",
        json={"targetAudienceId": own["targetAudienceId"], "leadIds": [theirs["leadIds"]]},
    )
    tally.note(FAMILY, answer.status_code)
    refusal(answer, 422, "LEADS_NOT_IN_SOURCE")


@pytest.mark.parametrize("name", ["jobId", "uploadId", "moveId", "changeId"])
def test_the_victims_ids_are_real(target: Target, name: str) -> None:
    """The tests above could also pass because the ids belong to no tenant."""
    tables = {"jobId": "jobs", "uploadId": "uploads", "moveId": "changes", "changeId": "changes"}
    found = target.victim.sql(
        f"SELECT id FROM {tables[name]} WHERE account_group_id = $1 AND id = $2",
        target.victim.number,
        key_of(target.victims_values[name]),
    )
    assert len(found) == 1
