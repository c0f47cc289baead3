"""`leadyard worker`: works on prospecting jobs, as many at a time and on as many machines as wanted."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from socket import socket
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.listening import listen
from leadyard.cli.output import refusals

# A tenth of the processor time of a process that wants it too.
_NICENESS = 10

if TYPE_CHECKING:
    from leadyard.config import Settings
    from leadyard.operations.operation import Database


def worker(
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=64, help="Jobs at a time. Default: LEADYARD_WORKER_CONCURRENCY.")
    ] = None,
) -> None:
    """Work on prospecting jobs until told to stop (Ctrl-C, SIGTERM).

    Any number may run, on any number of machines. A job of a worker that dies is taken up by another where it stands.
    With the embedded database 'leadyard serve' does this by itself.
    """
    from leadyard.assemble import make_ready, set_up_watching
    from leadyard.config import read_settings

    with refusals(as_json=False):
        settings = read_settings()
        set_up_watching(settings, with_metrics=settings.admin_port is not None)
        asyncio.run(make_ready(settings))
        admin = [] if settings.admin_port is None else listen(settings.admin_host, settings.admin_port)
        asyncio.run(_work(settings, concurrency or settings.worker_concurrency, admin))


async def _work(settings: Settings, concurrency: int, admin: Sequence[socket]) -> None:
    from leadyard.assemble import assemble_worker, set_up_logs

    set_up_logs(settings)
    _give_way()
    async with (
        assemble_worker(settings, concurrency=concurrency) as (running, db),
        _admin_port(db, admin, settings),
    ):
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, running.stop)
        await running.run()


def _give_way() -> None:
    """Where somebody waits for an answer on the same machine, a job takes what is left; on one of its own it notices
    nothing."""
    if hasattr(os, "nice"):
        # Where a filter of system calls forbids it, as that of deploy/systemd does, whoever starts us decides.
        with suppress(OSError):
            os.nice(_NICENESS)


@asynccontextmanager
async def _admin_port(db: Database, sockets: Sequence[socket], settings: Settings) -> AsyncIterator[None]:
    if not sockets:
        yield
        return
    # Only here: without metrics a worker needs no web server, and loading one takes longer than the rest of it.
    from leadyard.assemble import assemble_admin
    from leadyard.cli.admin_port import answering

    async with answering(assemble_admin(db), sockets, settings):
        yield
