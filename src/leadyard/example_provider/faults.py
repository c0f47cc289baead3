"""Failures on purpose: which requests fail, and how. With the same seed and order of requests, the same ones fail."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = {
    "500": "status 500",
    "429": "status 429 with the header Retry-After",
    "timeout": "no answer at all",
    "drop": "a connection that is closed in the middle of the answer",
    "garbage": "an answer that is not JSON",
    "repeat-cursor": "(search) nextCursor leads to the same page again and again",
    "huge-page": "(search) an answer of more than 10 MiB",
    "no-identity": "(search) people without anything that identifies them",
}
_OF_SEARCH = ("repeat-cursor", "huge-page", "no-identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How to fail (a key of KINDS), which share of the requests (0 to 1), and how many of the first requests only."""

    kind: str
    share: float = 1
    first: int | None = None


def parse_failure(spec: str) -> Failure:
    """Returns the failure of a text such as `500`, `500:0.2`, `429:first=3` or `drop:0.5:first=10`.

    Raises ValueError with a sentence about the mistake."""
    kind, *rest = spec.split(":")
    if kind not in KINDS:
        raise ValueError(f"unknown failure {kind!r}; use one of {', '.join(KINDS)}")
    share, first = 1.0, None
    try:
        for part in rest:
            if part.startswith("first="):
                first = int(part.removeprefix("first="))
            else:
                share = float(part)
    except ValueError:
        share = -1
    if not 0 <= share <= 1 or (first is not None and first < 0):
        raise ValueError(f"{spec!r} must look like {kind}, {kind}:0.2, {kind}:first=3 or {kind}:0.2:first=3")
    return Failure(kind=kind, share=share, first=first)


class Failures:
    """Decides for each request whether it fails. If several failures are due, the first one wins."""

    def __init__(self, wanted: Sequence[Failure], *, seed: int) -> None:
        self._wanted = tuple(wanted)
        self._random = random.Random(seed)  # noqa: S311  (repeatable, not secret)
        self._asked = [0] * len(self._wanted)

    def next(self, *, is_search: bool) -> str | None:
        """Returns how the next request fails, None if it does not. Failures of searches skip the other requests."""
        due = None
        for place, failure in enumerate(self._wanted):
            if failure.kind in _OF_SEARCH and not is_search:
                continue
            self._asked[place] += 1
            # Always drawn, even if not needed, so that a failure does not shift the random numbers of the next one.
            drawn = self._random.random() < failure.share
            if drawn and due is None and (failure.first is None or self._asked[place] <= failure.first):
                due = failure.kind
        return due
