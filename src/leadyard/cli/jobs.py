"""`leadyard jobs …`: shows and cancels prospecting jobs."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from leadyard.cli.api_door import Door, Session, run_on_api
from leadyard.cli.audience_names import audience_names
from leadyard.cli.file_output import write_text, written_output
from leadyard.cli.job_report import job_as_dict, job_as_text, jobs_as_table
from leadyard.cli.job_watch import display_for, follow, get_job
from leadyard.cli.listing import Limit, as_listed, first_items
from leadyard.cli.output import Data, Output, wrong_usage
from leadyard.cli.shared_options import shared_options
from leadyard.counted import counted
from leadyard.model import JobStatus

_INTERRUPTED = 130

JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="The job.")]

app = typer.Typer(help="List, show, watch and cancel prospecting jobs.", no_args_is_help=True)


@app.command("list")
@shared_options
def list_(
    door: Door,
    status: Annotated[JobStatus | None, typer.Option(help="Only jobs with this status.")] = None,
    limit: Limit = 50,
) -> None:
    """List the jobs of an account group, newest first."""

    async def run(session: Session) -> Output:
        items, has_more = await first_items(session.api, f"{session.group}/prospecting", limit=limit, status=status)
        # The list of the API has neither the counts nor the progress.
        jobs = [job_as_dict(await get_job(session, each["jobId"])) for each in items]
        names = await audience_names(session, (each["audienceId"] for each in jobs))
        as_table = partial(jobs_as_table, names=names)
        return as_listed(jobs, has_more=has_more, as_table=as_table, nouns="jobs")

    run_on_api(door, run)


@app.command("show")
@shared_options
def show(door: Door, job_id: JobId) -> None:
    """Show the progress of a job, and the error if it failed."""

    async def run(session: Session) -> Output:
        return _job_output(session, await get_job(session, job_id))

    run_on_api(door, run)


@app.command("watch")
@shared_options
def watch(door: Door, job_id: JobId) -> None:
    """Watch a job until it has ended. Exit 0 if it completed, 1 if it failed or was cancelled.

    On a terminal it shows a progress bar, elsewhere it prints an occasional line on stderr. Ctrl-C stops the watching
    but not the job (exit 130).
    """

    async def run(session: Session) -> Output:
        with display_for(as_json=door.as_json) as display:
            job = await follow(session, job_id, display)
        return _job_output(session, job, code=int(job["status"] != JobStatus.COMPLETED))

    try:
        run_on_api(door, run)
    except KeyboardInterrupt:
        print(f"Stopped watching. Job {job_id} continues. To stop it: leadyard jobs cancel", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None


@app.command("cancel")
@shared_options
def cancel(door: Door, job_id: JobId) -> None:
    """Cancel a queued or running job. Its audience keeps the leads it has, and is usable at once."""

    async def run(session: Session) -> Output:
        from leadyard.api_client.api import part

        await session.api.post(f"{session.group}/prospecting/{part(job_id)}/cancel")
        return _job_output(session, await get_job(session, job_id))

    run_on_api(door, run)


@app.command("rejected")
@shared_options
def rejected(
    door: Door,
    job_id: JobId,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="The file to write. It must not exist. Default: standard output."),
    ] = None,
    notes: Annotated[bool, typer.Option("--notes", help="Add the notes on imported rows.")] = False,
) -> None:
    """Write the rejected rows of a job as CSV: line, code and reason, then the original row.

    You can fix the file and import it again. The first 100,000 rows of a job are kept, until 30 days after it has
    ended.
    """
    if door.as_json and output is None:
        raise wrong_usage("--json needs --output, because standard output cannot contain both.")

    async def run(session: Session) -> Output:
        from leadyard.api_client.api import part

        job = await get_job(session, job_id)
        path = f"{session.group}/prospecting/{part(job_id)}/rejected.csv"
        # Opened only now, so that an unknown job does not leave an empty file behind.
        with written_output(output) as stream:
            count = await write_text(session.api.download(path, notes=notes), stream)
        return _rejected_output(job, count, output, notes=notes)

    run_on_api(door, run)


def _rejected_output(job: Data, count: int, output: Path | None, *, notes: bool) -> Output:
    job_id, rejected = job["jobId"], job["counts"]["rejected"]
    what = f"{count:,} rejected rows and notes" if notes else f"{count:,} of {counted(rejected, 'rejected row')}"
    # Standard output has the rows then, and nothing else.
    text = f"Wrote {what} of job {job_id} to {output}." if output else ""
    return Output({"jobId": job_id, "rejected": rejected, "written": count, "file": str(output)}, text)


def _job_output(session: Session, job: Data, *, code: int = 0) -> Output:
    # Under its own key, because a top-level "error" means that the command failed.
    return Output({"job": job_as_dict(job)}, job_as_text(job, options=session.options), code)
