"""Leases of jobs: which worker may write when, by the database's clock, even if that clock jumps. In this process, on
real databases; tests/races has the same with processes that are killed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import LeaseLost
from leadyard.ids import key_of, number_of
from leadyard.model import Batch, Caller, ClaimedJob, EnrichmentPosition, Job, JobError, JobStage, Profile, UrlPosition
from leadyard.operations.jobs import leases, prospecting_steps
from leadyard.operations.jobs.prospecting import cancel_job
from leadyard.store import job_leases
from leadyard.worker.jobs.job_run import MAX_ATTEMPTS
from rig.answers import refusal
from rig.jobs import LEASE_MS, claimed_by, in_database, job_of, new_job, run_of
from rig.racing import Session, assert_healthy
from rig.service import Tenant, make_tenant

HOUR_MS = 3_600_000
Write = Callable[[Database, ClaimedJob], Awaitable[Any]]


def batch(*names: str, progress: float = 0.5) -> Batch:
    return Batch(
        profiles=tuple(Profile(email=f"{name}@example.com") for name in names),
        rows=tuple((number, (name,)) for number, name in enumerate(names, 1)),
        rejected=(),
        position=UrlPosition(done=len(names)),
        progress=progress,
    )


# Everything a worker can write about its job.
WRITES: dict[str, Write] = {
    "save_batch": lambda db, held: prospecting_steps.save_batch(db, held, batch("a", "b"), lease_ms=LEASE_MS),
    "extend_lease": lambda db, held: leases.extend_lease(db, held, lease_ms=LEASE_MS),
    "begin_enrichment": lambda db, held: prospecting_steps.begin_enrichment(db, held, lease_ms=LEASE_MS),
    "save_emails": lambda db, held: prospecting_steps.save_emails(
        db, held, {}, position=EnrichmentPosition(total=0), progress=0.5, lease_ms=LEASE_MS
    ),
    "complete_prospecting": prospecting_steps.complete_prospecting,
    "fail_job": lambda db, held: leases.fail_job(db, held, JobError(code="X", message="It failed.")),
}


def row_of(tenant: Tenant, job: Job) -> tuple[Any, ...]:
    """Returns the whole row of the job and the members of its audience."""
    [row] = tenant.sql("SELECT * FROM jobs WHERE id = $1", key_of(job.id))
    return (*row, tenant.sql("SELECT * FROM memberships WHERE audience_id = $1", number_of(job.audience_id)))


def shift(tenant: Tenant, job: Job, by_ms: int) -> None:
    """Leaves the state that a clock leaves when it jumps back (by > 0) or ahead (by < 0)."""
    for column in ("lease_until", "ready_at"):
        tenant.sql(f"UPDATE jobs SET {column} = {column} + $1 WHERE id = $2 AND {column} > 0", by_ms, key_of(job.id))


@pytest.mark.parametrize("name", WRITES)
def test_whoever_lost_the_lease_writes_nothing(job_tenant: Tenant, name: str) -> None:
    job = new_job(job_tenant, search_emails=True)

    async def run(db: Database) -> None:
        late = await claimed_by(db, job)
        await asyncio.to_thread(shift, job_tenant, job, -HOUR_MS)
        now = await claimed_by(db, job)
        assert now.lease_number == late.lease_number + 1
        before = await asyncio.to_thread(row_of, job_tenant, job)
        with pytest.raises(LeaseLost):
            await WRITES[name](db, late)
        await leases.hand_back(db, late, failed=True)
        assert await asyncio.to_thread(row_of, job_tenant, job) == before
        await WRITES[name](db, now)
        assert await asyncio.to_thread(row_of, job_tenant, job) != before

    in_database(job_tenant, run)
    assert_healthy(job_tenant)


@pytest.mark.parametrize("name", WRITES)
def test_nothing_is_written_about_a_job_that_was_cancelled(job_tenant: Tenant, name: str) -> None:
    job = new_job(job_tenant, search_emails=True)

    async def run(db: Database) -> None:
        held = await claimed_by(db, job)
        await cancel_job(db, Caller.operator(job_tenant.account_group_id), job_id=job.id)
        before = await asyncio.to_thread(row_of, job_tenant, job)
        with pytest.raises(LeaseLost):
            await WRITES[name](db, held)
        await leases.hand_back(db, held)
        assert await asyncio.to_thread(row_of, job_tenant, job) == before

    in_database(job_tenant, run)


@pytest.mark.parametrize("by_ms", [-HOUR_MS, HOUR_MS], ids=["ahead", "back"])
def test_after_a_jump_of_the_clock_the_job_is_soon_taken_and_the_late_worker_refused(
    job_tenant: Tenant, by_ms: int
) -> None:
    job = new_job(job_tenant)

    async def run(db: Database) -> None:
        first = await claimed_by(db, job)
        assert await leases.claim_job(db, lease_ms=LEASE_MS, after_group="") is None
        await prospecting_steps.save_batch(db, first, batch("a", "b"), lease_ms=LEASE_MS)
        await asyncio.to_thread(shift, job_tenant, job, by_ms)
        second = await claimed_by(db, job)
        assert second.position == UrlPosition(done=2)
        assert second.failed_attempts == 1
        with pytest.raises(LeaseLost):
            await prospecting_steps.save_batch(db, first, batch("c"), lease_ms=LEASE_MS)
        await prospecting_steps.save_batch(db, second, batch("c"), lease_ms=LEASE_MS)

    in_database(job_tenant, run)
    assert job_of(job_tenant, job.id)["counts"]["added"] == 3


@pytest.mark.parametrize("by_ms", [-2 * HOUR_MS, 2 * HOUR_MS], ids=["ahead", "back"])
def test_a_jump_of_the_clock_does_not_make_a_pause_endless(job_tenant: Tenant, by_ms: int) -> None:
    job = new_job(job_tenant)

    async def run(db: Database) -> None:
        await leases.hand_back(db, await claimed_by(db, job), pause_ms=HOUR_MS, failed=True)
        assert await leases.claim_job(db, lease_ms=LEASE_MS, after_group="") is None
        await asyncio.to_thread(shift, job_tenant, job, by_ms)
        assert (await claimed_by(db, job)).failed_attempts == 1

    in_database(job_tenant, run)


def test_a_job_that_was_handed_back_is_free_at_once_and_no_failure_is_counted(job_tenant: Tenant) -> None:
    job = new_job(job_tenant)

    async def run(db: Database) -> None:
        await leases.hand_back(db, await claimed_by(db, job))
        assert (await claimed_by(db, job)).failed_attempts == 0

    in_database(job_tenant, run)


def test_failures_add_up_until_a_batch_is_saved(job_tenant: Tenant) -> None:
    job = new_job(job_tenant)

    async def run(db: Database) -> None:
        for attempt in range(3):
            held = await claimed_by(db, job)
            assert held.failed_attempts == attempt
            await leases.hand_back(db, held, failed=True)
        await prospecting_steps.save_batch(db, await claimed_by(db, job), batch("a"), lease_ms=-1)
        # A lease that expires without a report counts as a failure.
        assert (await claimed_by(db, job)).failed_attempts == 1

    in_database(job_tenant, run)


def test_a_heartbeat_that_waited_for_a_batch_does_not_shorten_the_lease(job_tenant: Tenant) -> None:
    job = new_job(job_tenant)

    async def run(db: Database) -> None:
        held = await claimed_by(db, job)
        async with db.write(held.account_group_id) as saving:
            assert await job_leases.hold(saving, held)
            beating = asyncio.ensure_future(leases.extend_lease(db, held, lease_ms=LEASE_MS))
            await asyncio.sleep(0.5)
            assert not beating.done()
            now = await job_leases.clock_ms(saving)
            await job_leases.extend(saving, held, now=now, lease_ms=LEASE_MS)
        await beating
        [(until,)] = await asyncio.to_thread(
            job_tenant.sql, "SELECT lease_until FROM jobs WHERE id = $1", key_of(job.id)
        )
        assert until >= now + LEASE_MS

    in_database(job_tenant, run)


def test_whose_clock_is_behind_still_adds_members_after_the_start(
    job_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker's clock is an hour behind. The enrichment must find the leads all the same."""
    job = new_job(job_tenant, search_emails=True)
    monkeypatch.setattr("leadyard.operations.changes.recording.now_ms", lambda: now_ms() - HOUR_MS)

    async def run(db: Database) -> None:
        held = await claimed_by(db, job)
        people = tuple(Profile(linkedin_url=f"https://www.linkedin.com/in/behind-{n}") for n in range(3))
        rows = tuple((n, ("",)) for n in range(3))
        found = Batch(profiles=people, rows=rows, rejected=(), position=UrlPosition(done=3), progress=1)
        await prospecting_steps.save_batch(db, held, found, lease_ms=LEASE_MS)
        assert await prospecting_steps.begin_enrichment(db, held, lease_ms=LEASE_MS) == EnrichmentPosition(total=3)
        assert len(await prospecting_steps.list_leads_without_email(db, held, after="", limit=10)) == 3

    in_database(job_tenant, run)


def test_progress_never_goes_back(job_tenant: Tenant) -> None:
    job = new_job(job_tenant, search_emails=True)

    async def run(db: Database) -> None:
        held = await claimed_by(db, job)
        for progress in (0.8, 0.3, -1.0):
            await prospecting_steps.save_batch(db, held, batch("a", progress=progress), lease_ms=LEASE_MS)
            now = await asyncio.to_thread(job_of, job_tenant, job.id)
            assert now["stages"]["import"]["progress"] == 0.8
        await prospecting_steps.begin_enrichment(db, held, lease_ms=LEASE_MS)

    in_database(job_tenant, run)
    [(stage, progress)] = job_tenant.sql("SELECT stage, import_progress FROM jobs WHERE id = $1", key_of(job.id))
    assert (stage, progress) == (JobStage.ENRICHMENT, 1.0)


def test_many_claimers_never_get_the_same_job(job_tenant: Tenant) -> None:
    wanted = {new_job(job_tenant).id for _ in range(12)}

    async def run(db: Database) -> list[ClaimedJob | None]:
        return await asyncio.gather(*(
            leases.claim_job(db, lease_ms=LEASE_MS, after_group="") for _ in range(24)
        ))  # fmt: skip

    found = [claimed.job.id for claimed in in_database(job_tenant, run) if claimed]
    assert len(found) == len(set(found))
    assert set(found) <= wanted
    assert found


def test_a_kind_that_only_the_next_version_has_is_left_to_it(job_tenant: Tenant) -> None:
    """Both versions run during an upgrade. The audience is not ready all the same."""
    audience = job_tenant.create_audience()
    job = job_tenant.insert_job(audience, "queued")
    job_tenant.sql("UPDATE jobs SET kind = 'kind_of_tomorrow', stage = 'stage_of_tomorrow' WHERE id = $1", key_of(job))

    async def run(db: Database) -> None:
        assert await leases.claim_job(db, lease_ms=LEASE_MS, after_group="") is None
        assert not await leases.is_another_group_left_out(db, account_group_id="")

    in_database(job_tenant, run)
    assert job_tenant.walk("/prospecting") == []
    for answer in (
        job_tenant.client.get(f"/prospecting/{job}"),
        job_tenant.client.post(f"/prospecting/{job}/cancel"),
        job_tenant.client.get(f"/prospecting/{job}/rejected.csv"),
    ):
        refusal(answer, 404, "NOT_FOUND")
    assert refusal(job_tenant.client.get(f"/audiences/{audience}"), 409, "AUDIENCE_NOT_READY")["jobId"] == job


def test_a_claim_passes_over_a_job_that_somebody_is_claiming(job_tenant: Tenant) -> None:
    """PostgreSQL: without waiting. SQLite has one writer, so there is no concurrent claim to pass over."""
    first, second = new_job(job_tenant), new_job(job_tenant)
    if not job_tenant.service.is_postgresql:
        return
    with Session(job_tenant.service.database_url) as session:
        session.begin()
        session.run("SELECT id FROM jobs WHERE id = $1 FOR UPDATE", key_of(first.id))

        async def run(db: Database) -> None:
            # A claim that waited would wait without end, because the session holds its lock until we are through.
            async with asyncio.timeout(30):
                await claimed_by(db, second)
                assert await leases.claim_job(db, lease_ms=LEASE_MS, after_group="") is None

        in_database(job_tenant, run)


def test_the_turns_of_the_account_groups(job_tenant: Tenant) -> None:
    """The group with the fewest running jobs comes first; equal groups take turns."""
    tenants = sorted(
        [job_tenant, *(make_tenant(job_tenant.service) for _ in range(2))], key=lambda t: t.account_group_id
    )
    for tenant in tenants:
        for _ in range(3):
            new_job(tenant)

    async def run(db: Database) -> list[str]:
        groups, after = [], tenants[1].account_group_id
        for _ in range(9):
            claimed = await leases.claim_job(db, lease_ms=LEASE_MS, after_group=after)
            assert claimed is not None
            after = claimed.account_group_id
            groups.append(after)
        return groups

    order = in_database(job_tenant, run)
    ids = [tenant.account_group_id for tenant in tenants]
    assert order == [ids[2], ids[0], ids[1]] * 3


def test_the_turn_of_a_group_without_a_running_job_comes_first(job_tenant: Tenant) -> None:
    hungry = make_tenant(job_tenant.service)
    for _ in range(30):
        new_job(job_tenant)
    small = new_job(hungry)

    async def run(db: Database) -> None:
        first = await leases.claim_job(db, lease_ms=LEASE_MS, after_group=hungry.account_group_id)
        assert first is not None
        assert first.account_group_id == job_tenant.account_group_id
        assert await leases.is_another_group_left_out(db, account_group_id=job_tenant.account_group_id)
        await claimed_by(db, small, after=hungry.account_group_id)
        assert not await leases.is_another_group_left_out(db, account_group_id=job_tenant.account_group_id)

    in_database(job_tenant, run)


def test_a_job_that_was_tried_too_often_is_given_up_by_whoever_takes_it(job_tenant: Tenant) -> None:
    """A worker that crashes over a job hands nothing back; the claims count."""
    job = new_job(job_tenant)

    async def run(db: Database) -> None:
        for crash in range(MAX_ATTEMPTS):
            held = await claimed_by(db, job)
            assert held.failed_attempts == crash
            await asyncio.to_thread(shift, job_tenant, job, -HOUR_MS)
        await run_of(db, await claimed_by(db, job)).run()

    in_database(job_tenant, run)
    ended = job_of(job_tenant, job.id)
    assert (ended["status"], ended["error"]["code"]) == ("failed", "INTERNAL_ERROR")
    assert ended["error"]["message"].endswith(".")
    assert job_tenant.count(ended["audienceId"]) == 0
