"""Workers are killed in the middle of transfers and of undos of large changes, or lose their lease."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from leadyard.clock import now_ms
from leadyard.ids import id_of, key_of, new_id_at, number_of
from rig.answers import data_of
from rig.jobs import ENDED, LEASE_MS, start_import, wait_for_end
from rig.racing import TORTURE, assert_healthy
from rig.service import Tenant, WorkerProcess
from rig.transfers import (
    Memberships,
    counts_of,
    memberships_of,
    run_transfer,
    start_transfer,
    transfer_of,
    wait_for_transfer,
    with_claim,
)

LEADS = 1_000_000 if TORTURE else 20_000
KILLS = 20 if TORTURE else 3
SHORT_LEASE = {"LEADYARD_WORKER_LEASE_S": "2"}
NewWorker = Callable[..., WorkerProcess]

pytestmark = pytest.mark.timeout(3600 if TORTURE else 300)


def insert_leads(tenant: Tenant, count: int, *audiences: str) -> None:
    """Adds new leads to all these audiences, quickly, as a recorded addition that has expired would have left them."""
    first = key_of(new_id_at(now_ms() - 86_400_000))
    series = (
        "WITH s(n) AS (SELECT generate_series(0, CAST($3 AS integer) - 1))"
        if tenant.service.is_postgresql
        else "WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n + 1 < $3)"
    )
    tenant.sql(
        f"{series} INSERT INTO leads (account_group_id, id, email, search_block_id, created_at)"
        " SELECT $1, CAST($2 AS bigint) + n, 'p' || CAST(n AS text) || '@example.com', CAST($2 AS bigint), 1 FROM s",
        tenant.number,
        first,
        count,
    )
    for audience in audiences:
        tenant.sql(
            f"{series} INSERT INTO memberships (account_group_id, audience_id, lead_id, added_at)"
            " SELECT $1, $4, CAST($2 AS bigint) + n, 1 + n FROM s",
            tenant.number,
            first,
            count,
            number_of(audience),
        )
        tenant.sql("UPDATE audiences SET prospect_count = prospect_count + $1 WHERE id = $2", count, key_of(audience))
    # The doctor accepts memberships that are older than the record, and one block has the texts of all of them.
    tenant.sql(
        "UPDATE account_groups SET changes_expired_before = $1 WHERE id = $2",
        key_of(new_id_at(now_ms() - 3_600_000)),
        tenant.number,
    )
    tenant.sql(
        "INSERT INTO search_blocks (account_group_id, is_small, id, first_lead_id, last_lead_id, lead_ids, lines)"
        " VALUES ($1, false, $2, $2, $3, $4, '')",
        tenant.number,
        first,
        first + count,
        b"",
    )


def big_audiences(tenant: Tenant, count: int = LEADS) -> tuple[str, str, Memberships]:
    """Returns source, target and the memberships. A few leads of the source are in the target too."""
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    insert_leads(tenant, count, source)
    some = [id_of(lead) for _, lead, _ in memberships_of(tenant, source)[:: count // 7]]
    data_of(tenant.copy(source, target, some))
    return source, target, memberships_of(tenant)


def kill_again_and_again(tenant: Tenant, job_id: str, workers: list[WorkerProcess], *, kills: int, seed: int) -> int:
    """Kills and restarts all workers at random moments until the job has ended. Returns how often."""
    chance, done, deadline = random.Random(seed), 0, time.monotonic() + (3000 if TORTURE else 200)
    while transfer_of(tenant, job_id)["status"] not in ENDED:
        assert time.monotonic() < deadline, transfer_of(tenant, job_id)
        if done < kills and transfer_of(tenant, job_id)["status"] == "running":
            time.sleep(chance.uniform(0, 0.5 if not TORTURE else 5))
            for worker in workers:
                worker.kill()
                worker.start()
            done += 1
        time.sleep(0.02)
    return done


def test_a_transfer_and_its_undo_survive_kill_9_of_two_workers(job_tenant: Tenant, new_worker: NewWorker) -> None:
    source, target, before = big_audiences(job_tenant)
    workers = [new_worker(job_tenant.service, **SHORT_LEASE) for _ in range(2)]

    job_id = start_transfer(job_tenant, "move", source, target)
    kills = kill_again_and_again(job_tenant, job_id, workers, kills=KILLS, seed=3)

    ended = transfer_of(job_tenant, job_id)
    assert (ended["status"], ended["count"], ended["appliedCount"]) == ("completed", LEADS, LEADS), ended
    assert counts_of(job_tenant, [source, target]) == [0, LEADS]
    assert len(memberships_of(job_tenant, target)) == LEADS
    assert [each["jobId"] for each in job_tenant.walk("/changes", kind="move")] == [job_id]
    assert_healthy(job_tenant)

    undo = data_of(job_tenant.client.post(f"/changes/{ended['changeId']}/undo"), 202)["jobId"]
    kills += kill_again_and_again(job_tenant, undo, workers, kills=KILLS, seed=4)
    assert transfer_of(job_tenant, undo)["status"] == "completed"
    assert memberships_of(job_tenant) == before
    print(f"\n{kills} kills")
    assert kills >= 2
    assert_healthy(job_tenant)


def test_a_cancelled_transfer_is_taken_back_although_its_workers_are_killed(
    job_tenant: Tenant, new_worker: NewWorker
) -> None:
    source, target, before = big_audiences(job_tenant)
    workers = [new_worker(job_tenant.service, **SHORT_LEASE) for _ in range(2)]
    job_id = start_transfer(job_tenant, "move", source, target)
    while transfer_of(job_tenant, job_id)["appliedCount"] == 0:
        time.sleep(0.02)
    job_tenant.client.post(f"/transfers/{job_id}/cancel")
    kill_again_and_again(job_tenant, job_id, workers, kills=KILLS, seed=5)
    ended = transfer_of(job_tenant, job_id)
    # It may have completed before the request.
    if ended["status"] == "cancelled":
        assert memberships_of(job_tenant) == before
        assert job_tenant.walk("/changes", kind="move") == []
    else:
        assert counts_of(job_tenant, [source, target]) == [0, LEADS]
    assert_healthy(job_tenant)


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
