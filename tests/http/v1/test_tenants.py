"""Two account groups whose rows carry the SAME ids: no route shows or changes a row of the other one."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import ForeignKeyConstraint, Table

from leadyard.clock import now_ms
from leadyard.http.caller import Door
from leadyard.ids import new_id
from leadyard.store.tables import metadata
from tests.answers import UNKNOWN_ID, data_of, refusal
from tests.routes import EVERY_ROUTE, method_of
from tests.service import Service, Tenant, make_tenant

B_ONLY = "belongs to the twin"
TENANT_TABLES: list[Table] = [
    table
    for table in metadata.sorted_tables
    if "account_group_id" in table.columns and table.name != "api_key_account_groups"
]
INTEGRITY_ERRORS = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)


@dataclass
class Twins:
    """Two tenants with the same ids. The twin has one lead more, other names, and jobs in another state."""

    a: Tenant
    b: Tenant
    source: str
    target: str
    populated: str
    folder: str
    leads: list[str]
    move: str
    job: str
    b_only_audience: str
    b_only_lead: str
    b_only_folder: str


@pytest.fixture
def twins(service: Service) -> Twins:
    a, b = make_tenant(service, "A"), make_tenant(service, B_ONLY)
    source, target, populated = (a.create_audience(name) for name in ("Source", "Target", "Populated"))
    leads = a.add_leads(source, 6)
    move = a.move(source, target, leads[:2]).headers["Move-Id"]
    job = a.insert_job(populated)
    folder = new_id()
    a.sql(
        "INSERT INTO folders (account_group_id, id, name, audience_type, is_pinned, position, created_at, updated_at)"
        " VALUES ($1, $2, 'Folder', 'on_demand', false, 0, 1, 1)",
        a.account_group_id,
        folder,
    )
    a.sql(
        "UPDATE audiences SET folder_id = $1 WHERE account_group_id = $2 AND id = $3",
        folder,
        a.account_group_id,
        source,
    )
    a.sql("UPDATE leads SET provider_id = 'a/b' WHERE account_group_id = $1 AND id = $2", a.account_group_id, leads[0])
    insert_rows_of_jobs(a, job)
    for table in TENANT_TABLES:
        copy_rows(table, a, b)
    return _make_b_differ(
        Twins(a, b, source, target, populated, folder, leads, move, job, new_id(), new_id(), new_id())
    )


def insert_rows_of_jobs(a: Tenant, job: str) -> None:
    """Gives the tenant a row in each of the tables around jobs."""
    group, upload, later = a.account_group_id, new_id(), now_ms() + 3_600_000
    for text, values in (
        ("job_rejections VALUES ($1, $2, 1, 2, 'INVALID_EMAIL', 'Wrong.', '[]')", (group, job)),
        ("uploads VALUES ($1, $2, 1, 'a', 1, $3)", (group, upload, later)),
        ("upload_pieces VALUES ($1, $2, 0, $3)", (group, upload, b"a")),
        ("idempotency_answers VALUES ($1, 'key', 'fingerprint', 'token', 200, '{}', '{}', NULL, $2)", (group, later)),
    ):
        a.sql(f"INSERT INTO {text}", *values)


def copy_rows(table: Table, a: Tenant, b: Tenant) -> None:
    """Gives the twin the same rows. A table of which the first has none fails here: add a row above."""
    columns = ", ".join(column.name for column in table.columns if column.name != "account_group_id")
    assert a.sql(f"SELECT 1 FROM {table.name} WHERE account_group_id = $1", a.account_group_id), table.name
    a.sql(
        f"INSERT INTO {table.name} (account_group_id, {columns})"
        f" SELECT CAST($1 AS text), {columns} FROM {table.name} WHERE account_group_id = $2",
        b.account_group_id,
        a.account_group_id,
    )


def _make_b_differ(twins: Twins) -> Twins:
    b, group = twins.b, twins.b.account_group_id
    b.sql("UPDATE audiences SET name = $1, description = $1 WHERE account_group_id = $2", B_ONLY, group)
    b.sql("UPDATE folders SET name = $1 WHERE account_group_id = $2", B_ONLY, group)
    b.sql("UPDATE leads SET first_name = $1, last_name = NULL WHERE account_group_id = $2", B_ONLY, group)
    b.end_job(twins.job)
    b.sql("UPDATE jobs SET error_code = 'X', error_message = $1 WHERE account_group_id = $2", B_ONLY, group)
    b.sql("UPDATE job_rejections SET message = $1 WHERE account_group_id = $2", B_ONLY, group)
    b.insert_job(twins.source, "failed")
    b.insert_job(twins.target, "queued")
    b.sql(
        "INSERT INTO folders (account_group_id, id, name, audience_type, is_pinned, position, created_at, updated_at)"
        " SELECT account_group_id, $1, name, audience_type, is_pinned, 1, 1, 1"
        " FROM folders WHERE account_group_id = $2",
        twins.b_only_folder,
        group,
    )
    b.sql(
        "INSERT INTO leads (account_group_id, id, email, first_name, custom_fields, created_at)"
        " VALUES ($1, $2, 'only-the-twin@example.com', $3, '{}', 1)",
        group,
        twins.b_only_lead,
        B_ONLY,
    )
    b.sql(
        "INSERT INTO audiences (account_group_id, id, name, type, prospect_count, created_at, changed_at)"
        " VALUES ($1, $2, $3, 'on_demand', 1, 1, 1)",
        group,
        twins.b_only_audience,
        B_ONLY,
    )
    for audience in (twins.b_only_audience, twins.source):
        b.sql("INSERT INTO memberships VALUES ($1, $2, $3, 1)", group, audience, twins.b_only_lead)
    b.sql(
        "UPDATE audiences SET prospect_count = prospect_count + 1 WHERE account_group_id = $1 AND id = $2",
        group,
        twins.source,
    )
    return twins


def rows_of(tenant: Tenant) -> dict[str, list[tuple[Any, ...]]]:
    """Returns every row of the account group."""
    return {
        table.name: sorted(
            tenant.sql(f"SELECT * FROM {table.name} WHERE account_group_id = $1", tenant.account_group_id), key=repr
        )
        for table in TENANT_TABLES
    }


_G = "/v1/accounts/{accountGroupId}"
Call = Callable[[Twins, Tenant], list[httpx.Response]]


def _create(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post("/audiences", json={"name": "New", "type": "on_demand"})]


def _list_audiences(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    first = tenant.client.get("/audiences", params={"limit": 1})
    rest = tenant.client.get("/audiences", params={"cursor": data_of(first)["nextCursor"]})
    return [first, rest]


def _get_audience(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/audiences/{each}") for each in (twins.source, twins.target, twins.populated)]


def _list_prospects(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    ids = (twins.source, twins.target, twins.populated)
    return [tenant.client.get(f"/audiences/{each}/prospects") for each in ids]


def _add_prospects(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    people = [{"email": f"lead-{n}@example.com", "title": "Filled"} for n in range(6)]
    people += [{"email": "only-the-twin@example.com"}, {"email": "new@example.com"}, {"phone": "1"}]
    return [
        tenant.client.post(f"/audiences/{each}/prospects", json={"prospects": people})
        for each in (twins.source, twins.target, twins.populated)
    ]


def _move(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [
        tenant.move(twins.source, twins.target, [*twins.leads[2:], twins.b_only_lead]),
        tenant.move(twins.source, twins.populated, twins.leads[2:4]),
        tenant.move(twins.source, twins.target, twins.leads[2:4]),
        tenant.move(twins.target, twins.source, twins.leads[:1]),
    ]


def _list_moves(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get("/moves")]


def _get_move(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/moves/{twins.move}")]


def _list_accounts(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"{tenant.service.base_url}/v1/accounts")]


def _navigation(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get("/audiences/navigation")]


def _create_folder(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post("/audiences/folders", json={"name": "New", "audienceType": "on_demand"})]


def _update_folder(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    changes = {"isPinned": True, "position": 0}
    return [tenant.client.patch(f"/audiences/folders/{f}", json=changes) for f in (twins.folder, twins.b_only_folder)]


def _delete_folder(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.delete(f"/audiences/folders/{each}") for each in (twins.folder, twins.b_only_folder)]


def _update_audience(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    ids = (twins.source, twins.populated)
    return [tenant.client.patch(f"/audiences/{each}", json={"description": None}) for each in ids]


def _delete_audience(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.delete(f"/audiences/{each}") for each in (twins.source, twins.populated)]


def _move_to_folder(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    pairs = ((twins.source, twins.folder), (twins.source, twins.b_only_folder), (twins.target, twins.folder))
    return [tenant.client.post(f"/audiences/{a}/move-to-folder", json={"folderId": f}) for a, f in pairs]


def _remove_from_folder(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post(f"/audiences/{each}/remove-from-folder") for each in (twins.source, twins.populated)]


def _export(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/audiences/{each}/prospects.csv") for each in (twins.source, twins.populated)]


def _by_provider_id(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get("/prospects/by-provider-id/a/b")]


def _get_lead(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/prospects/{each}") for each in (twins.leads[0], twins.b_only_lead)]


def _update_lead(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    ids = (twins.leads[0], twins.b_only_lead)
    return [tenant.client.patch(f"/prospects/{each}", json={"title": "Changed"}) for each in ids]


def _erase_lead(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.delete(f"/prospects/{each}") for each in (twins.leads[0], twins.b_only_lead)]


def _upload(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post("/uploads", content=b"email\n", headers={"Content-Type": "text/csv"})]


def _sales_navigator(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/sales-navigator/{each}") for each in ("lead-lists", "saved-searches")]


def _start(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    urls = {"type": "url_upload", "profileUrls": ["https://www.linkedin.com/in/ada"]}
    ids = (twins.source, twins.target, twins.populated, UNKNOWN_ID)
    return [tenant.client.post("/prospecting", json={**urls, "audience": {"id": each}}) for each in ids]


def _list_jobs(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get("/prospecting")]


def _get_job(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/prospecting/{twins.job}")]


def _cancel(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post(f"/prospecting/{twins.job}/cancel")]


def _rejected(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/prospecting/{twins.job}/rejected.csv")]


# What A calls, and the statuses A gets when nothing of the twin shines through. A route that is not here fails.
CALLS: dict[tuple[str, str], tuple[Call, list[int]]] = {
    ("GET", "/v1/accounts"): (_list_accounts, [200]),
    ("GET", f"{_G}/audiences"): (_list_audiences, [200, 200]),
    ("POST", f"{_G}/audiences"): (_create, [201]),
    ("GET", f"{_G}/audiences/{{audienceId}}"): (_get_audience, [200, 200, 409]),
    ("GET", f"{_G}/audiences/{{audienceId}}/prospects"): (_list_prospects, [200, 200, 409]),
    ("POST", f"{_G}/audiences/{{audienceId}}/prospects"): (_add_prospects, [200, 200, 409]),
    ("POST", f"{_G}/audiences/{{audienceId}}/move-leads"): (_move, [422, 409, 200, 200]),
    ("GET", f"{_G}/audiences/navigation"): (_navigation, [200]),
    ("POST", f"{_G}/audiences/folders"): (_create_folder, [201]),
    ("PATCH", f"{_G}/audiences/folders/{{folderId}}"): (_update_folder, [200, 404]),
    ("DELETE", f"{_G}/audiences/folders/{{folderId}}"): (_delete_folder, [200, 404]),
    ("PATCH", f"{_G}/audiences/{{audienceId}}"): (_update_audience, [200, 409]),
    ("DELETE", f"{_G}/audiences/{{audienceId}}"): (_delete_audience, [200, 409]),
    ("POST", f"{_G}/audiences/{{audienceId}}/move-to-folder"): (_move_to_folder, [200, 404, 200]),
    ("POST", f"{_G}/audiences/{{audienceId}}/remove-from-folder"): (_remove_from_folder, [200, 409]),
    ("GET", f"{_G}/audiences/{{audienceId}}/prospects.csv"): (_export, [200, 409]),
    ("GET", f"{_G}/prospects/by-provider-id/{{providerId}}"): (_by_provider_id, [200]),
    ("GET", f"{_G}/prospects/{{prospectId}}"): (_get_lead, [200, 404]),
    ("PATCH", f"{_G}/prospects/{{prospectId}}"): (_update_lead, [200, 404]),
    ("DELETE", f"{_G}/prospects/{{prospectId}}"): (_erase_lead, [200, 404]),
    ("POST", f"{_G}/uploads"): (_upload, [201]),
    # Nothing of ours is behind these: whose lists a provider shows is tested with a provider.
    ("GET", f"{_G}/sales-navigator/lead-lists"): (_sales_navigator, [422, 422]),
    ("GET", f"{_G}/sales-navigator/saved-searches"): (_sales_navigator, [422, 422]),
    ("POST", f"{_G}/prospecting"): (_start, [202, 202, 409, 404]),
    ("GET", f"{_G}/prospecting"): (_list_jobs, [200]),
    ("GET", f"{_G}/prospecting/{{jobId}}"): (_get_job, [200]),
    ("POST", f"{_G}/prospecting/{{jobId}}/cancel"): (_cancel, [200]),
    ("GET", f"{_G}/prospecting/{{jobId}}/rejected.csv"): (_rejected, [200]),
    ("GET", f"{_G}/moves"): (_list_moves, [200]),
    ("GET", f"{_G}/moves/{{moveId}}"): (_get_move, [200]),
}


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_a_route_neither_shows_nor_changes_the_rows_of_a_twin_with_the_same_ids(twins: Twins, route: Door) -> None:
    call, statuses = CALLS[method_of(route), route.path_format]
    before = rows_of(twins.b)

    answers = call(twins, twins.a)

    assert [answer.status_code for answer in answers] == statuses, [answer.text for answer in answers]
    for answer in answers:
        assert B_ONLY not in answer.text
        assert twins.b.account_group_id not in answer.text
        assert twins.b_only_audience not in answer.text
        # A refusal may name an id that the request has named.
        if answer.status_code not in (404, 422):
            assert twins.b_only_lead not in answer.text
    assert rows_of(twins.b) == before


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_the_twin_itself_is_answered_from_its_own_rows(twins: Twins, route: Door) -> None:
    """Without this the test above could pass because the twin's rows are out of everybody's reach."""
    call, _ = CALLS[method_of(route), route.path_format]
    before = rows_of(twins.a)

    answers = call(twins, twins.b)

    if route.path_format.endswith(("/moves", "/moves/{moveId}")):
        assert all(answer.status_code == 200 and twins.move in answer.text for answer in answers)
    elif call is _move:
        # Where A is refused for the job that populates `populated`, the twin is for the one that populates `target`.
        assert [answer.status_code for answer in answers] == [409, 200, 409, 409]
    elif call is _add_prospects:
        assert [answer.status_code for answer in answers] == [200, 409, 200]
        assert (data_of(answers[0])["matched"], data_of(answers[0])["created"]) == (7, 2)
    elif call in (_delete_folder, _delete_audience, _erase_lead):
        assert [answer.status_code for answer in answers] == [200, 200]
    elif call is _start:
        assert [answer.status_code for answer in answers] == [202, 409, 202, 404]
    elif call is _list_jobs:
        assert len(data_of(answers[0])["items"]) == 3
    elif call is _cancel:
        assert [answer.status_code for answer in answers] == [422]
    elif call not in (_create, _create_folder, _upload, _sales_navigator):
        assert any(B_ONLY in answer.text for answer in answers)
    assert rows_of(twins.a) == before


def test_counts_and_members_are_each_ones_own(twins: Twins) -> None:
    data_of(twins.a.move(twins.source, twins.target, twins.leads[2:]))

    assert (twins.a.count(twins.source), twins.a.members(twins.source)) == (0, [])
    assert twins.a.members(twins.target) == twins.leads
    assert twins.b.count(twins.source) == 5
    assert twins.b.members(twins.source) == [*twins.leads[2:], twins.b_only_lead]


def test_what_only_the_twin_has_is_not_found(twins: Twins) -> None:
    a, audience = twins.a, twins.b_only_audience
    before = rows_of(twins.a), rows_of(twins.b)

    refusal(a.client.get(f"/audiences/{audience}"), 404, "NOT_FOUND")
    refusal(a.client.get(f"/audiences/{audience}/prospects"), 404, "NOT_FOUND")
    people = {"prospects": [{"email": "only-the-twin@example.com"}]}
    refusal(a.client.post(f"/audiences/{audience}/prospects", json=people), 404, "NOT_FOUND")
    refusal(a.move(audience, twins.target, [twins.b_only_lead]), 404, "NOT_FOUND")
    refusal(a.move(twins.source, audience, twins.leads[2:]), 404, "NOT_FOUND")
    error = refusal(a.move(twins.source, twins.target, [twins.b_only_lead]), 422, "LEADS_NOT_IN_SOURCE")

    assert error["leadIds"] == [twins.b_only_lead]
    assert (rows_of(twins.a), rows_of(twins.b)) == before


def test_a_key_of_one_twin_does_not_open_the_other(twins: Twins) -> None:
    before = rows_of(twins.b)
    client = twins.b.new_client(twins.a.key)
    refusal(client.get(f"/audiences/{twins.source}"), 403, "FORBIDDEN")
    refusal(twins.b.move(twins.source, twins.populated, twins.leads[2:], client), 403, "FORBIDDEN")
    assert rows_of(twins.b) == before


# ---------------------------------------------------------------------------------------------------------- the schema


def test_no_row_can_join_what_belongs_to_two_account_groups(twins: Twins) -> None:
    a, group = twins.a, twins.a.account_group_id
    membership = "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at) VALUES ($1, $2, $3, 1)"
    job = (
        "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
        " VALUES ($1, $2, 'url_upload', 'completed', $3, 1, 1)"
    )
    into_folder = "UPDATE audiences SET folder_id = $1 WHERE account_group_id = $2 AND id = $3"
    crossing: list[tuple[str, tuple[str, ...]]] = [
        (membership, (group, twins.b_only_audience, twins.leads[0])),
        (membership, (group, twins.target, twins.b_only_lead)),
        (membership, (group, twins.b_only_audience, twins.b_only_lead)),
        (job, (group, new_id(), twins.b_only_audience)),
        (into_folder, (twins.b_only_folder, group, twins.target)),
    ]
    for text, values in crossing:
        with pytest.raises(INTEGRITY_ERRORS):
            a.sql(text, *values)
    # The very same statements pass when everything belongs to one group.
    a.sql(membership, group, twins.target, twins.leads[2])
    a.sql(job, group, new_id(), twins.target)
    a.sql(into_folder, twins.folder, group, twins.target)


def test_every_key_of_a_tenants_table_begins_with_the_account_group() -> None:
    assert {table.name for table in TENANT_TABLES} >= {"audiences", "leads", "memberships", "moves", "jobs", "folders"}
    tenant_tables = {table.name for table in TENANT_TABLES}
    for table in TENANT_TABLES:
        assert next(iter(table.primary_key.columns)).name == "account_group_id"
        for constraint in table.constraints:
            if isinstance(constraint, ForeignKeyConstraint) and constraint.referred_table.name in tenant_tables:
                first = constraint.elements[0]
                assert (first.parent.name, first.column.name) == ("account_group_id", "account_group_id")
        for index in table.indexes:
            # One that is not unique only helps to find rows, and may have another column first.
            assert not index.unique or next(iter(index.columns)).name == "account_group_id"
