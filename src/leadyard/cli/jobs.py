"""`leadyard jobs …`: shows and cancels prospecting jobs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.file_output import write_pieces, written_output
from leadyard.cli.job_report import job_as_dict, job_as_text, jobs_as_table
from leadyard.cli.job_watch import display_for, follow
from leadyard.cli.listing import Limit, as_listed
from leadyard.cli.output import AsJson, Output, operator, print_json, print_output, refusals, with_database, wrong_usage
from leadyard.model import Job, JobStatus

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import Page

_INTERRUPTED = 130

JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="The job.")]
InGroup = Annotated[str, typer.Option("--account-group", metavar="ID", help="The account group of the job.")]

app = typer.Typer(help="List, show, watch and cancel prospecting jobs.", no_args_is_help=True)


@app.command("list")
def list_(
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group.")],
    status: Annotated[JobStatus | None, typer.Option(help="Only jobs with this status.")] = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List the jobs of an account group, newest first."""
    from leadyard.operations.jobs.prospecting import list_jobs

    async def run(db: Database) -> Page[Job]:
        return await list_jobs(db, await operator(db, account_group), status=status, before=None, limit=limit)

    with refusals(as_json=as_json):
        page = with_database(run)
    output = as_listed(
        list(map(job_as_dict, page.items)),
        has_more=page.next_key is not None,
        as_table=lambda _: jobs_as_table(page.items),
        nouns="jobs",
    )
    print_output(output, as_json=as_json)


@app.command("show")
def show(job_id: JobId, account_group: InGroup, as_json: AsJson = False) -> None:
    """Show the progress of a job, and the error if it failed."""
    from leadyard.operations.jobs.prospecting import get_job

    async def run(db: Database) -> Job:
        return await get_job(db, await operator(db, account_group), job_id=job_id)

    with refusals(as_json=as_json):
        job = with_database(run)
    _print(job, account_group, as_json=as_json)


@app.command("watch")
def watch(job_id: JobId, account_group: InGroup, as_json: AsJson = False) -> None:
    """Watch a job until it has ended. Exit 0 if it completed, 1 if it failed or was cancelled.

    On a terminal it shows a progress bar, elsewhere it prints an occasional line on stderr. Ctrl-C stops the watching
    but not the job (exit 130).
    """
    try:
        with refusals(as_json=as_json), display_for(as_json=as_json) as display:

            async def run(db: Database) -> Job:
                return await follow(db, await operator(db, account_group), job_id, display)

            job = with_database(run)
    except KeyboardInterrupt:
        print(f"Stopped watching. Job {job_id} continues. To stop it: leadyard jobs cancel", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    _print(job, account_group, as_json=as_json)
    if job.status is not JobStatus.COMPLETED:
        raise typer.Exit(1)


@app.command("cancel")
def cancel(job_id: JobId, account_group: InGroup, as_json: AsJson = False) -> None:
    """Cancel a queued or running job. Its audience keeps the leads it has, and is usable at once."""
    from leadyard.operations.jobs.prospecting import cancel_job

    async def run(db: Database) -> Job:
        return await cancel_job(db, await operator(db, account_group), job_id=job_id)

    with refusals(as_json=as_json):
        job = with_database(run)
    _print(job, account_group, as_json=as_json)


@app.command("rejected")
def rejected(
    job_id: JobId,
    account_group: InGroup,
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="The file to write. It must not exist. Default: standard output."),
    ] = None,
    notes: Annotated[bool, typer.Option("--notes", help="Add the notes on imported rows.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the rejected rows of a job as CSV: line, code and reason, then the original row.

    You can fix the file and import it again. The first 100,000 rows of a job are kept, until 30 days after it has
    ended.
    """
    from leadyard.operations.exports import export_rejected_rows
    from leadyard.operations.jobs.prospecting import get_job

    if as_json and output is None:
        raise wrong_usage("--json needs --output, because standard output cannot contain both.")

    async def run(db: Database) -> tuple[Job, int]:
        caller = await operator(db, account_group)
        job = await get_job(db, caller, job_id=job_id)
        # Opened only now, so that an unknown job does not leave an empty file behind.
        with written_output(output) as stream:
            return job, await write_pieces(export_rejected_rows(db, caller, job, notes=notes), stream)

    with refusals(as_json=as_json):
        job, count = with_database(run)
    if as_json:
        print_json({"jobId": job.id, "rejected": job.counts.rejected, "written": count, "file": str(output)})
    elif output and notes:
        print(f"Wrote {count:,} rejected rows and notes of job {job.id} to {output}.")
    elif output:
        print(f"Wrote {count:,} of {job.counts.rejected:,} rejected rows of job {job.id} to {output}.")


def _print(job: Job, account_group: str, *, as_json: bool) -> None:
    # Under its own key, because a top-level "error" means that the command failed.
    output = Output({"job": job_as_dict(job)}, job_as_text(job, account_group=account_group))
    print_output(output, as_json=as_json)
