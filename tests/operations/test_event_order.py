"""The order of the feed: a reader that continues after the last event it got never misses one that commits later."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import pytest

from leadyard import ids
from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.model import (
    AudienceType,
    Batch,
    Caller,
    ClaimedJob,
    Event,
    EventFilter,
    EventType,
    ExistingAudience,
    Job,
    Profile,
    Selection,
    TransferAction,
    TransferRequest,
    UrlPosition,
)
from leadyard.operations.account_groups import create_account_group
from leadyard.operations.audiences import create_audience, update_audience
from leadyard.operations.changes import recording as change_recording
from leadyard.operations.copies import copy_leads
from leadyard.operations.events import placing, reading
from leadyard.operations.events.recording import record_event
from leadyard.operations.events.watching import Watch
from leadyard.operations.jobs import queueing, whole_changes
from leadyard.operations.jobs.leases import claim_this_job
from leadyard.operations.jobs.prospecting import cancel_job
from leadyard.operations.jobs.prospecting_steps import complete_prospecting, save_batch
from leadyard.operations.jobs.transfers import cancel_transfer, get_transfer, start_transfer
from leadyard.operations.leads import erase_lead
from leadyard.operations.moves import move_leads
from leadyard.operations.prospects import add_prospects, list_prospects
from leadyard.people.checking import check_profiles
from leadyard.store.db import open_database
from rig.jobs import ENDED, LEASE_MS, queue_job, run_of

R = TypeVar("R")
ZERO = reading.BEGINNING


@dataclass
class Yard:
    """An account group, and as many databases as there are processes in the scene."""

    databases: list[Database]
    caller: Caller
    held: list[str] = field(default_factory=list)

    @property
    def db(self) -> Database:
        return self.databases[0]

    async def audience(self, name: str = "A", *, by: int = 0) -> str:
        made = await create_audience(
            self.databases[by], self.caller, name=name, type=AudienceType.ON_DEMAND, description=None
        )
        return made.id

    async def leads(self, audience_id: str, count: int) -> list[str]:
        people = check_profiles([Profile(email=f"{audience_id}-{n}@example.com") for n in range(count)])
        await add_prospects(self.db, self.caller, audience_id=audience_id, checked=people)
        page = await list_prospects(self.db, self.caller, audience_id=audience_id, after=None, limit=count)
        return [member.lead.id for member in page.items]

    async def read(
        self, after: str | None = ZERO, *, by: int = 0, limit: int = 1_000, wanted: EventFilter = reading.EVERYTHING
    ) -> list[Event]:
        """Returns what a reader gets that continues after the position until there is nothing left."""
        await placing.place_waiting(self.databases[by], self.caller.account_group_id)
        found: list[Event] = []
        while True:
            page = await reading.list_events(self.databases[by], self.caller, wanted=wanted, after=after, limit=limit)
            found += page.events
            after = page.position
            if not page.has_more:
                return found

    @asynccontextmanager
    async def open_transaction(self, name: str, *, by: int) -> AsyncIterator[None]:
        """A transaction that has written an event with this prospect id, and commits at the end of the block."""
        async with self.databases[by].write(self.caller.account_group_id) as tx:
            await record_event(tx, EventType.PROSPECT_UPDATED, {"prospectId": name})
            yield


def in_yard(url: str, work: Callable[[Yard], Awaitable[R]], *, processes: int = 2) -> R:
    async def run() -> R:
        databases = [open_database(url, pool_size=4, wait_s=30) for _ in range(processes)]
        try:
            group = await create_account_group(databases[0], name="g")
            return await work(Yard(databases, Caller.operator(group.id)))
        finally:
            for db in databases:
                await db.close()

    return asyncio.run(run())


@pytest.fixture(scope="module")
def url(migrated_database: Callable[[], str]) -> str:
    return migrated_database()


def names(events: list[Event]) -> list[str]:
    return [event.data.get("name") or event.data["prospectId"] for event in events]


def test_what_commits_later_comes_later(url: str, backend: str) -> None:
    """A transaction writes its event first, and is still open while others commit and readers read. SQLite has one
    writer at a time, so the others wait there; in PostgreSQL they do not."""

    async def scene(yard: Yard) -> None:
        readers = dict.fromkeys(range(3), ZERO)
        seen: dict[int, list[str]] = {n: [] for n in readers}

        async def all_read() -> None:
            for n in readers:
                found = await yard.read(readers[n], by=n % 2, limit=n + 1)
                seen[n] += names(found)
                readers[n] = found[-1].id if found else readers[n]

        await yard.audience("first")
        await all_read()
        async with yard.open_transaction("held", by=1):
            others = asyncio.gather(*(yard.audience(f"other {n}") for n in range(5)))
            if backend == "postgresql":
                await others
                await all_read()
                assert [sorted(each) for each in seen.values()] == [["first", *(f"other {n}" for n in range(5))]] * 3
            else:
                await asyncio.sleep(0.2)
                page = await reading.list_events(yard.db, yard.caller, after=readers[0], limit=10)
                assert page.events == ()
        await others
        await all_read()
        assert seen[0] == seen[1] == seen[2]
        assert sorted(seen[0]) == sorted(["first", "held", *(f"other {n}" for n in range(5))])
        if backend == "postgresql":
            # Its key is the smallest of these, and its place the last.
            assert seen[0][-1] == "held"
        assert names(await yard.read()) == seen[0]

    in_yard(url, scene)


def test_what_is_rolled_back_is_never_seen(url: str) -> None:
    async def scene(yard: Yard) -> None:
        with pytest.raises(KeyError):
            async with yard.open_transaction("never", by=1):
                raise KeyError
        await yard.audience("after")
        assert names(await yard.read()) == ["after"]

    in_yard(url, scene)


def test_readers_in_several_processes_get_the_same_order(url: str) -> None:
    """Writers hold their transactions for random times, and every reader gives places as well."""
    chance = random.Random(1)

    async def scene(yard: Yard) -> None:
        is_over = False

        async def write(n: int) -> None:
            for number in range(12):
                async with yard.open_transaction(f"{n}-{number}", by=n % 4):
                    await asyncio.sleep(chance.uniform(0, 0.02))

        async def follow(n: int) -> list[str]:
            position, seen = ZERO, []
            while True:
                last_look = is_over
                found = await yard.read(position, by=n % 4, limit=n + 1)
                position = found[-1].id if found else position
                seen += names(found)
                if last_look:
                    return seen
                await asyncio.sleep(chance.uniform(0, 0.01))

        readers = [asyncio.create_task(follow(n)) for n in range(4)]
        await asyncio.gather(*(write(n) for n in range(6)))
        is_over = True
        seen = await asyncio.gather(*readers)
        assert sorted(seen[0]) == sorted(f"{n}-{number}" for n in range(6) for number in range(12))
        assert all(each == seen[0] for each in seen)

    in_yard(url, scene, processes=4)


def test_clocks_that_jump_change_neither_the_order_nor_the_ids(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the process that gives places, and of those that change audiences, goes back and forth by hours."""
    chance = random.Random(2)

    def jumping() -> int:
        return now_ms() + chance.randint(-7_200_000, 7_200_000)

    for module in (placing, change_recording, ids):
        monkeypatch.setattr(module, "now_ms", jumping)
    monkeypatch.setattr("leadyard.operations.moves.now_ms", jumping)

    async def scene(yard: Yard) -> None:
        one, two = await yard.audience("0"), await yard.audience("0")
        lead_ids = await yard.leads(one, 8)
        position, seen = ZERO, []
        for number in range(30):
            here, there = (one, two) if number % 2 == 0 else (two, one)
            await move_leads(
                yard.databases[number % 2],
                yard.caller,
                source_audience_id=here,
                target_audience_id=there,
                lead_ids=lead_ids,
            )
            await update_audience(yard.db, yard.caller, audience_id=there, changes={"name": f"{number + 1}"})
            if chance.random() < 0.3:
                found = await yard.read(position, by=1)
                seen += found
                position = found[-1].id if found else position
        seen += await yard.read(position)
        assert seen == await yard.read()
        assert [event.id for event in seen] == sorted({event.id for event in seen})
        # The moves and the renames of an audience are in the order in which they were made.
        for audience_id in (one, two):
            of_it = [event for event in seen if event.concerns(audience_id)]
            counts = [count_of(event, audience_id) for event in of_it if event.type is EventType.LEADS_MOVED]
            assert len(counts) == 30 and all(a != b for a, b in pairwise(counts))
            renamed = [int(event.data["name"]) for event in of_it if event.type is EventType.AUDIENCE_UPDATED]
            assert renamed == sorted(renamed) and len(renamed) == 15
            for before, after in pairwise(of_it):
                if after.type is EventType.AUDIENCE_UPDATED:
                    assert before.type is EventType.LEADS_MOVED

    in_yard(url, scene)


def test_a_job_ends_after_its_start_even_if_the_clock_stands_still(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids with the same time are in the order of their random numbers, so an end at the time of the start was often
    before it."""
    stopped = now_ms()
    for module in (queueing, whole_changes):
        monkeypatch.setattr(module, "now_ms", lambda: stopped)

    async def scene(yard: Yard) -> None:
        for _ in range(10):
            source, target = await yard.audience(), await yard.audience()
            await yard.leads(source, 1)
            transfer = await start_transfer(
                yard.db,
                yard.caller,
                asked=TransferRequest(
                    action=TransferAction.MOVE,
                    source_audience_id=source,
                    target_audience_id=target,
                    selection=Selection(),
                ),
            )
            await cancel_transfer(yard.db, yard.caller, job_id=transfer.id)
            prospecting = await queue_job(yard.db, yard.caller.account_group_id)
            await cancel_job(yard.db, yard.caller, job_id=prospecting.id)
        of_jobs: dict[str, list[EventType]] = {}
        for event in await yard.read():
            if event.data.get("jobId"):
                of_jobs.setdefault(event.data["jobId"], []).append(event.type)
        assert list(of_jobs.values()) == [[EventType.JOB_STARTED, EventType.JOB_CANCELLED]] * 20

    in_yard(url, scene)


async def step(yard: Yard, job: Job) -> ClaimedJob:
    """Works on the job for one step."""
    claimed = await claim_this_job(yard.db, yard.caller.account_group_id, job.id, lease_ms=LEASE_MS)
    assert claimed is not None
    await run_of(yard.db, claimed, is_stopping=lambda: True).run()
    return claimed


async def moving(yard: Yard) -> tuple[str, str, list[str], Job]:
    """Five leads on their way: the first two of them have moved. Returns source, target, leads and job."""
    source, target = await yard.audience("Source"), await yard.audience("Target")
    lead_ids = await yard.leads(source, 5)
    asked = TransferRequest(
        action=TransferAction.MOVE, source_audience_id=source, target_audience_id=target, selection=Selection()
    )
    job = await start_transfer(yard.db, yard.caller, asked=asked)
    await step(yard, job)
    await step(yard, job)
    return source, target, lead_ids, job


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part has two leads."""
    monkeypatch.setattr("leadyard.operations.selecting.LEADS_A_PART", 2)


@pytest.mark.usefixtures("small_parts")
def test_a_transfer_is_reported_after_the_people_who_were_erased_meanwhile(url: str) -> None:
    """Nothing reports a count between the two states, and the last count of each audience is the one that it has."""

    async def scene(yard: Yard) -> None:
        source, target, lead_ids, job = await moving(yard)
        await erase_lead(yard.db, yard.caller, lead_id=lead_ids[0])
        await erase_lead(yard.db, yard.caller, lead_id=lead_ids[4])
        while (await get_transfer(yard.db, yard.caller, job_id=job.id)).status not in ENDED:
            await step(yard, job)
        *_, one, other, moved, ended = await yard.read()
        for erased in (one, other):
            assert erased.type is EventType.PROSPECT_ERASED
            assert (erased.data["audiences"], erased.data["audienceCount"]) == ([], 1)
        assert moved.type is EventType.LEADS_MOVED
        assert (count_of(moved, source), count_of(moved, target)) == (0, 3)
        assert ended.type is EventType.JOB_COMPLETED
        assert ended.data["audiences"] == [counted(source, 0), counted(target, 3)]

    in_yard(url, scene)


@pytest.mark.usefixtures("small_parts")
def test_the_end_of_a_cancelled_transfer_reports_the_counts(url: str) -> None:
    """A person was erased after moving. So the source has one member less, although no change reports it."""

    async def scene(yard: Yard) -> None:
        source, target, lead_ids, job = await moving(yard)
        await erase_lead(yard.db, yard.caller, lead_id=lead_ids[0])
        await cancel_transfer(yard.db, yard.caller, job_id=job.id)
        while (await get_transfer(yard.db, yard.caller, job_id=job.id)).status not in ENDED:
            await step(yard, job)
        *_, erased, ended = await yard.read()
        assert (erased.type, erased.data["audiences"]) == (EventType.PROSPECT_ERASED, [])
        assert ended.type is EventType.JOB_CANCELLED
        assert ended.data["audiences"] == [counted(source, 4), counted(target, 0)]

    in_yard(url, scene)


def test_an_import_is_reported_after_a_person_who_was_erased_meanwhile(url: str) -> None:
    async def scene(yard: Yard) -> None:
        audience = await yard.audience()
        lead_ids = await yard.leads(audience, 3)
        job = await queue_job(yard.db, yard.caller.account_group_id, audience=ExistingAudience(audience))
        claimed = await claim_this_job(yard.db, yard.caller.account_group_id, job.id, lease_ms=LEASE_MS)
        assert claimed is not None
        for number in range(2):
            profiles = tuple(Profile(email=f"{number}-{n}@example.com") for n in range(2))
            batch = Batch(
                profiles=profiles,
                rows=tuple((n, ()) for n in range(2)),
                rejected=(),
                position=UrlPosition(done=number),
                progress=0.5,
            )
            await save_batch(yard.db, claimed, batch, lease_ms=LEASE_MS)
            await erase_lead(yard.db, yard.caller, lead_id=lead_ids[number])
        await complete_prospecting(yard.db, claimed)
        *_, one, other, added, ended = await yard.read()
        assert [one.type, other.type] == [EventType.PROSPECT_ERASED] * 2
        assert [each.data["audiences"] for each in (one, other)] == [[counted(audience, 4)], [counted(audience, 5)]]
        assert (added.type, count_of(added, audience)) == (EventType.LEADS_ADDED, 5)
        assert ended.type is EventType.JOB_COMPLETED

    in_yard(url, scene)


def counted(audience_id: str, count: int) -> dict[str, object]:
    return {"id": audience_id, "prospectCount": count}


def count_of(event: Event, audience_id: str) -> int:
    sides = (event.data["sourceAudience"], event.data["targetAudience"])
    [count] = [side["prospectCount"] for side in sides if side and side["id"] == audience_id]
    assert isinstance(count, int)
    return count


def test_the_counts_of_each_event_follow_from_those_before(url: str) -> None:
    """Moves and copies from several processes between a few audiences: each event continues the counts exactly."""
    chance = random.Random(3)

    async def scene(yard: Yard) -> None:
        audiences = [await yard.audience(str(n)) for n in range(3)]
        lead_ids = await yard.leads(audiences[0], 40)

        async def change(by: int) -> None:
            for _ in range(12):
                here, there = chance.sample(audiences, 2)
                page = await list_prospects(yard.databases[by], yard.caller, audience_id=here, after=None, limit=40)
                present = [member.lead.id for member in page.items]
                if not present:
                    continue
                some = chance.sample(present, min(len(present), chance.randint(1, 6)))
                work = chance.choice((move_leads, copy_leads))
                try:
                    await work(
                        yard.databases[by],
                        yard.caller,
                        source_audience_id=here,
                        target_audience_id=there,
                        lead_ids=some,
                    )
                except Exception as refused:
                    assert getattr(refused, "code", "") == "LEADS_NOT_IN_SOURCE", refused

        await asyncio.gather(*(change(by) for by in range(4)))
        assert_counts_continue(await yard.read())
        assert len(lead_ids) == 40

    in_yard(url, scene, processes=4)


def assert_counts_continue(events: list[Event]) -> None:
    count: dict[str, int] = {}
    for event in events:
        source, target = event.data.get("sourceAudience"), event.data.get("targetAudience")
        left = event.data["leadCount"] if event.type is EventType.LEADS_MOVED else 0
        entered = event.data.get("leadCount", 0) - event.data.get("alreadyInTargetCount", 0)
        if source:
            assert source["prospectCount"] == count.get(source["id"], 0) - left, event
            count[source["id"]] = source["prospectCount"]
        if target:
            assert target["prospectCount"] == count.get(target["id"], 0) + entered, event
            count[target["id"]] = target["prospectCount"]


def test_more_events_than_a_batch_keep_their_order(url: str) -> None:
    async def scene(yard: Yard) -> None:
        async with yard.db.write(yard.caller.account_group_id) as tx:
            for number in range(1_200):
                await record_event(tx, EventType.PROSPECT_UPDATED, {"prospectId": str(number)}, at=1_000_000 + number)
        found = await yard.read(limit=77)
        assert [int(name) for name in names(found)] == list(range(1_200))
        only = EventFilter(types=frozenset({EventType.JOB_FAILED}))
        assert await yard.read(wanted=only) == []

    in_yard(url, scene)


def test_ids_differ_between_account_groups(url: str) -> None:
    """A receiver may get the events of several account groups, and recognises one that comes twice by its id."""

    async def scene(yard: Yard) -> None:
        other = Caller.operator((await create_account_group(yard.db, name="other")).id)
        for caller in (yard.caller, other):
            async with yard.db.write(caller.account_group_id) as tx:
                for number in range(200):
                    await record_event(tx, EventType.PROSPECT_UPDATED, {"prospectId": str(number)})
        await placing.place_events(yard.db)
        both = [
            event.id
            for caller in (yard.caller, other)
            for event in (await reading.list_events(yard.db, caller, after=ZERO, limit=400)).events
        ]
        assert len(both) == len(set(both)) == 400

    in_yard(url, scene)


def test_a_watched_feed_hands_on_each_event_once(url: str) -> None:
    """Readers that join at any moment, and fall behind what the watcher remembers, lose nothing."""
    chance = random.Random(4)

    async def scene(yard: Yard) -> None:
        watch = Watch(yard.db)
        group = yard.caller.account_group_id
        is_over = False

        async def follow(delay_s: float, slow_s: float) -> list[str]:
            await asyncio.sleep(delay_s)
            found = await yard.read(by=1)
            seen = names(found)
            reader = watch.reader(group, found[-1].id if found else ZERO)
            while not (is_over and len(seen) >= 900):
                events = await reader.wait(within_s=1)
                if events is None:
                    events = await yard.read(reader.position, by=1)
                seen += names(list(events))
                reader.position = events[-1].id if events else reader.position
                await asyncio.sleep(chance.uniform(0, slow_s))
            return seen

        readers = [asyncio.create_task(follow(n * 0.1, n * 0.05)) for n in range(6)]
        for number in range(90):
            async with yard.databases[1].write(group) as tx:
                for each in range(10):
                    await record_event(tx, EventType.PROSPECT_UPDATED, {"prospectId": f"{number}-{each}"})
        is_over = True
        seen = await asyncio.wait_for(asyncio.gather(*readers), 60)
        whole = names(await yard.read())
        assert len(whole) == 900
        assert all(each == whole for each in seen)
        await watch.close()

    in_yard(url, scene)
