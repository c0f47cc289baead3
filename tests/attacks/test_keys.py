"""Guesses keys, and measures how long the refusal of a wrong key takes."""

from __future__ import annotations

import hashlib
import os
import secrets
import statistics
import time
import zlib
from collections.abc import Callable, Mapping
from functools import partial

import httpx
import pytest

from leadyard.ids import key_of, new_id
from rig.answers import refusal, without_trace_id
from rig.service import make_key
from tests.attacks import tally
from tests.attacks.target import Target

GUESSING, TIMING = "key guessing", "timing of keys"
_START = "sk_live_"
ROUNDS = 2_000 if os.environ.get("LEADYARD_TEST_TORTURE") == "1" else 250
# Of a median, on a machine that also does other work. A byte-by-byte comparison of the client's text would not show
# here either. An extra query, or a hash that is slow on purpose, does show, because it takes twice as long.
BOUND = 0.35


def well_formed(random_part: str) -> str:
    """Returns a key with a right checksum, so that the service queries its database."""
    return f"{_START}{random_part}{zlib.crc32(random_part.encode()):08x}"


def _near(key: str) -> list[str]:
    """Returns keys that are nearly this one, right checksums included."""
    random_part = key[len(_START) : -8]
    flipped = [random_part[:at] + ("0" if random_part[at] != "0" else "1") + random_part[at + 1 :] for at in range(48)]
    return [
        *map(well_formed, flipped),
        *(key[:length] for length in range(0, len(key), 4)),
        key[:-1] + ("0" if key[-1] != "0" else "1"), key + "0", "0" + key, key.upper(), key.swapcase(), key[::-1],
        key * 2,
        key.removeprefix(_START), "sk_test_" + key.removeprefix(_START), random_part, well_formed("0" * 48), "%",
        "_" * 64,
        key.replace("e", "\u0435"), key + "\xa0", f"{key}, {key}", f'"{key}"', f"{key}%00", f"{key};",
    ]  # fmt: skip


def _ask(target: Target, authorization: bytes) -> httpx.Response:
    path = f"/v1/accounts/{target.victim.account_group_id}/audiences"
    answer = target.client.get(path, headers={b"Authorization": authorization})
    tally.note(GUESSING, answer.status_code)
    return answer


def test_a_wrong_key_is_told_nothing_however_near_it_is(target: Target) -> None:
    guesses = [*_near(target.victim.key), *(well_formed(secrets.token_hex(24)) for _ in range(200))]
    assert target.victim.key not in guesses
    answers = [_ask(target, b"Bearer " + guess.encode()) for guess in guesses if guess.strip(" ")]
    for answer in answers:
        refusal(answer, 401, "UNAUTHORIZED")
        assert without_trace_id(answer) == without_trace_id(answers[0])


@pytest.mark.parametrize(
    "scheme", ["", "Bearer", "Basic {}", "Token {}", "Bearer\u00a0{}", "Bearer:{}", "Key {}", "{}", "Bearer a {}"]
)
def test_a_right_key_in_a_wrong_place_is_none(target: Target, scheme: str) -> None:
    refusal(_ask(target, scheme.format(target.victim.key).encode()), 401, "UNAUTHORIZED")


def test_a_key_is_taken_from_the_header_alone(target: Target) -> None:
    key, path = target.victim.key, f"/v1/accounts/{target.victim.account_group_id}/audiences"
    for name in ("key", "api_key", "apiKey", "access_token", "token", "Authorization"):
        for answer in (
            target.client.get(path, params={name: key}),
            target.client.get(path, headers={"Cookie": f"{name}={key}"}),
            target.client.get(path, headers={f"X-{name}": key}),
            target.client.get(path, auth=("key", key)),
        ):
            tally.note(GUESSING, answer.status_code)
            refusal(answer, 401, "UNAUTHORIZED")


def medians(ask: Mapping[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Returns the median time of each kind, in seconds. The kinds take turns, in a different order each round, so that
    other work of the machine affects all of them equally."""
    took: dict[str, list[float]] = {name: [] for name in ask}
    names = list(ask)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            started = time.perf_counter()
            ask[name]()
            took[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in took.items()}


def assert_alike(found: Mapping[str, float]) -> None:
    least, most = min(found.values()), max(found.values())
    assert most - least < BOUND * least + 0.0003, {name: f"{1000 * took:.2f} ms" for name, took in found.items()}


def assert_alike_at_last(ask: Mapping[str, Callable[[], None]]) -> None:
    """Measures up to three times. A real difference shows each time, but noise from other processes does not."""
    for attempt in range(3):
        try:
            return assert_alike(medians(ask, ROUNDS))
        except AssertionError:
            if attempt == 2:
                raise
    return None


def _asking(target: Target, group: str, keys: Callable[[], str]) -> Callable[[], None]:
    def ask() -> None:
        answer = target.client.get(f"/v1/accounts/{group}/audiences", headers={"Authorization": f"Bearer {keys()}"})
        assert answer.status_code in (401, 403)
        tally.note(TIMING, answer.status_code)

    return ask


def test_how_long_a_wrong_key_takes_tells_nothing_of_the_right_one(target: Target) -> None:
    """Keys are looked up by the SHA-256 of the whole secret, so the index of the database compares bytes of a hash. To
    share its first bytes with a real key, an attacker would have to choose a text by its hash, and would learn nothing
    about the real key. So there is no prefix to find out bit by bit. The test measures the remaining risk: that a key
    near a real one, or a revoked key, takes another path through the code."""
    random_part = target.victim.key[len(_START) : -8]
    revoked_id, revoked = make_key(target.service.database_url, [target.victim.account_group_id])
    target.victim.sql("UPDATE api_keys SET revoked_at = 1 WHERE id = $1", key_of(revoked_id))
    group = target.victim.account_group_id
    assert_alike_at_last(
        {
            "unknown": _asking(target, group, lambda: well_formed(secrets.token_hex(24))),
            "shares 40 of 48": _asking(target, group, lambda: well_formed(random_part[:40] + secrets.token_hex(4))),
            "shares the end": _asking(target, group, lambda: well_formed(secrets.token_hex(4) + random_part[8:])),
            "revoked": _asking(target, group, lambda: revoked),
        }
    )


def test_how_long_a_foreign_group_takes_does_not_tell_that_it_exists(target: Target) -> None:
    groups = {"there": target.victim.account_group_id, "not there": new_id()}
    asking = {name: _asking(target, group, lambda: target.attacker.key) for name, group in groups.items()}
    assert_alike_at_last(asking)


def test_a_difference_would_be_measured() -> None:
    """A positive control: extra work of a few milliseconds must show. It is work and not sleep, because a slow machine
    takes twice as long for twice the work, while a late timer delays both sleeps equally."""
    work = b"x" * 4 * 1024**2

    def hash_times(times: int) -> None:
        for _ in range(times):
            hashlib.sha256(work).digest()

    found = medians({"quick": partial(hash_times, 1), "slow": partial(hash_times, 2)}, 50)
    with pytest.raises(AssertionError):
        assert_alike(found)
