"""Finding leads in an audience: q, company, title, hasEmail, addedAfter, addedBefore, together with paging."""

from __future__ import annotations

from typing import Any

import pytest

from leadyard.clock import now_ms, to_iso
from rig.answers import data_of, violations
from rig.service import Tenant

PEOPLE: dict[str, dict[str, Any]] = {
    "zoe": {"firstName": "Zoë", "lastName": "Strauß", "email": "zoe@acme.example.com", "title": "Head of 100%_Sales",
            "company": {"name": "Acme Ltd"}},
    "ali": {"name": "عَلِي", "email": "ali@other.example.com", "title": "CTO", "company": {"name": "ÅCME labs"}},
    "bob": {"firstName": "Bob", "lastName": "O'Neil \"The\" Fox", "providerId": "bob", "title": "head of sales",
            "company": {"name": "Other * Co"}},
    "lee": {"firstName": "李", "lastName": "小龍", "email": "lee@acme.example.com", "phone": "+1 (555) 010-0",
            "location": "Zürich"},
    "wide": {"firstName": "ＷＩＤＥ", "providerId": "wide", "company": {"name": "ﬁne"}},
}  # fmt: skip


@pytest.fixture
def audience_id(tenant: Tenant) -> str:
    made = tenant.create_audience()
    added = data_of(tenant.client.post(f"/audiences/{made}/prospects", json={"prospects": list(PEOPLE.values())}))
    assert added["added"] == len(PEOPLE)
    return made


def found(tenant: Tenant, audience_id: str, **query: Any) -> set[str]:
    page = data_of(tenant.client.get(f"/audiences/{audience_id}/prospects", params=query))
    keys = {(person.get("email"), person.get("providerId")): key for key, person in PEOPLE.items()}
    return {keys[item["email"], item["providerId"]] for item in page["items"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "zoë"}, {"zoe"}),
        ({"q": "ZOË STRAUSS"}, {"zoe"}),
        ({"q": "zoe\u0308"}, {"zoe"}),
        ({"q": "acme"}, {"zoe", "lee", "ali"}),
        ({"q": "åcme"}, {"zoe", "lee", "ali"}),
        ({"q": "zoe strauss"}, {"zoe"}),
        ({"q": "Strauß ZOE"}, {"zoe"}),
        ({"q": "trau oe"}, {"zoe"}),
        ({"q": "zoe fox"}, set()),
        ({"q": "o’neil"}, {"bob"}),
        ({"q": "Fox O´NEIL"}, {"bob"}),
        ({"q": "علي"}, {"ali"}),
        ({"q": "\u0301"}, set()),
        ({"q": "\u0301", "company": "acme"}, set()),
        ({"q": "zürich"}, {"lee"}),
        ({"q": "zurich example"}, {"lee"}),
        ({"q": "555 010-0"}, {"lee"}),
        ({"q": "(555) 010-0"}, {"lee"}),
        ({"q": "15550100"}, {"lee"}),
        ({"q": "5550100 lee"}, {"lee"}),
        ({"q": "100%_s"}, {"zoe"}),
        ({"q": "100_"}, set()),
        ({"q": "%"}, {"zoe"}),
        ({"q": "_"}, {"zoe"}),
        ({"q": "\\"}, set()),
        ({"q": '"the" fox'}, {"bob"}),
        ({"q": "o'neil"}, {"bob"}),
        ({"q": "* co"}, {"bob"}),
        ({"q": "AND OR NOT"}, set()),
        ({"q": "عَلِي"}, {"ali"}),
        ({"q": "小"}, {"lee"}),
        ({"q": "李 小龍"}, {"lee"}),
        ({"q": "wide"}, {"wide"}),
        ({"q": "fine"}, {"wide"}),
        ({"q": "  fox  "}, {"bob"}),
        ({"q": "sales acme"}, {"zoe"}),
        ({"company": "acme"}, {"zoe", "ali"}),
        ({"company": "labs acme"}, {"ali"}),
        ({"company": "acme zoe"}, set()),
        ({"company": "ltd", "q": "zoë"}, {"zoe"}),
        ({"title": "HEAD OF"}, {"zoe", "bob"}),
        ({"title": "head of", "company": "other"}, {"bob"}),
        ({"title": "acme"}, set()),
        ({"hasEmail": "true"}, {"zoe", "ali", "lee"}),
        ({"hasEmail": "false"}, {"bob", "wide"}),
        ({"hasEmail": "true", "title": "head"}, {"zoe"}),
    ],
)
def test_only_who_fits_is_listed(tenant: Tenant, audience_id: str, query: dict[str, str], expected: set[str]) -> None:
    assert found(tenant, audience_id, **query) == expected


def test_times_are_exclusive_and_combine(tenant: Tenant, audience_id: str) -> None:
    item = tenant.walk(f"/audiences/{audience_id}/prospects")[0]
    added = item["addedAt"]
    assert found(tenant, audience_id, addedAfter="2000-01-01T00:00:00Z") == set(PEOPLE)
    assert found(tenant, audience_id, addedAfter=added) == set()
    assert found(tenant, audience_id, addedBefore=added) == set()
    assert found(tenant, audience_id, addedBefore=to_iso(now_ms() + 60_000), q="fox") == {"bob"}
    assert (
        found(tenant, audience_id, addedAfter="2000-01-01T02:00:00+02:00", addedBefore="2000-01-02T00:00:00Z") == set()
    )


def test_a_search_sees_edits_and_erasures_at_once(tenant: Tenant, audience_id: str) -> None:
    (bob,) = [item["id"] for item in tenant.walk(f"/audiences/{audience_id}/prospects", q="fox")]
    data_of(tenant.client.patch(f"/prospects/{bob}", json={"lastName": "Wolf"}))
    assert found(tenant, audience_id, q="fox") == set()
    assert found(tenant, audience_id, q="bob wolf") == {"bob"}
    data_of(tenant.client.delete(f"/prospects/{bob}"))
    assert found(tenant, audience_id, q="wolf") == set()


def test_a_search_keeps_to_its_audience(tenant: Tenant, audience_id: str) -> None:
    other = tenant.create_audience()
    tenant.add_leads(other, 3, prefix="acme")
    assert found(tenant, audience_id, q="acme") == {"zoe", "lee", "ali"}
    assert len(tenant.walk(f"/audiences/{other}/prospects", q="acme-")) == 3


def test_pages_of_a_search_hold_everybody_once(tenant: Tenant) -> None:
    audience_id = tenant.create_audience()
    tenant.add_leads(audience_id, 120, prefix="page")
    wanted = [item["id"] for item in tenant.walk(f"/audiences/{audience_id}/prospects") if "page-1" in item["email"]]
    assert len(wanted) == 31
    for limit in (1, 7, 200):
        walked = [item["id"] for item in tenant.walk(f"/audiences/{audience_id}/prospects", limit, q="page-1")]
        assert walked == wanted


def test_a_cursor_of_another_search_is_refused(tenant: Tenant) -> None:
    audience_id = tenant.create_audience()
    tenant.add_leads(audience_id, 5)
    path = f"/audiences/{audience_id}/prospects"
    cursor = data_of(tenant.client.get(path, params={"q": "lead", "limit": 2}))["nextCursor"]
    assert len(data_of(tenant.client.get(path, params={"q": "lead", "cursor": cursor}))["items"]) == 3
    for other in ({}, {"q": "lead-"}, {"q": "lead", "hasEmail": "true"}):
        assert violations(tenant.client.get(path, params={**other, "cursor": cursor})) == {("cursor", "WRONG_CURSOR")}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"q": "  "}, "q"),
        ({"q": "x" * 201}, "q"),
        ({"q": "a\u0000"}, "q"),
        ({"company": "a\u0007b"}, "company"),
        ({"hasEmail": "maybe"}, "hasEmail"),
        ({"addedAfter": "yesterday"}, "addedAfter"),
        ({"addedBefore": "2026-01-01T00:00:00"}, "addedBefore"),
        ({"name": "x"}, "name"),
    ],
)
def test_a_wrong_filter_is_a_wrong_request(tenant: Tenant, query: dict[str, str], path: str) -> None:
    audience_id = tenant.create_audience()
    answer = tenant.client.get(f"/audiences/{audience_id}/prospects", params=query)
    assert {where for where, _ in violations(answer)} == {path}


@pytest.mark.parametrize("skip", [0, 1, 29, 30, 31, 100_000])
def test_a_jump_leaves_out_so_many(tenant: Tenant, skip: int) -> None:
    audience_id, other = tenant.create_audience(), tenant.create_audience()
    tenant.add_leads(audience_id, 30)
    # Their ids are between the others, but they are in another audience.
    tenant.add_leads(other, 5, prefix="other")
    every = tenant.members(audience_id)
    path = f"/audiences/{audience_id}/prospects"
    page = data_of(tenant.client.get(path, params={"skip": skip, "limit": 7}))
    assert [item["id"] for item in page["items"]] == every[skip : skip + 7]
    assert page["hasMore"] == (skip + 7 < 30)
    if page["hasMore"]:
        cursor = page["nextCursor"]
        further = data_of(tenant.client.get(path, params={"skip": 3, "limit": 200, "cursor": cursor}))
        assert [item["id"] for item in further["items"]] == every[skip + 10 :]


@pytest.mark.parametrize("query", [{"q": "zoe"}, {"hasEmail": "true"}, {"addedAfter": "2000-01-01T00:00:00Z"}])
def test_a_list_with_filters_does_not_jump(tenant: Tenant, audience_id: str, query: dict[str, str]) -> None:
    answer = tenant.client.get(f"/audiences/{audience_id}/prospects", params={"skip": 1, **query})
    assert violations(answer) == {("skip", "NOT_ALLOWED")}


@pytest.mark.parametrize(("skip", "code"), [("-1", "TOO_SMALL"), ("100001", "TOO_LARGE"), ("x", "WRONG_TYPE")])
def test_how_far_a_jump_may_go(tenant: Tenant, audience_id: str, skip: str, code: str) -> None:
    answer = tenant.client.get(f"/audiences/{audience_id}/prospects", params={"skip": skip})
    assert violations(answer) == {("skip", code)}
