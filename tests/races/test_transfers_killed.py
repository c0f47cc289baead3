"""Servers, workers and PostgreSQL are killed in the middle of transfers and of undos of large changes, and workers lose
their lease.

With LEADYARD_TEST_TORTURE=1 a transfer has a million leads and twenty deaths.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from leadyard.ids import id_of, key_of, number_of
from leadyard.store import schema
from rig.answers import data_of
from rig.change_storm import members_of, replayed
from rig.deaths import Deaths
from rig.jobs import ENDED, LEASE_MS, start_import, wait_for_end
from rig.onlookers import Onlookers, Whole
from rig.racing import TORTURE, assert_healthy
from rig.service import Service, Tenant, WorkerProcess, make_tenant
from rig.throwaway_postgres import ThrowawayPostgres
from rig.transfers import (
    Memberships,
    big_audiences,
    counts_of,
    memberships_of,
    run_transfer,
    start_transfer,
    transfer_of,
    wait_for_transfer,
    with_claim,
)

# A hundred parts or four. A short transfer may end while a server starts again, before all of its deaths.
LEADS = 1_000_000 if TORTURE else 40_000
KILLS = 20 if TORTURE else 5
FEWEST_KILLS = 20 if TORTURE else 1
KILLS_ON_THE_WAY_BACK = 10 if TORTURE else 2
PAUSE_S = 0.4 if TORTURE else 0.1
WITHIN_S = 3_000 if TORTURE else 400
SHORT_LEASE = {"LEADYARD_WORKER_LEASE_S": "2"}
NewService = Callable[..., Service]
NewWorker = Callable[..., WorkerProcess]
_numbers = itertools.count(1)

pytestmark = pytest.mark.timeout(7200 if TORTURE else 900)


@pytest.fixture(scope="module")
def postgres(backend: str) -> Iterator[ThrowawayPostgres | None]:
    """A PostgreSQL that may be killed, which keeps every commit because fsync is on; None with SQLite."""
    if backend == "sqlite":
        yield None
        return
    with ThrowawayPostgres(fsync=True) as server:
        yield server


def mortal_tenant(new_service: NewService, postgres: ThrowawayPostgres | None) -> Tenant:
    """Returns a tenant of a service and a database that only this test uses."""
    if postgres is None:
        return make_tenant(new_service())
    # A test that failed while PostgreSQL was dead must not make the next one fail.
    postgres.start()
    postgres.wait_until_ready()
    url = postgres.create_database(f"mortal_{next(_numbers)}")
    asyncio.run(schema.migrate(url))
    return make_tenant(new_service(database_url=url))


def deaths_of(tenant: Tenant, postgres: ThrowawayPostgres | None, new_worker: NewWorker, *, seed: int) -> Deaths:
    """Starts two workers. Returns them and everything else that may die."""
    workers = [new_worker(tenant.service, **SHORT_LEASE) for _ in range(2)]
    return Deaths(tenant.service, workers, postgres, random.Random(seed))


def state_of(tenant: Tenant, job_id: str) -> tuple[str, int, int]:
    """Returns status, applied leads and lease number, without a server."""
    [row] = tenant.sql("SELECT status, applied_count, lease_number FROM jobs WHERE id = $1", key_of(job_id))
    return row


def share_of(tenant: Tenant, job_id: str, *, of: int = LEADS) -> float | None:
    """Returns how much of the change is applied, and None when the job has ended."""
    status, applied, _ = state_of(tenant, job_id)
    return None if status in ENDED else applied / of


def only_in(before: Memberships, source: str) -> str:
    """Returns a lead that is in the source and not in the target."""
    leads = Counter(lead for _, lead, _ in before)
    return id_of(next(lead for audience, lead, _ in before if audience == number_of(source) and leads[lead] == 1))


def whole_states(source: str, target: str, shared: int) -> tuple[Whole, Whole]:
    """Returns the states before and after the transfer of all leads, which one of them sees that was in the source
    only. `shared` leads are in the target before."""
    return Whole((LEADS, shared), frozenset([source])), Whole((0, LEADS), frozenset([target]))


def moved(before: Memberships, source: str, target: str, at: int) -> Memberships:
    """Returns the memberships after all members of the source have moved at that time."""
    here, there = number_of(source), number_of(target)
    already = {lead for audience, lead, _ in before if audience == there}
    entered = [(there, lead, at) for audience, lead, _ in before if audience == here and lead not in already]
    return sorted([row for row in before if row[0] != here] + entered)


def events_of(tenant: Tenant, change_id: str) -> list[int]:
    """Returns the first lead of each event of the change, in the feed or on its way there."""
    found = "SELECT first_lead FROM {} WHERE account_group_id = $1 AND change_id = $2"
    both = [tenant.sql(found.format(table), tenant.number, key_of(change_id)) for table in ("events", "event_outbox")]
    return [first for [first] in itertools.chain(*both)]


def test_a_transfer_and_its_undo_survive_the_death_of_every_process(
    new_service: NewService, new_worker: NewWorker, postgres: ThrowawayPostgres | None
) -> None:
    """Every reader sees the state before, then nothing, then the state after, whatever dies."""
    tenant = mortal_tenant(new_service, postgres)
    source, target, before = big_audiences(tenant, LEADS)
    at_first, shared = members_of(tenant), len(before) - LEADS
    lead = only_in(before, source)
    one, other = whole_states(source, target, shared)
    deaths = deaths_of(tenant, postgres, new_worker, seed=3)

    forth = Onlookers(tenant, source, target, lead, one, other, leads=LEADS)
    with forth.at_work():
        forth.job_id = job_id = start_transfer(tenant, "move", source, target)
        deaths.during(
            lambda: share_of(tenant, job_id), KILLS, pause_s=PAUSE_S, within_s=WITHIN_S, before_it_begins=TORTURE
        )

    kills = deaths.done.total() - deaths.done["start again"]
    ended = transfer_of(tenant, job_id)
    assert (ended["status"], ended["count"], ended["appliedCount"]) == ("completed", LEADS, LEADS), ended
    [change] = tenant.walk("/changes", kind="move")
    assert (change["id"], change["jobId"], change["leadCount"]) == (ended["changeId"], job_id, LEADS)
    assert change["alreadyInTargetCount"] == shared
    now = memberships_of(tenant)
    assert now == moved(before, source, target, max(at for _, _, at in now))
    assert counts_of(tenant, [source, target]) == [0, LEADS]
    assert members_of(tenant) == replayed(tenant, at_first)
    assert_healthy(tenant)

    back = Onlookers(tenant, source, target, lead, other, one, leads=LEADS)
    with back.at_work():
        undo = data_of(tenant.client.post(f"/changes/{change['id']}/undo"), 202)["jobId"]
        back.job_id = undo
        deaths.during(lambda: share_of(tenant, undo), KILLS_ON_THE_WAY_BACK, pause_s=PAUSE_S, within_s=WITHIN_S)
    assert transfer_of(tenant, undo)["status"] == "completed"
    assert memberships_of(tenant) == before
    assert [each["jobId"] for each in tenant.walk("/changes", kind="undo")] == [undo]
    assert tenant.service.doctor()["healthy"]

    print(f"\n{kills} deaths in the transfer, all: {dict(deaths.done)}")
    print(f"leases: {state_of(tenant, job_id)[2]}, {state_of(tenant, undo)[2]}")
    assert kills >= FEWEST_KILLS and state_of(tenant, job_id)[2] > 1, "no other worker went on"
    for each in (change["id"], tenant.walk("/changes", kind="undo")[0]["id"]):
        firsts = events_of(tenant, each)
        assert firsts and len(firsts) == len(set(firsts)), firsts
    deaths.assert_faultless()


def test_a_cancelled_transfer_is_taken_back_whatever_dies(
    new_service: NewService, new_worker: NewWorker, postgres: ThrowawayPostgres | None
) -> None:
    tenant = mortal_tenant(new_service, postgres)
    source, target, before = big_audiences(tenant, LEADS)
    lead = only_in(before, source)
    one, other = whole_states(source, target, len(before) - LEADS)
    deaths = deaths_of(tenant, postgres, new_worker, seed=5)
    onlookers = Onlookers(tenant, source, target, lead, one, other, leads=LEADS, comes_back=True)
    with onlookers.at_work():
        onlookers.job_id = job_id = start_transfer(tenant, "move", source, target)
        while state_of(tenant, job_id)[1] < LEADS / 4:
            time.sleep(0.002)
        # Or a short transfer would complete before the request.
        deaths.of_all_workers()
        applied = state_of(tenant, job_id)[1]
        data_of(tenant.client.post(f"/transfers/{job_id}/cancel"))

        def taken_back() -> float | None:
            left = share_of(tenant, job_id, of=applied)
            return None if left is None else max(0.0, 1 - left)

        deaths.during(taken_back, KILLS_ON_THE_WAY_BACK, pause_s=PAUSE_S, within_s=WITHIN_S)
    print(f"\n{dict(deaths.done)}")
    assert transfer_of(tenant, job_id)["status"] == "cancelled"
    assert memberships_of(tenant) == before
    assert tenant.walk("/changes", kind="move") == []
    assert tenant.service.doctor()["healthy"]
    deaths.assert_faultless()


def test_a_worker_that_lost_its_lease_applies_no_part_again(
    job_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadyard.database import Database
    from leadyard.errors import LeaseLost
    from leadyard.model import ClaimedJob, PartPosition
    from leadyard.operations.jobs.transfer_steps import apply_part, read_selection, write_plan

    monkeypatch.setattr("leadyard.operations.selecting.LEADS_A_PART", 2)
    source, target = job_tenant.create_audience(), job_tenant.create_audience()
    job_tenant.add_leads(source, 6)
    job_id = start_transfer(job_tenant, "move", source, target)
    late: list[ClaimedJob] = []

    async def first(db: Database, claimed: ClaimedJob) -> None:
        await write_plan(db, claimed, await read_selection(db, claimed), lease_ms=LEASE_MS)
        await apply_part(db, claimed, PartPosition(leads=0), lease_ms=LEASE_MS)
        late.append(claimed)

    async def second(db: Database, claimed: ClaimedJob) -> None:
        for position in (0, 2):
            with pytest.raises(LeaseLost):
                await apply_part(db, late[0], PartPosition(leads=position), lease_ms=LEASE_MS)
        with pytest.raises(LeaseLost):
            await write_plan(db, late[0], [], lease_ms=LEASE_MS)

    with_claim(job_tenant, job_id, first)
    with_claim(job_tenant, job_id, second)
    assert run_transfer(job_tenant, job_id)["appliedCount"] == 6
    assert counts_of(job_tenant, [source, target]) == [0, 6]
    assert_healthy(job_tenant)


def test_a_transfer_beside_movers_of_other_audiences_and_an_import(job_tenant: Tenant, new_worker: NewWorker) -> None:
    """Everything else goes on while it runs: 8 clients that move leads of it between other audiences, and an import."""
    source, target, _ = big_audiences(job_tenant, 20_000)
    leads = [id_of(lead) for _, lead, _ in memberships_of(job_tenant, source)]
    pairs = []
    for n in range(8):
        here, there = job_tenant.create_audience(), job_tenant.create_audience()
        data_of(job_tenant.copy(source, here, leads[n * 50 : n * 50 + 50]))
        pairs.append((here, there, leads[n * 50 : n * 50 + 50]))
    stop, answers = threading.Event(), list[httpx.Response]()

    def mover(here: str, there: str, mine: list[str]) -> None:
        with job_tenant.new_client() as client:
            while not stop.is_set():
                answers.append(job_tenant.move(here, there, mine, client))
                here, there = there, here

    threads = [threading.Thread(target=mover, args=pair) for pair in pairs]
    worker = new_worker(job_tenant.service, LEADYARD_WORKER_CONCURRENCY="2")
    for thread in threads:
        thread.start()
    try:
        imported = start_import(job_tenant, 3_000, prefix="other")
        job_id = start_transfer(job_tenant, "move", source, target)
        ended = wait_for_transfer(job_tenant, job_id, within_s=120)
        wait_for_end(job_tenant, imported, within_s=120)
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    worker.stop()
    assert ended["status"] == "completed", ended
    assert {answer.status_code for answer in answers} == {200}
    assert counts_of(job_tenant, [source, target]) == [0, 20_000]
    for here, there, mine in pairs:
        assert sum(counts_of(job_tenant, [here, there])) == len(mine)
    assert_healthy(job_tenant)


def test_an_import_that_matched_known_people_is_undone_and_made_again(
    job_tenant: Tenant, new_worker: NewWorker
) -> None:
    rows, known = (100_000, 30_000) if TORTURE else (12_000, 3_600)
    elsewhere = job_tenant.create_audience("Elsewhere")
    job_tenant.add_leads(elsewhere, known, "person")
    new_worker(job_tenant.service)
    job = wait_for_end(job_tenant, start_import(job_tenant, rows), within_s=600)
    assert (job["counts"]["created"], job["counts"]["matched"]) == (rows - known, known)
    [change] = job_tenant.walk("/changes", kind="import")
    with_import, people = memberships_of(job_tenant), job_tenant.ids_by_email()

    def undo(change_id: str) -> dict[str, Any]:
        job_id = data_of(job_tenant.client.post(f"/changes/{change_id}/undo"), 202)["jobId"]
        ended = wait_for_transfer(job_tenant, job_id, within_s=600)
        assert ended["status"] == "completed", ended
        assert_healthy(job_tenant)
        return ended

    undone = undo(change["id"])
    assert (undone["count"], undone["skippedCount"]) == (rows, 0)
    # The job has filled the names of the known people.
    assert undone["keptEdits"] == known
    assert counts_of(job_tenant, [job["audienceId"], elsewhere]) == [0, known]
    left = job_tenant.ids_by_email()
    assert left == {f"person-{n}@example.com": people[f"person-{n}@example.com"] for n in range(known)}
    assert memberships_of(job_tenant) == [row for row in with_import if row[0] == number_of(elsewhere)]

    again = undo(undone["changeId"])
    assert memberships_of(job_tenant) == with_import
    assert job_tenant.ids_by_email() == people
    undo(again["changeId"])
    assert job_tenant.ids_by_email() == left
