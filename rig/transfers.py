"""Shared by the tests of transfers and of undos of large changes."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.ids import id_of, key_of, new_id_at, number_of
from leadyard.model import ClaimedJob
from leadyard.operations.jobs.leases import claim_this_job, hand_back
from rig.answers import data_of
from rig.jobs import ENDED, LEASE_MS, in_database, run_of
from rig.service import Tenant

Memberships = list[tuple[int, int, int]]


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


def big_audiences(tenant: Tenant, count: int) -> tuple[str, str, Memberships]:
    """Returns source, target and the memberships. A few leads of the source are in the target too."""
    source, target = tenant.create_audience("Source"), tenant.create_audience("Target")
    insert_leads(tenant, count, source)
    some = [id_of(lead) for _, lead, _ in memberships_of(tenant, source)[:: count // 7]]
    data_of(tenant.copy(source, target, some))
    return source, target, memberships_of(tenant)


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
