"""Idempotency-Key on every POST: done once, answered alike, byte for byte; refused for anything else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import Request

from leadyard.clock import now_ms
from leadyard.errors import IdempotencyConflict
from leadyard.http.caller import Door
from leadyard.http.once import answer_once
from leadyard.model import Caller, Once, Permission, StoredAnswer
from leadyard.operations import idempotency, uploads
from leadyard.operations.audiences import create_audience
from leadyard.store.db import Database
from tests.answers import data_of, refusal, violations
from tests.racing import Session, assert_exact, at_once, wait_until
from tests.routes import EVERY_ROUTE, method_of
from tests.service import Service, Tenant, make_tenant, on_database

EVERY_POST = [each for each in EVERY_ROUTE if method_of(each.values[0]) == "POST"]  # type: ignore[arg-type]
_G = "/v1/accounts/{accountGroupId}"


@dataclass
class Yard:
    """A tenant with something to post about."""

    tenant: Tenant
    source: str
    target: str
    leads: list[str]
    folder: str
    job: str


@pytest.fixture
def yard(tenant: Tenant) -> Yard:
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    folder = data_of(tenant.client.post("/audiences/folders", json={"name": "F", "audienceType": "on_demand"}), 201)
    start = {"type": "url_upload", "audience": {"name": "Job"}, "profileUrls": ["https://linkedin.com/in/somebody"]}
    job = data_of(tenant.client.post("/prospecting", json=start), 202)
    return Yard(tenant, source, target, tenant.add_leads(source, 3), folder["id"], job["jobId"])


# A request for every POST there is: path below the account group and what is sent. A new POST belongs here.
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
    f"{_G}/prospecting": lambda y: (
        "/prospecting",
        {"json": {"type": "url_upload", "audience": {"name": "J"}, "profileUrls": ["https://linkedin.com/in/a"]}},
    ),
    f"{_G}/prospecting/{{jobId}}/cancel": lambda y: (f"/prospecting/{y.job}/cancel", {}),
    f"{_G}/uploads": lambda y: (
        "/uploads",
        {"content": b"email\na@example.com\n", "headers": {"Content-Type": "text/csv"}},
    ),
}


def send(client: httpx.Client, path: str, sent: dict[str, Any], key: str) -> httpx.Response:
    return client.post(path, **{**sent, "headers": {**sent.get("headers", {}), "Idempotency-Key": key}})


def everything(tenant: Tenant) -> list[Any]:
    """Returns every row a POST can change, but for the kept answers themselves."""
    tables = ("audiences", "folders", "leads", "memberships", "moves", "jobs", "upload_pieces")
    return [
        sorted(
            tenant.sql(f"SELECT * FROM {table} WHERE account_group_id = $1", tenant.account_group_id),
            key=repr,
        )
        for table in tables
    ]


@pytest.mark.parametrize("route", EVERY_POST)
def test_the_same_request_with_the_same_key_is_done_once_and_answered_alike(route: Door, yard: Yard) -> None:
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
def test_without_a_key_every_request_is_a_new_one(route: Door, yard: Yard) -> None:
    path, sent = REQUESTS[route.path_format](yard)
    yard.tenant.client.post(path, **sent)

    again = yard.tenant.client.post(path, **sent)

    assert "Idempotency-Replayed" not in again.headers
    assert (
        yard.tenant.sql("SELECT key FROM idempotency_answers WHERE account_group_id = $1", yard.tenant.account_group_id)
        == []
    )


@pytest.mark.parametrize("route", EVERY_POST)
def test_a_key_that_is_none_is_a_400(route: Door, yard: Yard) -> None:
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
        session.begin()
        if session.is_postgresql:
            session.run(
                "SELECT id FROM audiences WHERE account_group_id = $1 AND id = $2 FOR UPDATE",
                tenant.account_group_id,
                yard.source,
            )
            first = pool.submit(send, tenant.new_client(), path, sent, "k")
            reserved = "SELECT 1 FROM idempotency_answers WHERE account_group_id = $1 AND key = 'k'"
            wait_until(lambda: tenant.sql(reserved, tenant.account_group_id), "the key is reserved")
        else:
            # SQLite has one writer: while another transaction is open the first request cannot even reserve its key.
            session.commit()
            first = None
            send(tenant.client, path, sent, "k")
            tenant.sql(
                "UPDATE idempotency_answers SET status = NULL, body = NULL, headers = NULL WHERE account_group_id = $1",
                tenant.account_group_id,
            )
        second = send(tenant.client, path, sent, "k")
        if first is not None:
            session.commit()
            assert data_of(first.result())["movedCount"] == 2

    refusal(second, 409, "IDEMPOTENCY_CONFLICT")
    assert second.headers["Retry-After"] == "1"


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

    # 1,200 expired ones of which the housekeeping takes several rounds, and one that is not.
    tenant.sql("UPDATE idempotency_answers SET expires_at = 1")
    second = data_of(send(tenant.client, "/audiences", sent, "k"), 201)
    assert second["id"] != first["id"]
    for number in range(0, 1200, 100):
        values = ", ".join(f"('{tenant.account_group_id}', 'old-{number + n}', 'f', 't', 1)" for n in range(100))
        tenant.sql(
            f"INSERT INTO idempotency_answers (account_group_id, key, fingerprint, token, expires_at) VALUES {values}"
        )

    wait_until(lambda: tenant.sql("SELECT count(*) FROM idempotency_answers") == [(1,)], "the expired keys are gone")
    assert send(tenant.client, "/audiences", sent, "k").headers["Idempotency-Replayed"] == "true"


def test_an_attempt_whose_key_was_taken_over_cannot_commit(tenant: Tenant) -> None:
    """The first attempt comes back after its reservation has expired and another one has the key."""
    caller = Caller.operator(tenant.account_group_id)

    async def run(db: Database) -> None:
        async def reserve() -> Caller:
            token = await idempotency.reserve_key(db, caller, key="k", fingerprint="f")
            assert isinstance(token, str)
            return replace(
                caller,
                once=Once(
                    key="k", token=token, render=lambda found: StoredAnswer(status=201, headers={}, body=found.name)
                ),
            )

        late = await reserve()
        await asyncio.to_thread(
            tenant.sql,
            "UPDATE idempotency_answers SET expires_at = 1 WHERE account_group_id = $1",
            tenant.account_group_id,
        )
        fresh = await reserve()
        with pytest.raises(IdempotencyConflict):
            await create_audience(db, late, name="late", type="on_demand", description=None)  # type: ignore[arg-type]
        assert late.once is not None
        await idempotency.release_key(db, caller, key="k", token=late.once.token)
        await create_audience(db, fresh, name="fresh", type="on_demand", description=None)  # type: ignore[arg-type]
        kept = await idempotency.reserve_key(db, caller, key="k", fingerprint="f")
        assert isinstance(kept, StoredAnswer)
        assert kept.body == "fresh"

    on_database(tenant.service.database_url, run)

    names = [each["name"] for each in tenant.walk("/audiences")]
    assert names == ["fresh"]


def test_a_cancelled_request_gives_its_key_back(tenant: Tenant) -> None:
    """The server is told to stop, say, while a transaction waits."""
    who = Caller.operator(tenant.account_group_id)

    async def never(_db: Database, _caller: Caller) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def cancel(db: Database) -> None:
        request = Request({
            "type": "http", "method": "POST", "path": "/", "query_string": b"", "server": ("localhost", 80),
            "headers": [(b"idempotency-key", b"k")],
            "app": SimpleNamespace(state=SimpleNamespace(db=db)), "state": {"caller": who},
        })  # fmt: skip
        task = asyncio.create_task(answer_once(request, never, lambda _: pytest.fail("nothing was done")))
        await begun.wait()
        assert await asyncio.to_thread(tenant.sql, keys, tenant.account_group_id) == [("k",)]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    keys = "SELECT key FROM idempotency_answers WHERE account_group_id = $1"
    begun = asyncio.Event()
    on_database(tenant.service.database_url, cancel)
    assert tenant.sql(keys, tenant.account_group_id) == []


def test_an_upload_that_an_answer_names_is_not_given_up(tenant: Tenant) -> None:
    """The connection was lost in the commit, which had arrived: the client is told 503 and repeats its request."""
    sent = {"content": b"email\n", "headers": {"Content-Type": "text/csv"}}
    upload_id = data_of(send(tenant.client, "/uploads", sent, "k"), 201)["uploadId"]
    who = Caller.operator(tenant.account_group_id)

    async def give_up_and_look(db: Database) -> str:
        await uploads.discard_upload(db, who, upload_id=upload_id)
        return (await uploads.get_upload(db, who, upload_id=upload_id)).id

    assert on_database(tenant.service.database_url, give_up_and_look) == upload_id
    again = send(tenant.client, "/uploads", sent, "k")
    assert data_of(again, 201)["uploadId"] == upload_id
