"""LEADYARD_RATE_LIMITS: the valid values, and the messages for invalid ones."""

from __future__ import annotations

import re

import pytest

from leadyard.settings.rate_policies import Scope, parse_policies


def read(text: str) -> dict[str, list[tuple[str, int, int]]]:
    return {
        str(scope): [(policy.name, policy.quota, policy.window_s) for policy in policies]
        for scope, policies in parse_policies(text).items()
    }


DEFAULTS = {
    "key": [("key", 1000, 1)],
    "group": [("group", 2000, 1)],
    "address": [("address", 2000, 1)],
    "guesses": [("guesses", 60, 60)],
}


@pytest.mark.parametrize(
    ("text", "differs"),
    [
        ("1000/second", {}),
        ("100/second;3000/minute", {"key": [("key-1s", 100, 1), ("key-60s", 3000, 60)]}),
        ("100/second, 3000/minute", {"key": [("key-1s", 100, 1), ("key-60s", 3000, 60)]}),
        ("key=10 per 5 minutes", {"key": [("key", 10, 300)]}),
        (
            "key=1/second;9/hour;group=5/day;address=off",
            {"key": [("key-1s", 1, 1), ("key-3600s", 9, 3600)], "group": [("group", 5, 86400)], "address": []},
        ),
        ("off;group=5/second", {"key": [], "group": [("group", 5, 1)]}),
        ("guesses = 3 / hour", {"guesses": [("guesses", 3, 3600)]}),
    ],
)
def test_what_is_not_named_has_its_default(text: str, differs: dict[str, object]) -> None:
    assert read(text) == {**DEFAULTS, **differs}


def test_off_is_everything_off() -> None:
    assert read("off") == {str(scope): [] for scope in Scope}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a rule such as"),
        ("many", "'many' is not a rule such as"),
        ("100", "'100'"),
        ("100/fortnight", "'100/fortnight'"),
        ("0/second", "at least 1"),
        ("5/0 seconds", "at most a day"),
        ("5/2 days", "at most a day"),
        ("tenant=5/second", "'tenant' is not one of key, group, address, guesses"),
        ("key=5/second;key=6/minute", "key appears twice"),
        ("5/minute;6/60 seconds", "two rules for the same period"),
        ("off;5/second", "'off'"),
        ("-5/second", "'-5/second'"),
        ("٥/second", "'٥/second'"),
    ],
)
def test_what_cannot_be_read_is_quoted(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_policies(text)
