"""Operations that run in the process of the test: audiences, leads to move, and the checks afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from leadyard.database import Database
from leadyard.ids import new_id
from leadyard.model import AddResult, AudienceType, Caller, KeyedRequest, Move, MoveResult, Profile, StoredAnswer
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.audiences import create_audience, get_audience
from leadyard.operations.doctor import check_account_group
from leadyard.operations.idempotency import run_once
from leadyard.operations.moves import list_moves, move_leads
from leadyard.operations.prospects import add_prospects, list_prospects
from leadyard.people.checking import check_profiles
from leadyard.store.db import open_database


class Stage:
    """An account group with two audiences in a separate database, for operations that run in this process."""

    def __init__(self, db: Database, caller: Caller, source: str, target: str, away: str) -> None:
        self.db = db
        self.caller = caller
        self.source = source
        self.target = target
        self.away = away
        self.lead_ids: list[str] = []
        self._keyed: KeyedRequest | None = None

    async def move(self) -> MoveResult:
        """Moves all leads. Returns the result of the last attempt, committed unless this raises."""
        ids = {"source_audience_id": self.source, "target_audience_id": self.target}
        if self._keyed is None:
            return await move_leads(self.db, self.caller, lead_ids=self.lead_ids, **ids)
        results: list[MoveResult] = []

        def render(result: MoveResult) -> StoredAnswer:
            results.append(result)
            return StoredAnswer(status=200, headers={}, body="{}")

        await run_once(self._keyed, render, move_leads, self.db, self.caller, lead_ids=self.lead_ids, **ids)
        return results[-1]

    def come_with_a_key(self) -> None:
        """From now on moves have an idempotency key, so that a move is one transaction of several statements on either
        database."""
        self._keyed = KeyedRequest(key=new_id(), fingerprint="f")

    async def settle(self) -> None:
        """Returns when cancelled work has ended: on SQLite it runs on the writers' only connection."""
        async with self.db.write(self.caller.account_group_id):
            pass

    async def add(self, audience_id: str, *profiles: Profile) -> AddResult:
        return await add_prospects(self.db, self.caller, audience_id=audience_id, checked=check_profiles(profiles))

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
    """With only one connection, the next user of the connection is affected by anything that a failure leaves behind on
    it."""
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
