"""Clients that send or read too slowly, too much or without end, while all other clients are served."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from leadyard.http.request.json_body import MAX_BODY_BYTES
from leadyard.http.wire.protocol import MAX_HEAD_BYTES
from rig.answers import data_of
from rig.racing import at_once, soon
from rig.service import Service
from rig.watching import on_one_database
from tests.attacks import tally, wire
from tests.attacks.conftest import READ_S
from tests.attacks.target import Target

# The code below the routes does not depend on the database.
pytestmark = on_one_database
FAMILY = "slow and oversized requests"
CROWD = 60
HONEST_S = 3.0


@contextmanager
def honest_requests(target: Target) -> Iterator[list[float]]:
    """Sends ordinary requests of another client, one after the other, while the block runs. Yields how long each
    took."""
    took: list[float] = []
    ended = threading.Event()

    def ask() -> None:
        with target.victim.new_client() as client:
            while not ended.is_set():
                started = time.monotonic()
                assert client.get("/audiences?limit=1").status_code == 200
                took.append(time.monotonic() - started)
                ended.wait(0.05)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield took
    finally:
        ended.set()
        thread.join(30)


def held_by(service: Service, start: bytes, drip: bytes) -> tuple[list[bytes], float]:
    """Opens a crowd of connections, sends each the start and then the rest bit by bit without end. Returns what each
    received until the service ended it, and how long the last one lived."""
    started = time.monotonic()
    crowd = [socket.create_connection(("127.0.0.1", service.port), timeout=10) for _ in range(CROWD // 4)]
    got: dict[socket.socket, bytes] = dict.fromkeys(crowd, b"")
    alive = set(crowd)
    for each in crowd:
        each.sendall(start)
        each.setblocking(False)
    while alive:
        assert time.monotonic() - started < READ_S * 2 + 20, f"{len(alive)} are still held"
        for each in list(alive):
            try:
                each.send(drip)
                more = each.recv(65_536)
                if not more:
                    alive.discard(each)
                got[each] += more
            except BlockingIOError:
                continue
            except ConnectionError:
                alive.discard(each)
        time.sleep(0.2)
    for each in crowd:
        each.close()
    return list(got.values()), time.monotonic() - started


def test_a_crowd_of_slow_clients_is_sent_away_and_everybody_else_served(target: Target) -> None:
    body = wire.post(target, b'{"name": "', b"Content-Length: 500000")
    chunked = wire.post(target, b"", b"Transfer-Encoding: chunked")
    file = wire.post(target, b"email\n", b"Content-Length: 500000", path=b"/uploads")
    kinds = (
        (b"GET /v1/accounts HTTP/1.1\r\n", b"X-A: b\r\n"),
        (b"GET /v1/accounts HTTP/1.1\r\nX-A: ", b"b"),
        (b"", b"\r\n"),
        (body, b" "),
        (chunked, b"1\r\n \r\n"),
        (file.replace(b"application/json", b"text/csv"), b"a"),
    )

    def attack() -> float:
        with honest_requests(target) as took:
            crowds = at_once(*(partial(held_by, target.service, *kind) for kind in kinds))
        for answers, lasted_s in crowds:
            for answer in answers:
                assert answer == b"" or answer.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 400 ")), answer
                tally.note(FAMILY, answer[9:12].decode() or "closed")
            assert lasted_s < READ_S * 2 + 20
        return max(took)

    soon(HONEST_S, attack)


def test_slow_readers_hold_up_nobody(target: Target) -> None:
    audience = target.attacker.create_audience("Large")
    target.attacker.add_leads(audience, 2_000, prefix="large")
    asked = wire.get(target, path=b"/audiences/%s/prospects?limit=200" % audience.encode()) * 30

    def attack() -> float:
        with honest_requests(target) as took:
            crowd = []
            for _ in range(CROWD):
                each = socket.socket()
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
                each.connect(("127.0.0.1", target.service.port))
                each.sendall(asked)
                crowd.append(each)
            # Reads a little of each answer, then nothing more.
            for each in crowd:
                each.settimeout(60)
                assert each.recv(1).startswith(b"H")
            time.sleep(2)
            for each in crowd:
                each.close()
        tally.note(FAMILY, "read by nobody", CROWD)
        return max(took)

    soon(HONEST_S + 4, attack)


def test_what_is_too_large_is_refused_before_it_is_read(target: Target) -> None:
    rows = b"x" * MAX_BODY_BYTES
    chunk = b"%x\r\n%s\r\n" % (65_536, b"x" * 65_536)
    cases: dict[str, list[bytes]] = {
        "announced": [wire.post(target, b"", b"Content-Length: 1048577")],
        "announced beyond all numbers": [wire.post(target, b"", b"Content-Length: 18446744073709551615")],
        "an upload announced": [
            wire.post(target, b"", b"Content-Length: 1073741825", path=b"/uploads").replace(b"application/json",
            b"text/csv"),
        ],
        "in chunks that never end": [wire.post(target, b"", b"Transfer-Encoding: chunked"), *[chunk] * 17],
        "one byte too much": [wire.post(target, rows + b"x", b"Content-Length: %d" % (MAX_BODY_BYTES + 1))],
        "a huge target": [b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * (MAX_HEAD_BYTES + 1))],
        "a huge query": [wire.get(target, path=b"/audiences?q=%s" % (b"a" * (MAX_HEAD_BYTES + 1)))],
        "a huge header": [wire.get(target, b"X-A: %s" % (b"a" * MAX_HEAD_BYTES))],
        "a huge name": [wire.get(target, b"%s: b" % (b"a" * MAX_HEAD_BYTES))],
        "a huge key": [wire.get(target).replace(b"Bearer ", b"Bearer %s" % (b"a" * MAX_HEAD_BYTES))],
        "many headers": [wire.get(target, *[b"X-%d: b" % n for n in range(10_000)])],
        "many cookies": [wire.get(target, *[b"Cookie: a=b"] * 10_000)],
        "a huge method": [b"G" * 100_000 + b" / HTTP/1.1\r\n\r\n"],
        "a header without an end": [b"GET / HTTP/1.1\r\nX: ", *[b"a" * 65_536] * 20],
        "empty lines without an end": [b"\r\n" * 500_000],
        "an extension without an end": [wire.post(target, b"1;" + b"a" * 2_000_000, b"Transfer-Encoding: chunked")],
        "a chunk of 16 EiB": [wire.post(target, b"FFFFFFFFFFFFFFFF\r\n" + b"x" * 1_200_000,
        b"Transfer-Encoding: chunked")],
        "trailers without an end": [
            wire.post(target, b"2\r\n{}\r\n0\r\n" + b"X-A: b\r\n" * 200_000, b"Transfer-Encoding: chunked"),
        ],
        "many tiny chunks": [wire.post(target, b"1\r\n \r\n" * 200_000 + b"0\r\n\r\n", b"Transfer-Encoding: chunked")],
    }  # fmt: skip

    def attack() -> float:
        with honest_requests(target) as took:
            heard = wire.exchange_all(target, FAMILY, cases)
        expected = {413, 414, 431, 400, 408}
        for name, found in heard.items():
            assert set(found.statuses) <= expected, f"{name}: {found.statuses}"
            assert len(found.answers) <= 1
        assert heard["announced"].statuses == heard["an upload announced"].statuses == [413]
        return max(took)

    soon(HONEST_S, attack)


def test_too_many_connections_are_refused_in_the_envelope_and_none_is_held(target: Target) -> None:
    """Connections below the limit are harmless; tests/watching/test_limits.py covers more of them."""
    crowd = [socket.create_connection(("127.0.0.1", target.service.port)) for _ in range(100)]

    def ask() -> float:
        started = time.monotonic()
        assert target.attacker.client.get("/audiences?limit=1").status_code == 200
        return time.monotonic() - started

    soon(HONEST_S, ask)
    for each in crowd:
        each.settimeout(READ_S * 2 + 20)
        assert each.recv(1) == b""  # Silent connections are closed in time.
        each.close()
        tally.note(FAMILY, "closed")


@pytest.mark.parametrize("size", [MAX_BODY_BYTES, MAX_BODY_BYTES - 1])
def test_what_is_just_small_enough_is_taken(target: Target, size: int) -> None:
    """Without this test, the tests above could pass because everything is refused."""
    text = json.dumps({"name": "x", "type": "on_demand"})
    made = target.attacker.client.post(
        "/audiences", content=text + " " * (size - len(text)), headers={"Content-Type": "application/json"}
    )
    assert data_of(made, 201)["name"] == "x"
