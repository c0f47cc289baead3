"""Ids outside and keys inside: one spelling for each key, and the same order."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadyard import ids
from leadyard.ids import (
    BEYOND_EVERY_KEY,
    NO_KEY,
    NUMBERS,
    id_of,
    id_or_none,
    key_of,
    key_or_none,
    keys_of,
    new_id,
    new_id_with_free_number,
    number_of,
)

KEYS = st.integers(min_value=0, max_value=BEYOND_EVERY_KEY)
HEX = st.text("0123456789abcdef", min_size=24, max_size=24)
# One for each way in which a text can look like an id and not be one.
STRANGERS = [
    "",
    "0" * 23,
    "0" * 25,
    "f" * 24,
    "0" * 12 + "000000200000",  # the number has 22 bits
    "0" * 12 + "000100000000",
    "040000000000" + "0" * 12,  # the milliseconds have 43 bits
    "01A000000000" + "0" * 12,
    " " * 4 + "0" * 20,
    "0" * 22 + "\n0",
    "0" * 24 + "\n",
    "+" + "0" * 23,
    "0_0" + "0" * 21,
    "٠" * 24,  # digits of another script
    "0x" + "0" * 22,
    "\ud800" * 24,
]


@given(KEYS, KEYS)
def test_an_id_and_its_key_are_the_same_thing_in_the_same_order(one: int, other: int) -> None:
    assert re.fullmatch("[0-9a-f]{24}", id_of(one))
    assert key_of(id_of(one)) == one
    assert number_of(id_of(one)) == one % NUMBERS
    assert (one < other) == (id_of(one) < id_of(other))


@given(HEX)
def test_a_text_with_the_pattern_has_a_key_only_if_it_is_the_spelling_of_this_key(text: str) -> None:
    key = key_of(text)
    assert key == NO_KEY or id_of(key) == text


@pytest.mark.parametrize("key", [NO_KEY, -(2**63)])
def test_a_number_below_zero_is_not_a_key(key: int) -> None:
    with pytest.raises(ValueError, match=f"^{key} is not a key: a key has 63 bits and is not negative[.]$"):
        id_of(key)


@pytest.mark.parametrize("text", STRANGERS)
def test_any_other_text_has_no_key(text: str) -> None:
    assert key_of(text) == number_of(text) == NO_KEY
    assert keys_of([text]) == [NO_KEY]
    assert keys_of([new_id(), text, "0" * 24])[1:] == [NO_KEY, 0]


def test_texts_that_are_ids_only_together_have_no_keys() -> None:
    text = new_id() + new_id()
    assert keys_of([text[:12], text[12:36], text[36:]]) == [NO_KEY, key_of(text[12:36]), NO_KEY]


@given(st.lists(st.one_of(KEYS.map(id_of), HEX, st.sampled_from(STRANGERS))))
def test_a_list_has_the_keys_of_its_texts(texts: list[str]) -> None:
    assert keys_of(texts) == [key_of(text) for text in texts]


def test_what_is_missing_stays_missing() -> None:
    assert key_or_none(None) is None
    assert id_or_none(None) is None
    assert id_or_none(0) == "0" * 24
    assert key_or_none("0" * 24) == 0


def test_the_order_of_ids_is_the_order_of_creation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the clock stands still or steps back, and if one millisecond has more ids than numbers."""
    clock = iter([*[2_000_000_000_000] * 60, *[1_999_999_999_000] * 60])
    monkeypatch.setattr(ids, "now_ms", lambda: next(clock))
    monkeypatch.setattr(ids, "_last", (2_000_000_000_000 << ids.NUMBER_BITS) + NUMBERS - 10)
    made = [new_id_with_free_number() if turn % 3 else new_id() for turn in range(120)]
    assert made == sorted(set(made))
    assert key_of(made[0]) > (2_000_000_000_000 << ids.NUMBER_BITS) + NUMBERS - 10


def test_threads_never_get_the_same_id() -> None:
    with ThreadPoolExecutor(4) as pool:
        made = [each for some in pool.map(lambda _: [new_id() for _ in range(5_000)], range(8)) for each in some]
    assert len(set(made)) == len(made)


def test_a_free_number_is_drawn_from_all_numbers() -> None:
    """An eighth of them would be full eight times as soon."""
    numbers = [number_of(new_id_with_free_number()) for _ in range(2_000)]
    for eighth in range(8):
        assert 150 < sum(number * 8 // NUMBERS == eighth for number in numbers) < 350
    assert len(set(numbers)) > 1_980
