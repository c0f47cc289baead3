"""`leadyard transfers …`: moves, copies or removes any number of leads, all of them or none."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from functools import partial
from typing import Annotated

import typer

from leadyard.cli.api_door import Door, Session, run_on_api
from leadyard.cli.audience_names import audience_names
from leadyard.cli.listing import Limit, as_listed, first_items
from leadyard.cli.output import Data, Output, wrong_usage
from leadyard.cli.people_filters import IdFile, Selection, ids_in
from leadyard.cli.shared_options import shared_options
from leadyard.cli.transfer_report import ended_output, sides_of, transfer_output, transfers_as_table
from leadyard.model import JobStatus, TransferAction

_INTERRUPTED = 130

JobId = Annotated[str, typer.Argument(metavar="JOB_ID", help="The transfer, or the undo of a large change.")]

app = typer.Typer(help="Move, copy or remove any number of leads.", no_args_is_help=True)


@app.command("start")
@shared_options
def start(
    door: Door,
    selection: Selection,
    action: Annotated[TransferAction, typer.Argument(help="What to do with the leads.")],
    source: Annotated[str, typer.Option(metavar="NAME_OR_ID", help="The audience that contains the leads.")],
    target: Annotated[
        str | None, typer.Option(metavar="NAME_OR_ID", help="The audience that gets them. Not for 'remove'.")
    ] = None,
    lead_ids: IdFile = None,
    expected_count: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Change nothing if the selection has another size.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the effect and change nothing.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Leave the work to a worker, and do not wait for it.")
    ] = False,
) -> None:
    """Start a transfer, and wait until it has ended.

    The command works on it itself, unless a worker does. It exits with 0 if the transfer completed.

    Choose the leads with --all, with --lead-ids, or with filters, which must all match. Until the transfer has ended,
    both audiences are reserved. If you stop the command, a worker continues the transfer.
    """
    if sum([selection.all_, lead_ids is not None, selection.has_filter()]) != 1:
        raise wrong_usage("Choose the leads with exactly one of --all, --lead-ids and filters.")
    if (target is None) != (action is TransferAction.REMOVE):
        raise wrong_usage("'move' and 'copy' need --target, and 'remove' must not have it.")
    listed = None if lead_ids is None else ids_in(lead_ids)

    async def run(session: Session) -> Output:
        from leadyard.cli.people_transfer import asked_for, preview_output, start_and_run

        asked = await asked_for(session, action, source, target, selection, listed)
        if expected_count is not None:
            asked["expectedCount"] = expected_count
        if dry_run:
            return await preview_output(session, asked)
        return await start_and_run(session, asked, no_wait=no_wait, as_json=door.as_json)

    run_on_api(door, run)


@app.command("list")
@shared_options
def list_(
    door: Door,
    status: Annotated[JobStatus | None, typer.Option(help="Only transfers with this status.")] = None,
    limit: Limit = 50,
) -> None:
    """List the transfers and the undos of large changes, newest first."""

    async def run(session: Session) -> Output:
        items, has_more = await first_items(session.api, f"{session.group}/transfers", limit=limit, status=status)
        as_table = partial(transfers_as_table, names=await audience_names(session, sides_of(items)))
        return as_listed(items, has_more=has_more, as_table=as_table, nouns="transfers")

    run_on_api(door, run)


@app.command("show")
@shared_options
def show(door: Door, job_id: JobId) -> None:
    """Show the progress of a transfer, and the error if it failed."""

    async def run(session: Session) -> Output:
        from leadyard.cli.transfer_watch import get_transfer

        return await transfer_output(session, await get_transfer(session, job_id))

    run_on_api(door, run)


@app.command("watch")
@shared_options
def watch(
    door: Door,
    job_id: JobId,
    work: Annotated[bool, typer.Option("--work", help="Also work on it, if no worker does.")] = False,
) -> None:
    """Watch a transfer until it has ended. Exit 0 if it completed, 1 if it failed or was cancelled.

    On a terminal it shows a progress bar, elsewhere it prints an occasional line on stderr. Ctrl-C stops the watching
    but not the transfer (exit 130).
    """

    async def run(session: Session) -> Output:
        from leadyard.cli.transfer_watch import follow, get_transfer

        await get_transfer(session, job_id)
        async with session.working_on(job_id) if work else nullcontext():
            return await ended_output(session, await follow(session, job_id, as_json=door.as_json))

    try:
        run_on_api(door, run)
    except KeyboardInterrupt:
        print(f"Stopped watching. Transfer {job_id} continues.", file=sys.stderr)
        raise typer.Exit(_INTERRUPTED) from None


@app.command("cancel")
@shared_options
def cancel(door: Door, job_id: JobId) -> None:
    """Cancel a queued or running transfer, or undo of a large change. Everything is then as it was before.

    This command takes back the changes that the transfer has made already, unless a worker does it.
    """

    async def run(session: Session) -> Output:
        from leadyard.api_client.api import part
        from leadyard.cli.transfer_watch import run_here

        cancelled: Data = await session.api.post(f"{session.group}/transfers/{part(job_id)}/cancel")
        return await transfer_output(session, await run_here(session, cancelled["jobId"], as_json=door.as_json))

    run_on_api(door, run)
