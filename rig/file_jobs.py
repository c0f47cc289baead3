"""Jobs on files of any kind: uploads with their types, and the job until it has completed."""

from __future__ import annotations

from typing import Any

from leadyard.ids import number_of
from rig.answers import data_of
from rig.jobs import assert_counts, found_job, job_of, work_until_ended
from rig.racing import assert_healthy
from rig.service import Tenant

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def upload(tenant: Tenant, content: bytes, media_type: str, **headers: str) -> str:
    """Returns the id of the upload."""
    sent = {"Content-Type": media_type, **headers}
    return str(data_of(tenant.client.post("/uploads", content=content, headers=sent), 201)["uploadId"])


def start(tenant: Tenant, upload_id: str, **rest: Any) -> Any:
    """Returns the answer to the start of a job on the upload."""
    body = {"type": "csv_upload", "uploadId": upload_id, "audience": {"name": "People"}, **rest}
    return tenant.client.post("/prospecting", json=body)


def done(tenant: Tenant, upload_id: str, **rest: Any) -> dict[str, Any]:
    """Returns a job on the upload that has completed."""
    job_id = data_of(start(tenant, upload_id, **rest), 202)["jobId"]
    work_until_ended(tenant, found_job(tenant, job_id))
    job = job_of(tenant, job_id)
    assert job["status"] == "completed", job
    return job


def assert_complete(tenant: Tenant, job: dict[str, Any], rows: int, *, prefix: str = "person") -> None:
    """Every person in the file is there once, and no other person, and every count is right."""
    assert job["status"] == "completed", job
    assert_counts(job, read=rows, created=rows, matched=0, added=rows, alreadyInAudience=0, rejected=0)
    assert job["stages"]["import"]["progress"] == 1
    emails = [email for (email,) in tenant.sql(
        "SELECT l.email FROM memberships m JOIN leads l ON l.account_group_id = m.account_group_id AND l.id = m.lead_id"
        " WHERE m.account_group_id = $1 AND m.audience_id = $2", tenant.number, number_of(job["audienceId"])
    )]  # fmt: skip
    assert len(emails) == rows
    assert set(emails) == {f"{prefix}-{n}@example.com" for n in range(rows)}
    assert tenant.count(job["audienceId"]) == rows
    assert_healthy(tenant)
