"""Every answer: its envelope, ids, times and trace id, and the answers to requests that reach no route (section 2)."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from leadyard.clock import now_ms, to_iso
from leadyard.http.server import routes
from leadyard.model import Permission
from rig.answers import ID, TIME, TRACE_ID, UNKNOWN_ID, data_of, refusal
from rig.service import Service, Tenant, make_tenant, run_sql
from rig.sqlite_file import open_sqlite

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def shared(service: Service) -> Tenant:
    """A tenant for tests that change nothing."""
    return make_tenant(service)


@pytest.fixture(scope="module")
def fragile(new_service: Callable[..., Service]) -> Service:
    """A service whose database the tests of this file may break for a moment."""
    return new_service(LEADYARD_DATABASE_WAIT_S="1")


@pytest.fixture
def victim(fragile: Service) -> Iterator[Tenant]:
    """A tenant of the fragile service."""
    tenant = make_tenant(fragile)
    yield tenant
    tenant.client.close()


# ------------------------------------------------------------------------------------------------- ids, times, envelope


def test_a_success_has_data_and_no_error(shared: Tenant) -> None:
    body = shared.client.get("/audiences").json()
    assert set(body) == {"success", "data", "error", "traceId"}
    assert (body["success"], body["error"]) == (True, None)
    assert TRACE_ID.fullmatch(body["traceId"])


def test_a_refusal_has_an_error_and_no_data(shared: Tenant) -> None:
    body = shared.client.get(f"/audiences/{UNKNOWN_ID}").json()
    assert set(body) == {"success", "data", "error", "traceId"}
    assert (body["success"], body["data"]) == (False, None)
    assert set(body["error"]) == {"code", "message", "details"}
    assert all(isinstance(value, str) for value in body["error"].values())
    assert TRACE_ID.fullmatch(body["traceId"])


def test_ids_are_24_hex_characters_that_sort_by_age(shared: Tenant) -> None:
    made = [shared.create_audience() for _ in range(5)]
    assert all(ID.fullmatch(audience_id) for audience_id in made)
    assert sorted(made) == made
    assert len(set(made)) == 5


def test_times_are_utc_with_milliseconds_and_z(shared: Tenant) -> None:
    earliest = to_iso(now_ms())
    made = data_of(shared.client.post("/audiences", json={"name": "Now", "type": "on_demand"}), 201)
    assert TIME.fullmatch(made["createdAt"])
    assert earliest <= made["createdAt"] <= to_iso(now_ms())


# ------------------------------------------------------------------------------------------------------------ trace ids


@pytest.mark.parametrize("traceparent", [
    f"00-{TRACE}-{PARENT}-01",
    f"00-{TRACE}-{PARENT}-00",
    f"00-{TRACE}-{PARENT}-ff",
    f"01-{TRACE}-{PARENT}-01",
    f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like",
])  # fmt: skip
def test_the_trace_id_of_a_valid_traceparent_is_taken_over(shared: Tenant, traceparent: str) -> None:
    for path in ("/audiences", f"/audiences/{UNKNOWN_ID}", "/nowhere"):
        assert shared.client.get(path, headers={"traceparent": traceparent}).json()["traceId"] == TRACE


@pytest.mark.parametrize("traceparent", [
    f"ff-{TRACE}-{PARENT}-01",
    f"00-{'0' * 32}-{PARENT}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE[1:]}-{PARENT}-01",
    f"00-{TRACE}0-{PARENT}-01",
    f"00-{TRACE}-{PARENT[1:]}-01",
    f"00-{TRACE}-{PARENT}0-01",
    f"00-{TRACE}-{PARENT}-1",
    f"00-{TRACE}-{PARENT}-001",
    f"0-{TRACE}-{PARENT}-01",
    f"000-{TRACE}-{PARENT}-01",
    f"00-{TRACE.upper()}-{PARENT}-01",
    f"00-{TRACE}-{PARENT.upper()}-01",
    f"00-{TRACE}-{PARENT}-0A",
    f"0A-{TRACE}-{PARENT}-01",
    f"00-{TRACE}-{PARENT}-01-more",
    f"00-{TRACE}-{PARENT}-01-",
    f"cc-{TRACE}-{PARENT}-01more",
    f"00-{TRACE[:-1]}g-{PARENT}-01",
    f"00_{TRACE}_{PARENT}_01",
    f"00-{TRACE}-{PARENT}",
    f"00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01",
    TRACE,
    "",
])  # fmt: skip
def test_an_invalid_traceparent_is_not_taken_over(shared: Tenant, traceparent: str) -> None:
    answer = shared.client.get("/audiences", headers={"traceparent": traceparent})
    data_of(answer)
    trace_id = answer.json()["traceId"]
    assert trace_id.lower() != TRACE
    assert trace_id != "0" * 32


def test_two_traceparents_are_none(shared: Tenant) -> None:
    line = ("traceparent", f"00-{TRACE}-{PARENT}-01")
    answer = shared.client.get("/audiences", headers=[line, line])
    data_of(answer)
    assert answer.json()["traceId"] != TRACE


def test_every_request_without_traceparent_has_a_new_trace_id(shared: Tenant) -> None:
    trace_ids = [shared.client.get("/audiences").json()["traceId"] for _ in range(20)]
    assert len(set(trace_ids)) == 20
    assert all(TRACE_ID.fullmatch(trace_id) for trace_id in trace_ids)


def lines_of(service: Service, trace_id: str) -> list[dict[str, Any]]:
    """Returns the log lines of the request. Waits for the line that is written after the answer."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = [line for line in service.log_lines() if line.get("trace_id") == trace_id]
        if any(line["event"] == "request" for line in lines):
            return lines
        time.sleep(0.01)
    raise AssertionError(f"No line of request {trace_id} in the log.")


@pytest.mark.parametrize(("method", "path", "status", "route"), [
    ("GET", "/audiences", 200, "/v1/accounts/{accountGroupId}/audiences"),
    ("GET", f"/audiences/{UNKNOWN_ID}", 404, "/v1/accounts/{accountGroupId}/audiences/{audienceId}"),
    ("DELETE", "/audiences", 405, None),
    ("GET", "/nowhere", 404, None),
])  # fmt: skip
def test_the_trace_id_is_on_the_log_line_of_the_request(
    shared: Tenant, method: str, path: str, status: int, route: str | None
) -> None:
    trace_id = shared.client.request(method, path).json()["traceId"]

    [line] = [line for line in lines_of(shared.service, trace_id) if line["event"] == "request"]

    assert (line["method"], line["status"]) == (method, status)
    if route is not None:
        assert line["route"] == route
        assert (line["account_group_id"], line["api_key_id"]) == (shared.account_group_id, shared.api_key_id)


def test_the_trace_id_is_on_every_other_log_line_of_the_request_too(shared: Tenant) -> None:
    # A key that no process has seen yet, so that the service looks it up in the database.
    with shared.new_client(shared.key_with(*Permission)) as client:
        trace_id = client.get("/audiences").json()["traceId"]

    statements = [line["sql"] for line in lines_of(shared.service, trace_id) if line["event"] == "statement"]

    assert any("FROM api_keys" in sql for sql in statements)
    assert any("FROM audiences" in sql for sql in statements)


def test_the_log_never_holds_a_key(shared: Tenant) -> None:
    wrong_key = "sk_live_" + "f" * 56
    trace_id = shared.client.get("/audiences", headers={"Authorization": f"Bearer {wrong_key}"}).json()["traceId"]
    lines_of(shared.service, trace_id)

    log = shared.service.log_file.read_text()

    assert shared.key not in log
    assert wrong_key not in log


# -------------------------------------------------------------------------------------------- unknown paths and methods


@pytest.mark.parametrize("path", [
    "//",
    "/v1",
    "/v1/",
    "/v1/accounts/",
    "/v1/Accounts",
    "/v2/accounts",
    "//v1/accounts",
    "/v1/accounts/{group}",
    "/v1/accounts/{group}/",
    "/v1/accounts/{group}/audiences/",
    "/v1/accounts/{group}/audiences/{id}/",
    "/v1/accounts/{group}/audiences/{id}/move-leads/",
    "/v1/accounts/{group}/audiences/{id}/nothing",
    "/v1/accounts//audiences",
    "/v1/accounts/{group}%2Faudiences/{id}/nothing",
    "/%00",
    "/%ff%fe",
    "/.env",
])  # fmt: skip
def test_an_unknown_path_is_not_found_in_the_envelope(shared: Tenant, path: str) -> None:
    raw_path = path.format(group=shared.account_group_id, id=UNKNOWN_ID)
    for method in ("GET", "POST", "DELETE"):
        refusal(_send_raw(shared, method, raw_path), 404, "NOT_FOUND")


@pytest.mark.parametrize("path", [
    "/static-offline-docs",
    "/static-offline-docs/",
    "/static-offline-docs/nothing.js",
    "/static-offline-docs/../core.py",
    "/static-offline-docs/%2e%2e/core.py",
    "/static-offline-docs/%2e%2e%2fcore.py",
    "/static-offline-docs/..%5ccore.py",
    "/static-offline-docs/%00",
    "/static-offline-docs/%2fetc/passwd",
])  # fmt: skip
def test_beside_the_documentation_no_file_is_served(shared: Tenant, path: str) -> None:
    refusal(_send_raw(shared, "GET", path), 404, "NOT_FOUND")


def _send_raw(tenant: Tenant, method: str, raw_path: str) -> httpx.Response:
    """Sends the path exactly as it is written here, because httpx would normalise dots and escapes."""
    url = httpx.URL(tenant.service.base_url, raw_path=raw_path.encode())
    return tenant.client.request(method, url)


def allowed_methods() -> dict[str, set[str]]:
    allowed: dict[str, set[str]] = {}
    for route in routes():
        methods = {"GET", "HEAD"} if route.method == "GET" else {route.method}
        allowed.setdefault(route.path_format, set()).update(methods)
    return allowed


METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]


@pytest.mark.parametrize(("path", "allowed"), allowed_methods().items())
def test_a_wrong_method_is_told_every_right_one(shared: Tenant, path: str, allowed: set[str]) -> None:
    url = shared.service.base_url + re.sub(r"\{\w+\}", UNKNOWN_ID, path)
    for method in METHODS:
        if method in allowed:
            continue
        answer = shared.client.request(method, url)
        assert {each.strip() for each in answer.headers["Allow"].split(",")} == allowed, method
        if method == "HEAD":
            assert (answer.status_code, answer.content) == (405, b"")
        else:
            refusal(answer, 405, "METHOD_NOT_ALLOWED")


def test_several_routes_of_one_path_are_all_allowed(shared: Tenant) -> None:
    allowed = shared.client.put("/audiences").headers["Allow"]
    assert {"GET", "POST"} <= {each.strip() for each in allowed.split(",")}


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/static-offline-docs/swagger-ui.css"])
def test_a_wrong_method_on_the_documentation_is_refused_in_the_envelope(shared: Tenant, path: str) -> None:
    answer = shared.client.post(shared.service.base_url + path)
    refusal(answer, 405, "METHOD_NOT_ALLOWED")
    assert "GET" in {each.strip() for each in answer.headers["Allow"].split(",")}


# ----------------------------------------------------------------------------------------------------- bodies and types


def body_of(size: int) -> bytes:
    """Returns a valid request to create an audience, padded to the size."""
    body = json.dumps({"name": "Padded", "type": "on_demand"}).encode()
    return body + b" " * (size - len(body))


def in_pieces(body: bytes) -> Iterator[bytes]:
    """httpx sends an iterator's pieces as a chunked body, without a length."""
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


@pytest.mark.parametrize("chunked", [False, True], ids=["content-length", "chunked"])
def test_a_body_of_one_mebibyte_passes_and_one_byte_more_does_not(shared: Tenant, chunked: bool) -> None:
    def send(size: int) -> httpx.Response:
        body = body_of(size)
        headers = {"Content-Type": "application/json"}
        return shared.client.post("/audiences", content=in_pieces(body) if chunked else body, headers=headers)

    data_of(send(MEBIBYTE), 201)
    refusal(send(MEBIBYTE + 1), 413, "BODY_TOO_LARGE")
    refusal(send(3 * MEBIBYTE), 413, "BODY_TOO_LARGE")
    data_of(shared.client.get("/audiences"))


def test_a_body_announced_too_large_is_refused_before_it_is_sent(shared: Tenant) -> None:
    host = urlsplit(shared.service.base_url)
    with socket.create_connection((host.hostname, host.port), timeout=10) as connection:
        connection.sendall(
            f"POST /v1/accounts/{shared.account_group_id}/audiences HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {shared.key}\r\nContent-Type: application/json\r\n"
            "Content-Length: 99999999999\r\n\r\n".encode()
        )
        assert connection.recv(65_536).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("content_type", [
    None,
    "",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/vnd.api+json",
    "application/octet-stream",
    "json",
    "application/json, text/plain",
    "text/plain; application/json",
    "*/*",
])  # fmt: skip
def test_a_body_that_is_not_declared_as_json_is_refused(shared: Tenant, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    for path in ("/audiences", f"/audiences/{UNKNOWN_ID}/prospects", f"/audiences/{UNKNOWN_ID}/move-leads"):
        refusal(shared.client.post(path, content=b"{}", headers=headers), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", [
    "application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json ;charset=UTF-8",
])  # fmt: skip
def test_json_may_be_declared_in_any_spelling(shared: Tenant, content_type: str) -> None:
    data_of(shared.client.post("/audiences", content=body_of(100), headers={"Content-Type": content_type}), 201)


# --------------------------------------------------------------------------------------------- failures of the database


@contextmanager
def out_of_reach(service: Service, admin_url: str) -> Iterator[None]:
    """Closes the PostgreSQL database of the service to all connections."""
    name = urlsplit(service.database_url).path.removeprefix("/")
    run_sql(admin_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    try:
        run_sql(admin_url, "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = $1", name)
        yield
    finally:
        run_sql(admin_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@contextmanager
def held_by_another_writer(service: Service) -> Iterator[None]:
    """Holds the write lock of the SQLite database of the service."""
    connection = open_sqlite(service.database_url)
    try:
        connection.execute("BEGIN IMMEDIATE")
        yield
    finally:
        connection.close()


def test_while_the_database_is_out_of_reach_the_answer_is_503_and_afterwards_all_is_well(
    victim: Tenant, request: pytest.FixtureRequest
) -> None:
    audience = victim.create_audience()
    if victim.service.is_postgresql:
        with out_of_reach(victim.service, request.getfixturevalue("postgres_url")):
            refused = [
                victim.client.get("/audiences"),
                victim.client.get(f"/audiences/{audience}/prospects"),
                victim.client.post("/audiences", json={"name": "Late", "type": "on_demand"}),
                victim.client.get(f"{victim.service.base_url}/v1/accounts"),
            ]
    else:
        with held_by_another_writer(victim.service):
            refused = [victim.client.post("/audiences", json={"name": "Late", "type": "on_demand"})]
            # SQLite's readers never wait for a writer.
            data_of(victim.client.get("/audiences"))

    for answer in refused:
        refusal(answer, 503, "SERVICE_UNAVAILABLE")
        assert int(answer.headers["Retry-After"]) >= 1
    assert [item["id"] for item in victim.walk("/audiences")] == [audience]
    victim.create_audience()


def test_a_connection_lost_during_a_request_is_not_the_clients_business(victim: Tenant) -> None:
    """PostgreSQL only, because SQLite has no connection to lose. There the same request simply succeeds."""
    urls = ["/audiences", f"{victim.service.base_url}/v1/accounts"]
    if not victim.service.is_postgresql:
        assert [victim.client.get(url).status_code for url in urls] == [200, 200]
        return
    # A key that no process has seen yet, so that the service looks it up in the database.
    victim.client.headers["Authorization"] = f"Bearer {victim.key_with(*Permission)}"
    for url, table in zip(urls, ("api_keys", "account_groups"), strict=True):
        assert while_waiting_for(table, victim, url).status_code == 200


def while_waiting_for(table: str, tenant: Tenant, url: str) -> httpx.Response:
    """Sends the request, ends the service's session while it waits for the table, and returns the answer."""
    import asyncio

    import asyncpg

    answers: list[httpx.Response] = []
    sender = threading.Thread(target=lambda: answers.append(tenant.client.get(url)))

    async def run() -> None:
        connection: Any = await asyncpg.connect(tenant.service.database_url)
        try:
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
                sender.start()
                deadline = time.monotonic() + 30
                # pg_locks shows the present moment; within a transaction pg_stat_activity would not.
                while not await connection.fetchval(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_locks"
                    " WHERE relation = $1::text::regclass AND NOT granted",
                    table,
                ):
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.01)
        finally:
            await connection.close()

    asyncio.run(run())
    sender.join(30)
    return answers[0]


def test_a_bug_is_answered_with_500_and_the_log_has_the_rest_under_the_trace_id(victim: Tenant) -> None:
    audience = victim.create_audience()
    victim.sql("ALTER TABLE changes RENAME COLUMN changed_at TO mislaid")
    try:
        answer = victim.client.get("/moves")
    finally:
        victim.sql("ALTER TABLE changes RENAME COLUMN mislaid TO changed_at")

    refusal(answer, 500, "INTERNAL_ERROR")
    lines = lines_of(victim.service, answer.json()["traceId"])
    [bug] = [line for line in lines if line["event"] == "unhandled_error"]
    assert bug["exceptions"][0]["places"]
    assert [line["status"] for line in lines if line["event"] == "request"] == [500]
    assert victim.walk("/moves") == []
    assert victim.count(audience) == 0
