"""The answers of the example provider without failures: docs/providers.md as code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leadyard.example_provider.people import NamedList, People, Prospect

MAX_PAGE = 100
MAX_ENTRIES = 200
TYPES = ("linkedin_search", "sales_navigator", "post_commenters")

Answer = dict[str, Any]


class BadRequest(Exception):
    """The request violates the protocol: a status, a code and a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        self.status, self.code, self.message = status, code, message
        super().__init__(message)


def search(people: People, asked: Mapping[str, Any], *, withhold_emails: bool) -> Answer:
    """Returns the page that `asked` begins at. Every search and every post finds all people of the file; a lead
    list or a saved search has its own members. Raises BadRequest."""
    if asked.get("type") not in TYPES:
        raise BadRequest(400, "UNKNOWN_TYPE", f"type must be one of {', '.join(TYPES)}.")
    members = _members(people, asked)
    start, limit = _start(asked.get("cursor"), len(members)), _limit(asked.get("limit"), MAX_PAGE)
    page = [_shown(people.prospects[place], withhold_emails) for place in members[start : start + limit]]
    return {"prospects": page, "nextCursor": _next(start + limit, len(members)), "total": len(members)}


def enrich_emails(people: People, asked: Mapping[str, Any]) -> Answer:
    """Returns the e-mail of each person, or null if the file has none. Raises BadRequest."""
    wanted = asked.get("prospects")
    if not isinstance(wanted, list) or not 0 < len(wanted) <= MAX_PAGE:
        raise BadRequest(400, "BAD_PROSPECTS", f"prospects must be a list of 1 to {MAX_PAGE}.")
    results = []
    for prospect in wanted:
        if not isinstance(prospect, dict) or not isinstance(prospect.get("key"), str):
            raise BadRequest(400, "BAD_PROSPECTS", "Each prospect needs a key.")
        found = people.find(prospect)
        results.append({"key": prospect["key"], "email": found["email"] if found else None})
    return {"results": results}


def entries(found: Sequence[NamedList], asked: Mapping[str, str]) -> Answer:
    """Returns a page of lead lists or saved searches. Raises BadRequest."""
    limit_text = asked.get("limit", "50")
    limit = _limit(int(limit_text) if limit_text.isdecimal() and len(limit_text) < 9 else 0, MAX_ENTRIES)
    start = _start(asked.get("cursor"), len(found))
    items = [
        {"id": each.id, "name": each.name, "leadCount": len(each.members)} for each in found[start : start + limit]
    ]
    return {"items": items, "nextCursor": _next(start + limit, len(found))}


def _members(people: People, asked: Mapping[str, Any]) -> range:
    for key, lists in (("leadListId", people.lead_lists), ("savedSearchId", people.saved_searches)):
        if asked.get(key) is not None:
            found = next((each.members for each in lists if each.id == asked[key]), None)
            if found is None:
                raise BadRequest(404, "NOT_FOUND", f"This {key} was not found.")
            return found
    if not isinstance(asked.get("searchUrl") or asked.get("postUrl"), str):
        raise BadRequest(400, "NOTHING_TO_SEARCH", "Send searchUrl, savedSearchId, leadListId or postUrl.")
    return range(len(people.prospects))


def _shown(prospect: Prospect, withhold_emails: bool) -> Prospect:
    return {**prospect, "email": None} if withhold_emails else prospect


def _limit(value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise BadRequest(400, "BAD_LIMIT", f"limit must be a number from 1 to {most}.")
    return value


def _start(cursor: Any, count: int) -> int:
    """A cursor is only the place where the page begins, so the same cursor always gives the same page."""
    if cursor is None:
        return 0
    number = cursor.removeprefix("from-") if isinstance(cursor, str) and cursor.startswith("from-") else ""
    if not (number.isascii() and number.isdecimal() and len(number) < 9 and 0 <= int(number) < max(count, 1)):
        raise BadRequest(400, "BAD_CURSOR", "This cursor does not belong to this search.")
    return int(number)


def _next(start: int, count: int) -> str | None:
    return f"from-{start}" if start < count else None
