"""Idempotency-Key on every POST: done once, answered with the same bytes; refused for a different request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from leadyard.clock import now_ms
from leadyard.database import Database, Transaction
from leadyard.http.request.answering import answer as answer_once
from leadyard.http.request.route import Route
from leadyard.ids import key_of, new_id
from leadyard.model import Caller, Permission
from leadyard.operations import guards, uploads
from leadyard.operations.operation import writes
from rig.answers import data_of, refusal, violations
from rig.racing import Session, assert_exact, at_once, wait_until
from rig.routes import EVERY_ROUTE
from rig.service import Service, Tenant, make_tenant, on_database
from rig.transfers import start_transfer, transfer_body

# A POST that only reads does nothing twice, so a key has no effect on it.
EVERY_POST = [
    each
    for each in EVERY_ROUTE
    if each.values[0].method == "POST" and not each.values[0].only_reads  # type: ignore[union-attr]
]
_G = "/v1/accounts/{accountGroupId}"


@dataclass
class Yard:
    """A tenant with resources to use in a POST."""

    tenant: Tenant
    source: str
    target: str
    leads: list[str]
    folder: str
    job: str
    change: str
    webhook: str
    delivery: str


@pytest.fixture
def yard(tenant: Tenant) -> Yard:
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    folder = data_of(tenant.client.post("/audiences/folders", json={"name": "F", "audienceType": "on_demand"}), 201)
    start = {"type": "url_upload", "audience": {"name": "Job"}, "profileUrls": ["https://linkedin.com/in/somebody"]}
    job = data_of(tenant.client.post("/prospecting", json=start), 202)
    leads = tenant.add_leads(source, 3)
    elsewhere = {"targetAudienceId": tenant.create_audience("Copied"), "leadIds": leads[2:]}
    copied = tenant.client.post(f"/audiences/{source}/copy-leads", json=elsewhere).headers["Change-Id"]
    webhook = data_of(tenant.client.post("/webhooks", json={"url": "https://receiver.invalid/"}), 201)["id"]
    delivery = new_id()
    tenant.sql(
        "INSERT INTO webhook_deliveries (account_group_id, webhook_id, event_id, type, status, tries, attempts)"
        " VALUES ($1, $2, $3, 'leads.moved', 'failed', 1, '[]')",
        tenant.number,
        key_of(webhook),
        key_of(delivery),
    )
    return Yard(tenant, source, target, leads, folder["id"], job["jobId"], copied, webhook, delivery)


# A request for every POST: its path below the account group and its content. A new POST belongs here.
REQUESTS: dict[str, Callable[[Yard], tuple[str, dict[str, Any]]]] = {
    f"{_G}/audiences": lambda y: ("/audiences", {"json": {"name": "New", "type": "on_demand"}}),
    f"{_G}/audiences/folders": lambda y: ("/audiences/folders", {"json": {"name": "N", "audienceType": "monitoring"}}),
    f"{_G}/audiences/{{audienceId}}/move-to-folder": lambda y: (
        f"/audiences/{y.source}/move-to-folder",
        {"json": {"folderId": y.folder}},
    ),
    f"{_G}/audiences/{{audienceId}}/remove-from-folder": lambda y: (f"/audiences/{y.source}/remove-from-folder", {}),
    f"{_G}/audiences/{{audienceId}}/prospects": lambda y: (
        f"/audiences/{y.source}/prospects",
        {"json": {"prospects": [{"firstName": "No", "lastName": "Identity"}, {"email": "not one"}]}},
    ),
    f"{_G}/audiences/{{audienceId}}/move-leads": lambda y: (
        f"/audiences/{y.source}/move-leads",
        {"json": {"targetAudienceId": y.target, "leadIds": y.leads[:2]}},
    ),
    f"{_G}/audiences/{{audienceId}}/copy-leads": lambda y: (
        f"/audiences/{y.source}/copy-leads",
        {"json": {"targetAudienceId": y.target, "leadIds": y.leads[:2]}},
    ),
    f"{_G}/audiences/{{audienceId}}/remove-leads": lambda y: (
        f"/audiences/{y.source}/remove-leads",
        {"json": {"leadIds": y.leads[:2]}},
    ),
    f"{_G}/changes/{{changeId}}/undo": lambda y: (f"/changes/{y.change}/undo", {}),
    f"{_G}/transfers": lambda y: ("/transfers", {"json": transfer_body("move", y.source, y.target)}),
    f"{_G}/transfers/{{jobId}}/cancel": lambda y: (
        f"/transfers/{start_transfer(y.tenant, 'move', y.source, y.target)}/cancel",
        {},
    ),
    f"{_G}/suppressions": lambda y: ("/suppressions", {"json": {"prospects": [{"email": "gone@example.com"}]}}),
    f"{_G}/prospects/{{prospectId}}/merge": lambda y: (
        f"/prospects/{y.leads[0]}/merge",
        {"json": {"prospectId": y.leads[1]}},
    ),
    f"{_G}/prospecting": lambda y: (
        "/prospecting",
        {"json": {"type": "url_upload", "audience": {"name": "J"}, "profileUrls": ["https://linkedin.com/in/a"]}},
    ),
    f"{_G}/prospecting/{{jobId}}/cancel": lambda y: (f"/prospecting/{y.job}/cancel", {}),
    f"{_G}/webhooks": lambda y: ("/webhooks", {"json": {"url": "https://receiver.invalid/"}}),
    f"{_G}/webhooks/{{webhookId}}/rotate-secret": lambda y: (f"/webhooks/{y.webhook}/rotate-secret", {}),
    f"{_G}/webhooks/{{webhookId}}/deliveries/{{deliveryId}}/redeliver": lambda y: (
        f"/webhooks/{y.webhook}/deliveries/{y.delivery}/redeliver",
        {},
    ),
    f"{_G}/webhooks/{{webhookId}}/replay": lambda y: (
        f"/webhooks/{y.webhook}/replay",
        {"json": {"from": "2026-01-01T00:00:00Z"}},
    ),
    f"{_G}/uploads": lambda y: (
        "/uploads",
        {"content": b"email\na@example.com\n", "headers": {"Content-Type": "text/csv"}},
    ),
}


def send(client: httpx.Client, path: str, sent: dict[str, Any], key: str) -> httpx.Response:
    return client.post(path, **{**sent, "headers": {**sent.get("headers", {}), "Idempotency-Key": key}})


def everything(tenant: Tenant) -> list[Any]:
    """Returns every row a POST can change, except the kept answers themselves. The housekeeping marks the changes that
    it has put into the index, so of these it returns what a POST writes."""
    columns = dict.fromkeys(
        ("audiences", "folders", "leads", "memberships", "jobs", "upload_pieces", "suppressions", "webhooks"), "*"
    )
    columns["changes"] = "id, kind, state, lead_count, undone_by_change_id"
    return [
        sorted(
            tenant.sql(f"SELECT {names} FROM {table} WHERE account_group_id = $1", tenant.number),
            key=repr,
        )
        for table, names in columns.items()
    ]


@pytest.mark.parametrize("route", EVERY_POST)
def test_the_same_request_with_the_same_key_is_done_once_and_answered_alike(route: Route, yard: Yard) -> None:
    path, sent = REQUESTS[route.path_format](yard)
    tenant = yard.tenant

    first = send(tenant.client, path, sent, "the-key")
    assert first.is_success, first.text
    state = everything(tenant)
    again = send(tenant.client, path, sent, "the-key")

    assert again.content == first.content
    assert again.status_code == first.status_code
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers.get("Move-Id") == first.headers.get("Move-Id")
    if not path.endswith("/uploads"):
        assert everything(tenant) == state


@pytest.mark.parametrize("route", EVERY_POST)
def test_without_a_key_every_request_is_a_new_one(route: Route, yard: Yard) -> None:
    path, sent = REQUESTS[route.path_format](yard)
    yard.tenant.client.post(path, **sent)

    again = yard.tenant.client.post(path, **sent)

    assert "Idempotency-Replayed" not in again.headers
    assert yard.tenant.sql("SELECT key FROM idempotency_answers WHERE account_group_id = $1", yard.tenant.number) == []


@pytest.mark.parametrize("route", EVERY_POST)
def test_a_key_that_is_none_is_a_400(route: Route, yard: Yard) -> None:
    path, sent = REQUESTS[route.path_format](yard)
    for key in ("", "two words", '"open'):
        answer = send(yard.tenant.client, path, sent, key)
        assert violations(answer) == {("Idempotency-Key", "WRONG_FORMAT")}, key


@pytest.mark.parametrize("key", [
    "ä" * 3, "k\xa0", "\xa0k", "x" * 256, "tab\tbed",
    '"', '""', '"a"b"', '"a\\b"', '"a b"', '"a";x=1', f'"{"x" * 256}"',
])  # fmt: skip
def test_what_is_no_key(tenant: Tenant, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1"))]
    answer = tenant.client.post("/audiences", json={"name": "x", "type": "on_demand"}, headers=headers)

    assert violations(answer) == {("Idempotency-Key", "WRONG_FORMAT")}
    assert tenant.walk("/audiences") == []


def test_a_wrong_key_is_listed_with_whatever_else_is_wrong(tenant: Tenant) -> None:
    answer = tenant.client.post("/audiences", json={"name": ""}, headers={"Idempotency-Key": "two words"})

    assert violations(answer) == {("name", "TOO_SHORT"), ("type", "MISSING"), ("Idempotency-Key", "WRONG_FORMAT")}


def test_two_keys_are_a_400(tenant: Tenant) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    answer = tenant.client.post("/audiences", json={"name": "x", "type": "on_demand"}, headers=headers)

    assert violations(answer) == {("Idempotency-Key", "WRONG_FORMAT")}


@pytest.mark.parametrize(
    ("bare", "quoted"), [('k"1', '"k\\"1"'), ("k\\1", '"k\\\\1"'), ("x" * 255, f'"{"x" * 255}"'), ("a,b;c", '"a,b;c"')]
)
def test_the_quoted_and_the_bare_form_are_the_same_key(tenant: Tenant, bare: str, quoted: str) -> None:
    sent = {"json": {"name": "Once", "type": "on_demand"}}

    first = send(tenant.client, "/audiences", sent, bare)
    again = send(tenant.client, "/audiences", sent, quoted)

    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"


def test_the_same_content_in_another_spelling_is_the_same_request(tenant: Tenant) -> None:
    json = {"Content-Type": "application/json"}
    first = send(tenant.client, "/audiences", {"content": b'{"name":"A","type":"on_demand"}', "headers": json}, "k")
    again = send(
        tenant.client, "/audiences", {"content": b'{ "type": "on_demand",\n "name": "\\u0041" }', "headers": json}, "k"
    )

    assert again.content == first.content


def test_another_body_path_or_query_with_the_same_key_is_a_conflict(yard: Yard) -> None:
    client = yard.tenant.client
    assert send(client, "/audiences", {"json": {"name": "A", "type": "on_demand"}}, "k").status_code == 201

    for path, sent in (
        ("/audiences", {"json": {"name": "B", "type": "on_demand"}}),
        ("/audiences", {"json": {"name": "A", "type": "on_demand", "description": None}}),
        ("/audiences?x=1", {"json": {"name": "A", "type": "on_demand"}}),
        (f"/audiences/{yard.source}/remove-from-folder", {}),
        ("/uploads", {"content": b"a", "headers": {"Content-Type": "text/csv"}}),
    ):
        refusal(send(client, path, sent, "k"), 409, "IDEMPOTENCY_CONFLICT")


def test_keys_belong_to_the_account_group(service: Service, tenant: Tenant) -> None:
    other = make_tenant(service)
    sent = {"json": {"name": "A", "type": "on_demand"}}
    first = send(tenant.client, "/audiences", sent, "k")

    elsewhere = send(other.client, "/audiences", sent, "k")
    with tenant.new_client(tenant.key_with(Permission.AUDIENCES_WRITE)) as colleague:
        by_another_key = send(colleague, "/audiences", sent, "k")

    assert data_of(elsewhere, 201)["id"] != data_of(first, 201)["id"]
    assert "Idempotency-Replayed" not in elsewhere.headers
    assert by_another_key.content == first.content
    other.client.close()


def test_a_key_without_the_permission_gets_no_replay(yard: Yard) -> None:
    path, sent = REQUESTS[f"{_G}/audiences/{{audienceId}}/move-leads"](yard)
    assert send(yard.tenant.client, path, sent, "k").is_success

    with yard.tenant.new_client(yard.tenant.key_with(Permission.AUDIENCES_READ)) as reader:
        refusal(send(reader, path, sent, "k"), 403, "FORBIDDEN")


def test_a_refusal_is_not_kept_and_leaves_the_key_free(yard: Yard) -> None:
    path, sent = REQUESTS[f"{_G}/audiences/{{audienceId}}/move-leads"](yard)
    job = yard.tenant.insert_job(yard.target)
    refusal(send(yard.tenant.client, path, sent, "k"), 409, "AUDIENCE_NOT_READY")
    yard.tenant.end_job(job)

    answer = send(yard.tenant.client, path, sent, "k")

    assert data_of(answer)["movedCount"] == 2
    assert "Idempotency-Replayed" not in answer.headers


def test_a_replay_answers_even_when_the_world_has_moved_on(yard: Yard) -> None:
    path, sent = REQUESTS[f"{_G}/audiences/{{audienceId}}/move-leads"](yard)
    first = send(yard.tenant.client, path, sent, "k")
    data_of(yard.tenant.client.delete(f"/audiences/{yard.source}"))

    assert send(yard.tenant.client, path, sent, "k").content == first.content


def test_a_request_in_flight_is_a_conflict_that_says_to_wait(yard: Yard) -> None:
    path, sent = REQUESTS[f"{_G}/audiences/{{audienceId}}/move-leads"](yard)
    tenant = yard.tenant
    with Session(tenant.service.database_url) as session, ThreadPoolExecutor(1) as pool:
        hold_leads_back(session, tenant, yard.source)
        first = pool.submit(send, tenant.new_client(), path, sent, "k")
        wait_until_stuck(tenant)
        started = time.monotonic()
        second = send(tenant.client, path, sent, "k")
        different = send(tenant.client, path, {"json": {**sent["json"], "leadIds": yard.leads[:1]}}, "k")
        waited_s = time.monotonic() - started
        session.commit()
        assert data_of(first.result())["movedCount"] == 2

    refusal(second, 409, "IDEMPOTENCY_CONFLICT")
    assert second.headers["Retry-After"] == "1"
    assert "Use a new key" in refusal(different, 409, "IDEMPOTENCY_CONFLICT")["details"]
    assert waited_s < 5, "the refusals do not wait for the first request"
    assert send(tenant.client, path, sent, "k").content == first.result().content


def hold_leads_back(session: Session, tenant: Tenant, audience_id: str) -> None:
    """Begins a transaction behind which moves from the audience wait. On SQLite every writer waits."""
    session.begin()
    if session.is_postgresql:
        session.run(
            "SELECT id FROM audiences WHERE account_group_id = $1 AND id = $2 FOR UPDATE",
            tenant.number,
            key_of(audience_id),
        )


def wait_until_stuck(tenant: Tenant) -> None:
    """Returns when a request of the tenant waits in its transaction."""
    log, waiting = tenant.service.log_file, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    if tenant.service.is_postgresql:
        wait_until(lambda: tenant.sql(f"{waiting} AND datname = current_database()"), "the request waits for a lock")
        return
    size = log.stat().st_size
    wait_until(lambda: b"BEGIN IMMEDIATE" in log.read_bytes()[size:], "the request waits for the writer")


def test_many_at_once_with_one_key_are_done_once(yard: Yard) -> None:
    path, sent = REQUESTS[f"{_G}/audiences/{{audienceId}}/move-leads"](yard)
    clients = [yard.tenant.new_client() for _ in range(50)]

    answers = at_once(*[lambda client=client: send(client, path, sent, "k") for client in clients])

    done = [answer for answer in answers if answer.is_success]
    assert done
    assert len({answer.content for answer in done}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in done) == 1
    for answer in answers:
        if not answer.is_success:
            refusal(answer, 409, "IDEMPOTENCY_CONFLICT")
    assert len(yard.tenant.walk("/moves")) == 1
    assert_exact(yard.tenant, {yard.source: set(yard.leads[2:]), yard.target: set(yard.leads[:2])})
    for client in clients:
        client.close()


@pytest.mark.parametrize("ended", ["completed", "failed", "cancelled"])
def test_a_start_repeated_while_the_job_runs_is_a_202_and_afterwards_a_200(yard: Yard, ended: str) -> None:
    path, sent = REQUESTS[f"{_G}/prospecting"](yard)
    first = send(yard.tenant.client, path, sent, "k")
    job = data_of(first, 202)["jobId"]
    assert send(yard.tenant.client, path, sent, "k").status_code == 202
    yard.tenant.end_job(job, ended)

    again = send(yard.tenant.client, path, sent, "k")

    assert again.status_code == 200
    assert again.content == first.content
    assert len([each for each in yard.tenant.walk("/prospecting") if each["jobId"] == job]) == 1


def test_an_answer_is_kept_for_a_day_and_then_forgotten(new_service: Callable[..., Service]) -> None:
    tenant = make_tenant(new_service())
    sent = {"json": {"name": "A", "type": "on_demand"}}
    first = data_of(send(tenant.client, "/audiences", sent, "k"), 201)
    [(expires_at,)] = tenant.sql("SELECT expires_at FROM idempotency_answers")
    assert abs(expires_at - now_ms() - 24 * 3_600_000) < 60_000

    # 1,200 expired keys, for which the housekeeping needs several rounds, and one valid key.
    tenant.sql("UPDATE idempotency_answers SET expires_at = 1")
    second = data_of(send(tenant.client, "/audiences", sent, "k"), 201)
    assert second["id"] != first["id"]
    for number in range(0, 1200, 100):
        values = ", ".join(f"({tenant.number}, 'old-{number + n}', 'f', 1)" for n in range(100))
        tenant.sql(f"INSERT INTO idempotency_answers (account_group_id, key, fingerprint, expires_at) VALUES {values}")

    wait_until(lambda: tenant.sql("SELECT count(*) FROM idempotency_answers") == [(1,)], "the expired keys are gone")
    assert send(tenant.client, "/audiences", sent, "k").headers["Idempotency-Replayed"] == "true"


def test_a_cancelled_request_gives_its_key_back(tenant: Tenant) -> None:
    """This happens when, for example, the server is stopped while a transaction waits."""
    who = Caller.operator(tenant.account_group_id)

    @writes(Permission.AUDIENCES_WRITE)
    async def never(_tx: Transaction, _caller: Caller) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def cancel(db: Database) -> None:
        request = Request({
            "type": "http", "method": "POST", "path": "/", "query_string": b"", "server": ("localhost", 80),
            "headers": [(b"idempotency-key", b"k")],
            "app": SimpleNamespace(state=SimpleNamespace(db=db)), "state": {"caller": who},
        })  # fmt: skip
        for _ in range(2):
            # The second attempt begins only if the first has left the key free, in the process and in the database.
            begun.clear()
            task = asyncio.create_task(answer_once(request, never, lambda _: pytest.fail("nothing was done")))
            async with asyncio.timeout(20):
                await begun.wait()
            assert await asyncio.to_thread(tenant.sql, keys, tenant.number) == [], "only a commit shows the key"
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert task.cancelled()

    keys = "SELECT key FROM idempotency_answers WHERE account_group_id = $1"
    begun = asyncio.Event()
    on_database(tenant.service.database_url, cancel)
    assert tenant.sql(keys, tenant.number) == []


def test_an_upload_that_an_answer_names_is_not_given_up(tenant: Tenant) -> None:
    """The connection was lost in a commit that succeeded: the client gets a 503 and repeats its request."""
    sent = {"content": b"email\n", "headers": {"Content-Type": "text/csv"}}
    upload_id = data_of(send(tenant.client, "/uploads", sent, "k"), 201)["uploadId"]
    who = Caller.operator(tenant.account_group_id)

    async def give_up_and_look(db: Database) -> str:
        await uploads.discard_upload(db, who, upload_id=upload_id)
        async with db.write(tenant.account_group_id) as tx:
            return (await guards.usable_upload(tx, upload_id)).id

    assert on_database(tenant.service.database_url, give_up_and_look) == upload_id
    again = send(tenant.client, "/uploads", sent, "k")
    assert data_of(again, 201)["uploadId"] == upload_id
