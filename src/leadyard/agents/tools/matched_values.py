"""Companies and titles that a filter has found: "Acme" also finds "Acmeville", and a model should see that first."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

from leadyard.agents.tool import Call, Data
from leadyard.api_client.refused import Refused

MOST_READ = 1_000
"""A model narrows a filter before it has to read more."""
_PAGE = 200
_MOST_SHOWN = 30
_PLURALS = {"company": "Companies", "title": "Titles"}


async def matched_values(call: Call, path: str, filters: Data, *, left_out: list[str], limit: int | None) -> Data:
    """Returns `matchedCompanies` if the filters have a company, and `matchedTitles` if they have a title: each value
    that a matching person has, and the number of these people, most frequent first.

    `path` is the list of people of an audience. Reads the first 1,000 of them, without the ones `left_out`, up to
    `limit`. Returns nothing if the key may not see people.
    """
    wanted = [name for name in ("company", "title") if name in filters]
    if not wanted:
        return {}
    with suppress(Refused):
        people, is_whole = await _matching(call, path, filters, left_out=frozenset(left_out), limit=limit)
        shown = {f"matched{_PLURALS[name]}": _counted(people, name) for name in wanted}
        return shown if is_whole else shown | {"matchedAmong": f"only the first {len(people):,} people were read"}
    return {}


async def _matching(
    call: Call, path: str, filters: Data, *, left_out: frozenset[str], limit: int | None
) -> tuple[list[dict[str, Any]], bool]:
    """Returns the first people that match, and whether these are all."""
    people: list[dict[str, Any]] = []
    cursor = None
    for _ in range(MOST_READ // _PAGE):
        page = await call.api.get(path, limit=_PAGE, cursor=cursor, **filters)
        people += [each for each in page["items"] if each["id"] not in left_out]
        cursor = page["nextCursor"]
        if cursor is None or (limit is not None and len(people) >= limit):
            return people[:limit], True
    return people, False


def _counted(people: list[dict[str, Any]], name: str) -> list[Data]:
    values = Counter(each["company"]["name"] if name == "company" else each[name] for each in people)
    shown: list[Data] = [{name: value, "count": count} for value, count in values.most_common(_MOST_SHOWN)]
    others = len(values) - len(shown)
    return [*shown, {name: f"{others:,} others"}] if others else shown
