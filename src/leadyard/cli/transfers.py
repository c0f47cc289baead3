"""`leadyard transfers …`: moves, copies or removes any number of leads, all of them or none."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.output import AsJson, operator, print_json, refusals, with_database, wrong_usage
from leadyard.cli.transfer_report import (
    preview_as_dict,
    preview_as_text,
    transfer_as_dict,
    transfer_as_text,
    transfers_as_table,
)
from leadyard.model import (
    MAX_LISTED_LEADS,
    Job,
    JobStatus,
    MemberFilter,
    Selection,
    SelectionFilter,
    TransferAction,
    TransferPreview,
    TransferRequest,
)

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.model import Caller, Page

_INTERRUPTED = 130
_ID = re.compile(r"[0-9a-f]{24}")

JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="The transfer, or the undo of a large change.")]
InGroup = Annotated[str, typer.Option("--account-group", metavar="ID", help="The account group.")]
IdFile = Annotated[Path | None, typer.Option(metavar="FILE", help="A file with an id on each line; - reads stdin.")]

app = typer.Typer(help="Move, copy or remove any number of leads.", no_args_is_help=True)


@app.command("start")
def start(
    action: Annotated[TransferAction, typer.Argument(help="What to do with the leads.")],
    account_group: InGroup,
    source: Annotated[str, typer.Option(metavar="NAME_OR_ID", help="The audience that contains the leads.")],
    target: Annotated[
        str | None, typer.Option(metavar="NAME_OR_ID", help="The audience that gets them. Not for 'remove'.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Every lead of the source.")] = False,
    lead_ids: IdFile = None,
    q: Annotated[str | None, typer.Option(metavar="WORDS", help="Words, as in the list of prospects.")] = None,
    company: Annotated[str | None, typer.Option(metavar="WORDS", help="Words in the company's name.")] = None,
    title: Annotated[str | None, typer.Option(metavar="WORDS", help="Words in the title.")] = None,
    has_email: Annotated[
        bool | None, typer.Option("--has-email/--has-no-email", help="Only leads with, or without, an e-mail.")
    ] = None,
    added_after: Annotated[datetime | None, typer.Option(help="Added to the source after this time (UTC).")] = None,
    added_before: Annotated[datetime | None, typer.Option(help="Added to the source before this time (UTC).")] = None,
    in_audience: Annotated[
        str | None, typer.Option(metavar="NAME_OR_ID", help="Only leads that are also in this audience.")
    ] = None,
    not_in_audience: Annotated[
        str | None, typer.Option(metavar="NAME_OR_ID", help="Only leads that are not in this audience.")
    ] = None,
    exclude: IdFile = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first ones, in the order of the list.")] = None,
    expected_count: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Change nothing if the selection has another size.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the effect and change nothing.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Leave the work to a worker, and do not wait for it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start a transfer, and wait until it has ended.

    The command works on it itself, unless a worker does. It exits with 0 if the transfer completed.

    Choose the leads with --all, with --lead-ids, or with filters, which must all match. Until the transfer has ended,
    both audiences are reserved. If you stop the command, a worker continues the transfer.
    """
    filters = (q, company, title, has_email, added_after, added_before, in_audience, not_in_audience)
    given = [all_, lead_ids is not None, any(each is not None for each in filters)]
    if sum(given) != 1:
        raise wrong_usage("Choose the leads with exactly one of --all, --lead-ids and filters.")
    if (target is None) != (action is TransferAction.REMOVE):
        raise wrong_usage("'move' and 'copy' need --target, and 'remove' must not have it.")
    members = MemberFilter(
        q=q,
        company=company,
        title=title,
        has_email=has_email,
        added_after=_milliseconds(added_after),
        added_before=_milliseconds(added_before),
    )
    listed, excluded = _ids_in(lead_ids), _ids_in(exclude)

    async def run(db: Database) -> Job | TransferPreview:
        from leadyard.operations.jobs.transfers import preview_transfer, start_transfer

        caller = await operator(db, account_group)
        ids = [await _audience_id(db, caller, each) for each in (source, target, in_audience, not_in_audience)]
        wanted = SelectionFilter(members=members, in_audience_id=ids[2], not_in_audience_id=ids[3])
        asked = TransferRequest(
            action=action,
            source_audience_id=ids[0] or "",
            target_audience_id=ids[1],
            selection=Selection(lead_ids=listed, filter=wanted, excluded=excluded or (), limit=limit),
            expected_count=expected_count,
        )
        if dry_run:
            return await preview_transfer(db, caller, asked=asked)
        job = await start_transfer(db, caller, asked=asked)
        return job if no_wait else await run_here(db, caller, job, as_json=as_json)

    with refusals(as_json=as_json):
        result = with_database(run)
    if isinstance(result, TransferPreview):
        print(preview_as_text(result)) if not as_json else print_json(preview_as_dict(result))
        return
    print_transfer(result, account_group, as_json=as_json)
    if result.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        raise typer.Exit(1)


@app.command("list")
def list_(
    account_group: InGroup,
    status: Annotated[JobStatus | None, typer.Option(help="Only transfers with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number to list.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the transfers and the undos of large changes, newest first."""
    from leadyard.operations.jobs.transfers import list_transfers

    async def run(db: Database) -> Page[Job]:
        return await list_transfers(db, await operator(db, account_group), status=status, before=None, limit=limit)

    with refusals(as_json=as_json):
        page = with_database(run)
    if as_json:
        print_json({"items": [transfer_as_dict(job) for job in page.items], "hasMore": page.next_key is not None})
    elif page.items:
        print(transfers_as_table(page.items))
        if page.next_key is not None:
            print("More exist. Raise --limit.")
    else:
        print("No transfers found.")


@app.command("show")
def show(job_id: JobId, account_group: InGroup, as_json: AsJson = False) -> None:
    """Show the progress of a transfer, and the error if it failed."""
    from leadyard.operations.jobs.transfers import get_transfer

    async def run(db: Database) -> Job:
        return await get_transfer(db, await operator(db, account_group), job_id=job_id)

    with refusals(as_json=as_json):
        job = with_database(run)
    print_transfer(job, account_group, as_json=as_json)


@app.command("watch")
def watch(
    job_id: JobId,
    account_group: InGroup,
    work: Annotated[bool, typer.Option("--work", help="Also work on it, if no worker does.")] = False,
    as_json: AsJson = False,
) -> None:
    """Watch a transfer until it has ended. Exit 0 if it completed, 1 if it failed or was cancelled.

    On a terminal it shows a progress bar, elsewhere it prints an occasional line on stderr. Ctrl-C stops the watching
    but not the transfer (exit 130).
    """

    async def run(db: Database) -> Job:
        from leadyard.cli.transfer_watch import follow, run_and_follow
        from leadyard.operations.jobs.transfers import get_transfer

        caller = await operator(db, account_group)
        job = await get_transfer(db, caller, job_id=job_id)
        return await (run_and_follow if work else follow)(db, caller, job, as_json=as_json)

    try:
        with refusals(as_json=as_json):
            job = with_database(run)
    except KeyboardInterrupt:
        print(f"Stopped watching. Transfer {job_id} continues.", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None
    print_transfer(job, account_group, as_json=as_json)
    if job.status is not JobStatus.COMPLETED:
        raise typer.Exit(1)


@app.command("cancel")
def cancel(job_id: JobId, account_group: InGroup, as_json: AsJson = False) -> None:
    """Cancel a queued or running transfer, or undo of a large change. Everything is then as it was before.

    This command takes back the changes that the transfer has made already, unless a worker does it.
    """
    from leadyard.operations.jobs.transfers import cancel_transfer

    async def run(db: Database) -> Job:
        caller = await operator(db, account_group)
        return await run_here(db, caller, await cancel_transfer(db, caller, job_id=job_id), as_json=as_json)

    with refusals(as_json=as_json):
        job = with_database(run)
    print_transfer(job, account_group, as_json=as_json)


async def run_here(db: Database, caller: Caller, job: Job, *, as_json: bool) -> Job:
    """Works on the job in this process, unless a worker does, and returns it when it has ended."""
    from leadyard.cli.transfer_watch import run_and_follow

    try:
        return await run_and_follow(db, caller, job, as_json=as_json)
    except BaseException:
        advice = "A worker continues it, or: leadyard transfers watch --work"
        print(f"Job {job.id} is not finished. {advice}", file=sys.stderr)
        raise


def print_transfer(job: Job, account_group: str, *, as_json: bool) -> None:
    """Prints the transfer in the requested form."""
    if as_json:
        # Under its own key, because a top-level "error" means that the command failed.
        print_json({"transfer": transfer_as_dict(job)})
    else:
        print(transfer_as_text(job, account_group=account_group))


async def _audience_id(db: Database, caller: Caller, name_or_id: str | None) -> str | None:
    from leadyard.cli.audience_choice import find_audience

    if name_or_id is None or _ID.fullmatch(name_or_id.strip()):
        return name_or_id and name_or_id.strip()
    return (await find_audience(db, caller, name_or_id)).id


def _milliseconds(moment: datetime | None) -> int | None:
    from datetime import UTC

    return None if moment is None else round(moment.replace(tzinfo=UTC).timestamp() * 1000)


def _ids_in(file: Path | None) -> tuple[str, ...] | None:
    """Returns the ids in the file, one on each line."""
    if file is None:
        return None
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise wrong_usage(f"{file} cannot be read: {error}") from None
    ids = tuple(text.split())
    if not 1 <= len(ids) <= MAX_LISTED_LEADS:
        raise wrong_usage(f"{file} must have 1 to {MAX_LISTED_LEADS:,} ids. It has {len(ids):,}.")
    wrong = next((each for each in ids if not _ID.fullmatch(each)), None)
    if wrong is not None:
        raise wrong_usage(f"{file}: {wrong!r} is not an id of 24 lower-case hex characters.")
    return ids
