"""A job, or an import of a file, is one change: hidden until it ends, with each lead once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from leadyard.database import Database
from leadyard.ids import id_of, key_of
from leadyard.model import Batch, ClaimedJob, ExistingAudience, JobError, Profile, UrlPosition
from leadyard.operations.jobs import leases, prospecting_steps
from rig.answers import data_of, refusal
from rig.commands import command
from rig.jobs import LEASE_MS, claimed_by, in_database, new_job
from rig.racing import assert_healthy
from rig.service import Tenant


def batch(*names: str) -> Batch:
    profiles = tuple(Profile(email=f"{name}@example.com") for name in names)
    return Batch(
        profiles=profiles,
        rows=tuple((number, (name,)) for number, name in enumerate(names, 1)),
        rejected=(),
        position=UrlPosition(done=len(names)),
        progress=0.5,
    )


async def save(db: Database, held: ClaimedJob, *names: str) -> None:
    await prospecting_steps.save_batch(db, held, batch(*names), lease_ms=LEASE_MS)


async def complete(db: Database, held: ClaimedJob) -> None:
    await prospecting_steps.complete_prospecting(db, held)


async def fail(db: Database, held: ClaimedJob) -> None:
    await leases.fail_job(db, held, JobError(code="X", message="It failed."))


@pytest.mark.parametrize("end", [complete, fail], ids=["completed", "failed"])
def test_a_job_is_one_change_that_appears_when_it_ends(
    job_tenant: Tenant, end: Callable[[Database, ClaimedJob], Awaitable[None]]
) -> None:
    audience = job_tenant.create_audience()
    known = dict(zip("ab", job_tenant.add_leads(audience, 2, "known"), strict=True))
    job_tenant.sql("UPDATE leads SET email = 'a@example.com' WHERE id = $1", key_of(known["a"]))
    job = new_job(job_tenant, audience=ExistingAudience(audience))

    async def work(db: Database) -> None:
        held = await claimed_by(db, job)
        await save(db, held, "a", "x", "y")
        # Repeated people count once, whether the job has created them, or they were there before.
        await save(db, held, "x", "a", "z")
        await save(db, held, "y")
        assert [each["kind"] for each in await asyncio.to_thread(job_tenant.walk, "/changes")] == ["add"]
        await end(db, held)

    in_database(job_tenant, work)

    [change, _] = job_tenant.walk("/changes")
    assert (change["kind"], change["jobId"], change["targetAudienceId"]) == ("import", job.id, audience)
    assert (change["leadCount"], change["alreadyInTargetCount"]) == (4, 1)
    assert change["sourceAudienceId"] is None and change["apiKeyId"] == job.api_key_id
    leads = job_tenant.walk(f"/changes/{change['id']}/prospects", 1)
    assert [each["wasInTarget"] for each in leads].count(True) == 1
    assert {each["prospectId"] for each in leads} == set(job_tenant.members(audience)) - {known["b"]}
    for lead in leads:
        assert job_tenant.walk(f"/prospects/{lead['prospectId']}/changes")[0] == change
    assert job_tenant.walk("/changes", audienceId=audience, kind="import") == [change]
    # The created leads come first in each part. An undo needs to know them.
    parts = job_tenant.sql(
        "SELECT created_count, position FROM change_parts WHERE account_group_id = $1 ORDER BY position",
        job_tenant.number,
    )
    assert parts == [(2, 0), (1, 3)]
    assert_healthy(job_tenant)


def test_a_cancelled_job_leaves_its_change_and_one_without_people_none(job_tenant: Tenant) -> None:
    first, second = new_job(job_tenant), new_job(job_tenant)

    async def work(db: Database) -> None:
        await save(db, await claimed_by(db, first), "a")
        held = await claimed_by(db, second)
        await prospecting_steps.complete_prospecting(db, held)

    in_database(job_tenant, work)
    [(hidden,)] = job_tenant.sql("SELECT id FROM changes WHERE account_group_id = $1", job_tenant.number)
    assert job_tenant.walk("/changes") == []
    data_of(job_tenant.client.post(f"/prospecting/{first.id}/cancel"))

    [change] = job_tenant.walk("/changes")
    assert (key_of(change["id"]), change["jobId"], change["leadCount"]) == (hidden, first.id, 1)
    assert_healthy(job_tenant)


def test_a_change_that_a_job_is_writing_is_not_found(job_tenant: Tenant) -> None:
    job = new_job(job_tenant)

    async def work(db: Database) -> None:
        await save(db, await claimed_by(db, job), "a")

    in_database(job_tenant, work)
    [(hidden, lead)] = job_tenant.sql(
        "SELECT c.id, l.id FROM changes c, leads l WHERE c.account_group_id = $1 AND l.account_group_id = $1",
        job_tenant.number,
    )
    for path in (f"/changes/{id_of(hidden)}", f"/changes/{id_of(hidden)}/prospects"):
        refusal(job_tenant.client.get(path), 404, "NOT_FOUND")
    queries: tuple[dict[str, Any], ...] = (
        {},
        {"prospectId": id_of(lead)},
        {"kind": "import"},
        {"audienceId": job.audience_id},
    )
    for query in queries:
        assert job_tenant.walk("/changes", **query) == []
    # Erased amid the job: its id is gone from the parts as well.
    data_of(job_tenant.client.delete(f"/prospects/{id_of(lead)}"))
    data_of(job_tenant.client.post(f"/prospecting/{job.id}/cancel"))
    change = job_tenant.walk("/changes", kind="import")[0]
    assert job_tenant.walk(f"/changes/{change['id']}/prospects") == [
        {"prospectId": "0" * 24, "wasInTarget": False, "name": None}
    ]
    assert_healthy(job_tenant)


def test_an_import_of_a_file_is_one_change(job_tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("email\n" + "".join(f"p{n % 4_500}@example.com\n" for n in range(5_000)))
    url = job_tenant.service.database_url
    arguments = ["import", str(file), "--account-group", job_tenant.account_group_id, "--audience", "Made", "--json"]

    first, second = (command(*arguments, url=url).json() for _ in range(2))

    again, once = job_tenant.walk("/changes")
    assert (once["id"], again["id"]) == (first["changeId"], second["changeId"])
    assert (once["kind"], once["leadCount"], once["alreadyInTargetCount"]) == ("import", 4_500, 0)
    assert (again["leadCount"], again["alreadyInTargetCount"]) == (4_500, 4_500)
    listed = [each["prospectId"] for each in job_tenant.walk(f"/changes/{once['id']}/prospects")]
    assert sorted(listed) == job_tenant.members(once["targetAudienceId"])
    assert_healthy(job_tenant)
