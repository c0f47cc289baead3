"""Bodies made to be expensive or ambiguous: depth, size, numbers, keys, Unicode, expressions that never end."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from rig.answers import data_of, refusal
from rig.racing import soon
from rig.watching import on_one_database
from tests.attacks.requests import Place, Request
from tests.attacks.target import Target

FAMILY = "JSON and Unicode bombs"
MIB = 1024**2
SLOW_S = 3.0
# The character that NFKC expands to 18, and one that NFD expands to 4.
_EXPANDS, _EXPANDS_CANONICALLY = "\ufdfa", "\u1f82"

BODIES: dict[str, bytes] = {
    "100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "objects, 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "1 MiB of open brackets": b"[" * MIB,
    "1 MiB of closed brackets": b"]" * MIB,
    "1 MiB of open braces": b"{" * MIB,
    "1 MiB of quotes": b'"' * MIB,
    "1 MiB of escapes": b'"' + b"\\u0000" * 174_000 + b'"',
    "1 MiB of backslashes": b'"' + b"\\" * (MIB - 2) + b'"',
    "1 MiB of blanks": b" " * MIB,
    "1 MiB of empty lists": b"[" + b"[]," * 340_000 + b"[]]",
    "1 MiB of nulls": b"[" + b"null," * 200_000 + b"null]",
    "1 MiB of numbers": b"[" + b"1," * 500_000 + b"1]",
    "a number of a million digits": b'{"name": ' + b"9" * 1_000_000 + b"}",
    "a fraction of a million digits": b'{"name": 0.' + b"9" * 1_000_000 + b"}",
    "an exponent of a million digits": b'{"name": 1e' + b"9" * 1_000_000 + b"}",
    "1e400": b'{"name": 1e400}',
    "100,000 keys": b"{" + b",".join(b'"%d":1' % n for n in range(90_000)) + b"}",
    "one key 100,000 times": b"{" + b",".join([b'"name":"x"'] * 90_000) + b"}",
    "keys that collide in a hash": b"{" + b",".join(b'"%d":1' % (n * (2**61 - 1)) for n in range(40_000)) + b"}",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-32": '{"name": "x"}'.encode("utf-32"),
    "lone surrogates": b'{"name": "\\ud800\\ud800\\udfff"}',
    "a NUL": b'{"name": "\\u0000"}',
    "NUL as a key": b'{"\\u0000": 1}',
    "__proto__": b'{"__proto__": {"admin": true}, "constructor": {}, "__class__": "x", "__init__": 1}',
    "references": b'{"$ref": "file:///etc/passwd", "$schema": "http://127.0.0.1/", "@type": "x"}',
    "YAML": b"&a [*a, *a, *a]",
    "XML": b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
    "a pickle": b"\x80\x04\x95K\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
}
TEXTS: dict[str, str] = {
    "NFKC bomb": _EXPANDS * 10_000,
    "NFD bomb": _EXPANDS_CANONICALLY * 10_000,
    "short NFKC bomb": _EXPANDS * 190,
    "combining marks": "a" + "\u0301" * 20_000,
    "reordered marks": "a" + "\u0315\u0300" * 10_000,
    "short reordered marks": "a" + "\u0315\u0300" * 90,
    "capital dotted i": "\u0130" * 200,
    "right to left": "\u202e" * 100 + "gpj.exe",
    "zero width": "\u200b" * 200 + "x",
    "joined emoji": "\U0001f468\u200d" * 60,
    "beyond the planes": "\U0010ffff" * 100,
    "a lone surrogate": "a\ud800b",
    "NUL": "a\0b",
    "a BOM": "\ufeffa",
    "20,000 characters": "a" * 20_000,
    "blanks": " " * 20_000,
    "blanks between": "a" + " " * 20_000 + "b",
    "line separators": "a\u2028\u2029\x85b",
    "1e400": "1e400",
    "digits of another script": "\u0661" * 24,
}
# Each begins like a valid value and then gives a regular expression with a choice 30,000 times that choice.
_LONG = 30_000
LONG_MATCHES: dict[str, str] = {
    "an e-mail without an end": "a@" + "a." * _LONG,
    "many at signs": "@" * _LONG,
    "dots and dashes": "a@" + "a-." * _LONG + "!",
    "mailto again and again": "mailto:" * _LONG,
    "hosts without an end": "https://" + "a." * _LONG + "linkedin.com/in/x",
    "hosts that nearly fit": "https://" + "www." * _LONG + "linkedin.com",
    "dashes before the host": "https://" + "-" * _LONG + ".linkedin.com/ ",
    "slashes": "https://www.linkedin.com/in" + "/" * _LONG,
    "percents": "https://www.linkedin.com/in/" + "%25" * _LONG,
    "wrappers": "https://www.linkedin.com/" + "mwlite/" * _LONG + "in/x",
    "queries": "https://www.linkedin.com/in/x?" + "a=b&" * _LONG,
    "an old address": "linkedin.com/pub/" + "1/" * _LONG,
    "backslashes in a key": '"' + "\\\\" * 120 + '"',
    "an open key": '"' + "\\" * 250,
    "digests": "sha-256=:" + ",sha-256=:" * 1_000,
    "times": "2026-01-01T00:00:00." + "0" * _LONG + "Z",
    "a cursor": "A" * _LONG,
    "trace": "00-" + "a" * 32 + "-" + "b" * 16 + "-01" + "-" * 500,
    "blanks at the end": "x" + "\t " * _LONG + "x",
}


def _bodies_taken_by(target: Target) -> list[Place]:
    """Returns one place in the body of each operation that accepts JSON."""
    found: dict[str, Place] = {}
    for place in target.places:
        if place.where == "body":
            found.setdefault(str(place.request), place)
    return list(found.values())


@on_one_database
@pytest.mark.parametrize("name", BODIES)
def test_a_bomb_is_refused_at_once_wherever_json_is_taken(target: Target, name: str) -> None:
    places = _bodies_taken_by(target)
    # Each at three of the operations in rotation; the torture run tries all.
    for place in places if os.environ.get("LEADYARD_TEST_TORTURE") == "1" else (places * 4)[len(name) :: 5][:3]:
        request = replace(place.request, body=None, raw=BODIES[name], headers={"Content-Type": "application/json"})
        soon(SLOW_S, partial(_bombed, target, request, name))


def _bombed(target: Target, request: Request, name: str) -> float:
    answer = target.judged(FAMILY, target.send(request), request, f"{request} {name}")
    # Only the name that is given 100,000 times is a name.
    assert answer.status_code in (400, 413, 422) or (answer.is_success and name.startswith("one key"))
    assert len(answer.content) < 2 * MIB
    return answer.elapsed.total_seconds()


def _sent(target: Target, place: Place, name: str, text: str) -> None:
    """Sends the text. The answer must come soon."""
    print(f"{place}: {name}")
    if place.where == "header":
        text = "".join(character for character in text if " " < character <= "~")[:15_000]
    if place.where in ("path", "query"):
        text = text[:5_000]
    soon(SLOW_S, lambda: target.attack(FAMILY, place, text).elapsed.total_seconds())


def test_texts_that_grow_or_cannot_be_stored_cost_nothing_in_any_field(target: Target) -> None:
    for number, place in enumerate(target.places):
        for at, (name, text) in enumerate(TEXTS.items()):
            if (number + at) % 9 == 0:
                _sent(target, place, name, text)


def test_no_expression_goes_on_for_ever_in_any_field(target: Target) -> None:
    for number, place in enumerate(target.places):
        for at, (name, text) in enumerate(LONG_MATCHES.items()):
            if not place.is_key and (number + at) % 9 == 0:
                _sent(target, place, name, text)


@pytest.mark.torture
def test_every_text_in_every_field(target: Target) -> None:
    # The short torture run tries a sixth of them, because all of them take longer than all other tests here together.
    for place in target.places if os.environ["LEADYARD_TEST_TORTURE"] == "1" else target.places[::6]:
        for name, text in (TEXTS | LONG_MATCHES).items():
            _sent(target, place, name, text)


def test_other_kinds_of_values_in_every_field(target: Target) -> None:
    values: list[Any] = [None, True, -1, 10**30, 1.5, [], {}, [[]], {"a": {}}, ["x"] * 1_001, -0.0, 2**63, "", [None]]
    for number, place in enumerate(target.places):
        if place.where != "body" or place.is_key:
            continue
        for value in values[number % 2 :: 2]:
            answer = target.send(place.with_json(value))
            target.judged(FAMILY, answer, place.request, f"{place}: {value!r}"[:200])


def test_a_full_body_of_the_dearest_profiles_is_answered_in_time(target: Target) -> None:
    """1 MiB of addresses that must each be decoded, normalised and checked, in as many people as a request may
    contain."""
    audience = target.attacker.create_audience("Dear")
    size = MIB // 1_000 - 90
    for address in (
        "https://www.linkedin.com/in/" + "%25%32%35" * (size // 12),
        "https://www.linkedin.com/in/" + "\u0315\u0300" * 100,
        "mailto:" * (size // 9),
        "https://" + "www." * (size // 5) + "linkedin.com/in/x",
    ):
        people = [{"linkedinUrl": address, "email": address} for _ in range(1_000)]
        body = json.dumps({"prospects": people}, ensure_ascii=False).encode()[:MIB]
        people = people[: len(people) * MIB // (len(body) * 2)] if len(body) >= MIB else people

        def add(people: list[dict[str, str]] = people) -> float:
            started = time.monotonic()
            answer = target.attacker.client.post(f"/audiences/{audience}/prospects", json={"prospects": people})
            took_s = time.monotonic() - started
            assert answer.status_code in (200, 413), answer.text[:500]
            if answer.status_code == 200:
                assert len(data_of(answer)["rejected"]) == len(people)
            return took_s

        soon(SLOW_S * 3, add)


def test_what_is_wrong_100_000_times_is_not_told_100_000_times(target: Target) -> None:
    wrong = {"name": "x", "type": "on_demand", **{str(n): 1 for n in range(20_000)}}
    error = refusal(target.attacker.client.post("/audiences", json=wrong), 400, "VALIDATION_ERROR")
    assert len(error["violations"]) == 10_000
    assert error["details"].endswith("9999 more under violations. 10000 more are not listed.")
