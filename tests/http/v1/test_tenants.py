"""Two account groups whose rows have the SAME ids: no route shows or changes a row of the other one."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass

import apsw
import asyncpg
import httpx
import pytest
from sqlalchemy import ForeignKeyConstraint, Table

from leadyard.clock import now_ms
from leadyard.http.request.route import Route
from leadyard.ids import id_of, key_of, new_id, number_of
from leadyard.model import Profile
from leadyard.people.searching import searched_line
from leadyard.secret_key import SecretKey
from rig.answers import UNKNOWN_ID, data_of, refusal
from rig.routes import EVERY_ROUTE
from rig.rows import TENANT_TABLES, rows_of
from rig.secret_key import SECRET_KEY
from rig.service import Service, Tenant, make_tenant
from rig.transfers import transfer_body

B_ONLY = "belongs to the twin"
SUPPRESSED = "0f" * 32
INTEGRITY_ERRORS = (apsw.ConstraintError, asyncpg.IntegrityConstraintViolationError)


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
    webhook: str
    delivery: str
    transfer: str
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
    transfer = a.insert_job(target, "completed")
    a.sql("UPDATE jobs SET kind = 'transfer', type = 'remove', stage = 'apply' WHERE id = $1", key_of(transfer))
    folder = new_id()
    a.sql(
        "INSERT INTO folders (account_group_id, id, name, audience_type, is_pinned, position, created_at, updated_at)"
        " VALUES ($1, $2, 'Folder', 'on_demand', false, 0, 1, 1)",
        a.number,
        key_of(folder),
    )
    a.sql(
        "UPDATE audiences SET folder_id = $1 WHERE account_group_id = $2 AND id = $3",
        key_of(folder),
        a.number,
        key_of(source),
    )
    a.sql("UPDATE leads SET provider_id = 'a/b' WHERE account_group_id = $1 AND id = $2", a.number, key_of(leads[0]))
    insert_rows_of_jobs(a, job)
    webhook = data_of(a.client.post("/webhooks", json={"url": "https://receiver.invalid/"}), 201)["id"]
    delivery = new_id()
    a.sql(
        "INSERT INTO webhook_deliveries (account_group_id, webhook_id, event_id, type, status, tries, attempts)"
        """ VALUES ($1, $2, $3, 'leads.moved', 'failed', 1, '[{"at": 1, "status": 500, "ms": 1, "error": "X"}]')""",
        a.number,
        key_of(webhook),
        key_of(delivery),
    )
    for table in TENANT_TABLES:
        copy_rows(table, a, b)
    return _make_b_differ(
        Twins(
            *(a, b, source, target, populated, folder, leads, move, job, webhook, delivery, transfer),
            *(new_id(), new_id(), new_id()),
        )
    )


_UPLOADED = b"Email\n" + b"a@b.example".ljust(len(B_ONLY))


def insert_rows_of_jobs(a: Tenant, job: str) -> None:
    """Gives the tenant a row in each of the tables around jobs."""
    group, upload, later = a.number, key_of(new_id()), now_ms() + 3_600_000
    for text, values in (
        ("job_rejections VALUES ($1, $2, 1, 2, 'INVALID_EMAIL', 'Wrong.', '[]', false, 0, NULL)", (group, key_of(job))),
        ("uploads VALUES ($1, $2, 25, 'a', NULL, 1, $3)", (group, upload, later)),
        ("upload_pieces VALUES ($1, $2, 0, $3)", (group, upload, _UPLOADED)),
        ("change_subjects VALUES ($1, 1, 1)", (group,)),
        ("lead_identities VALUES ($1, 'email', 'merged@example.com', 1)", (group,)),
        ("idempotency_answers VALUES ($1, 'key', 'fingerprint', 200, '{}', '{}', NULL, $2)", (group, later)),
    ):
        a.sql(f"INSERT INTO {text}", *values)
    a.sql(
        "INSERT INTO change_parts (account_group_id, change_id, position, changed_at, lead_ids)"
        " SELECT account_group_id, id, 0, 1, lead_ids FROM changes WHERE account_group_id = $1 AND kind = 'move'",
        group,
    )
    a.sql(
        "INSERT INTO replaced_values (account_group_id, change_id, lead_id, field, old_value, new_value)"
        " SELECT account_group_id, id, 1, 'title', 'before', 'after' FROM changes"
        " WHERE account_group_id = $1 AND kind = 'move'",
        group,
    )
    a.sql("INSERT INTO suppression_lists VALUES ($1, 1, $2)", group, SecretKey(SECRET_KEY).check_value)
    a.sql("INSERT INTO suppressions (account_group_id, hash, id, created_at) VALUES ($1, $2, 1, 1)", group, SUPPRESSED)
    a.sql(
        "INSERT INTO withdrawn_leads (account_group_id, change_id, lead_id, created_at, profile)"
        """ SELECT account_group_id, id, 1, 1, '{"custom": {}}' FROM changes"""
        " WHERE account_group_id = $1 AND kind = 'add'",
        group,
    )


def copy_rows(table: Table, a: Tenant, b: Tenant) -> None:
    """Gives the twin the same rows. It fails for a table in which the first has none: add a row above."""
    columns = ", ".join(column.name for column in table.columns if column.name != "account_group_id")
    assert a.sql(f"SELECT 1 FROM {table.name} WHERE account_group_id = $1", a.number), table.name
    a.sql(
        f"INSERT INTO {table.name} (account_group_id, {columns})"
        f" SELECT CAST($1 AS integer), {columns} FROM {table.name} WHERE account_group_id = $2",
        b.number,
        a.number,
    )


def _make_b_differ(twins: Twins) -> Twins:
    b, group = twins.b, twins.b.number
    b.sql("UPDATE audiences SET name = $1, description = $1 WHERE account_group_id = $2", B_ONLY, group)
    b.sql("UPDATE folders SET name = $1 WHERE account_group_id = $2", B_ONLY, group)
    b.sql("UPDATE leads SET first_name = $1, last_name = NULL WHERE account_group_id = $2", B_ONLY, group)
    b.end_job(twins.job)
    b.sql("UPDATE jobs SET error_code = 'X', error_message = $1 WHERE account_group_id = $2", B_ONLY, group)
    b.sql("UPDATE upload_pieces SET content = $1 WHERE account_group_id = $2", f"Email\n{B_ONLY}".encode(), group)
    b.sql("UPDATE job_rejections SET message = $1 WHERE account_group_id = $2", B_ONLY, group)
    b.sql("UPDATE replaced_values SET old_value = $1 WHERE account_group_id = $2", B_ONLY, group)
    b.sql("UPDATE suppressions SET reason = $1 WHERE account_group_id = $2", B_ONLY, group)
    b.sql("UPDATE webhooks SET description = $1 WHERE account_group_id = $2", B_ONLY, group)
    attempts = f'[{{"at": 1, "status": 500, "ms": 1, "error": "{B_ONLY}"}}]'
    b.sql("UPDATE webhook_deliveries SET attempts = $1 WHERE account_group_id = $2", attempts, group)
    b.insert_job(twins.source, "failed")
    b.insert_job(twins.target, "queued")
    b.sql(
        "INSERT INTO event_outbox (account_group_id, id, type, occurred_at, data) VALUES ($1, 1, $2, 1, $3)",
        group,
        "prospect.updated",
        json.dumps({"prospectId": twins.b_only_lead}),
    )
    b.sql(
        "INSERT INTO folders (account_group_id, id, name, audience_type, is_pinned, position, created_at, updated_at)"
        " SELECT account_group_id, $1, name, audience_type, is_pinned, 1, 1, 1"
        " FROM folders WHERE account_group_id = $2",
        key_of(twins.b_only_folder),
        group,
    )
    b.sql(
        "INSERT INTO leads (account_group_id, id, email, first_name, search_block_id, created_at)"
        " VALUES ($1, $2, 'only-the-twin@example.com', $3, 1, 1)",
        group,
        key_of(twins.b_only_lead),
        B_ONLY,
    )
    b.sql(
        "INSERT INTO search_blocks (account_group_id, id, first_lead_id, last_lead_id, is_small, lead_ids, lines)"
        " VALUES ($1, 1, $2, $2, false, $3, $4)",
        group,
        key_of(twins.b_only_lead),
        struct.pack(">q", key_of(twins.b_only_lead)),
        searched_line(Profile(email="only-the-twin@example.com", first_name=B_ONLY)),
    )
    b.sql(
        "INSERT INTO audiences (account_group_id, id, number, name, type, prospect_count, created_at, changed_at)"
        " VALUES ($1, $2, $3, $4, 'on_demand', 1, 1, 1)",
        group,
        key_of(twins.b_only_audience),
        number_of(twins.b_only_audience),
        B_ONLY,
    )
    b.expect_members_without_record()
    for audience in (twins.b_only_audience, twins.source):
        b.sql(
            "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at) VALUES ($1, $2, $3, 1)",
            group,
            number_of(audience),
            key_of(twins.b_only_lead),
        )
    b.sql(
        "UPDATE audiences SET prospect_count = prospect_count + 1 WHERE account_group_id = $1 AND id = $2",
        group,
        key_of(twins.source),
    )
    return twins


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


def _copy(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [
        tenant.client.post(f"/audiences/{source}/copy-leads", json={"targetAudienceId": twins.target, "leadIds": leads})
        for source, leads in (
            (twins.source, [twins.b_only_lead]),
            (twins.populated, twins.leads[:1]),
            (twins.source, twins.leads[2:4]),
        )
    ]


def _remove(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [
        tenant.client.post(f"/audiences/{source}/remove-leads", json={"leadIds": leads})
        for source, leads in (
            (twins.source, [twins.b_only_lead]),
            (twins.populated, twins.leads[:1]),
            (twins.source, twins.leads[2:4]),
        )
    ]


def _list_changes(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    filters: list[dict[str, str]] = [
        {},
        {"audienceId": twins.source},
        {"prospectId": twins.leads[0]},
        {"prospectId": twins.b_only_lead},
    ]
    return [tenant.client.get("/changes", params=each) for each in filters]


def _get_change(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/changes/{twins.move}")]


def _changed_prospects(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/changes/{twins.move}/prospects")]


def _start_transfer(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    bodies = [
        transfer_body("move", twins.source, twins.populated),
        transfer_body("copy", twins.source, twins.target),
        transfer_body("remove", twins.b_only_audience),
    ]
    return [tenant.client.post("/transfers", json=body) for body in bodies]


def _list_transfers(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get("/transfers")]


def _get_transfer(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/transfers/{twins.transfer}")]


def _cancel_transfer(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post(f"/transfers/{twins.transfer}/cancel")]


def _replaced_values(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/changes/{twins.move}/replaced-values")]


def _suppress(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    people = [{"email": "only-the-twin@example.com"}, {"email": "lead-0@example.com"}]
    return [tenant.client.post("/suppressions", json={"prospects": people})]


def _list_suppressions(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get("/suppressions")]


def _delete_suppression(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.delete(f"/suppressions/{SUPPRESSED}")]


def _undo(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post(f"/changes/{twins.move}/undo")]


def _prospect_changes(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/prospects/{each}/changes") for each in (twins.leads[0], twins.b_only_lead)]


def _list_events(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    filters: list[dict[str, str]] = [{}, {"audienceId": twins.source}, {"types": "prospect.updated"}]
    return [tenant.client.get("/events", params={"from": "start", "limit": "200", **each}) for each in filters]


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


def _find(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    filters: list[dict[str, str]] = [{}, {"q": "only the twin"}, {"email": "only-the-twin@example.com"}]
    return [tenant.client.get("/prospects", params=each) for each in filters]


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


def _preview(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    [(upload,)] = tenant.sql("SELECT id FROM uploads WHERE account_group_id = $1", tenant.number)
    return [tenant.client.post(f"/uploads/{each}/preview", json={}) for each in (id_of(upload), UNKNOWN_ID)]


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


# A's calls, and the statuses A gets when no row of the twin shows. A route that is missing here fails the test.
def _merge(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [
        tenant.client.post(f"/prospects/{kept}/merge", json={"prospectId": other})
        for kept, other in ((twins.leads[0], twins.b_only_lead), (twins.b_only_lead, twins.leads[1]), twins.leads[2:4])
    ]


def _duplicates(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get("/duplicates")]


def _create_webhook(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post("/webhooks", json={"url": "https://receiver.invalid/"})]


def _list_webhooks(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get("/webhooks")]


def _get_webhook(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/webhooks/{twins.webhook}")]


def _update_webhook(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.patch(f"/webhooks/{twins.webhook}", json={"status": "paused"})]


def _delete_webhook(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.delete(f"/webhooks/{twins.webhook}")]


def _rotate_secret(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post(f"/webhooks/{twins.webhook}/rotate-secret")]


def _test_webhook(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post(f"/webhooks/{twins.webhook}/test")]


def _list_deliveries(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.get(f"/webhooks/{twins.webhook}/deliveries")]


def _redeliver(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post(f"/webhooks/{twins.webhook}/deliveries/{twins.delivery}/redeliver")]


def _replay(twins: Twins, tenant: Tenant) -> list[httpx.Response]:
    return [tenant.client.post(f"/webhooks/{twins.webhook}/replay", json={"from": "2026-01-01T00:00:00Z"})]


CALLS: dict[str, tuple[Call, list[int]]] = {
    "list_accounts": (_list_accounts, [200]),
    "list_audiences": (_list_audiences, [200, 200]),
    "create_audience": (_create, [201]),
    "get_audience": (_get_audience, [200, 200, 409]),
    "list_prospects": (_list_prospects, [200, 200, 409]),
    "add_prospects": (_add_prospects, [200, 200, 409]),
    "move_leads": (_move, [422, 409, 200, 200]),
    "get_navigation": (_navigation, [200]),
    "create_folder": (_create_folder, [201]),
    "update_folder": (_update_folder, [200, 404]),
    "delete_folder": (_delete_folder, [200, 404]),
    "update_audience": (_update_audience, [200, 409]),
    "delete_audience": (_delete_audience, [200, 409]),
    "move_to_folder": (_move_to_folder, [200, 404, 200]),
    "remove_from_folder": (_remove_from_folder, [200, 409]),
    "export_prospects": (_export, [200, 409]),
    "find_prospects": (_find, [200, 200, 200]),
    "find_by_provider_id": (_by_provider_id, [200]),
    "get_prospect": (_get_lead, [200, 404]),
    "update_prospect": (_update_lead, [200, 404]),
    "delete_prospect": (_erase_lead, [200, 404]),
    "list_duplicates": (_duplicates, [200]),
    "merge_prospects": (_merge, [404, 404, 200]),
    "create_upload": (_upload, [201]),
    "preview_upload": (_preview, [200, 404]),
    # There are no rows of ours behind these: the tests with a provider check whose lists it shows.
    "list_lead_lists": (_sales_navigator, [422, 422]),
    "list_saved_searches": (_sales_navigator, [422, 422]),
    "start_prospecting": (_start, [202, 202, 409, 404]),
    "list_prospecting": (_list_jobs, [200]),
    "get_prospecting": (_get_job, [200]),
    "cancel_prospecting": (_cancel, [200]),
    "export_rejected": (_rejected, [200]),
    "copy_leads": (_copy, [422, 409, 200]),
    "remove_leads": (_remove, [422, 409, 200]),
    "list_changes": (_list_changes, [200, 200, 200, 200]),
    "get_change": (_get_change, [200]),
    "list_changed_prospects": (_changed_prospects, [200]),
    "list_replaced_values": (_replaced_values, [200]),
    "suppress_prospects": (_suppress, [200]),
    "list_suppressions": (_list_suppressions, [200]),
    "delete_suppression": (_delete_suppression, [200]),
    "undo_change": (_undo, [200]),
    "start_transfer": (_start_transfer, [409, 202, 404]),
    "list_transfers": (_list_transfers, [200]),
    "get_transfer": (_get_transfer, [200]),
    "cancel_transfer": (_cancel_transfer, [422]),
    "list_prospect_changes": (_prospect_changes, [200, 404]),
    "list_events": (_list_events, [200, 200, 200]),
    "list_moves": (_list_moves, [200]),
    "get_move": (_get_move, [200]),
    "create_webhook": (_create_webhook, [201]),
    "list_webhooks": (_list_webhooks, [200]),
    "get_webhook": (_get_webhook, [200]),
    "update_webhook": (_update_webhook, [200]),
    "delete_webhook": (_delete_webhook, [200]),
    "rotate_secret": (_rotate_secret, [200]),
    "test_webhook": (_test_webhook, [200]),
    "list_deliveries": (_list_deliveries, [200]),
    "redeliver": (_redeliver, [200]),
    "replay_events": (_replay, [200]),
}


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_a_route_neither_shows_nor_changes_the_rows_of_a_twin_with_the_same_ids(twins: Twins, route: Route) -> None:
    call, statuses = CALLS[route.name]
    before = rows_of(twins.b)

    answers = call(twins, twins.a)

    assert [answer.status_code for answer in answers] == statuses, [answer.text for answer in answers]
    for answer in answers:
        assert B_ONLY not in answer.text
        assert twins.b.account_group_id not in answer.text
        # A refusal may contain an id that is in the request.
        if answer.status_code not in (404, 422):
            assert twins.b_only_audience not in answer.text
            assert twins.b_only_lead not in answer.text
    assert rows_of(twins.b) == before


@pytest.mark.parametrize("route", EVERY_ROUTE)
def test_the_twin_itself_is_answered_from_its_own_rows(twins: Twins, route: Route) -> None:
    """Without this the test above could pass because no client can reach the twin's rows."""
    call, _ = CALLS[route.name]
    before = rows_of(twins.a)

    answers = call(twins, twins.b)

    if route.path_format.endswith(("/moves", "/moves/{moveId}")):
        assert all(answer.status_code == 200 and twins.move in answer.text for answer in answers)
    elif route.path_format.endswith(("/changes", "/changes/{changeId}")):
        # The lists of its own lead are empty, because no change has added it.
        shows: dict[Call, list[bool]] = {
            _get_change: [True],
            _list_changes: [True, True, True, False],
            _prospect_changes: [True, False],
        }
        assert all(answer.status_code == 200 for answer in answers)
        assert [twins.move in answer.text for answer in answers] == shows[call]
    elif call is _list_events:
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        # Every tenant has its own feed, which the rows above are not part of.
        assert [twins.b_only_lead in answer.text for answer in answers] == [True, False, True]
    elif call is _copy:
        assert [answer.status_code for answer in answers] == [409, 409, 409]
    elif call is _move:
        # A is refused for the job that populates `populated`, the twin for the job that populates `target`.
        assert [answer.status_code for answer in answers] == [409, 200, 409, 409]
    elif call is _start_transfer:
        assert [answer.status_code for answer in answers] == [202, 409, 202]
    elif call is _cancel_transfer:
        assert [answer.status_code for answer in answers] == [422]
    elif call is _undo:
        assert [answer.status_code for answer in answers] == [409]
    elif call is _add_prospects:
        assert [answer.status_code for answer in answers] == [200, 409, 200]
        assert (data_of(answers[0])["matched"], data_of(answers[0])["created"]) == (7, 2)
    elif call in (_delete_folder, _delete_audience, _erase_lead):
        assert [answer.status_code for answer in answers] == [200, 200]
    elif call is _merge:
        # The first of them is in `target`, which a job populates.
        assert [answer.status_code for answer in answers] == [409, 409, 200]
    elif call is _start:
        assert [answer.status_code for answer in answers] == [202, 409, 202, 404]
    elif call is _list_jobs:
        assert len(data_of(answers[0])["items"]) == 3
    elif call is _test_webhook:
        # The copy of a secret cannot be decrypted in another account group.
        assert [answer.status_code for answer in answers] == [422]
    elif call is _delete_webhook:
        assert [answer.status_code for answer in answers] == [200]
    elif call is _cancel:
        assert [answer.status_code for answer in answers] == [422]
    elif call in (_suppress, _delete_suppression):
        assert [answer.status_code for answer in answers] == [200]
    elif call not in (_create_webhook, _create, _create_folder, _upload, _sales_navigator, _duplicates):
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
    a, group = twins.a, twins.a.number
    job = (
        "INSERT INTO jobs (account_group_id, id, type, status, audience_id, created_at, updated_at)"
        " VALUES ($1, $2, 'url_upload', 'completed', $3, 1, 1)"
    )
    into_folder = "UPDATE audiences SET folder_id = $1 WHERE account_group_id = $2 AND id = $3"
    crossing: list[tuple[str, tuple[int, ...]]] = [
        (job, (group, key_of(new_id()), key_of(twins.b_only_audience))),
        (into_folder, (key_of(twins.b_only_folder), group, key_of(twins.target))),
    ]
    for text, values in crossing:
        with pytest.raises(INTEGRITY_ERRORS):
            a.sql(text, *values)
    # The very same statements pass when everything belongs to one group.
    a.sql(job, group, key_of(new_id()), key_of(twins.target))
    a.sql(into_folder, key_of(twins.folder), group, key_of(twins.target))


def test_a_membership_in_an_audience_of_another_account_group_is_in_none_and_is_reported(twins: Twins) -> None:
    """No foreign key holds this, so the check-up has to."""
    a, number = twins.a, number_of(twins.b_only_audience)
    before = rows_of(twins.b), twins.b.members(twins.b_only_audience), twins.b.count(twins.b_only_audience)
    row = "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at) VALUES ($1, $2, $3, 1)"
    a.sql(row, a.number, number, key_of(twins.leads[0]))
    refusal(a.client.get(f"/audiences/{twins.b_only_audience}/prospects"), 404, "NOT_FOUND")
    assert twins.b_only_audience not in a.client.get(f"/prospects/{twins.leads[0]}").text
    assert (rows_of(twins.b), twins.b.members(twins.b_only_audience), twins.b.count(twins.b_only_audience)) == before
    findings = [each for each in a.service.doctor()["findings"] if each["accountGroupId"] == a.account_group_id]
    a.sql("DELETE FROM memberships WHERE account_group_id = $1 AND audience_id = $2", a.number, number)
    message = f"Lead {twins.leads[0]} is in an audience that does not exist, with the number {number}."
    assert [each["message"] for each in findings if each["check"] == "orphan"] == [message]


def test_a_lead_of_another_account_group_is_in_no_list_and_is_reported(twins: Twins) -> None:
    """No foreign key holds this either."""
    a, number, lead = twins.a, number_of(twins.target), twins.b_only_lead
    before = rows_of(twins.b)
    row = "INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at) VALUES ($1, $2, $3, 1)"
    a.sql(row, a.number, number, key_of(lead))
    for query in ({}, {"q": B_ONLY}, {"hasEmail": "true"}):
        assert lead not in a.client.get(f"/audiences/{twins.target}/prospects", params=query).text
    assert a.client.get(f"/prospects/{lead}").status_code == 404
    assert rows_of(twins.b) == before
    findings = [each for each in a.service.doctor()["findings"] if each["accountGroupId"] == a.account_group_id]
    a.sql("DELETE FROM memberships WHERE account_group_id = $1 AND lead_id = $2", a.number, key_of(lead))
    message = f"Lead {lead} in audience {twins.target} lacks its lead row."
    assert [each["message"] for each in findings if each["check"] == "orphan"] == [message]


def test_every_key_of_a_tenants_table_begins_with_the_account_group() -> None:
    assert {table.name for table in TENANT_TABLES} >= {
        "audiences",
        "leads",
        "memberships",
        "changes",
        "jobs",
        "folders",
    }
    tenant_tables = {table.name for table in TENANT_TABLES}
    for table in TENANT_TABLES:
        assert next(iter(table.primary_key.columns)).name == "account_group_id"
        for constraint in table.constraints:
            if isinstance(constraint, ForeignKeyConstraint) and constraint.referred_table.name in tenant_tables:
                first = constraint.elements[0]
                assert (first.parent.name, first.column.name) == ("account_group_id", "account_group_id")
        for index in table.indexes:
            # An index that is not unique only helps to find rows, and may have another column first.
            assert not index.unique or next(iter(index.columns)).name == "account_group_id"
