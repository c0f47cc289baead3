"""Shared by the tests of transfers and of undos of large changes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx

from leadyard.database import Database
from leadyard.ids import number_of
from leadyard.model import ClaimedJob
from leadyard.operations.jobs.leases import claim_this_job, hand_back
from rig.answers import data_of
from rig.jobs import ENDED, LEASE_MS, in_database, run_of
from rig.service import Tenant

Memberships = list[tuple[int, int, int]]


def transfer_body(action: str, source: str, target: str | None = None, **rest: Any) -> dict[str, Any]:
    """Returns the body of a transfer, of every member unless `rest` selects others."""
    both = {"sourceAudienceId": source} if target is None else {"sourceAudienceId": source, "targetAudienceId": target}
    return {"action": action, **both, "select": {"all": True}, **rest}


def post_transfer(tenant: Tenant, action: str, source: str, target: str | None = None, **rest: Any) -> httpx.Response:
    """Sends the request of a transfer."""
    return tenant.client.post("/transfers", json=transfer_body(action, source, target, **rest))


def start_transfer(tenant: Tenant, action: str, source: str, target: str | None = None, **rest: Any) -> str:
    """Starts a transfer and returns its job."""
    job_id: str = data_of(post_transfer(tenant, action, source, target, **rest), 202)["jobId"]
    return job_id


def transfer_of(tenant: Tenant, job_id: str) -> dict[str, Any]:
    """Returns the transfer over HTTP."""
    found: dict[str, Any] = data_of(tenant.client.get(f"/transfers/{job_id}"))
    return found


def with_claim(tenant: Tenant, job_id: str, work: Callable[[Database, ClaimedJob], Awaitable[None]]) -> None:
    """Claims the job, does the work with it, and hands it back if it still has it."""

    async def run(db: Database) -> None:
        claimed = await claim_this_job(db, tenant.account_group_id, job_id, lease_ms=LEASE_MS)
        assert claimed is not None
        await work(db, claimed)
        await hand_back(db, claimed)

    in_database(tenant, run)


def run_transfer(tenant: Tenant, job_id: str) -> dict[str, Any]:
    """Works on the job in this process until it has ended, and returns it over HTTP."""

    async def run(db: Database) -> None:
        claimed = await claim_this_job(db, tenant.account_group_id, job_id, lease_ms=LEASE_MS)
        while claimed is not None:
            await run_of(db, claimed).run()
            claimed = await claim_this_job(db, tenant.account_group_id, job_id, lease_ms=LEASE_MS)

    in_database(tenant, run)
    return transfer_of(tenant, job_id)


def wait_for_transfer(tenant: Tenant, job_id: str, *, within_s: float = 60) -> dict[str, Any]:
    """Returns the transfer once a worker has ended it."""
    deadline = time.monotonic() + within_s
    while (found := transfer_of(tenant, job_id))["status"] not in ENDED:
        assert time.monotonic() < deadline, f"Not ended within {within_s} s: {found}"
        time.sleep(0.05)
    return found


def memberships_of(tenant: Tenant, *audiences: str) -> Memberships:
    """Returns the membership rows of these audiences: number of the audience, lead, time."""
    rows = tenant.sql(
        "SELECT audience_id, lead_id, added_at FROM memberships WHERE account_group_id = $1"
        " ORDER BY audience_id, lead_id",
        tenant.number,
    )
    numbers = {number_of(each) for each in audiences}
    return [row for row in rows if not audiences or row[0] in numbers]


def counts_of(tenant: Tenant, audiences: Sequence[str]) -> list[int]:
    """Returns the number of members of each audience."""
    return [tenant.count(each) for each in audiences]
