"""Numbers with their nouns, in sentences for people."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str = "") -> str:
    """Returns the number with the noun: `1 lead`, `2,000 leads`. `plural` is for nouns that get more than an `s`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
