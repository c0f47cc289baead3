"""Finds the audience that the user means, by id or by exact name, through the API."""

from __future__ import annotations

import re

from leadyard.cli.api_door import Session
from leadyard.cli.output import Data
from leadyard.errors import AmbiguousName, NotFound

_ID = re.compile(r"[0-9a-f]{24}")
# Of more audiences with one name the refusal lists only these.
_LISTED = 10


async def audience_id(session: Session, name_or_id: str | None) -> str | None:
    """Returns the id of the audience. None stays None. An id is not looked up. Raises like `audience_of`."""
    if name_or_id is None or _ID.fullmatch(name_or_id.strip()):
        return name_or_id and name_or_id.strip()
    found: str = (await _named(session, name_or_id.strip()))["id"]
    return found


async def audience_of(session: Session, name_or_id: str) -> Data:
    """Returns the audience, as the API shows it. Raises Refused, NotFound or AmbiguousName."""
    if _ID.fullmatch(name_or_id.strip()):
        audience: Data = await session.api.get(f"{session.group}/audiences/{name_or_id.strip()}")
        return audience
    return await _named(session, name_or_id.strip())


async def _named(session: Session, name: str) -> Data:
    page = await session.api.get(f"{session.group}/audiences", name=name, limit=_LISTED)
    # The service takes an empty name for none, and lists all.
    return _only(name, [each for each in page["items"] if each["name"] == name])


def _only(name: str, found: list[Data]) -> Data:
    if not found:
        raise NotFound.audience_named(name)
    if len(found) > 1:
        ids = ", ".join(each["id"] for each in found)
        count = f"At least {_LISTED}" if len(found) == _LISTED else f"{len(found)}"
        raise AmbiguousName(f"{count} audiences have the name {name!r}: {ids}. Use the id of the one you mean.")
    return found[0]
