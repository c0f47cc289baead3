"""Finding people in the whole account group: the filters, identities, pages, and the audiences of each person."""

from __future__ import annotations

from typing import Any

import pytest

from leadyard.clock import now_ms, to_iso
from leadyard.ids import key_of
from leadyard.model import Permission
from rig.answers import AUDIENCE_KEYS, data_of, refusal, violations
from rig.people import LEAD_KEYS, bring_in, patch, read
from rig.service import Tenant

MEMBER_ID = "ACoAABcdEfGhIjKlMnOpQrStUvWxYz0123456789a"


def found(tenant: Tenant, **query: Any) -> list[str]:
    """Returns the ids of the people on the first page."""
    return [item["id"] for item in data_of(tenant.client.get("/prospects", params=query))["items"]]


def names(tenant: Tenant, **query: Any) -> list[str]:
    return [item["name"] for item in data_of(tenant.client.get("/prospects", params=query))["items"]]


@pytest.fixture
def crew(tenant: Tenant) -> list[str]:
    """Three people in two audiences, and one who has left the only one."""
    first, second, left = (tenant.create_audience(name) for name in ("First", "Second", "Left"))
    people = [
        bring_in(tenant, first, name="Zoë Strauß", email="zoe@acme.example.com", title="Head of Sales",
                 company={"name": "Acme Ltd"}),
        bring_in(tenant, second, name="Åse Acme", linkedinUrl="linkedin.com/in/ase", title="CTO"),
        bring_in(tenant, left, name="Bob O'Neil", email="bob@other.example.com", company={"name": "ÅCME labs"}),
        bring_in(tenant, second, name="Eve", linkedinUrl=f"linkedin.com/in/{MEMBER_ID}"),
    ]  # fmt: skip
    data_of(tenant.client.post(f"/audiences/{left}/remove-leads", json={"leadIds": [people[2]]}))
    return people


def test_a_person_is_shown_as_alone_with_all_audiences(tenant: Tenant, crew: list[str]) -> None:
    extra, filled, moved_into = (tenant.create_audience(name) for name in ("Extra", "Filled", "Moved into"))
    for audience in (extra, filled, moved_into):
        bring_in(tenant, audience, email="zoe@acme.example.com")
    tenant.insert_job(filled)
    # What a transfer does is hidden until it has ended.
    transfer = tenant.insert_job(moved_into)
    tenant.sql("UPDATE jobs SET kind = 'transfer', type = 'copy', stage = 'apply' WHERE id = $1", key_of(transfer))
    items = data_of(tenant.client.get("/prospects"))["items"]
    assert [item["id"] for item in items] == crew
    assert items == [read(tenant, lead_id) for lead_id in crew]
    assert all(set(item) == LEAD_KEYS for item in items)
    assert [[each["name"] for each in item["audiences"]] for item in items] == [
        ["First", "Extra", "Filled"], ["Second"], [], ["Second"],
    ]  # fmt: skip
    assert set(items[0]["audiences"][0]) == AUDIENCE_KEYS


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [0, 1, 2, 3]),
        ({"q": "acme"}, [0, 1, 2]),
        ({"q": "STRAUSS zoe"}, [0]),
        ({"q": "\u0301"}, []),
        ({"company": "acme"}, [0, 2]),
        ({"company": "acme", "title": "sales"}, [0]),
        ({"hasEmail": "true"}, [0, 2]),
        ({"hasEmail": "false", "q": "ase"}, [1]),
        ({"email": "ZOE@Acme.example.com"}, [0]),
        ({"email": " mailto:zoe@acme.example.com "}, [0]),
        ({"email": "zoe@acme.example.com", "q": "sales"}, [0]),
        ({"email": "zoe@acme.example.com", "q": "bob"}, []),
        ({"email": "zoe@acme.example.com", "hasEmail": "false"}, []),
        ({"email": "oe@acme.example.com"}, []),
        ({"linkedinUrl": "https://de.linkedin.com/in/Ase/?trk=x"}, [1]),
        ({"linkedinUrl": f"https://www.linkedin.com/sales/lead/{MEMBER_ID},NAME_SEARCH"}, [3]),
        ({"linkedinUrl": f"linkedin.com/in/{MEMBER_ID.lower()}"}, [3]),
        ({"linkedinUrl": "linkedin.com/in/as"}, []),
        ({"linkedinUrl": "linkedin.com/in/ase", "email": "zoe@acme.example.com"}, []),
    ],
)
def test_who_matches_all_filters_is_found(
    tenant: Tenant, crew: list[str], query: dict[str, str], expected: list[int]
) -> None:
    assert found(tenant, **query) == [crew[each] for each in expected]


def test_both_identities_of_one_person(tenant: Tenant) -> None:
    lead_id = bring_in(tenant, tenant.create_audience(), email="a@example.com", linkedinUrl="linkedin.com/in/a")
    assert found(tenant, email="a@example.com", linkedinUrl="linkedin.com/in/a") == [lead_id]


def test_all_who_share_an_address_are_found_page_by_page(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    people = [
        bring_in(tenant, audience, email="info@acme.example.com", name=name)
        for name in ("Ada Lovelace", "Grace Hopper", "Joe Doe")
    ]
    bring_in(tenant, audience, email="info@acme.example.com.au", name="Kim")
    assert found(tenant, email="INFO@acme.example.com") == people
    walked = [item["id"] for item in tenant.walk("/prospects", 1, email="info@acme.example.com")]
    assert walked == people
    assert found(tenant, email="info@acme.example.com", q="hopper", limit=1) == [people[1]]


def test_an_identity_leads_to_a_person_after_a_merge_and_an_update(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    kept = bring_in(tenant, audience, email="kept@example.com", name="Kim")
    gone = bring_in(tenant, audience, email="gone@example.com", linkedinUrl="linkedin.com/in/gone")
    shared = bring_in(tenant, audience, email="info@example.com", name="Ada Lovelace")
    sharing = bring_in(tenant, audience, email="info@example.com", name="Grace Hopper", linkedinUrl="linkedin.com/in/g")
    for other in (gone, sharing):
        data_of(tenant.client.post(f"/prospects/{kept}/merge", json={"prospectId": other}))
    assert found(tenant, email="gone@example.com") == [kept]
    assert found(tenant, linkedinUrl="linkedin.com/in/gone") == [kept]
    assert found(tenant, linkedinUrl="linkedin.com/in/g", email="gone@example.com") == [kept]
    assert found(tenant, email="info@example.com") == sorted([kept, shared])


def test_an_edit_and_an_erasure_show_at_once(tenant: Tenant, crew: list[str]) -> None:
    data_of(patch(tenant, crew[0], email="new@acme.example.com", name="Zoe Wolf"))
    assert found(tenant, q="wolf") == found(tenant, email="new@acme.example.com") == [crew[0]]
    assert found(tenant, q="strauss") == []
    data_of(tenant.client.delete(f"/prospects/{crew[0]}"))
    assert found(tenant) == crew[1:]
    assert found(tenant, q="wolf") == found(tenant, email="new@acme.example.com") == []


def test_times_are_exclusive_and_combine(tenant: Tenant, crew: list[str]) -> None:
    tenant.sql("UPDATE leads SET created_at = created_at + 1000 WHERE id = $1", key_of(crew[1]))
    second = read(tenant, crew[1])["createdAt"]
    assert found(tenant, createdAfter="2000-01-01T00:00:00Z", createdBefore="9999-12-31T23:59:59Z") == crew
    assert crew[1] not in found(tenant, createdAfter=second)
    assert crew[1] not in found(tenant, createdBefore=second)
    assert found(tenant, createdBefore=second, q="zoe") == [crew[0]]
    assert found(tenant, createdAfter=second, q="zoe") == []
    assert found(tenant, createdBefore="1969-01-01T00:00:00Z") == found(tenant, createdAfter="9999-01-01T00:00:00Z")
    assert found(tenant, createdBefore="1969-01-01T00:00:00Z") == []
    assert found(tenant, createdAfter="2000-01-01T02:00:00+02:00", email="zoe@acme.example.com") == [crew[0]]


@pytest.mark.parametrize("hours", [-20, 20])
def test_a_time_that_differs_from_the_time_of_the_id_counts(tenant: Tenant, crew: list[str], hours: int) -> None:
    """Two machines have different clocks, so a lead may be older or younger than its id."""
    tenant.sql("UPDATE leads SET created_at = created_at + $1 WHERE id = $2", hours * 3_600_000, key_of(crew[0]))
    an_hour_to_it = now_ms() + (hours - 1) * 3_600_000, now_ms() + (hours + 1) * 3_600_000
    after, before = map(to_iso, an_hour_to_it)
    for more in ({}, {"q": "zoe"}, {"email": "zoe@acme.example.com"}):
        assert found(tenant, createdAfter=after, createdBefore=before, **more) == [crew[0]]


@pytest.mark.parametrize("query", [{}, {"q": "page"}, {"hasEmail": "true"}, {"createdAfter": "2000-01-01T00:00:00Z"}])
@pytest.mark.parametrize("limit", [1, 7, 200])
def test_pages_contain_each_person_once_oldest_first(tenant: Tenant, query: dict[str, str], limit: int) -> None:
    audience = tenant.create_audience()
    lead_ids = tenant.add_leads(audience, 30, prefix="page")
    walked = tenant.walk("/prospects", limit, **query)
    assert [item["id"] for item in walked] == sorted(lead_ids)
    assert {item["audiences"][0]["id"] for item in walked} == {audience}


def test_a_cursor_of_another_search_is_refused(tenant: Tenant, crew: list[str]) -> None:
    cursor = data_of(tenant.client.get("/prospects", params={"q": "acme", "limit": 2}))["nextCursor"]
    assert found(tenant, q="acme", cursor=cursor) == [crew[2]]
    for other in ({}, {"q": "acm"}, {"q": "acme", "email": "bob@other.example.com"}):
        answer = tenant.client.get("/prospects", params={**other, "cursor": cursor})
        assert violations(answer) == {("cursor", "WRONG_CURSOR")}


@pytest.mark.parametrize(
    ("query", "path", "remedy"),
    [
        ({"email": "ada"}, "email", "give one like ada@example.org"),
        ({"email": "n/a"}, "email", "give one like ada@example.org"),
        ({"email": "ada news@example.org"}, "email", "write + as %2B"),
        ({"email": f"{'a' * 250}@example.org"}, "email", "254"),
        ({"email": "a\u0000da@example.org"}, "email", "give one like ada@example.org"),
        ({"email": "\u200b"}, "email", "give one like ada@example.org"),
        ({"linkedinUrl": "ada-lovelace"}, "linkedinUrl", "give one like https://www.linkedin.com/in/"),
        ({"linkedinUrl": "https://www.linkedin.com/company/acme"}, "linkedinUrl", "give one like"),
        ({"linkedinUrl": "https://example.com/in/ada"}, "linkedinUrl", "give one like"),
        ({"linkedinUrl": "linkedin.com/in/a\u0000da"}, "linkedinUrl", "give one like"),
        ({"createdAfter": "yesterday"}, "createdAfter", "2026-01-31T09:30:00Z"),
        ({"q": "x" * 201}, "q", "200"),
        ({"addedAfter": "2026-01-31T09:30:00Z"}, "addedAfter", ""),
        ({"audienceId": "1"}, "audienceId", ""),
    ],
)
def test_a_wrong_filter_is_refused_with_its_remedy(
    tenant: Tenant, query: dict[str, str], path: str, remedy: str
) -> None:
    answer = tenant.client.get("/prospects", params=query)
    assert {where for where, _ in violations(answer)} == {path}
    assert remedy in answer.json()["error"]["violations"][0]["message"]


def test_it_needs_the_permission_to_read_prospects(tenant: Tenant) -> None:
    with tenant.new_client(tenant.key_with(Permission.AUDIENCES_READ)) as client:
        assert "prospects:read" in refusal(client.get("/prospects"), 403, "FORBIDDEN")["details"]
