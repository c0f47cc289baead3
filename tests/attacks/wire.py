"""Sends raw bytes to the service, including requests that HTTP clients refuse to send, and reads the answers."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from rig.answers import TRACE_ID
from rig.service import Service
from tests.attacks import tally
from tests.attacks.target import PRIVATE, Target

_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
_INSIDES = re.compile(rb"Traceback|\.py\b|site-packages|uvicorn|httptools|llhttp|starlette|/(tmp|usr|home)/")
_AT_ONCE = 16


@dataclass(frozen=True)
class Answer:
    """One answer as it was on the wire."""

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes


@dataclass(frozen=True)
class Heard:
    """All bytes that came back on one connection, and whether the service closed it."""

    answers: Sequence[Answer]
    rest: bytes
    closed: bool

    @property
    def statuses(self) -> list[int]:
        return [answer.status for answer in self.answers]


def exchange(
    service: Service,
    *pieces: bytes,
    pause_s: float = 0,
    quiet_s: float = 0.4,
    within_s: float = 12,
    least: int = 1,
    until_closed: bool = False,
) -> Heard:
    """Sends the pieces, then listens until the service closes the connection, or is quiet for a while after at least
    `least` answers. With `until_closed` it must close."""
    received, closed = b"", False
    deadline = time.monotonic() + within_s
    with socket.create_connection(("127.0.0.1", service.port), timeout=within_s) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause_s)
            while not closed and time.monotonic() < deadline:
                connection.settimeout(quiet_s)
                try:
                    more = connection.recv(1 << 20)
                    closed, received = not more, received + more
                except TimeoutError:
                    answers, rest = _parsed(received)
                    if len(answers) >= least and not rest and not until_closed:
                        break
        except (ConnectionError, BrokenPipeError):
            closed = True
    answers, rest = _parsed(received)
    return Heard(answers, rest, closed)


def exchange_all(
    target: Target,
    family: str,
    cases: Mapping[str, Sequence[bytes]],
    *,
    least: Mapping[str, int] | None = None,
    until_closed: bool = False,
) -> dict[str, Heard]:
    """Sends every case over a separate connection, several at a time. Fails for an answer that is not in our form, a
    5xx, or a connection with neither an answer nor an end. `least` contains the cases that must get more than one
    answer."""

    def heard_of(name: str) -> Heard:
        owed = (least or {}).get(name, 1)
        return exchange(target.service, *cases[name], least=owed, until_closed=until_closed)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        heard = dict(zip(cases, pool.map(heard_of, cases), strict=True))
    for name, found in heard.items():
        tally.note(family, "+".join(map(str, found.statuses)) or ("closed" if found.closed else "silence"))
        assert found.answers or found.closed, f"{name}: neither an answer nor an end"
        assert not found.rest, f"{name}: {found.rest[:300]!r}"
        for answer in found.answers:
            assert_ours(answer, name)
    return heard


def assert_ours(answer: Answer, what: str) -> None:
    """Fails unless the answer has our envelope (or is a public file), is not a 5xx, and discloses nothing."""
    assert 200 <= answer.status < 500, f"{what}: {answer.status} {answer.body[:300]!r}"
    assert PRIVATE.encode() not in answer.body, what
    if answer.status < 400:
        return
    assert not _INSIDES.search(answer.body), f"{what}: {answer.body[:300]!r}"
    assert answer.headers[b"content-type"] == b"application/json", what
    if answer.body:  # The answer to a HEAD has none.
        envelope = json.loads(answer.body)
        assert set(envelope) == {"success", "data", "error", "traceId"}, what
        assert envelope["success"] is False
        assert TRACE_ID.fullmatch(envelope["traceId"])


def post(target: Target, body: bytes, *lines: bytes, path: bytes = b"/audiences") -> bytes:
    """Returns the bytes of a POST with these header lines. It has no Content-Length unless they contain it."""
    return _request(target, b"POST", path, b"Content-Type: application/json", *lines) + body


def get(target: Target, *lines: bytes, path: bytes = b"/audiences") -> bytes:
    return _request(target, b"GET", path, *lines)


def _request(target: Target, method: bytes, path: bytes, *lines: bytes) -> bytes:
    tenant = target.attacker
    start = b"%s /v1/accounts/%s%s HTTP/1.1" % (method, tenant.account_group_id.encode(), path)
    return b"\r\n".join([start, b"Host: x", b"Authorization: Bearer " + tenant.key.encode(), *lines, b"", b""])


def _parsed(data: bytes) -> tuple[list[Answer], bytes]:
    """Returns the whole answers in the data, and the bytes behind them."""
    answers: list[Answer] = []
    while match := _STATUS.match(data):
        head, end, rest = data.partition(b"\r\n\r\n")
        if not end:
            break
        status, headers = int(match[1]), _headers(head)
        if status == 100:
            data = rest
            continue
        if b"chunked" in headers.get(b"transfer-encoding", b""):
            body, end, rest = rest.partition(b"0\r\n\r\n")
            if not end:
                break
        else:
            size = int(headers.get(b"content-length", b"0"))
            if len(rest) < size and not (not rest and status >= 400):
                break
            body, rest = rest[:size], rest[size:]
        answers.append(Answer(status, headers, body))
        data = rest
    return answers, data


def _headers(head: bytes) -> dict[bytes, bytes]:
    lines = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    return {name.lower(): value.strip() for name, _, value in lines}
