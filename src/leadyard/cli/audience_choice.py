"""Finds the audience that the operator means, by id or by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from leadyard.cli.output import wrong_usage
from leadyard.errors import AmbiguousName, NotFound
from leadyard.model import MAX_NAME_LENGTH

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import Audience, Caller

_ID = re.compile(r"[0-9a-f]{24}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


async def find_audience(db: Database, caller: Caller, name_or_id: str) -> Audience:
    """Returns the audience. Raises NotFound, AmbiguousName, or AudienceNotReady for an id that is being populated."""
    found = await _find(db, caller, name_or_id.strip())
    if found is None:
        raise NotFound.audience_named(name_or_id.strip())
    return found


async def find_or_make_audience(db: Database, caller: Caller, name_or_id: str) -> Audience:
    """Returns the audience, or creates one for an import if none has this name. Raises like find_audience."""
    from leadyard.operations.audiences import create_import_audience

    name = name_or_id.strip()
    found = await _find(db, caller, name)
    if found is not None:
        return found
    check_new_name(name)
    return await create_import_audience(db, caller, name=name)


def check_new_name(name: str) -> None:
    """Raises a usage error unless a new audience can have this name."""
    if not 1 <= len(name) <= MAX_NAME_LENGTH or _CONTROL.search(name):
        raise wrong_usage(
            f"The name of an audience must have 1 to {MAX_NAME_LENGTH} characters and no control characters."
        )


async def _find(db: Database, caller: Caller, name_or_id: str) -> Audience | None:
    from leadyard.operations.audiences import find_audiences_by_name, get_audience

    if _ID.fullmatch(name_or_id):
        return await get_audience(db, caller, audience_id=name_or_id)
    found = await find_audiences_by_name(db, caller, name=name_or_id)
    if len(found) > 1:
        ids = " and ".join(each.id for each in found)
        raise AmbiguousName(f"The audiences {ids} both have the name {name_or_id!r}. Use the id of the one you mean.")
    return found[0] if found else None
