"""Texts that try to become lines of the log, or to appear in it at all."""

from __future__ import annotations

import json
from typing import Any

from rig.racing import wait_until
from rig.watching import on_one_database
from tests.attacks import wire
from tests.attacks.requests import ORDINARY_HEADERS
from tests.attacks.target import Target, is_one_line_of_log

# The code below the routes does not depend on the database.
pytestmark = on_one_database
FAMILY = "log injection"
PLANTED = "planted-in-the-log"
LINES = [
    f'\n{{"event": "request", "status": 200, "{PLANTED}": 1}}\n',
    f'\r\nINFO:     {PLANTED}\r\n',
    f"\x1b[2J\x1b[31m{PLANTED}\x1b[0m",
    f'", "{PLANTED}": "1',
    f"%s%d%n{{0}}{{{PLANTED}}}",
    f"\u2028{PLANTED}\x85\x0b{PLANTED}",
    f"\b\b\b\b{PLANTED}\0",
]  # fmt: skip


def _logged(target: Target) -> list[str]:
    """Returns the new lines. Each must be one whole line that we or uvicorn have made."""
    lines = target.new_log_lines()
    for line in lines:
        assert is_one_line_of_log(line), line
        assert PLANTED not in line, line
        assert line.isprintable() and "\x1b" not in line, line
    return lines


def test_nothing_that_a_client_writes_is_logged_or_makes_a_line(target: Target) -> None:
    target.new_log_lines()
    sent = 0
    for number, place in enumerate(target.places):
        for text in LINES[number % 2 :: 2]:
            if place.where != "header":
                target.attack(FAMILY, place, text)
                sent += 1
    assert sent > 300
    assert len(_logged(target)) > sent


def test_nothing_of_a_head_is_logged_even_when_it_is_none(target: Target) -> None:
    target.new_log_lines()
    raw = [text.encode() for text in LINES]
    cases = {
        f"{name} {text!r}": [wire.get(target, name.encode() + b": " + text)]
        for name in ORDINARY_HEADERS
        for text in raw
    }
    for text in raw:
        one_line = text.replace(b"\r", b"").replace(b"\n", b"")
        cases |= {
            f"a target {text!r}": [b"GET /" + one_line.replace(b" ", b"%20") + b" HTTP/1.1\r\nHost: x\r\n\r\n"],
            f"an escaped target {text!r}": [b"GET /" + _escaped(text) + b" HTTP/1.1\r\nHost: x\r\n\r\n"],
            f"a query {text!r}": [wire.get(target, path=b"/audiences?q=" + _escaped(text))],
            f"a method {text!r}": [one_line + b" / HTTP/1.1\r\nHost: x\r\n\r\n"],
            f"a version {text!r}": [b"GET / " + one_line + b"\r\nHost: x\r\n\r\n"],
            f"no HTTP {text!r}": [text + b"\r\n\r\n"],
            f"a key {text!r}": [b"GET /v1/accounts HTTP/1.1\r\nAuthorization: Bearer " + one_line + b"\r\n\r\n"],
            f"an upgrade {text!r}": [wire.get(target, b"Connection: Upgrade", b"Upgrade: " + one_line)],
        }  # fmt: skip
    wire.exchange_all(target, FAMILY, cases)
    # An attacker cannot make uvicorn add its own lines either.
    assert all(line.startswith("{") for line in _logged(target))


def test_what_is_logged_would_be_found(target: Target) -> None:
    """A trace id is the only text of a client that is logged, because it can only be 32 hex characters."""
    target.new_log_lines()
    trace_id = "5ca1ab1e" * 4
    path = "/audiences?limit=1"
    assert target.attacker.client.get(path, headers={"traceparent": f"00-{trace_id}-{'b' * 16}-01"}).status_code == 200

    def lines_about_the_request() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in _logged(target) if trace_id in line]
        return [line for line in lines if line["event"] == "request"]

    # A request is logged after its answer was sent, which may be after the client has read it.
    assert wait_until(lines_about_the_request, "the request was logged")
    assert not is_one_line_of_log(PLANTED)
    assert not is_one_line_of_log('{"event": 1')


def _escaped(text: bytes) -> bytes:
    return b"".join(b"%%%02x" % byte for byte in text)
