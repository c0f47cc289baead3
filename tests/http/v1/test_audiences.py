"""Audiences: created, read, listed (contract sections 4 and 5)."""

from __future__ import annotations

from typing import Any

import pytest

from leadyard.clock import now_ms, to_iso
from leadyard.ids import key_of
from rig.answers import AUDIENCE_KEYS, ID, TIME, UNKNOWN_ID, data_of, refusal, violations
from rig.service import Service, Tenant, make_tenant


def create(tenant: Tenant, **body: Any) -> Any:
    return data_of(tenant.client.post("/audiences", json={"name": "Name", "type": "on_demand", **body}), 201)


# -------------------------------------------------------------------------------------------------------------- create


@pytest.mark.parametrize("type_", ["on_demand", "monitoring"])
def test_a_new_audience_is_answered_as_it_will_be_read(tenant: Tenant, type_: str) -> None:
    earliest = to_iso(now_ms())
    made = create(tenant, name="Senate", type=type_, description="The 100 senators")

    assert set(made) == AUDIENCE_KEYS
    assert ID.fullmatch(made["id"])
    assert TIME.fullmatch(made["createdAt"])
    assert earliest <= made["createdAt"] <= to_iso(now_ms())
    assert {key: made[key] for key in AUDIENCE_KEYS - {"id", "createdAt"}} == {
        "name": "Senate",
        "type": type_,
        "description": "The 100 senators",
        "folderId": None,
        "prospectCount": 0,
    }
    assert data_of(tenant.client.get(f"/audiences/{made['id']}")) == made
    assert tenant.walk("/audiences") == [made]


NAMES = [
    "x",
    "x" * 200,
    "Ünïcödé",
    "名前",
    "😀" * 200,
    "👩‍👩‍👧‍👦",
    "שלום עולם",
    "مرحبا",
    "e\u0301",
    "a\u0300\u0301\u0302\u0303",
    "\U0010ffff",
    "\ufffd",
    "a\u00a0b",
    "'; DROP TABLE audiences; --",
    '"quoted" \\ and / slashed',
    "<script>alert(1)</script>",
    "%s {} $1 :name ?",
    "null",
    "0",
]


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:20])
def test_a_name_is_kept_exactly_as_it_is(tenant: Tenant, name: str) -> None:
    made = create(tenant, name=name, description=name)
    read = data_of(tenant.client.get(f"/audiences/{made['id']}"))
    assert (made["name"], made["description"]) == (read["name"], read["description"]) == (name, name)


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "  \t "], ids=ascii)
def test_space_around_names_and_descriptions_is_trimmed(tenant: Tenant, space: str) -> None:
    made = create(tenant, name=f"{space}Two  words{space}", description=f"{space}Two\nlines{space}")
    assert (made["name"], made["description"]) == ("Two  words", "Two\nlines")


def test_the_limits_of_a_name_and_a_description_apply_to_the_trimmed_text(tenant: Tenant) -> None:
    made = create(tenant, name=f" {'x' * 200} ", description=f"\n{'😀' * 2_000}\n")
    assert (len(made["name"]), len(made["description"])) == (200, 2_000)


@pytest.mark.parametrize(("name", "code"), [
    ("", "TOO_SHORT"),
    ("   ", "TOO_SHORT"),
    (" \t\r\n\u00a0\u3000", "TOO_SHORT"),
    ("x" * 201, "TOO_LONG"),
    ("😀" * 201, "TOO_LONG"),
    ("x" * 100_000, "TOO_LONG"),
    ("two\nlines", "NOT_ALLOWED"),
    ("a\tb", "NOT_ALLOWED"),
    ("a\0b", "NOT_ALLOWED"),
    ("a\x7fb", "NOT_ALLOWED"),
    ("a\x85b", "NOT_ALLOWED"),
])  # fmt: skip
def test_a_name_has_1_to_200_characters_on_one_line(tenant: Tenant, name: str, code: str) -> None:
    body = {"name": name, "type": "on_demand"}
    assert violations(tenant.client.post("/audiences", json=body)) == {("name", code)}
    assert tenant.walk("/audiences") == []


@pytest.mark.parametrize(("description", "code"), [
    ("x" * 2_001, "TOO_LONG"),
    ("😀" * 2_001, "TOO_LONG"),
    ("a\0b", "NOT_ALLOWED"),
    ("a\x0bb", "NOT_ALLOWED"),
    ("a\x9fb", "NOT_ALLOWED"),
])  # fmt: skip
def test_a_description_has_up_to_2000_characters_and_no_controls(tenant: Tenant, description: str, code: str) -> None:
    body = {"name": "Name", "type": "on_demand", "description": description}
    assert violations(tenant.client.post("/audiences", json=body)) == {("description", code)}


@pytest.mark.parametrize("body", [{}, {"description": None}, {"description": ""}, {"description": " \n "}], ids=repr)
def test_no_description_is_null(tenant: Tenant, body: dict[str, Any]) -> None:
    assert create(tenant, **body)["description"] is None


def test_a_description_may_have_several_lines(tenant: Tenant) -> None:
    assert create(tenant, description="One\r\n\tTwo\nThree")["description"] == "One\r\n\tTwo\nThree"


def test_two_audiences_may_have_one_name(tenant: Tenant) -> None:
    made = [create(tenant, name="Twice")["id"] for _ in range(2)]
    assert [item["id"] for item in tenant.walk("/audiences")] == made


@pytest.mark.parametrize("type_", ["linkedin_search", "sales_navigator", "post_commenters", "url_upload", "csv_upload"])
def test_a_type_that_only_a_job_makes_is_reserved(tenant: Tenant, type_: str) -> None:
    refusal(tenant.client.post("/audiences", json={"name": "Name", "type": type_}), 422, "AUDIENCE_TYPE_RESERVED")
    assert tenant.walk("/audiences") == []


@pytest.mark.parametrize("type_", ["", "On_Demand", "on-demand", "folder", " on_demand", "on_demand\0"])
def test_an_unknown_type_is_not_valid(tenant: Tenant, type_: str) -> None:
    answer = tenant.client.post("/audiences", json={"name": "Name", "type": type_})
    assert violations(answer) == {("type", "UNKNOWN_VALUE")}


# ---------------------------------------------------------------------------------------------------------------- get


def test_an_unknown_audience_and_that_of_another_group_are_not_found(tenant: Tenant, service: Service) -> None:
    foreign = make_tenant(service).create_audience()
    for audience_id in (UNKNOWN_ID, foreign):
        assert audience_id in refusal(tenant.client.get(f"/audiences/{audience_id}"), 404, "NOT_FOUND")["details"]
        refusal(tenant.client.get(f"/audiences/{audience_id}/prospects"), 404, "NOT_FOUND")
        body = {"prospects": [{"email": "x@example.com"}]}
        refusal(tenant.client.post(f"/audiences/{audience_id}/prospects", json=body), 404, "NOT_FOUND")


def test_an_audience_made_by_a_job_carries_its_source(tenant: Tenant) -> None:
    audience = tenant.create_audience()
    for type_ in ("linkedin_search", "sales_navigator", "post_commenters", "url_upload", "csv_upload"):
        tenant.sql("UPDATE audiences SET type = $1 WHERE id = $2", type_, key_of(audience))
        assert data_of(tenant.client.get(f"/audiences/{audience}"))["type"] == type_


# ---------------------------------------------------------------------------------------------------- being populated


@pytest.mark.parametrize("status", ["queued", "running"])
def test_an_audience_being_populated_is_hidden_and_not_ready(tenant: Tenant, status: str) -> None:
    ready, populated = tenant.create_audience(), tenant.create_audience()
    job = tenant.insert_job(populated, status)

    assert [item["id"] for item in tenant.walk("/audiences")] == [ready]
    body = {"prospects": [{"email": "x@example.com"}]}
    for answer in (
        tenant.client.get(f"/audiences/{populated}"),
        tenant.client.get(f"/audiences/{populated}/prospects"),
        tenant.client.post(f"/audiences/{populated}/prospects", json=body),
    ):
        error = refusal(answer, 409, "AUDIENCE_NOT_READY")
        assert (error["audienceId"], error["jobId"]) == (populated, job)
        assert int(answer.headers["Retry-After"]) > 0
    tenant.end_job(job)
    assert [item["id"] for item in tenant.walk("/audiences")] == [ready, populated]
    assert tenant.members(populated) == []


def test_both_audiences_of_a_job_are_hidden_and_not_ready(tenant: Tenant) -> None:
    ready, first, second = (tenant.create_audience() for _ in range(3))
    job = tenant.insert_job(first, second=second)

    assert [item["id"] for item in tenant.walk("/audiences")] == [ready]
    assert [item["id"] for item in data_of(tenant.client.get("/audiences/navigation"))["ungroupedAudiences"]] == [ready]
    for audience in (first, second):
        start = {"type": "url_upload", "audience": {"id": audience}, "profileUrls": ["https://linkedin.com/in/ada"]}
        for answer in (
            tenant.client.get(f"/audiences/{audience}"),
            tenant.client.delete(f"/audiences/{audience}"),
            tenant.client.post("/prospecting", json=start),
        ):
            error = refusal(answer, 409, "AUDIENCE_NOT_READY")
            assert (error["audienceId"], error["jobId"]) == (audience, job)
    tenant.end_job(job)
    assert [item["id"] for item in tenant.walk("/audiences")] == [ready, first, second]


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_an_audience_whose_jobs_have_ended_is_ready(tenant: Tenant, status: str) -> None:
    audience = tenant.create_audience()
    tenant.insert_job(audience, status)
    tenant.insert_job(audience, status)

    assert [item["id"] for item in tenant.walk("/audiences")] == [audience]
    assert tenant.count(audience) == 0
    body = {"prospects": [{"email": "x@example.com"}]}
    assert data_of(tenant.client.post(f"/audiences/{audience}/prospects", json=body))["added"] == 1
    assert len(tenant.members(audience)) == 1


# --------------------------------------------------------------------------------------------------------------- list


def test_a_group_without_audiences_has_an_empty_list(tenant: Tenant) -> None:
    assert data_of(tenant.client.get("/audiences")) == {"items": [], "nextCursor": None, "hasMore": False}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 200])
def test_the_list_comes_in_pages_oldest_first(tenant: Tenant, limit: int) -> None:
    made = [create(tenant, name=f"Audience {number}") for number in range(7)]
    first = data_of(tenant.client.get("/audiences", params={"limit": limit}))
    assert set(first) == {"items", "nextCursor", "hasMore"}
    assert first["items"] == made[:limit]
    assert first["hasMore"] == (limit < 7)
    assert tenant.walk("/audiences", limit) == made


def test_a_page_has_50_items_unless_asked_otherwise(tenant: Tenant) -> None:
    for _ in range(51):
        tenant.create_audience()
    page = data_of(tenant.client.get("/audiences"))
    assert (len(page["items"]), page["hasMore"]) == (50, True)
    assert len(data_of(tenant.client.get("/audiences", params={"cursor": page["nextCursor"]}))["items"]) == 1


def test_a_full_walk_meets_every_audience_that_stayed_once_whatever_comes_and_goes(tenant: Tenant) -> None:
    made = [tenant.create_audience() for _ in range(10)]
    met: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    step = 0
    while True:
        page = data_of(tenant.client.get("/audiences", params=query))
        met += [item["id"] for item in page["items"]]
        if not page["hasMore"]:
            break
        query["cursor"] = page["nextCursor"]
        if step < 4:
            # Three disappear: one that was listed, one that was not, and the very one of the cursor. A new one is
            # added.
            for audience in {made[0], made[-1 - step], met[-1]}:
                tenant.sql("UPDATE jobs SET status = 'completed' WHERE account_group_id = $1", tenant.number)
                tenant.insert_job(audience)
            tenant.create_audience()
        step += 1

    stayed = made[1:6]
    assert [audience for audience in met if audience in stayed] == stayed
    assert len(met) == len(set(met))


@pytest.mark.parametrize("name", ["Senate", "e\u0301", "a\u00a0b", "%s {} $1 :name ?", "100 %_", "😀" * 200])
def test_a_name_lists_only_the_audiences_that_have_exactly_it(tenant: Tenant, service: Service, name: str) -> None:
    other = make_tenant(service)
    create(other, name=name)
    made = [create(tenant, name=each) for each in (name, f"x{name[:199]}", name, f"{name[:199]}.", name)]
    same = [made[0], made[2], made[4]]
    query = {"name": f" {name}\n"}
    assert data_of(tenant.client.get("/audiences", params=query))["items"] == same
    first = data_of(tenant.client.get("/audiences", params=query | {"limit": 2}))
    assert (first["items"], first["hasMore"]) == (same[:2], True)
    rest = data_of(tenant.client.get("/audiences", params=query | {"limit": 2, "cursor": first["nextCursor"]}))
    assert (rest["items"], rest["hasMore"]) == (same[2:], False)
    for wrong in ({}, {"name": "Another"}):
        refused = tenant.client.get("/audiences", params={"cursor": first["nextCursor"], **wrong})
        assert violations(refused) == {("cursor", "WRONG_CURSOR")}
    assert data_of(tenant.client.delete(f"/audiences/{made[2]['id']}")) == {"deleted": True}
    assert data_of(tenant.client.get("/audiences", params=query))["items"] == [made[0], made[4]]
    other.client.close()


def test_a_name_in_another_case_or_of_none_lists_nothing(tenant: Tenant) -> None:
    create(tenant, name="Senate")
    for name in ("senate", "Senat", "Sen_te", "%", "null"):
        assert data_of(tenant.client.get("/audiences", params={"name": name}))["items"] == []


@pytest.mark.parametrize(("name", "code"), [("  ", "TOO_SHORT"), ("x" * 201, "TOO_LONG"), ("a\nb", "NOT_ALLOWED")])
def test_a_name_that_no_audience_can_have_is_refused(tenant: Tenant, name: str, code: str) -> None:
    assert violations(tenant.client.get("/audiences", params={"name": name})) == {("name", code)}


def test_the_name_of_an_audience_that_a_job_fills_is_not_free(tenant: Tenant) -> None:
    ready, filled, second = (tenant.create_audience(each) for each in ("Twice", "Twice", "Second"))
    job = tenant.insert_job(filled, second=second)
    for name, audience in (("Twice", filled), ("Second", second)):
        error = refusal(tenant.client.get("/audiences", params={"name": name}), 409, "AUDIENCE_NOT_READY")
        assert (error["audienceId"], error["jobId"]) == (audience, job)
    # The first page does not reach it, and the list without a name leaves it out.
    assert data_of(tenant.client.get("/audiences", params={"limit": 1}))["items"][0]["id"] == ready
    assert [each["id"] for each in tenant.walk("/audiences")] == [ready]
    assert data_of(tenant.client.get("/audiences", params={"name": "Third"}))["items"] == []


def test_a_cursor_is_good_for_its_own_list_only(tenant: Tenant, service: Service) -> None:
    other = make_tenant(service)
    lists: dict[tuple[str, str], str] = {}
    for each in (tenant, other):
        one, two = each.create_audience(), each.create_audience()
        leads = each.add_leads(one, 6)
        each.add_leads(two, 6)
        third = each.create_audience()
        for lead in leads[:2]:
            data_of(each.move(one, third, [lead]))
        for path in ("/audiences", "/moves", f"/audiences/{one}/prospects", f"/audiences/{two}/prospects"):
            page = data_of(each.client.get(path, params={"limit": 1}))
            assert page["hasMore"]
            lists[each.account_group_id, path] = page["nextCursor"]

    for each in (tenant, other):
        mine = [path for group, path in lists if group == each.account_group_id]
        for path in mine:
            for origin, cursor in lists.items():
                answer = each.client.get(path, params={"cursor": cursor})
                if origin == (each.account_group_id, path):
                    data_of(answer)
                else:
                    assert violations(answer) == {("cursor", "WRONG_CURSOR")}


def test_an_edited_cursor_is_refused(tenant: Tenant) -> None:
    for _ in range(3):
        tenant.create_audience()
    cursor = data_of(tenant.client.get("/audiences", params={"limit": 1}))["nextCursor"]
    edited = {
        cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :] for place in range(len(cursor))
    }
    edited |= {cursor[:-1], cursor[1:], cursor + "A", cursor + "=", cursor + "==", cursor * 2, cursor.swapcase()}
    edited |= {f" {cursor}", f"{cursor} ", f"{cursor}\n", cursor[::-1]}

    for wrong in edited:
        assert violations(tenant.client.get("/audiences", params={"cursor": wrong})) == {("cursor", "WRONG_CURSOR")}
    data_of(tenant.client.get("/audiences", params={"cursor": cursor}))


def test_a_cursor_stays_good_with_another_limit(tenant: Tenant) -> None:
    made = [tenant.create_audience() for _ in range(5)]
    cursor = data_of(tenant.client.get("/audiences", params={"limit": 2}))["nextCursor"]
    page = data_of(tenant.client.get("/audiences", params={"limit": 200, "cursor": cursor}))
    assert [item["id"] for item in page["items"]] == made[2:]
