"""Transfers as the commands print them: one JSON object with the field names of the API, or text for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leadyard.cli.job_report import percent
from leadyard.clock import to_iso
from leadyard.model import Job, JobError, JobStatus, Profile, TransferPreview, UndoSource
from leadyard.people.fields import full_name


def transfer_as_dict(job: Job) -> dict[str, Any]:
    """Returns the transfer with the names and values of the API."""
    source, target, undoes = _sides(job)
    counts, is_undo = job.counts, isinstance(job.source, UndoSource)
    return {
        "jobId": job.id,
        "action": str(job.source.type),
        "status": str(job.status),
        "stage": str(job.stage),
        "progress": job.part_done,
        "sourceAudienceId": source,
        "targetAudienceId": target,
        "undoesChangeId": undoes,
        "count": counts.selected,
        "appliedCount": counts.applied,
        "alreadyInTargetCount": counts.already_in_audience,
        "skippedCount": counts.skipped,
        "keptEdits": counts.kept_edits if is_undo else None,
        "changeId": job.change_id if job.status is JobStatus.COMPLETED else None,
        "error": None if job.error is None else _error(job.error),
        "apiKeyId": job.api_key_id,
        "createdAt": to_iso(job.created_at),
        "updatedAt": to_iso(job.updated_at),
    }


def transfer_as_text(job: Job, *, account_group: str) -> str:
    """Returns one line per fact."""
    source, target, undoes = _sides(job)
    counts = job.counts
    what = f"of change {undoes}" if undoes else f"from {source}" + (f" to {target}" if target else "")
    lines = [
        f"Transfer {job.id} ({job.source.type} {what}) is {job.status}, {percent(job.part_done)}.",
        f"  {counts.selected:,} leads, {counts.applied:,} of them done, {counts.already_in_audience:,} were in the "
        "target before.",
    ]
    if counts.skipped:
        lines.append(f"  Skipped: {counts.skipped:,} leads, erased or changed since.")
    if counts.kept_edits:
        lines.append(f"  Kept: what the import wrote into empty fields of {counts.kept_edits:,} known people.")
    if job.ends_as is not None:
        lines.append("  It takes back what it has done. Its audiences are reserved until that has ended.")
    if job.error is not None:
        lines.append(f"  {job.error.code}: {job.error.message}")
    if job.status is JobStatus.COMPLETED and job.change_id is not None:
        command = f"leadyard changes undo {job.change_id} --account-group {account_group}"
        lines.append(f"  Change {job.change_id}. To undo it: {command}")
    return "\n".join(lines)


def transfers_as_table(jobs: Sequence[Job]) -> str:
    """Returns one line per transfer, under a heading."""
    lines = [f"{'JOB':<24}  {'STARTED':<24}  {'ACTION':<6}  {'STATUS':<9}  {'DONE':>5}  {'LEADS':>9}  FROM -> TO"]
    for job in jobs:
        source, target, _ = _sides(job)
        lines.append(
            f"{job.id}  {to_iso(job.created_at)}  {job.source.type:<6}  {job.status:<9}  {percent(job.part_done):>5}"
            f"  {job.counts.selected:>9,}  {source or '-'} -> {target or '-'}"
        )
    return "\n".join(lines)


def preview_as_dict(preview: TransferPreview) -> dict[str, Any]:
    """Returns the preview with the names of the API. The sample has ids and names."""
    return {
        "count": preview.count,
        "alreadyInTargetCount": preview.already_in_target_count,
        "sourceProspectCountAfter": preview.source_count_after,
        "targetProspectCountAfter": preview.target_count_after,
        "sample": [{"id": each.lead.id, "name": _name(each.lead.profile)} for each in preview.sample],
    }


def preview_as_text(preview: TransferPreview) -> str:
    """Returns one line per fact."""
    already = f"{preview.already_in_target_count:,} of them in the target already"
    lines = [f"{preview.count:,} leads, {already}. Nothing was changed."]
    lines.append(f"The source would then have {preview.source_count_after:,} leads.")
    if preview.target_count_after is not None:
        lines.append(f"The target would then have {preview.target_count_after:,} leads.")
    lines += [f"  {each.lead.id}  {_name(each.lead.profile) or ''}".rstrip() for each in preview.sample]
    return "\n".join(lines)


def _error(error: JobError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, **error.extra}


def _name(profile: Profile) -> str | None:
    return full_name(profile.name, profile.first_name, profile.last_name)


def _sides(job: Job) -> tuple[str | None, str | None, str | None]:
    """Returns source, target and the undone change."""
    if isinstance(job.source, UndoSource):
        return job.source.source_audience_id, job.source.target_audience_id, job.source.change_id
    return job.audience_id, job.audience_ids[1] if len(job.audience_ids) > 1 else None, None
