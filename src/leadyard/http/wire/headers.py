"""Reads headers from the scope. Starlette's mapping of headers takes several times as long, for each header."""

from __future__ import annotations

from starlette.types import Scope


def values_of(scope: Scope, name: bytes) -> list[str]:
    """Returns the values of all headers with this name, which is in lower case."""
    return [value.decode("latin-1") for header, value in scope["headers"] if header == name]


def value_of(scope: Scope, name: bytes) -> str:
    """Returns the value of the first header with this name, or an empty text."""
    for header, value in scope["headers"]:
        if header == name:
            text: str = value.decode("latin-1")
            return text
    return ""


def announced_length(scope: Scope) -> int:
    """Returns the length that the head announces for the body, or 0 if it announces none."""
    text = value_of(scope, b"content-length")
    return int(text) if text.isdecimal() and len(text) < 20 else 0
