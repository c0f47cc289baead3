"""`leadyard worker`: runs prospecting jobs, several at a time, on any number of machines."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from socket import socket
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.engine_warning import embedded_faults, print_warnings
from leadyard.cli.listening import listen
from leadyard.cli.output import refusals

# A tenth of the processor time if another process competes for it.
_NICENESS = 10

if TYPE_CHECKING:
    from leadyard.database import Database
    from leadyard.settings.settings import Settings


def worker(
    concurrency: Annotated[
        int | None, typer.Option(min=1, max=64, help="Jobs at a time. Default: LEADYARD_WORKER_CONCURRENCY.")
    ] = None,
) -> None:
    """Run jobs and send webhooks until it is stopped.

    Ctrl-C or SIGTERM stops it. You may run any number of workers, on any number of machines. When a worker dies,
    another one continues its job. With the embedded database 'leadyard serve' runs jobs itself.
    """
    from leadyard.assemble import make_ready, set_up_watching
    from leadyard.settings.settings import read_settings

    with refusals(as_json=False):
        settings = read_settings()
        print_warnings(embedded_faults(settings))
        set_up_watching(settings, with_metrics=settings.admin_port is not None)
        asyncio.run(make_ready(settings, to_write=True))
        admin = [] if settings.admin_port is None else listen(settings.admin_host, settings.admin_port)
        asyncio.run(_work(settings, concurrency or settings.worker_concurrency, admin))


async def _work(settings: Settings, concurrency: int, admin: Sequence[socket]) -> None:
    from leadyard.assemble import assemble_worker
    from leadyard.logs import set_up_logs

    set_up_logs(settings.log_level)
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
    """Lowers the priority of this process. If requests are served on the same machine, jobs use the remaining processor
    time. On a separate machine this has no effect."""
    if hasattr(os, "nice"):
        # A filter of system calls may forbid it, as in deploy/systemd. The service manager then sets the priority.
        with suppress(OSError):
            os.nice(_NICENESS)


@asynccontextmanager
async def _admin_port(db: Database, sockets: Sequence[socket], settings: Settings) -> AsyncIterator[None]:
    if not sockets:
        yield
        return
    # Imported here, because without metrics a worker needs no web server, which takes longer to load than the rest.
    from leadyard.assemble import assemble_admin
    from leadyard.cli.admin_port import answering

    async with answering(assemble_admin(db), sockets, settings):
        yield
