"""Operations that run in the process of the test: audiences, leads to move, and what must be true then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from leadyard.ids import new_id
from leadyard.model import AddResult, AudienceType, Caller, Move, MoveResult, Once, Profile, StoredAnswer
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.audiences import create_audience, get_audience
from leadyard.operations.doctor import check_account_group
from leadyard.operations.idempotency import reserve_key
from leadyard.operations.moves import list_moves, move_leads
from leadyard.operations.prospects import add_prospects, list_prospects
from leadyard.store.db import Database, open_database


class Stage:
    """An account group with two audiences on a database of its own, for operations that run in this process."""

    def __init__(self, db: Database, caller: Caller, source: str, target: str, away: str) -> None:
        self.db = db
        self.caller = caller
        self.source = source
        self.target = target
        self.away = away
        self.lead_ids: list[str] = []

    async def move(self) -> MoveResult:
        return await move_leads(
            self.db,
            self.caller,
            source_audience_id=self.source,
            target_audience_id=self.target,
            lead_ids=self.lead_ids,
        )

    async def come_with_a_key(self) -> None:
        """From now on the caller's requests have an idempotency key, so that a move is one transaction of several
        statements on either database."""
        key = new_id()
        token = await reserve_key(self.db, self.caller, key=key, fingerprint="f")
        assert isinstance(token, str)
        once = Once(key=key, token=token, render=lambda _: StoredAnswer(status=200, headers={}, body="{}"))
        self.caller = replace(self.caller, once=once)

    async def settle(self) -> None:
        """Returns when what was cancelled has come to its end: on SQLite it is done on the writers' only connection."""
        async with self.db.write(self.caller.account_group_id):
            pass

    async def add(self, audience_id: str, *profiles: Profile) -> AddResult:
        return await add_prospects(self.db, self.caller, audience_id=audience_id, profiles=profiles)

    async def members(self, audience_id: str) -> dict[str, Profile]:
        page = await list_prospects(self.db, self.caller, audience_id=audience_id, after=None, limit=1000)
        counted = await get_audience(self.db, self.caller, audience_id=audience_id)
        assert counted.prospect_count == len(page.items)
        return {member.lead.id: member.lead.profile for member in page.items}

    async def recorded(self) -> list[Move]:
        return list((await list_moves(self.db, self.caller, before=None, limit=10)).items)

    async def is_moved(self) -> bool:
        """Returns whether the move was done; fails if it was done in part."""
        here, there = await self.members(self.source), await self.members(self.target)
        recorded = await self.recorded()
        check_up = await check_account_group(self.db, account_group_id=self.caller.account_group_id)
        assert check_up.findings == ()
        everywhere = sorted(self.lead_ids)
        found = (sorted(here), sorted(there), len(recorded))
        assert found in ((everywhere, [], 0), ([], everywhere, 1))
        return found[2] == 1


@asynccontextmanager
async def staged(url: str, *, pool_size: int = 1) -> AsyncIterator[Stage]:
    """With one connection only, whatever a failure leaves behind on it meets the next one who needs it."""
    db = open_database(url, pool_size=pool_size, wait_s=5)
    try:
        group = await create_account_group(db, name="Stage")
        caller = Caller.operator(group.id)
        made = [
            await create_audience(db, caller, name=name, type=AudienceType.ON_DEMAND, description=None)
            for name in ("Source", "Target", "Away")
        ]
        stage = Stage(db, caller, *(each.id for each in made))
        await stage.add(stage.source, *(Profile(email=f"{n}@example.com") for n in range(20)))
        stage.lead_ids = list(await stage.members(stage.source))
        yield stage
    finally:
        await db.close()
