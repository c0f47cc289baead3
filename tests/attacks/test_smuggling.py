"""Requests that two readers could split at different places. A proxy in front of the service must not be fooled."""

from __future__ import annotations

import json

from rig.watching import on_one_database
from tests.attacks import wire
from tests.attacks.target import Target

# The code below the routes does not depend on the database.
pytestmark = on_one_database
FAMILY = "request smuggling and odd HTTP"
SMUGGLED = "smuggled in"


def _audience(name: str) -> bytes:
    return json.dumps({"name": name, "type": "on_demand"}).encode()


def _smuggled(target: Target) -> bytes:
    body = _audience(SMUGGLED)
    return wire.post(target, body, b"Content-Length: %d" % len(body))


def _chunk(data: bytes, size: bytes = b"") -> bytes:
    return (size or b"%x" % len(data)) + b"\r\n" + data + b"\r\n"


def _ambiguous(target: Target) -> dict[str, bytes]:
    """Requests that a service must refuse, because another reader may split them differently (RFC 9112, section
    11.2)."""
    hidden, body = _smuggled(target), _audience("ambiguous")
    length, chunked = b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked"
    end = b"0\r\n\r\n"
    cases = {
        "CL.TE": wire.post(target, end + hidden, b"Content-Length: %d" % len(end + hidden), chunked),
        "TE.CL": wire.post(target, _chunk(hidden) + end, chunked, b"Content-Length: 4"),
        "two lengths": wire.post(target, body + hidden, length, b"Content-Length: %d" % len(body + hidden)),
        "two lengths, the other way": wire.post(target, body + hidden, b"Content-Length: 0", length),
        "a folded line": wire.post(target, body, length, b"X-A: b\r\n c"),
        "a folded Transfer-Encoding": wire.post(target, end + hidden, length, b"X-A: b\r\n Transfer-Encoding: chunked"),
        "a first header that is indented": wire.get(target).replace(b"Host:", b" Host:"),
        "bare CR in a header": wire.get(target, b"X-A: b\rX-B: c"),
        "bare LF between headers": wire.post(target, end + hidden, b"X-A: b\nTransfer-Encoding: chunked"),
        "bare LF everywhere": wire.post(target, body, length).replace(b"\r\n", b"\n"),
        "bare CR everywhere": wire.get(target).replace(b"\r\n", b"\r"),
        "NUL in a value": wire.get(target, b"X-A: b\0c"),
        "NUL in a name": wire.get(target, b"X\0A: b"),
        "space in a name": wire.get(target, b"X A: b"),
        "space before the colon": wire.post(target, end + hidden, b"Transfer-Encoding : chunked"),
        "no colon": wire.get(target, b"nothing but a word"),
        "no name": wire.get(target, b": value"),
        "a name of control characters": wire.get(target, b"\x01\x02: b"),
        "a name beyond ASCII": wire.get(target, "é: b".encode()),
        "a line break inside the target": wire.get(target).replace(b"/audiences", b"/audi\nences"),
    }
    for value in (b"+5", b"-1", b"0x5", b"5 5", b"5, 6", b"5,5", b"5;", b"1e2", b"\xef\xbc\x95", b"9" * 30, b"5\x0b"):
        cases[f"Content-Length {value!r}"] = wire.post(target, body, b"Content-Length: " + value)
    for value in (
        b"xchunked",
        b"chunked, identity",
        b"chunked, chunked",
        b"gzip",
        b"identity",
        b"\x0bchunked",
        b"chunke",
    ):
        cases[f"Transfer-Encoding {value!r}"] = wire.post(target, end + hidden, b"Transfer-Encoding: " + value)
    for size in (b"-1", b"0x5", b"FFFFFFFFFFFFFFFF1", b"5 5", b" 5", b"+5", b"g", b""):
        cases[f"a chunk of {size!r}"] = wire.post(target, _chunk(body, size or b" ") + end, chunked)
    whole = _chunk(body)
    cases |= {
        "a length as a trailer": wire.post(target, whole + b"0\r\nContent-Length: 5\r\n\r\n" + hidden, chunked),
        "a chunk that is longer than it says": wire.post(target, _chunk(body, b"5") + end, chunked),
        "no line break behind a chunk": wire.post(target, whole[:-2] + end + hidden, chunked),
        "bare LF behind a size": wire.post(target, whole.replace(b"\r\n", b"\n", 1) + end + hidden, chunked),
        "bare LF behind an extension": wire.post(target, whole.replace(b"\r\n", b";a\n", 1) + end + hidden, chunked),
        "bare LF behind a chunk": wire.post(target, whole[:-2] + b"\n" + end + hidden, chunked),
        "NUL in an extension": wire.post(target, whole.replace(b"\r\n", b";\0\r\n", 1) + end, chunked),
    }
    for version in (
        b"HTTP/2.0",
        b"HTTP/0.9",
        b"HTTP/1.2",
        b"HTTP/9.9",
        b"http/1.1",
        b"HTTP/1.1x",
        b"HTTP/11",
        b"ICE/1.0",
        b"",
    ):
        cases[f"version {version!r}"] = wire.get(target).replace(b"HTTP/1.1", version, 1)
    for line in (b" GET", b"G\0T", b"G(T", b"\xff\xff", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\0"):
        cases[f"method {line!r}"] = wire.get(target).replace(b"GET", line, 1)
    return cases


def test_what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(target: Target) -> None:
    cases = _ambiguous(target)
    before = len(target.attacker.walk("/audiences"))

    heard = wire.exchange_all(target, FAMILY, {name: [data] for name, data in cases.items()}, until_closed=True)

    taken = {name: found.statuses for name, found in heard.items() if not _is_refused(found)}
    assert not taken, f"{len(taken)}: {taken}"
    assert len(target.attacker.walk("/audiences")) == before


def _is_refused(found: wire.Heard) -> bool:
    """Returns whether at most one request was answered, with a refusal, and the connection takes no more requests."""
    return found.closed and len(found.answers) <= 1 and all(400 <= status < 500 for status in found.statuses)


def test_what_can_be_read_in_one_way_only_is_read_so(target: Target) -> None:
    hidden, body = _smuggled(target), _audience("honest")
    length, chunked, end = b"Content-Length: %d", b"Transfer-Encoding: chunked", b"0\r\n\r\n"
    extended = _chunk(body).replace(b"\r\n", b';a=b;c="d"\r\n', 1)
    cases = {
        # A second request inside the body is a part of the body, even if the first request is invalid.
        "a request in a body": (wire.post(target, hidden, length % len(hidden)), [400]),
        "a request in a body that is refused": (
            wire.post(target, hidden, length % len(hidden), path=b"/nothing/here"), [404],
        ),
        "a request in the body of a GET": (wire.get(target, length % len(hidden)) + hidden, [200]),
        "a request in the body of a DELETE": (
            wire.get(target, length % len(hidden)).replace(b"GET", b"DELETE", 1) + hidden, [405],
        ),
        "a request in a chunk": (wire.post(target, _chunk(hidden) + end, chunked), [400]),
        "an extension": (wire.post(target, extended + end, chunked), [201]),
        "trailers": (wire.post(target, _chunk(body) + b"0\r\nX-Checksum: 5\r\nContent-Type: x/y\r\n\r\n", chunked),
        [201]),
        "two spaces": (wire.get(target).replace(b"GET ", b"GET  ", 1), [200]),
        "two requests one after the other": (wire.get(target) * 2, [200, 200]),
        "no Host": (wire.get(target).replace(b"Host: x\r\n", b""), None),
        "two Hosts": (wire.get(target, b"Host: y"), None),
        "an odd Host": (wire.get(target).replace(b"Host: x", b"Host: a/../b@c:99999#?\\"), None),
        "an absolute target": (wire.get(target).replace(b"GET ", b"GET http://evil.example", 1), None),
        "an absolute target of another scheme": (wire.get(target).replace(b"GET ", b"GET file://", 1), None),
        "an authority": (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\n\r\n", None),
        "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", None),
        "TRACE": (wire.get(target).replace(b"GET", b"TRACE", 1), [405]),
        "HTTP/1.0": (wire.get(target).replace(b"HTTP/1.1", b"HTTP/1.0", 1), [200]),
        "HTTP/0.9": (b"GET /v1/accounts\r\n\r\n", None),
        "an upgrade to HTTP/2": (wire.get(target, b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"), None),
        "an upgrade to a WebSocket": (
            wire.get(target, b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
                     b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), None,
        ),
        "Expect": (wire.post(target, body, length % len(body), b"Expect: 100-continue"), [201]),
        "Expect something else": (wire.get(target, b"Expect: the unexpected"), None),
        "hop-by-hop names": (wire.get(target, b"Connection: authorization, close"), None),
        "empty lines first": (b"\r\n\r\n" + wire.get(target), None),
    }  # fmt: skip

    owed = {name: len(statuses) for name, (_, statuses) in cases.items() if statuses is not None}
    heard = wire.exchange_all(target, FAMILY, {name: [data] for name, (data, _) in cases.items()}, least=owed)

    for name, (_, statuses) in cases.items():
        if statuses is not None:
            assert heard[name].statuses == statuses, name
        assert len(heard[name].answers) <= 2
    names = [audience["name"] for audience in target.attacker.walk("/audiences")]
    assert SMUGGLED not in names
    assert names.count("honest") == 3


def test_a_request_that_is_not_hidden_is_answered(target: Target) -> None:
    """The tests above could also pass because the hidden request is invalid. Sent openly, it creates an audience."""
    heard = wire.exchange(target.service, _smuggled(target))
    assert heard.statuses == [201]
    made = json.loads(heard.answers[0].body)["data"]
    assert made["name"] == SMUGGLED
    assert target.attacker.client.delete(f"/audiences/{made['id']}").status_code == 200


def test_a_request_may_come_byte_by_byte_or_with_others(target: Target) -> None:
    data = wire.get(target, path=b"/audiences?limit=1")
    heard = wire.exchange_all(target, FAMILY, {
        "byte by byte": [data[at : at + 1] for at in range(len(data))],
        "ten at once": [data * 10],
        "cut in the wrong places": [(data * 10)[at : at + 97] for at in range(0, len(data) * 10, 97)],
    }, least={"ten at once": 10, "cut in the wrong places": 10})  # fmt: skip
    assert [len(each.answers) for each in heard.values()] == [1, 10, 10]
    assert all(set(each.statuses) == {200} for each in heard.values())


def test_a_trailer_is_no_header(target: Target) -> None:
    """Proxies add, strip and check headers. A trailer that became a header would bypass them."""
    body = _audience("by trailer")
    line = b"Authorization: Bearer " + target.attacker.key.encode()
    nobody = wire.post(target, b"", b"Transfer-Encoding: chunked").replace(line + b"\r\n", b"")
    cases = {
        "a key as a trailer": [nobody + _chunk(body) + b"0\r\n" + line + b"\r\n\r\n"],
        "a key as a trailer, later": [nobody, _chunk(body), b"0\r\n" + line + b"\r\n\r\n"],
    }
    heard = wire.exchange_all(target, FAMILY, cases)
    assert [each.statuses for each in heard.values()] == [[401], [401]]
