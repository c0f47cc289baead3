"""Shared by the tests of prospecting jobs: files, started and watched jobs, and a worker inside the test's process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from leadyard.database import Database
from leadyard.model import (
    Caller,
    ClaimedJob,
    ExistingAudience,
    Job,
    LinkedInSearch,
    NewAudience,
    ProfileUrls,
    ProspectingRequest,
    RowHeader,
    SearchQuery,
)
from leadyard.operations.jobs.leases import claim_job
from leadyard.operations.jobs.prospecting import get_job, start_prospecting
from leadyard.provider.client import Provider
from leadyard.secret_key import SecretKey
from leadyard.store.db import open_database
from leadyard.worker.jobs.job_run import JobRun
from leadyard.worker.jobs.kinds import Kinds
from leadyard.worker.jobs.worker import Worker
from rig.answers import data_of
from rig.providers import TOKEN
from rig.secret_key import SECRET_KEY
from rig.service import Tenant, on_database, run_sql

R = TypeVar("R")
ENDED = ("completed", "failed", "cancelled")
LEASE_MS = 30_000
URLS = ProfileUrls(("https://www.linkedin.com/in/somebody",))
SEARCH = LinkedInSearch("https://www.linkedin.com/search/results/people/?keywords=cto")


def csv_of(count: int, *, prefix: str = "person", bad_every: int = 0) -> str:
    """Returns a file of `count` people; every `bad_every`th row has an invalid e-mail address."""
    rows = ["Email,First Name,Company"]
    for n in range(count):
        email = "nonsense" if bad_every and n % bad_every == bad_every - 1 else f"{prefix}-{n}@example.com"
        rows.append(f"{email},Name {n},Company {n % 7}")
    return "\n".join(rows) + "\n"


def upload(tenant: Tenant, text: str) -> str:
    """Returns the id of the upload."""
    answer = tenant.client.post("/uploads", content=text.encode(), headers={"Content-Type": "text/csv"})
    upload_id: str = data_of(answer, 201)["uploadId"]
    return upload_id


def start(tenant: Tenant, type: str = "url_upload", **rest: Any) -> str:
    """Starts a job and returns its id. The audience is new unless `rest` names one."""
    body = {"type": type, "audience": {"name": "Job"}, **rest}
    if type == "url_upload":
        body.setdefault("profileUrls", ["https://www.linkedin.com/in/somebody"])
    job_id: str = data_of(tenant.client.post("/prospecting", json=body), 202)["jobId"]
    return job_id


def start_import(tenant: Tenant, count: int, *, prefix: str = "person", **rest: Any) -> str:
    """Uploads a file of `count` people and starts a job on it."""
    return start(tenant, "csv_upload", uploadId=upload(tenant, csv_of(count, prefix=prefix)), **rest)


def job_of(tenant: Tenant, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = data_of(tenant.client.get(f"/prospecting/{job_id}"))
    return found


def wait_for_end(tenant: Tenant, job_id: str, *, within_s: float = 60) -> dict[str, Any]:
    """Returns the job once it has ended, and checks until then that its progress never goes back."""
    deadline, last = time.monotonic() + within_s, job_of(tenant, job_id)
    while last["status"] not in ENDED:
        assert time.monotonic() < deadline, f"Not ended within {within_s} s: {last}"
        time.sleep(0.05)
        now = job_of(tenant, job_id)
        assert_not_back(last, now)
        last = now
    return last


def assert_not_back(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for stage in ("import", "enrichment"):
        assert after["stages"][stage]["progress"] >= before["stages"][stage]["progress"]
    for name, count in before["counts"].items():
        assert after["counts"][name] >= count, name
    counts = after["counts"]
    assert counts["read"] == counts["created"] + counts["matched"] + counts["rejected"]


def assert_counts(job: Mapping[str, Any], **expected: int) -> None:
    assert {name: job["counts"][name] for name in expected} == expected


def hurry(url: str) -> None:
    """Ends the pauses of all jobs, as a clock that jumps ahead would."""
    run_sql(url, "UPDATE jobs SET ready_at = 0 WHERE ready_at > 0")


async def queue_job(
    db: Database,
    account_group_id: str,
    people: ProfileUrls | SearchQuery = URLS,
    *,
    audience: NewAudience | ExistingAudience | None = None,
    search_emails: bool = False,
    max_results: int | None = None,
) -> Job:
    """Starts a job past HTTP and returns it; without an audience on a new one."""
    asked = ProspectingRequest(
        people=people,
        audience=audience or NewAudience("Job"),
        search_emails=search_emails,
        max_results=max_results,
    )
    return await start_prospecting(
        db,
        Caller.operator(account_group_id),
        asked=asked,
        read_header=lambda: RowHeader(("profileUrl",)),
        provider_is_configured=True,
    )


def new_job(tenant: Tenant, people: ProfileUrls | SearchQuery = URLS, **rest: Any) -> Job:
    """Starts a job of the tenant past HTTP and returns it."""
    return in_database(tenant, lambda db: queue_job(db, tenant.account_group_id, people, **rest))


def search_job(tenant: Tenant, **rest: Any) -> Job:
    """Starts a search of the provider past HTTP."""
    return new_job(tenant, SEARCH, **rest)


async def claimed_by(db: Database, job: Job, *, after: str = "") -> ClaimedJob:
    """Claims a job and checks that it is this one."""
    claimed = await claim_job(db, lease_ms=LEASE_MS, after_group=after)
    assert claimed is not None
    assert claimed.job.id == job.id
    return claimed


def run_of(db: Database, claimed: ClaimedJob, provider: Provider | None = None, **rest: Any) -> JobRun:
    """Returns a run of a claimed job, as a worker makes it that has no other job."""
    given = {"lease_ms": LEASE_MS, "is_stopping": lambda: False, "others_wait": lambda: False, **rest}
    return JobRun(db=db, work=Kinds(provider).work_of(claimed.job.kind), claimed=claimed, **given)


def work_until_ended(
    tenant: Tenant,
    job: Job,
    provider_url: str | None = None,
    *,
    within_s: float = 90,
    concurrency: int = 1,
    timeout_s: float = 5,
) -> dict[str, Any]:
    """Runs a worker without pauses in this process until the job has ended. Returns the job over HTTP."""
    url = tenant.service.database_url

    async def run() -> None:
        db = open_database(url, pool_size=concurrency * 2 + 2, wait_s=30, secret_key=SecretKey(SECRET_KEY))
        provider = Provider(provider_url, TOKEN, timeout_s=timeout_s) if provider_url else None
        worker = Worker(db, Kinds(provider), concurrency=concurrency, lease_s=30)
        working = asyncio.create_task(worker.run())
        try:
            async with asyncio.timeout(within_s):
                await _until_ended(db, tenant, job)
        finally:
            worker.stop()
            await working
            if provider is not None:
                await provider.close()
            await db.close()

    asyncio.run(run())
    return job_of(tenant, job.id)


async def _until_ended(db: Database, tenant: Tenant, job: Job) -> None:
    while True:
        found = await get_job(db, Caller.operator(tenant.account_group_id), job_id=job.id)
        if found.status in ENDED:
            return
        await asyncio.sleep(0.05)
        await asyncio.to_thread(hurry, tenant.service.database_url)


def in_database(tenant: Tenant, work: Callable[[Database], Awaitable[R]]) -> R:
    return on_database(tenant.service.database_url, work)


def found_job(tenant: Tenant, job_id: str) -> Job:
    """Returns the job as the operations see it."""
    return in_database(tenant, lambda db: get_job(db, Caller.operator(tenant.account_group_id), job_id=job_id))
