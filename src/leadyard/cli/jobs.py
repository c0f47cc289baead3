"""`leadyard jobs …`: what prospecting jobs are doing, and stopping them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from leadyard.cli.audience_choice import operator
from leadyard.cli.file_output import written_output
from leadyard.cli.job_report import job_as_dict, job_as_text, jobs_as_table
from leadyard.cli.job_watch import display_for, follow
from leadyard.cli.output import AsJson, print_json, refusals, with_database, wrong_usage
from leadyard.model import Job, JobStatus

if TYPE_CHECKING:
    from leadyard.model import Caller, Page
    from leadyard.operations.operation import Database

_PAGE = 1_000
_INTERRUPTED = 130

JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="The job.")]
InGroup = Annotated[str, typer.Option("--account-group", metavar="ID", help="The account group of the job.")]

app = typer.Typer(help="List, show, watch and cancel prospecting jobs.", no_args_is_help=True)


@app.command("list")
def list_(
    account_group: Annotated[str, typer.Option(metavar="ID", help="The account group.")],
    status: Annotated[JobStatus | None, typer.Option(help="Only jobs of this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the jobs of an account group, newest first."""
    from leadyard.operations.prospecting import list_jobs

    async def run(db: Database) -> Page[Job]:
        return await list_jobs(db, await operator(db, account_group), status=status, before=None, limit=limit)

    with refusals(as_json=as_json):
        page = with_database(run)
    if as_json:
        print_json({"items": [job_as_dict(job) for job in page.items], "hasMore": page.next_key is not None})
    elif page.items:
        print(jobs_as_table(page.items))
        if page.next_key is not None:
            print("There are more: --limit.")
    else:
        print("There is no such job.")


@app.command("show")
def show(job_id: JobId, account_group: InGroup, as_json: AsJson = False) -> None:
    """Show how far a job has come, and why it failed if it did."""
    from leadyard.operations.prospecting import get_job

    async def run(db: Database) -> Job:
        return await get_job(db, await operator(db, account_group), job_id=job_id)

    with refusals(as_json=as_json):
        job = with_database(run)
    _print(job, account_group, as_json=as_json)


@app.command("watch")
def watch(job_id: JobId, account_group: InGroup, as_json: AsJson = False) -> None:
    """Watch a job until it has ended. Exit 0 if it is completed, 1 if it failed or was cancelled.

    On a terminal there is a progress bar, elsewhere a line now and then on stderr. Ctrl-C ends the watching, not the
    job (exit 130).
    """
    try:
        with refusals(as_json=as_json), display_for(as_json=as_json) as display:

            async def run(db: Database) -> Job:
                return await follow(db, await operator(db, account_group), job_id, display)

            job = with_database(run)
    except KeyboardInterrupt:
        print(f"Stopped watching; job {job_id} goes on. 'leadyard jobs cancel' would end it.", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    _print(job, account_group, as_json=as_json)
    if job.status is not JobStatus.COMPLETED:
        raise typer.Exit(1)


@app.command("cancel")
def cancel(job_id: JobId, account_group: InGroup, as_json: AsJson = False) -> None:
    """Cancel a job that is queued or running. Its audience keeps what it has and is free at once."""
    from leadyard.operations.prospecting import cancel_job

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
        typer.Option(metavar="FILE.csv", help="Where to write; it must not exist. Default: standard output."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the rows that a job has rejected as CSV: line, code and reason, then the row as it was.

    Mended, the file can be imported again. The first 100,000 rows of a job are kept, until 30 days after it has ended.
    """
    from leadyard.operations.prospecting import get_job

    if as_json and output is None:
        raise wrong_usage("--json needs --output: standard output cannot hold both.")

    async def run(db: Database) -> tuple[Job, int]:
        caller = await operator(db, account_group)
        job = await get_job(db, caller, job_id=job_id)
        # Opened only now, so that no empty file is left of a job that is not there.
        with written_output(output) as stream:
            return job, await _write_rejected(db, caller, job, stream)

    with refusals(as_json=as_json):
        job, count = with_database(run)
    if as_json:
        print_json({"jobId": job.id, "rejected": job.counts.rejected, "written": count, "file": str(output)})
    elif output:
        print(f"Wrote {count:,} of {job.counts.rejected:,} rejected rows of job {job.id} to {output}.")


async def _write_rejected(db: Database, caller: Caller, job: Job, stream: TextIO) -> int:
    from leadyard.intake.csv_export import rejected_lines, rejects_header_line
    from leadyard.operations.prospecting import list_rejected_rows

    header = job.source.get("header", ())
    stream.write(rejects_header_line(header))
    count, after = 0, 0
    while True:
        rows, next_after = await list_rejected_rows(db, caller, job_id=job.id, after=after, limit=_PAGE)
        stream.write(rejected_lines(rows, header))
        count += len(rows)
        if next_after is None:
            # What cannot be written is noticed here, where it can still be said.
            stream.flush()
            return count
        after = next_after


def _print(job: Job, account_group: str, *, as_json: bool) -> None:
    if as_json:
        # Under a name of its own: an "error" beside it means that the command was refused.
        print_json({"job": job_as_dict(job)})
    else:
        print(job_as_text(job, account_group=account_group))
