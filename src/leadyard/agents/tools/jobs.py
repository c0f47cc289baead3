"""Tools that show and cancel jobs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from leadyard.agents.arguments import Id, InGroup, WaitSeconds
from leadyard.agents.tool import Call, Data, Effect, tool
from leadyard.agents.tools.waiting import ended_import, ended_transfer, import_shown, transfer_shown
from leadyard.api_client.refused import Refused
from leadyard.model import Permission

JobId = Annotated[Id, Field(description="The jobId of an answer or of a refusal.")]


class GetJob(InGroup):
    """Arguments of `get_job`."""

    job_id: JobId
    wait_seconds: WaitSeconds = 0


class CancelJob(InGroup):
    """Arguments of `cancel_job`."""

    job_id: JobId


@tool(GetJob, title="Show a job", effect=Effect.READS, needs=(Permission.PROSPECTING_READ, Permission.AUDIENCES_READ))
async def get_job(call: Call, asked: GetJob) -> Data:
    """Show the state of a job: an import, a transfer, or the undo of a large change. Use waitSeconds instead of calling
    again and again: the tool then waits until the job ends, and reports progress. A job that has failed is answered as
    an error with the reason; everything is then as it was before, or, after an import, as far as it got."""
    group = await call.group(asked)
    try:
        return await ended_transfer(call, group, asked.job_id, wait_s=asked.wait_seconds)
    except Refused as refusal:
        if not _is_elsewhere(refusal):
            raise
    return await ended_import(call, group, asked.job_id, wait_s=asked.wait_seconds)


@tool(
    CancelJob,
    title="Cancel a job",
    effect=Effect.CHANGES,
    needs=(Permission.PROSPECTING_WRITE, Permission.AUDIENCES_WRITE),
)
async def cancel_job(call: Call, asked: CancelJob) -> Data:
    """Stop a job that is queued or running. A cancelled transfer takes back everything that it has done. A cancelled
    import keeps the people that it has brought in so far."""
    group = await call.group(asked)
    try:
        await call.api.post(f"{group}/transfers/{asked.job_id}/cancel")
        return transfer_shown(await call.api.get(f"{group}/transfers/{asked.job_id}"))
    except Refused as refusal:
        if not _is_elsewhere(refusal):
            raise
    cancelled = await call.api.post(f"{group}/prospecting/{asked.job_id}/cancel")
    try:
        return import_shown(await call.api.get(f"{group}/prospecting/{asked.job_id}"))
    except Refused:
        # The key may cancel jobs and not see them.
        return {"jobId": cancelled["jobId"], "status": cancelled["status"]}


def _is_elsewhere(refusal: Refused) -> bool:
    """Returns whether the job may be of the other kind: it is not found among these, or the key may not see these."""
    return refusal.code in ("NOT_FOUND", "FORBIDDEN")
