"""Requests that offer to leave HTTP/1.1: the service declines, and reads each of them to its end."""

from __future__ import annotations

import json
from itertools import product

import pytest

from rig.watching import on_one_database
from tests.attacks import wire
from tests.attacks.target import Target

# The code below the routes does not depend on the database.
pytestmark = on_one_database
FAMILY = "upgrade offers"
_SETTINGS = b"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"
_WEBSOCKET = (b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
OFFERS: dict[str, tuple[bytes, ...]] = {
    "h2c, as Java and curl send it": (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", _SETTINGS),
    "h2c without its settings": (b"Connection: Upgrade", b"Upgrade: h2c"),
    "a WebSocket": (b"Connection: Upgrade", b"Upgrade: websocket", *_WEBSOCKET),
    "a WebSocket and keep-alive": (b"Connection: keep-alive, Upgrade", b"Upgrade: WebSocket", *_WEBSOCKET),
    "TLS": (b"Connection: Upgrade", b"Upgrade: TLS/1.0, HTTP/1.1"),
    "an unknown protocol": (b"Connection: upgrade", b"Upgrade: chess/3"),
    "several protocols": (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c, websocket, chess/3", _SETTINGS),
    "several lines": (b"Upgrade: h2c", b"Connection: HTTP2-Settings", b"Connection: Upgrade", b"Upgrade: x", _SETTINGS),
    "the name in capitals": (b"CONNECTION: UPGRADE", b"UPGRADE: H2C"),
    "a protocol without a name": (b"Connection: Upgrade", b"Upgrade:"),
    "an offer that Connection does not name": (b"Upgrade: h2c", _SETTINGS),
    "Connection names an offer that is not there": (b"Connection: Upgrade",),
}
PACKETS = ("one packet", "head and body", "seven bytes each")


def _audience(name: str) -> bytes:
    return json.dumps({"name": name, "type": "on_demand"}).encode()


def _with_length(target: Target, name: str, *lines: bytes) -> bytes:
    body = _audience(name)
    return wire.post(target, body, b"Content-Length: %d" % len(body), *lines)


def _chunked(target: Target, name: str, *lines: bytes) -> bytes:
    body = _audience(name)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:9], body[9:]))
    return wire.post(target, chunks + b"0\r\n\r\n", b"Transfer-Encoding: chunked", *lines)


FRAMINGS = {"Content-Length": _with_length, "chunks": _chunked}


def _in_packets(data: bytes, packets: str) -> list[bytes]:
    if packets == "one packet":
        return [data]
    if packets == "head and body":
        end = data.index(b"\r\n\r\n") + 4
        return [data[:end], data[end:]]
    return [data[at : at + 7] for at in range(0, len(data), 7)]


@pytest.mark.parametrize("framing", FRAMINGS)
def test_the_body_behind_an_offer_belongs_to_its_request(target: Target, framing: str) -> None:
    """Each request creates the audience of its body, and so does the next request on the same connection."""
    make, before = FRAMINGS[framing], _names(target)
    cases, expected = {}, []
    for (offer, lines), packets in product(OFFERS.items(), PACKETS):
        names = [f"{offer}, {packets}, {number}" for number in (1, 2)]
        data = make(target, names[0], *lines) + make(target, names[1], *lines)
        cases[f"{offer}, {packets}"] = _in_packets(data, packets)
        expected += names

    heard = wire.exchange_all(target, FAMILY, cases, least=dict.fromkeys(cases, 2))

    assert {name: each.statuses for name, each in heard.items()} == {name: [201, 201] for name in cases}
    assert not any(each.closed for each in heard.values())
    made = _names(target)
    assert sorted(made[len(before) :]) == sorted(expected)


def test_requests_behind_an_offer_are_answered_in_turn(target: Target) -> None:
    """The service reads a pipelined request where the body before it ends, and only there."""
    upgrade = OFFERS["h2c, as Java and curl send it"]
    data = b"".join(
        [
            _with_length(target, "pipelined 1", *upgrade),
            wire.get(target, *upgrade, path=b"/audiences?limit=1"),
            _chunked(target, "pipelined 2", *upgrade),
            wire.get(target, path=b"/nothing"),
            _with_length(target, "pipelined 3"),
        ]
    )
    cases = {packets: _in_packets(data, packets) for packets in PACKETS}

    heard = wire.exchange_all(target, FAMILY, cases, least=dict.fromkeys(cases, 5))

    assert [each.statuses for each in heard.values()] == [[201, 200, 201, 404, 201]] * len(PACKETS)


def test_a_body_behind_a_refused_offer_is_not_a_request(target: Target) -> None:
    """The service refuses these by their head. Their bodies look like a request and are still bodies."""
    looks_like_one, upgrade = wire.get(target), OFFERS["h2c, as Java and curl send it"]
    length = b"Content-Length: %d" % len(looks_like_one)
    cases = {
        f"{name}, {packets}": _in_packets(data, packets)
        for packets in PACKETS
        for name, data in {
            "an unknown path": wire.post(target, looks_like_one, length, *upgrade, path=b"/nothing"),
            "a GET with a body": wire.get(target, length, *upgrade, path=b"/nothing") + looks_like_one,
            "another type": wire.post(target, looks_like_one, length, *upgrade, b"Content-Encoding: br"),
        }.items()
    }

    heard = wire.exchange_all(target, FAMILY, cases)

    assert {len(each.answers) for each in heard.values()} == {1}
    assert {each.statuses[0] for each in heard.values()} == {404, 415}


def test_an_offer_may_end_the_connection_or_be_of_http_1_0(target: Target) -> None:
    upgrade = b"Upgrade: h2c"
    old = _with_length(target, "old", b"Connection: Upgrade", upgrade).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    cases = {
        "the last request": [_with_length(target, "last", b"Connection: Upgrade, close", upgrade)],
        "HTTP/1.0": [old],
    }
    heard = wire.exchange_all(target, FAMILY, cases, until_closed=True)
    assert [(each.statuses, each.closed) for each in heard.values()] == [([201], True), ([201], True)]


def test_an_offer_as_a_trailer_has_no_effect(target: Target) -> None:
    body = _audience("offer as a trailer")
    chunks = b"%x\r\n%s\r\n0\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n" % (len(body), body)
    data = wire.post(target, chunks, b"Transfer-Encoding: chunked") + wire.get(target, path=b"/audiences?limit=1")
    heard = wire.exchange_all(target, FAMILY, {"one packet": [data]}, least={"one packet": 2})
    assert heard["one packet"].statuses == [201, 200]


def test_nothing_behind_connect_is_read(target: Target) -> None:
    behind = _with_length(target, "behind CONNECT")
    cases = {
        "an address": [b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost\r\n\r\n" + behind],
        "a path": [wire.get(target).replace(b"GET", b"CONNECT", 1), behind],
    }
    heard = wire.exchange_all(target, FAMILY, cases, until_closed=True)
    assert all(each.closed and each.statuses in ([400], []) for each in heard.values()), heard
    assert "behind CONNECT" not in _names(target)


def _names(target: Target) -> list[str]:
    return [audience["name"] for audience in target.attacker.walk("/audiences")]
