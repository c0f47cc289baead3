"""Failures on request: which requests fail, and how. The same seed and the same order of requests fail the same way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

KINDS = {
    "500": "status 500",
    "429": "status 429 with the header Retry-After",
    "timeout": "no answer at all",
    "drop": "the connection is closed in the middle of the answer",
    "garbage": "an answer that is not JSON",
    "repeat-cursor": "(search) nextCursor leads to the same page for ever",
    "huge-page": "(search) an answer of more than 10 MiB",
    "no-identity": "(search) people without anything that identifies them",
}
_OF_SEARCH = ("repeat-cursor", "huge-page", "no-identity")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """How to fail (a key of KINDS), which share of the requests (0 to 1), and only the first so many of them."""

    kind: str
    share: float = 1
    first: int | None = None


def parse_failure(spec: str) -> Failure:
    """Returns the failure of a text such as `500`, `500:0.2`, `429:first=3` or `drop:0.5:first=10`.

    Raises ValueError with a sentence that says what is wrong."""
    kind, *rest = spec.split(":")
    if kind not in KINDS:
        raise ValueError(f"there is no failure {kind!r}; use one of {', '.join(KINDS)}")
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
    """Decides for each request, in turn, whether it fails; of several failures the first that is due wins."""

    def __init__(self, wanted: Sequence[Failure], *, seed: int) -> None:
        self._wanted = tuple(wanted)
        self._random = random.Random(seed)  # noqa: S311  (repeatable, not secret)
        self._asked = [0] * len(self._wanted)

    def next(self, *, is_search: bool) -> str | None:
        """Returns how the next request fails, None if it does not. Those of searches pass the other requests over."""
        due = None
        for place, failure in enumerate(self._wanted):
            if failure.kind in _OF_SEARCH and not is_search:
                continue
            self._asked[place] += 1
            # Drawn whether it is needed or not, so that one failure does not shift the draws of the next.
            drawn = self._random.random() < failure.share
            if drawn and due is None and (failure.first is None or self._asked[place] <= failure.first):
                due = failure.kind
        return due
