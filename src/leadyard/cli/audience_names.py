"""The names of the audiences in a list for people, whose ids alone would tell a reader nothing."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from leadyard.api_client.refused import Refused
from leadyard.cli.api_door import Session
from leadyard.cli.table import short

_PAGE = 200
# A list waits for at most so many requests. The other audiences keep their ids.
_MOST_PAGES = 5


class AudienceNames(dict[str, str]):
    """Names by ids."""

    def of(self, audience_id: str | None) -> str:
        """Returns the name on one line, or the id of an audience whose name is not known. None becomes "-"."""
        return "-" if audience_id is None else self.get(audience_id, audience_id)


async def audience_names(session: Session, audience_ids: Iterable[str | None]) -> AudienceNames:
    """Returns the names of the audiences that the API lists among its first 1,000.

    Deleted audiences and those that a job is filling have no name here. A key without audiences:read finds none.
    """
    wanted = set(audience_ids) - {None}
    names, cursor = AudienceNames(), None
    with suppress(Refused):
        for _ in range(_MOST_PAGES):
            if wanted <= names.keys():
                break
            page = await session.api.get(f"{session.group}/audiences", limit=_PAGE, cursor=cursor)
            names.update({each["id"]: short(each["name"]) for each in page["items"]})
            cursor = page["nextCursor"]
            if cursor is None:
                break
    return names
