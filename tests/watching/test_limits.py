"""No client holds a connection or a place in a queue without end: slow clients, endless heads, too many connections, a
database that does not answer."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from leadyard.http.wire.time_limits import Limits, TimeLimits
from leadyard.ids import key_of
from rig.racing import Session, assert_exact, assert_healthy, at_once, wait_until
from rig.service import Service, Tenant
from rig.watching import admin_url, on_one_database, scraped
from tests.watching.conftest import MAX_CONNECTIONS, POOL, QUEUE, READ_S, REQUEST_S


def raw(service: Service, *pieces: bytes, pause_s: float = 0) -> tuple[bytes, float]:
    """Sends the pieces. Returns everything that comes back until the end, and how long that took."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        for piece in pieces:
            # A piece sent after the end would be answered by a reset, which discards the answer.
            if pause_s and time.monotonic() - started > READ_S * 0.9:
                break
            connection.sendall(piece)
            time.sleep(pause_s)
        received = b""
        try:
            while more := connection.recv(65536):
                received += more
        except ConnectionResetError:
            pass
    return received, time.monotonic() - started


def refusal(answer: bytes, status: int, code: str) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer
    assert b"content-type: application/json" in head.lower()
    envelope: dict[str, Any] = json.loads(body)
    assert set(envelope) == {"success", "data", "error", "traceId"}
    assert (envelope["success"], envelope["error"]["code"]) == (False, code)
    return envelope


@on_one_database
def test_slow_clients_are_refused_in_time(watched: Service, seen: Tenant) -> None:
    head = f"POST /v1/accounts/{seen.account_group_id}/audiences HTTP/1.1\r\nHost: x\r\n"
    full = f"{head}Authorization: Bearer {seen.key}\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n"
    slow_head, slow_body, silent, dripping, line_breaks = at_once(
        lambda: raw(watched, head.encode()),
        lambda: raw(watched, full.encode() + b'{"name"'),
        lambda: raw(watched),
        lambda: raw(watched, head.encode(), *[b"X-A: b\r\n"] * 4, pause_s=READ_S / 5),
        lambda: raw(watched, *[b"\r\n"] * 4, pause_s=READ_S / 5),
    )
    assert "head" in refusal(slow_head[0], 408, "REQUEST_TIMEOUT")["error"]["details"]
    assert "body" in refusal(slow_body[0], 408, "REQUEST_TIMEOUT")["error"]["details"]
    refusal(dripping[0], 408, "REQUEST_TIMEOUT")
    assert silent[0] == line_breaks[0] == b""
    for _, took_s in (slow_head, slow_body, silent, dripping, line_breaks):
        assert READ_S * 0.8 < took_s < READ_S + 10


@on_one_database
def test_heads_have_an_end(watched: Service) -> None:
    for pieces in (
        [b"GET / HTTP/1.1\r\nX: ", *[b"a" * 8192] * 9],
        [b"GET / HTTP/1.1\r\n", *[b"X-%d: y\r\n" % n * 100 for n in range(90)], b"\r\n"],
        [b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n"],
    ):
        refusal(raw(watched, *pieces)[0], 431, "HEADERS_TOO_LARGE")


@on_one_database
def test_what_is_no_http_is_refused_in_the_envelope(watched: Service) -> None:
    answer = refusal(raw(watched, b"HELLO\r\n\r\n")[0], 400, "VALIDATION_ERROR")
    assert [each["code"] for each in answer["error"]["violations"]] == ["NOT_HTTP"]
    trace_id = answer["traceId"]
    assert [line for line in watched.log_lines() if line.get("trace_id") == trace_id]


@on_one_database
def test_big_bodies_and_many_requests_on_one_connection_are_no_head(watched: Service, seen: Tenant) -> None:
    for _ in range(3):
        answer = seen.client.post("/audiences", json={"name": "x" * 300_000, "type": "on_demand"})
        assert answer.status_code == 400, answer.text
        assert answer.json()["error"]["violations"][0]["code"] == "TOO_LONG"
    for _ in range(40):
        assert seen.client.get("/audiences", headers={"X-Long": "y" * 4000}).status_code == 200


@on_one_database
def test_the_rest_of_a_refused_body_is_not_read_for_ever(watched: Service) -> None:
    head = b"POST /v1/accounts/x/audiences HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    answer, took_s = raw(watched, head, *[b"a"] * 4, pause_s=READ_S / 5)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert took_s < READ_S * 2 + 10


@on_one_database
def test_too_many_connections(watched: Service) -> None:
    before = scraped(watched)
    with ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            stack.enter_context(socket.create_connection(("127.0.0.1", watched.port)))
        answer = httpx.get(f"{watched.base_url}/v1/accounts")
        # A supervisor that got the refusal would restart the process, and so help the attacker who holds the
        # connections.
        probes = {
            path: httpx.get(f"{admin_url(watched)}{path}").status_code for path in ("/livez", "/readyz", "/metrics")
        }
    assert set(probes.values()) == {200}, probes
    assert answer.status_code == 503, answer.text
    assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert "database" not in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Connection"] == "close"
    # It may take the service a moment to notice that they are gone.
    statuses = [503]
    while statuses[-1] == 503:
        assert len(statuses) < 1_000
        statuses.append(httpx.get(f"{watched.base_url}/v1/accounts", verify=False).status_code)
    assert statuses[-1] == 401
    refused = 'leadyard_requests_total{method="GET",route="unknown",status="503"}'
    assert scraped(watched)[refused] == before.get(refused, 0) + statuses.count(503)


def hold(session: Session, audience_id: str) -> None:
    """Holds up every move of the audience; on SQLite, every writer."""
    session.begin()
    if session.is_postgresql:
        session.run("SELECT 1 FROM audiences WHERE id = $1 FOR UPDATE", key_of(audience_id))


def locked_out(tenant: Tenant) -> int:
    """Returns how many connections to this database wait for a lock."""
    [(waiting,)] = tenant.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return int(waiting)


def test_a_full_queue_is_refused_at_once_and_those_in_it_are_served(watched: Service, seen: Tenant) -> None:
    source, target = seen.create_audience(), seen.create_audience()
    leads = seen.add_leads(source, 6)
    places = QUEUE + (POOL if watched.is_postgresql else 1)

    def move(lead: str) -> httpx.Response:
        with seen.new_client() as client:
            return seen.move(source, target, [lead], client)

    def are_all_waiting() -> bool:
        waiting = sum(value for name, value in scraped(watched).items() if name == "leadyard_database_waiters")
        return waiting == QUEUE

    with Session(watched.database_url) as session, ThreadPoolExecutor(places) as pool:
        hold(session, source)
        moving = [pool.submit(move, lead) for lead in leads[:places]]
        if watched.is_postgresql:
            # A scrape would have to wait in the same queue. A request that has a connection waits for the lock.
            wait_until(lambda: locked_out(seen) == POOL, "all connections wait for the lock", within_s=10)
            time.sleep(0.7)
        else:
            wait_until(are_all_waiting, "the queue is full", within_s=10)
        started = time.monotonic()
        refused = move(leads[5])
        took_s = time.monotonic() - started
        session.commit()
        answers = [each.result() for each in moving]
    assert refused.status_code == 503, refused.text
    assert refused.json()["error"]["details"].startswith("Nothing was changed.")
    assert int(refused.headers["Retry-After"]) > 0
    assert took_s < REQUEST_S / 2, "it did not wait for its turn first"
    assert [answer.status_code for answer in answers] == [200] * places
    trace_id = refused.json()["traceId"]
    (line,) = (
        line
        for line in watched.log_lines()
        if line.get("trace_id") == trace_id and line["event"] == "service_unavailable"
    )
    assert line["reason"] == "queue_full"
    assert move(leads[5]).status_code == 200
    assert scraped(watched)['leadyard_database_failures_total{reason="queue_full"}'] >= 1
    assert_healthy(seen)


def test_work_that_takes_too_long_is_given_up_and_undone(watched: Service, seen: Tenant) -> None:
    source, target = seen.create_audience(), seen.create_audience()
    leads = seen.add_leads(source, 3)
    with Session(watched.database_url) as session:
        hold(session, source)
        started = time.monotonic()
        answer = seen.move(source, target, leads)
        took_s = time.monotonic() - started
        session.commit()
    assert answer.status_code == 503, answer.text
    assert "read the current state" in answer.json()["error"]["details"]
    assert int(answer.headers["Retry-After"]) > 0
    assert REQUEST_S * 0.9 < took_s < REQUEST_S + 10
    assert_exact(seen, {source: set(leads), target: set()})
    # As often as there are connections: none of them was left in a transaction.
    for one, other in ((source, target), (target, source)) * POOL:
        assert seen.move(one, other, leads).status_code == 200
    assert_healthy(seen)


def test_an_upload_may_take_long_as_long_as_it_goes_on() -> None:
    """The work on each piece has the whole time, however many there are. The client is not blamed for our own work."""
    # Together more than either limit.
    pieces, work_s, limits = 6, 50.0, TimeLimits(read_s=100, request_s=150)
    assert _status_after(pieces, [work_s] * pieces, limits) == 200
    assert _status_after(pieces, [*[work_s] * 4, 151], limits) == 503


class Clockwork(asyncio.SelectorEventLoop):
    """A loop whose time passes only while it waits, and then at once, so that no machine is too slow for it."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__()
        self._select = self._selector.select  # type: ignore[attr-defined]
        self._selector.select = self._wait  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now_s

    def _wait(self, timeout: float | None = None) -> Any:
        self._now_s += timeout or 0.0
        return self._select(0)


def _status_after(pieces: int, works_s: Sequence[float], limits: TimeLimits) -> int:
    """Returns the status of a request whose body comes in that many pieces, each of which takes that much work."""
    messages = [{"type": "http.request", "body": b"x", "more_body": n < pieces - 1} for n in range(pieces)]
    statuses: list[int] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for work_s in works_s:
            await receive()
            await asyncio.sleep(work_s)
        await Response("done")(scope, receive, send)

    scope: Scope = {"type": "http", "state": {"trace_id": "0" * 32}}
    with asyncio.Runner(loop_factory=Clockwork) as runner:
        runner.run(Limits(app, limits=limits)(scope, receive, send))
    (status,) = statuses
    return status
