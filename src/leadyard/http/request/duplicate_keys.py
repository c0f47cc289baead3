"""Duplicate keys in a JSON text, which a parser otherwise resolves silently: the last value counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

Pairs = list[tuple[str, Any]]
_MOST_OBJECTS = 10_000


class _WithDuplicates(dict[str, Any]):
    """An object of the text, with its duplicate keys."""

    duplicates: list[str]


class _TooManyObjects(Exception):
    """The text has more objects than any request may have."""


def find_duplicate_keys(text: bytes, parsed: Any) -> list[str]:
    """Returns the place of each duplicate key, such as `prospects[3].email`, in a JSON text in UTF-8.

    `parsed` is what a parser made of the text. Of a text with more than 10,000 objects it returns nothing: every route
    refuses it anyway.
    """
    # Each key has a colon. So as many colons as keys are left means that no key was lost. A move is such a text.
    if isinstance(parsed, dict) and text.count(b":") == len(parsed):
        return []
    reader = _Reader()
    try:
        # An integer may be too long for Python, and its value does not matter here.
        objects = json.loads(text, object_pairs_hook=reader.read_object, parse_int=len)
    except _TooManyObjects:
        return []
    return list(_places(objects, "")) if reader.found_duplicates else []


class _Reader:
    """Makes the objects of one text."""

    def __init__(self) -> None:
        self.found_duplicates = False
        self._objects = 0

    def read_object(self, pairs: Pairs) -> dict[str, Any]:
        self._objects += 1
        if self._objects > _MOST_OBJECTS:
            raise _TooManyObjects
        as_object = dict(pairs)
        if len(as_object) == len(pairs):
            return as_object
        self.found_duplicates = True
        odd = _WithDuplicates(as_object)
        odd.duplicates = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
        return odd


def _places(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, _WithDuplicates):
        yield from (f"{place}.{key}" if place else key for key in value.duplicates)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, f"{place}[{index}]")
