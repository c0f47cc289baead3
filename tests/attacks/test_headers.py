"""Every header with every odd value, and line breaks that try to become headers of the answer."""

from __future__ import annotations

import re

from rig.watching import on_one_database
from tests.attacks import wire
from tests.attacks.requests import ORDINARY_HEADERS, Place
from tests.attacks.target import Target

# The code below the routes does not depend on the database.
pytestmark = on_one_database
FAMILY = "header injection"
PLANTED = "x-planted"
VALUES = [
    "", " ", "\t", ",", ";", '"', "=", "*/*;q=9999", "\x7f", "\xff\xfe", "é", "-1", "9" * 400, "null", "true",
    "../../etc/passwd",
    "%0d%0aX-Planted: 1", "\\r\\nX-Planted: 1", "() { :; }; echo planted", "${jndi:ldap://127.0.0.1/a}",
    "bytes=0-,0-,0-,0-", "Thu, 99 Foo 2026 99:99:99 GMT", "'\"><script>alert(1)</script>", "gzip, deflate, br, zstd",
    "http://169.254.169.254/", "DELETE", "a" * 30_000, "application/json; charset=utf-7", "multipart/form-data",
    "application/xml", "00-" + "0" * 32 + "-" + "0" * 16 + "-00", "00-" + "f" * 32 + "-" + "f" * 16 + "-01-x",
    "01-" + "a" * 32 + "-" + "b" * 16 + "-01-\x80",
    "Basic YTpi", "Bearer", "Bearer ", "Bearer  x", "sha-256=:" + "A" * 43 + "=:", "sha-256=::", "\U0001f600",
]  # fmt: skip
LINE_BREAKS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u560d\u560a", "%0d%0a", "%0a", "%250d%250a"]
_OURS = re.compile(rb"[a-z0-9-]+")
# The names of headers that any answer of ours may have.
KNOWN = {
    b"content-type", b"content-length", b"date", b"connection", b"retry-after", b"www-authenticate", b"allow",
    b"move-id", b"change-id", b"key-permissions",
    b"idempotency-replayed", b"content-disposition", b"transfer-encoding", b"ratelimit", b"ratelimit-policy",
    b"cache-control",
    b"etag", b"last-modified", b"accept-ranges", b"content-encoding", b"vary",
}  # fmt: skip


def test_every_header_with_every_odd_value(target: Target) -> None:
    documented = [place for place in target.places if place.where == "header"]
    documented += [place for place in target.header_places if place.steps == ("traceparent",)]
    assert documented
    for number, place in enumerate([*target.header_places, *documented]):
        for value in VALUES if place in documented else VALUES[number % 4 :: 4]:
            if value != value.strip():
                continue  # No client sends these as they are.
            answer = target.attack(FAMILY, place, value)
            assert {name.lower().encode() for name in answer.headers} <= KNOWN, answer.headers


def test_a_line_break_in_a_value_never_becomes_a_header(target: Target) -> None:
    """In the header lines themselves a line break begins another header, which is how HTTP works. But in path, query,
    header values and body, from which we may send text back, it must stay a line break."""
    split = [f"x{line_break}{PLANTED}: 1{line_break * 2}<h1>planted" for line_break in LINE_BREAKS]
    sent = 0
    for place in target.places:
        for text in split if place.where != "body" else split[:3]:
            if place.where == "header" and not text.isprintable():
                continue  # No client sends it; see the test below.
            answer = target.attack(FAMILY, place, text)
            assert PLANTED not in answer.headers, str(place)
            assert {name.lower().encode() for name in answer.headers} <= KNOWN, answer.headers
            sent += 1
    assert sent > 300


def test_bytes_that_are_no_header_are_refused_on_the_wire(target: Target) -> None:
    names = [*ORDINARY_HEADERS, "Idempotency-Key", "Content-Digest"]
    cases = {
        f"{name}: {value!r}": [wire.get(target, name.encode() + b": " + value)]
        for name in names
        for value in (b"a\0b", b"a\rX-Planted: 1", b"a\nX-Planted 1")
    }
    for name, found in wire.exchange_all(target, FAMILY, cases).items():
        assert found.statuses == [400], name
        assert set(found.answers[0].headers) <= KNOWN, name


def test_the_same_header_twice_is_one_of_both_or_refused(target: Target) -> None:
    key = target.attacker.key.encode()
    body = b'{"name": "Twice", "type": "on_demand"}'
    length = b"Content-Length: %d" % len(body)
    cases = {
        "two keys": [wire.get(target, b"Authorization: Bearer " + key)],
        "two keys, one wrong": [wire.get(target, b"Authorization: Bearer x")],
        "two idempotency keys": [wire.post(target, body, length, b"Idempotency-Key: a", b"Idempotency-Key: b")],
        "two types": [wire.post(target, body, length, b"Content-Type: text/plain")],
        "two trace ids": [wire.get(target, b"traceparent: 00-" + b"1" * 32 + b"-" + b"1" * 16 + b"-01") ],
    }  # fmt: skip
    heard = wire.exchange_all(target, FAMILY, cases)
    assert heard["two keys"].statuses == heard["two keys, one wrong"].statuses == [401]
    assert heard["two idempotency keys"].statuses == [400]
    assert set(heard["two types"].statuses) <= {201, 415}


def test_a_method_named_in_a_header_is_not_used(target: Target) -> None:
    audience = target.attacker.create_audience("Kept")
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        path = next(each for each in target.requests if each.path.endswith("/{audienceId}") and each.method == "GET")
        place = Place(path, "header", (name,))
        assert target.attack(FAMILY, place, "DELETE").status_code == 200
    assert target.attacker.count(audience) == 0


def test_a_header_that_is_planted_would_be_noticed(target: Target) -> None:
    assert b"x-planted" not in KNOWN
    assert all(_OURS.fullmatch(name) for name in KNOWN)
