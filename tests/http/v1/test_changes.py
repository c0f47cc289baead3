"""The record of changes: every POST that changes memberships, its entry, and the lists of a lead and of an audience."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from leadyard.ids import key_of
from leadyard.operations.audiences import empty_deleted_audiences
from leadyard.operations.changes.indexing import expire_changes, index_changes
from rig.answers import ID, TIME, UNKNOWN_ID, data_of, refusal, violations
from rig.service import Service, Tenant, make_tenant, on_database

CHANGE_KEYS = {
    "id", "kind", "sourceAudienceId", "targetAudienceId", "leadCount", "alreadyInTargetCount", "changedAt", "apiKeyId",
    "jobId", "undoesChangeId", "undoneByChangeId",
}  # fmt: skip
ERASED = "0" * 24


def index_all(tenant: Tenant) -> int:
    """Fills the index of changes, as the housekeeping does. Returns how many changes were not in it."""

    async def run(db: Any) -> int:
        total = 0
        while done := await index_changes(db):
            total += done
        return total

    return on_database(tenant.service.database_url, run)


def stop_indexing(tenant: Tenant) -> None:
    """Takes everything out of the index again, so that a reader has to find it among the changes themselves."""
    tenant.sql("DELETE FROM change_subjects WHERE account_group_id = $1", tenant.number)
    tenant.sql("UPDATE changes SET is_indexed = false WHERE account_group_id = $1", tenant.number)


def add(tenant: Tenant, audience: str, *emails: str) -> httpx.Response:
    people = [{"email": email} for email in emails]
    return tenant.client.post(f"/audiences/{audience}/prospects", json={"prospects": people})


def change(tenant: Tenant, change_id: str) -> dict[str, Any]:
    found: dict[str, Any] = data_of(tenant.client.get(f"/changes/{change_id}"))
    assert set(found) == CHANGE_KEYS
    assert ID.fullmatch(found["id"]) and TIME.fullmatch(found["changedAt"])
    return found


def leads_of(tenant: Tenant, change_id: str, limit: int = 200) -> list[tuple[str, bool]]:
    items = tenant.walk(f"/changes/{change_id}/prospects", limit)
    assert all(set(item) == {"prospectId", "wasInTarget", "name"} for item in items)
    return [(item["prospectId"], item["wasInTarget"]) for item in items]


def kinds(items: list[dict[str, Any]]) -> list[str]:
    return [item["kind"] for item in items]


# ------------------------------------------------------------------------------------------ what is recorded


def test_every_request_that_changes_memberships_names_its_change(tenant: Tenant) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 4)
    tenant.add_leads(there, 1)

    added = add(tenant, here, "new@example.com", "lead-0@example.com")
    copied = tenant.copy(here, there, [leads[1], leads[0]])
    moved = tenant.move(here, there, [leads[2], leads[0]])
    removed = tenant.remove(there, [leads[1]])
    erased = tenant.client.delete(f"/prospects/{leads[3]}")
    deleted = tenant.client.delete(f"/audiences/{there}")

    def entry(kind: str, source: str | None, target: str | None, count: int, already: int) -> dict[str, Any]:
        return {
            "kind": kind,
            "sourceAudienceId": source,
            "targetAudienceId": target,
            "leadCount": count,
            "alreadyInTargetCount": already,
            "apiKeyId": tenant.api_key_id,
            "jobId": None,
            "undoesChangeId": None,
            "undoneByChangeId": None,
        }

    expected = [
        (deleted, entry("delete_audience", there, None, 2, 0)),
        (erased, entry("erase", None, None, 1, 0)),
        (removed, entry("remove", there, None, 1, 0)),
        (moved, entry("move", here, there, 2, 1)),
        (copied, entry("copy", here, there, 2, 1)),
        (added, entry("add", None, here, 2, 1)),
    ]
    listed = tenant.walk("/changes")
    for found, (answer, wanted) in zip(listed, expected, strict=False):
        assert {key: value for key, value in found.items() if key not in ("id", "changedAt")} == wanted
        if answer is not erased:
            assert answer.headers["Change-Id"] == found["id"]
            assert change(tenant, found["id"]) == found
    assert moved.headers["Move-Id"] == moved.headers["Change-Id"]
    # The two that filled the audiences at the beginning, by the operator.
    assert [(each["kind"], each["apiKeyId"]) for each in listed[6:]] == [("add", None)] * 2
    ids = [each["id"] for each in listed]
    assert ids == sorted(ids, reverse=True)


def test_the_leads_of_a_change_are_listed_in_its_order(tenant: Tenant) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 5)
    tenant.add_leads(there, 2)
    wanted = [leads[3], leads[1], leads[4]]

    copied = tenant.copy(here, there, wanted).headers["Change-Id"]

    expected = [(leads[3], False), (leads[1], True), (leads[4], False)]
    assert (
        leads_of(tenant, copied) == leads_of(tenant, copied, limit=1) == leads_of(tenant, copied, limit=2) == expected
    )


def test_a_lead_is_listed_with_its_name_and_an_erased_one_without_its_id(tenant: Tenant) -> None:
    here = tenant.create_audience()
    people = [{"email": "a@x.com", "firstName": "Ada", "lastName": "Byron"}, {"email": "b@x.com", "name": "B."}]
    made = tenant.client.post(f"/audiences/{here}/prospects", json={"prospects": people})
    change_id = made.headers["Change-Id"]
    first, second = tenant.walk(f"/changes/{change_id}/prospects")
    assert {first["name"], second["name"]} == {"Ada Byron", "B."}

    data_of(tenant.client.delete(f"/prospects/{first['prospectId']}"))

    items = tenant.walk(f"/changes/{change_id}/prospects")
    assert items == [{"prospectId": ERASED, "wasInTarget": False, "name": None}, second]
    assert change(tenant, change_id)["leadCount"] == 2


def test_a_request_about_no_lead_records_nothing(tenant: Tenant) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    [lead] = tenant.add_leads(here, 1)
    before = tenant.walk("/changes")

    answer = add(tenant, here, "not an address")
    refusal(tenant.copy(here, there, [lead, UNKNOWN_ID]), 422, "LEADS_NOT_IN_SOURCE")
    refusal(tenant.remove(here, [lead, UNKNOWN_ID]), 422, "LEADS_NOT_IN_SOURCE")

    assert data_of(answer)["added"] == 0 and "Change-Id" not in answer.headers
    assert tenant.walk("/changes") == before


def test_a_repeated_request_gets_the_header_again(tenant: Tenant) -> None:
    here = tenant.create_audience()
    sent = {"json": {"prospects": [{"email": "a@x.com"}]}, "headers": {"Idempotency-Key": "once"}}

    first, second = (tenant.client.post(f"/audiences/{here}/prospects", **sent) for _ in range(2))  # type: ignore[arg-type]

    assert first.headers["Change-Id"] == second.headers["Change-Id"]
    assert len(tenant.walk("/changes")) == 1


def test_a_change_of_another_tenant_is_not_found(tenant: Tenant, service: Service) -> None:
    other = make_tenant(service)
    theirs = add(other, other.create_audience(), "a@x.com").headers["Change-Id"]
    for path in (f"/changes/{theirs}", f"/changes/{theirs}/prospects", f"/prospects/{UNKNOWN_ID}/changes"):
        refusal(tenant.client.get(path), 404, "NOT_FOUND")


# ------------------------------------------------------------------------------------------ lists and filters


@pytest.fixture(params=["indexed", "not indexed yet", "half indexed"])
def settle(request: pytest.FixtureRequest, tenant: Tenant) -> Callable[[], None]:
    """Brings the index into a state that a reader may find at any moment."""

    def run() -> None:
        # The housekeeping of the service may have done it already, or may do it while the test runs.
        index_all(tenant)
        assert not tenant.sql("SELECT 1 FROM changes WHERE account_group_id = $1 AND NOT is_indexed", tenant.number)
        if request.param == "half indexed":
            [(newest,)] = tenant.sql("SELECT max(id) FROM changes WHERE account_group_id = $1", tenant.number)
            # One transaction enters a change and marks it, so a change without the mark has no entry.
            older = (tenant.number, newest)
            tenant.sql("DELETE FROM change_subjects WHERE account_group_id = $1 AND change_id < $2", *older)
            tenant.sql("UPDATE changes SET is_indexed = false WHERE account_group_id = $1 AND id < $2", *older)
        elif request.param == "not indexed yet":
            stop_indexing(tenant)

    return run


def test_changes_are_found_by_lead_audience_kind_and_time(tenant: Tenant, settle: Callable[[], None]) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 3)
    data_of(tenant.move(here, there, leads[:2]))
    data_of(tenant.copy(there, here, leads[:1]))
    data_of(tenant.remove(here, leads[2:]))
    data_of(tenant.move(there, here, leads[1:2]))
    settle()
    everything = tenant.walk("/changes")
    assert kinds(everything) == ["move", "remove", "copy", "move", "add"]

    def found(**query: Any) -> list[str]:
        pages = [kinds(tenant.walk("/changes", limit, **query)) for limit in (1, 2, 200)]
        assert pages[0] == pages[1] == pages[2]
        return pages[0]

    assert found(prospectId=leads[0]) == ["copy", "move", "add"]
    assert found(prospectId=leads[1]) == ["move", "move", "add"]
    assert found(prospectId=leads[2]) == ["remove", "add"]
    assert found(audienceId=there) == ["move", "copy", "move"]
    assert found(kind="move") == ["move", "move"]
    assert found(prospectId=leads[1], kind="move", audienceId=there) == ["move", "move"]
    assert found(prospectId=leads[2], audienceId=there) == []
    assert found(prospectId=UNKNOWN_ID) == found(audienceId=UNKNOWN_ID) == found(audienceId="f" * 24) == []
    middle = everything[2]["changedAt"]
    assert found(changedAfter=middle) == ["move", "remove"]
    assert found(changedBefore=middle) == ["move", "add"]
    assert found(changedAfter=middle, changedBefore=middle) == []
    assert found(changedBefore=middle, prospectId=leads[0]) == ["move", "add"]
    for at, lead in enumerate(leads):
        assert tenant.walk(f"/prospects/{lead}/changes") == tenant.walk("/changes", prospectId=lead), at


def test_a_walk_meets_each_change_once_while_they_are_put_into_the_index(tenant: Tenant) -> None:
    here = tenant.create_audience()
    [lead] = tenant.add_leads(here, 1)
    made = [add(tenant, here, "lead-0@example.com").headers["Change-Id"] for _ in range(9)]
    met: list[str] = []
    query: dict[str, Any] = {"limit": 2, "prospectId": lead}
    while True:
        page = data_of(tenant.client.get("/changes", params=query))
        met += [item["id"] for item in page["items"]]
        if not page["hasMore"]:
            break
        query["cursor"] = page["nextCursor"]
        index_all(tenant)
        add(tenant, here, "lead-0@example.com")

    assert met[:9] == made[::-1]
    assert len(met) == 10


def test_filters_that_are_not_valid_are_refused(tenant: Tenant) -> None:
    wrong = {"kind": "rename", "audienceId": "x", "prospectId": "f", "changedAfter": "yesterday", "colour": "red"}
    answer = tenant.client.get("/changes", params=wrong)
    assert {path for path, _ in violations(answer)} == set(wrong)
    violations(tenant.client.get("/changes", params={"changedAfter": "0001-01-01T00:00:00"}))
    for moment in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert tenant.walk("/changes", changedAfter=moment, changedBefore=moment) == []


# ------------------------------------------------------------------------------------------ deleted audiences


def test_the_members_of_a_deleted_audience_are_listed_at_any_moment(tenant: Tenant) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 7)
    data_of(tenant.copy(here, there, leads))
    index_all(tenant)
    service = tenant.service
    # The service's own housekeeping may have begun before these lines. Then the test still checks the end.
    deleted = tenant.client.delete(f"/audiences/{here}").headers["Change-Id"]

    for _ in range(2):
        assert leads_of(tenant, deleted, limit=3) == [(lead, False) for lead in leads]
        assert kinds(tenant.walk(f"/prospects/{leads[4]}/changes")) == ["delete_audience", "copy", "add"]
        assert change(tenant, deleted)["leadCount"] == 7
        on_database(service.database_url, empty_deleted_audiences)

    data_of(tenant.client.delete(f"/prospects/{leads[0]}"))
    assert leads_of(tenant, deleted)[0] == (ERASED, False)


def test_a_lead_that_is_erased_before_its_deleted_audience_is_empty_keeps_its_place(tenant: Tenant) -> None:
    here = tenant.create_audience()
    leads = tenant.add_leads(here, 3)
    deleted = tenant.client.delete(f"/audiences/{here}").headers["Change-Id"]

    data_of(tenant.client.delete(f"/prospects/{leads[1]}"))
    on_database(tenant.service.database_url, empty_deleted_audiences)

    assert sorted(leads_of(tenant, deleted)) == sorted([(ERASED, False), (leads[0], False), (leads[2], False)])


# ------------------------------------------------------------------------------------------ forgetting


def test_an_erased_lead_is_in_no_list_any_more(tenant: Tenant, settle: Callable[[], None]) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 2)
    moved = tenant.move(here, there, leads).headers["Change-Id"]
    settle()

    data_of(tenant.client.delete(f"/prospects/{leads[0]}"))

    for _ in range(2):
        assert tenant.walk("/changes", prospectId=leads[0]) == []
        assert leads_of(tenant, moved) == [(ERASED, False), (leads[1], False)]
        assert kinds(tenant.walk("/changes", kind="erase")) == ["erase"]
        index_all(tenant)
    key = str(key_of(leads[0]))
    for table, column in (("changes", "lead_ids"), ("change_parts", "lead_ids"), ("change_subjects", "subject")):
        assert tenant.sql(f"SELECT 1 FROM {table} WHERE CAST({column} AS text) LIKE $1", f"%{key}%") == []


def test_old_changes_lose_the_ids_of_their_leads_and_keep_their_numbers(tenant: Tenant) -> None:
    here, there = tenant.create_audience(), tenant.create_audience()
    leads = tenant.add_leads(here, 3)
    moved = tenant.move(here, there, leads[:2]).headers["Change-Id"]
    deleted = tenant.client.delete(f"/audiences/{here}").headers["Change-Id"]
    on_database(tenant.service.database_url, empty_deleted_audiences)
    before = tenant.walk("/changes")

    async def expire(db: Any) -> None:
        # A change that is not in the index yet keeps its leads until it is.
        assert await expire_changes(db, keep_days=1) == 0
        while await index_changes(db):
            pass
        while await expire_changes(db, keep_days=-1):
            pass

    on_database(tenant.service.database_url, expire)

    assert tenant.walk("/changes") == before
    assert leads_of(tenant, moved) == leads_of(tenant, deleted) == []
    assert tenant.walk(f"/prospects/{leads[0]}/changes") == []
    assert kinds(tenant.walk("/changes", audienceId=there)) == ["move"]
    assert data_of(tenant.client.get(f"/moves/{moved}"))["leadIds"] == []
    for table in ("change_parts", "change_subjects"):
        lead_rows = f"SELECT 1 FROM {table} WHERE account_group_id = $1"
        if table == "change_subjects":
            lead_rows += " AND subject > 100"
        assert tenant.sql(lead_rows, tenant.number) == []
    later = add(tenant, there, "later@example.com").headers["Change-Id"]
    assert len(leads_of(tenant, later)) == 1
