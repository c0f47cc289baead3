"""Changes of all kinds at once: afterwards the record explains every membership, and every history is exact."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import LeadyardError, NotFound
from leadyard.model import AudienceType, Batch, Caller, ChangeFilter, ChangeState, Profile, UrlPosition
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.audiences import create_audience, delete_audience, empty_deleted_audiences
from leadyard.operations.changes.indexing import index_changes
from leadyard.operations.changes.reading import list_changed_leads, list_changes, list_lead_changes
from leadyard.operations.copies import copy_leads
from leadyard.operations.doctor import check_account_group
from leadyard.operations.leads import erase_lead
from leadyard.operations.merging import merge_leads
from leadyard.operations.moves import move_leads
from leadyard.operations.prospects import add_batch, add_prospects, list_prospects
from leadyard.operations.removals import remove_leads
from leadyard.people.checking import check_profiles
from leadyard.store import change_expiry
from leadyard.store.db import open_database

CLIENTS = 8
TURNS = 60
PEOPLE = 80
MANY = 10_000
REFUSALS = {"LEADS_NOT_IN_SOURCE", "NOT_FOUND"}


def person(number: int) -> Profile:
    return Profile(email=f"person-{number}@example.com")


class Yard:
    """Four audiences, of which some are deleted and made again, and the people in them."""

    def __init__(self, db: Database, caller: Caller) -> None:
        self.db, self.caller = db, caller
        self.audiences: list[str] = []
        self.lead_ids: list[str] = []
        self.done: set[str] = set()
        self.is_over = False

    async def fill(self) -> None:
        for _ in range(4):
            self.audiences.append(await self.new_audience())
        everybody = check_profiles([person(number) for number in range(PEOPLE)])
        for audience in self.audiences[:2]:
            await add_prospects(self.db, self.caller, audience_id=audience, checked=everybody)
        found = await list_prospects(self.db, self.caller, audience_id=self.audiences[0], after=None, limit=PEOPLE)
        self.lead_ids = [member.lead.id for member in found.items]

    async def new_audience(self) -> str:
        type_ = AudienceType.ON_DEMAND
        return (await create_audience(self.db, self.caller, name="A", type=type_, description=None)).id

    async def client(self, number: int) -> None:
        chance, change_id = random.Random(number), None
        for _ in range(TURNS):
            kind = chance.choice(("move", "copy", "remove", "add", "import", "erase", "delete"))
            try:
                change_id = await self.act(kind, chance, change_id)
                self.done.add(kind)
            except LeadyardError as refusal:
                assert refusal.code in REFUSALS, refusal

    async def act(self, kind: str, chance: random.Random, change_id: str | None) -> str | None:
        here, there = chance.sample(self.audiences, 2)
        leads = chance.sample(self.lead_ids, chance.randint(1, 4))
        people = [person(chance.randrange(PEOPLE + 10)) for _ in range(5)]
        db, caller = self.db, self.caller
        if kind == "move":
            await move_leads(db, caller, source_audience_id=here, target_audience_id=there, lead_ids=leads)
        elif kind == "copy":
            await copy_leads(db, caller, source_audience_id=here, target_audience_id=there, lead_ids=leads)
        elif kind == "remove":
            await remove_leads(db, caller, audience_id=here, lead_ids=leads[:1])
        elif kind == "add":
            await add_prospects(db, caller, audience_id=here, checked=check_profiles(people))
        elif kind == "import":
            rows = tuple((number, ()) for number in range(len(people)))
            position = UrlPosition(done=1)
            batch = Batch(profiles=tuple(people), rows=rows, rejected=(), position=position, progress=0.5)
            # The same audience each time, as a file goes into one, until that is deleted.
            here = self.audiences[0]
            _, change_id = await add_batch(db, caller, audience_id=here, batch=batch, change_id=change_id)
        elif kind == "erase" and chance.random() < 0.3:
            await erase_lead(db, caller, lead_id=leads[0])
        elif kind == "delete" and chance.random() < 0.2:
            self.audiences[self.audiences.index(here)] = await self.new_audience()
            await delete_audience(db, caller, audience_id=here)
        return change_id

    async def keep_house(self) -> None:
        while not self.is_over:
            await index_changes(self.db)
            await empty_deleted_audiences(self.db)
            await asyncio.sleep(0.01)

    async def assert_explained(self) -> None:
        check_up = await check_account_group(self.db, account_group_id=self.caller.account_group_id)
        assert check_up.findings == ()

    async def histories(self) -> dict[str, list[str]]:
        """Returns lead → its changes, newest first, as the list of a lead shows them."""
        found: dict[str, list[str]] = {}
        for lead_id in self.lead_ids:
            try:
                page = await list_lead_changes(self.db, self.caller, lead_id=lead_id, before=None, limit=MANY)
            except NotFound:
                continue
            found[lead_id] = [change.id for change in page.items]
        return found

    async def read_all(self, lead_ids: set[str]) -> dict[str, list[str]]:
        """Returns the same from the leads of every change."""
        found: dict[str, list[str]] = {lead_id: [] for lead_id in lead_ids}
        for change in (await list_changes(self.db, self.caller, wanted=ChangeFilter(), before=None, limit=MANY)).items:
            leads, _ = await list_changed_leads(self.db, self.caller, change_id=change.id, after=0, limit=MANY)
            assert len(leads) == change.lead_count
            assert sum(lead.was_in_target for lead in leads) == change.already_in_target_count
            for lead_id in {lead.lead_id for lead in leads} & lead_ids:
                found[lead_id].append(change.id)
        return found


def test_the_record_explains_everything_and_every_history_is_exact(migrated_database: Callable[[], str]) -> None:
    url = migrated_database()

    async def run() -> None:
        db = open_database(url, pool_size=4, wait_s=30)
        try:
            yard = Yard(db, Caller.operator((await create_account_group(db, name="G")).id))
            await yard.fill()
            housekeeping = asyncio.create_task(yard.keep_house())
            await asyncio.gather(*(yard.client(number) for number in range(CLIENTS)))
            yard.is_over = True
            await housekeeping
            assert len(yard.done) == 7, yard.done
            await yard.assert_explained()
            before = await yard.histories()
            assert before == await yard.read_all(set(before))
            while await index_changes(db) or await empty_deleted_audiences(db):
                pass
            assert before == await yard.histories()
            await yard.assert_explained()
        finally:
            await db.close()

    asyncio.run(run())


def test_people_who_are_merged_again_before_the_index_knows_enter_it_once(migrated_database: Callable[[], str]) -> None:
    """The second merge renames the lead of the first one. An entry that it wrote ahead of the housekeeping would stop
    the housekeeping of all account groups."""
    url = migrated_database()

    async def run() -> None:
        db = open_database(url, pool_size=2, wait_s=5)
        try:
            yard = Yard(db, Caller.operator((await create_account_group(db, name="G")).id))
            audience_id = await yard.new_audience()
            people = check_profiles([person(number) for number in range(3)])
            added = await add_prospects(db, yard.caller, audience_id=audience_id, checked=people)
            page = await list_prospects(db, yard.caller, audience_id=audience_id, after=None, limit=3)
            one, two, three = (member.lead.id for member in page.items)
            first = await merge_leads(db, yard.caller, lead_id=two, other_id=three)
            second = await merge_leads(db, yard.caller, lead_id=one, other_id=two)
            yard.lead_ids = [one]
            expected = {one: [second.change_id, first.change_id, added.change_id]}
            assert await yard.histories() == expected
            while await index_changes(db):
                pass
            assert await yard.histories() == expected
            await yard.assert_explained()
        finally:
            await db.close()

    asyncio.run(run())


def test_an_import_expires_when_its_last_batch_is_old(migrated_database: Callable[[], str]) -> None:
    """Otherwise the members of its later batches would be younger than all that has expired, and have no change."""
    url = migrated_database()

    async def run() -> None:
        db = open_database(url, pool_size=2, wait_s=5)
        try:
            yard = Yard(db, Caller.operator((await create_account_group(db, name="G")).id))
            audience_id = await yard.new_audience()
            change_id: str | None = None
            between = 0
            for number in range(2):
                batch = Batch(
                    profiles=(person(number),),
                    rows=((number, ()),),
                    rejected=(),
                    position=UrlPosition(done=number),
                    progress=1.0,
                )
                _, change_id = await add_batch(
                    db, yard.caller, audience_id=audience_id, batch=batch, change_id=change_id
                )
                between = between or now_ms() + 1
                await asyncio.sleep(0.01)
            while await index_changes(db):
                pass
            for before, state in ((between, ChangeState.COMPLETE), (now_ms() + 1, ChangeState.EXPIRED)):
                async with db.write(yard.caller.account_group_id) as tx:
                    await change_expiry.expire_some(tx, before=before, limit=50)
                await yard.assert_explained()
                [change] = (await list_changes(db, yard.caller, wanted=ChangeFilter(), before=None, limit=MANY)).items
                assert (change.id, change.state) == (change_id, state)
        finally:
            await db.close()

    asyncio.run(run())
