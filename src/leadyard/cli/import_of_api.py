"""`leadyard import` to a service: an upload, the job that imports it, and the file of its rejected rows."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from leadyard.api_client.refused import Refused
from leadyard.cli.api_door import Session
from leadyard.cli.audience_choice import check_new_name
from leadyard.cli.audience_of_api import audience_of
from leadyard.cli.file_output import replaced_output, write_text
from leadyard.cli.import_request import SHOWN_ROWS, ImportRequest, imported
from leadyard.cli.job_report import counts_in_order
from leadyard.cli.job_watch import display_for, follow
from leadyard.cli.output import Data, Output
from leadyard.cli.preview_report import preview_as_text
from leadyard.cli.progress import progress_bar
from leadyard.errors import NotFound
from leadyard.files.encodings import empty_file
from leadyard.files.tables import opened
from leadyard.model import JobStatus

_PIECE = 1024 * 1024
_NEWEST = 50


async def preview_through(session: Session, asked: ImportRequest) -> Output:
    """Returns what an import would make of the file. The service keeps the upload for a day. Raises Refused."""
    upload_id = await _upload(session, asked)
    body = {**asked.of_api(), "rows": SHOWN_ROWS}
    preview = await session.api.post(f"{session.group}/uploads/{upload_id}/preview", body)
    return Output(preview, preview_as_text(asked.file.name, preview))


async def import_through(session: Session, asked: ImportRequest) -> Output:
    """Returns the output of the import when its job has ended. Raises Refused, also for a job that fails."""
    # Before the upload, which may take long.
    target = await _target(session, asked.audience)
    body = {"type": "csv_upload", "uploadId": await _upload(session, asked), "audience": target, **asked.of_api()}
    started = await session.api.post(f"{session.group}/prospecting", body)
    job = await _ended(session, started["jobId"], as_json=asked.as_json)
    counts = counts_in_order(job["counts"])
    rejects = asked.rejects_file() if counts["rejected"] or counts["noted"] else None
    if rejects is not None:
        path = f"{session.group}/prospecting/{job['jobId']}/rejected.csv"
        with replaced_output(rejects) as stream:
            await write_text(session.api.download(path, notes=True), stream)
    name = await _name(session, job["audienceId"], asked.audience)
    return imported(job["audienceId"], name, counts, change_id=await _change_of(session, job), rejects=rejects)


async def _target(session: Session, name_or_id: str) -> Data:
    """Returns the audience of the job: the one that the user means, or a new one with this name."""
    try:
        return {"id": (await audience_of(session, name_or_id))["id"]}
    except NotFound:
        check_new_name(name_or_id.strip())
        return {"name": name_or_id.strip()}


async def _upload(session: Session, asked: ImportRequest) -> str:
    with _file(asked.file) as file, progress_bar("Uploading", show=not asked.as_json) as bar:
        size = file.seek(0, 2)
        if not size:
            raise empty_file()
        pieces = _pieces_of(file, lambda sent: bar(sent, size))
        path = f"{session.group}/uploads"
        upload_id: str = (await session.api.upload_file(path, pieces, "application/octet-stream"))["uploadId"]
    return upload_id


@contextmanager
def _file(path: Path) -> Iterator[BinaryIO]:
    """Opens the file, or a copy of standard input, so that it can be sent again. Raises UnreadableFile."""
    if str(path) != "-":
        stream, _ = opened(path)
        with stream:
            yield stream
        return
    with tempfile.TemporaryFile() as copy:
        while piece := sys.stdin.buffer.read(_PIECE):
            copy.write(piece)
        yield cast("BinaryIO", copy)


def _pieces_of(file: BinaryIO, report: Callable[[int], None]) -> Callable[[], AsyncIterator[bytes]]:
    async def pieces() -> AsyncIterator[bytes]:
        file.seek(0)
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
            report(file.tell())

    return pieces


async def _ended(session: Session, job_id: str, *, as_json: bool) -> Data:
    try:
        with display_for(as_json=as_json) as display:
            job = await follow(session, job_id, display)
    except BaseException:
        commands = " or ".join(f"leadyard jobs {each} {job_id}{session.options}" for each in ("watch", "cancel"))
        print(f"Job {job_id} continues. Next: {commands}", file=sys.stderr)
        raise
    if job["status"] == JobStatus.COMPLETED:
        return job
    error = job["error"] or {"code": "JOB_CANCELLED", "message": "The job was cancelled."}
    details = f"What it has imported stays: leadyard jobs show {job_id}{session.options}"
    raise Refused(error["code"], error["message"], details, extra={"jobId": job_id, "audienceId": job["audienceId"]})


async def _name(session: Session, audience_id: str, given: str) -> str:
    """Returns the name of the audience, or the given one if a next job is filling it already."""
    try:
        name: str = (await session.api.get(f"{session.group}/audiences/{audience_id}"))["name"]
    except Refused:
        return given.strip()
    return name


async def _change_of(session: Session, job: Data) -> str | None:
    """Returns the id of the change that the job has made, None if it has added no lead."""
    page = await session.api.get(f"{session.group}/changes", audienceId=job["audienceId"], limit=_NEWEST)
    return next((each["id"] for each in page["items"] if each["jobId"] == job["jobId"]), None)
