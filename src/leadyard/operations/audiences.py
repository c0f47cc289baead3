"""Audiences: made, found, listed."""

from __future__ import annotations

from leadyard.clock import now_ms
from leadyard.errors import AudienceTypeReserved
from leadyard.ids import new_id
from leadyard.model import HANDMADE_AUDIENCE_TYPES, Audience, AudienceType, Caller, Page, Permission
from leadyard.operations.guards import ready_audience
from leadyard.operations.operation import operation
from leadyard.store import audiences
from leadyard.store.db import Database


@operation(Permission.AUDIENCES_WRITE)
async def create_audience(
    db: Database, caller: Caller, *, name: str, type: AudienceType, description: str | None
) -> Audience:
    """Makes an audience without members and returns it. Raises AudienceTypeReserved for a type that only a
    prospecting job may make."""
    if type not in HANDMADE_AUDIENCE_TYPES:
        raise AudienceTypeReserved
    return await _insert(db, caller, name=name, type=type, description=description)


@operation(Permission.AUDIENCES_READ)
async def list_audiences(db: Database, caller: Caller, *, after: str | None, limit: int) -> Page[Audience]:
    """Returns a page of the audiences, oldest first, without those being populated."""
    async with db.read(caller.account_group_id) as tx:
        found = await audiences.list_ready(tx, after=after or "", limit=limit + 1)
    return Page.of(found, limit, lambda audience: audience.id)


@operation(Permission.AUDIENCES_READ)
async def get_audience(db: Database, caller: Caller, *, audience_id: str) -> Audience:
    """Returns the audience. Raises NotFound, or AudienceNotReady while a job populates it."""
    async with db.read(caller.account_group_id) as tx:
        return await ready_audience(tx, audience_id)


@operation(Permission.AUDIENCES_READ)
async def find_audiences_by_name(db: Database, caller: Caller, *, name: str) -> list[Audience]:
    """Returns the audiences of that very name, two at most."""
    async with db.read(caller.account_group_id) as tx:
        return await audiences.find_by_name(tx, name)


@operation(Permission.AUDIENCES_WRITE)
async def create_import_audience(db: Database, caller: Caller, *, name: str) -> Audience:
    """Makes the audience that an import fills and returns it."""
    return await _insert(db, caller, name=name, type=AudienceType.CSV_UPLOAD, description=None)


async def _insert(db: Database, caller: Caller, *, name: str, type: AudienceType, description: str | None) -> Audience:
    audience = Audience(
        id=new_id(),
        name=name,
        type=type,
        description=description,
        folder_id=None,
        prospect_count=0,
        created_at=now_ms(),
    )
    async with db.write(caller.account_group_id) as tx:
        await audiences.insert(tx, audience)
    return audience
