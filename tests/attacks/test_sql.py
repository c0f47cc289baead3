"""SQL in every text that a client can send. No text is run, and a text that may be stored is stored as it was sent."""

from __future__ import annotations

import base64
import time

import pytest

from leadyard.store.tables import metadata
from rig.answers import data_of
from rig.racing import soon
from tests.attacks.requests import Place
from tests.attacks.target import PRIVATE, Target

FAMILY = "SQL in every field, parameter, header and cursor"
# In lower case where answers are searched for words of SQL, because a refusal may quote the text.
PAYLOADS = [
    "'", '"', "\\", "' or '1'='1", "' or 1=1 --", '" or ""="', "1; drop table leads; --",
    "'; update audiences set name = 'owned'; --", "'; delete from leads; commit; --",
    "' union select secret_hash from api_keys --", "') or exists (select 1 from api_keys) --",
    "'||(select pg_sleep(5))||'", "'; select pg_sleep(5); --", "' and randomblob(500000000) is not null --",
    "$1", ":audience_id", "?", "%", "_%", "{0}", "%(id)s", "$$; select 1; $$", "/* */", "'/**/or/**/1=1#",
    "\\'; select 1 --", "\u02bc or 1=1", "\uff07 or 1=1 --", "' collate nocase or '1", "*", '"a" OR "b" NEAR c',
]  # fmt: skip
SLOW_S = 3.0


def _cursors(payload: str) -> list[str]:
    """The text as the key of an otherwise well-formed cursor, and behind a wrong checksum."""
    return [base64.urlsafe_b64encode(b"\0" * 8 + payload.encode()).decode().rstrip("="), payload]


def _took(target: Target, place: Place, text: str) -> float:
    return target.attack(FAMILY, place, text).elapsed.total_seconds()


def _attack_everywhere(target: Target, places: list[Place], payloads: list[str]) -> int:
    sent = 0
    for place in places:
        for payload in payloads:
            texts = _cursors(payload) if place.steps == ("cursor",) else [payload]
            for text in texts:
                print(f"{place}: {text!r}")  # If it is slow in every attempt, the text was run.
                soon(SLOW_S, lambda place=place, text=text: _took(target, place, text))  # type: ignore[misc]
                sent += 1
    return sent


def test_no_text_is_ever_a_part_of_a_statement(target: Target) -> None:
    values = [place for place in target.places if not place.is_key]
    # A quarter of the payloads in each place, in rotation, so that each payload is tried in each kind of place.
    sent = 0
    for number, place in enumerate(values):
        chosen = [payload for at, payload in enumerate(PAYLOADS) if (at + number) % 4 == 0]
        sent += _attack_everywhere(target, [place], chosen)
    sent += _attack_everywhere(target, [place for place in target.places if place.is_key], PAYLOADS[4:6])
    sent += _attack_everywhere(target, target.header_places, PAYLOADS[3:9:2])
    assert sent > 1_000
    for table in metadata.sorted_tables:
        target.attacker.sql(f"SELECT count(*) FROM {table.name}")


@pytest.mark.torture
def test_every_text_in_every_place(target: Target) -> None:
    assert _attack_everywhere(target, [*target.places, *target.header_places], PAYLOADS) > 5_000


def test_a_search_finds_what_was_asked_for_and_not_everything(target: Target) -> None:
    audience = target.attacker.create_audience("Searched")
    target.attacker.add_leads(audience, 3, prefix="searched")
    path = f"/audiences/{audience}/prospects"
    assert len(data_of(target.attacker.client.get(path, params={"q": "searched"}))["items"]) == 3
    for payload in PAYLOADS:
        for name in ("q", "company", "title"):
            items = data_of(target.attacker.client.get(path, params={name: payload}))["items"]
            assert items == [], f"{name}={payload!r} is a condition"


def test_what_is_stored_is_what_was_sent(target: Target) -> None:
    audience = target.attacker.create_audience()
    for payload in PAYLOADS:
        sent = {"title": payload, "about": payload, "company": {"name": payload}, "customFields": {payload: payload}}
        made = target.attacker.client.post(f"/audiences/{audience}/prospects", json={"prospects": [sent]})
        assert data_of(made)["created"] == 1
        name = data_of(target.attacker.client.post("/audiences", json={"name": payload, "type": "on_demand"}), 201)
        assert name["name"] == payload
    found = target.attacker.walk(f"/audiences/{audience}/prospects")
    assert [each["title"] for each in found] == PAYLOADS
    assert [each["about"] for each in found] == PAYLOADS
    assert [each["company"]["name"] for each in found] == PAYLOADS
    assert [each["customFields"] for each in found] == [{payload: payload} for payload in PAYLOADS]


def test_a_statement_with_a_text_in_it_would_be_noticed(target: Target) -> None:
    """The other tests could also pass because the payloads are harmless. This test puts a payload into a statement by
    hand."""
    [payload] = [each for each in PAYLOADS if each == "' or '1'='1"]
    found = target.victim.sql(f"SELECT first_name FROM leads WHERE title = '{payload}'")
    assert (PRIVATE,) in found
    if target.service.is_postgresql:
        started = time.monotonic()
        [sleeping] = [each for each in PAYLOADS if each.startswith("'||")]
        target.victim.sql(f"SELECT '{sleeping.replace('5', '1')}'")
        assert time.monotonic() - started > 0.9
