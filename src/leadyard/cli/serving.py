"""`leadyard serve`: the HTTP service."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.engine_warning import embedded_faults, print_warnings
from leadyard.cli.listening import listen, reserve, tell
from leadyard.cli.output import refusals
from leadyard.errors import BadSetting
from leadyard.watching import metrics

if TYPE_CHECKING:
    import uvicorn

    from leadyard.settings.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: LEADYARD_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port; 0 chooses a free port. Default: LEADYARD_PORT.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Number of processes.")] = 1,
) -> None:
    """Run the HTTP service until it is stopped.

    Ctrl-C or SIGTERM stops it. It migrates an embedded database by itself. It refuses to start on a server database
    that is out of date: run 'leadyard migrate' first.
    """
    from leadyard.assemble import make_ready, set_up_watching
    from leadyard.settings.settings import read_settings

    with refusals(as_json=False):
        settings = read_settings()
        print_warnings(embedded_faults(settings))
        # Here, and not only in the processes that need it, so that an error gets a clear message.
        set_up_watching(settings, with_metrics=False)
        asyncio.run(make_ready(settings, to_write=True))
        open_port = listen if workers == 1 else reserve
        public = open_port(host or settings.host, settings.port if port is None else port)
        admin = [] if settings.admin_port is None else open_port(settings.admin_host, settings.admin_port)
        _refuse_one_port_for_both(public, admin)
    # uvicorn finishes its work and then sends itself the signal again. A stop by signal is not a failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        _run(_server_settings(settings, admin, workers), public, admin)
    except SystemExit as end:
        # Its own codes are 1 and 3; ours for "the answer is no", whose reason it has logged, is 1.
        raise typer.Exit(1 if end.code else 0) from None


def _refuse_one_port_for_both(public: Sequence[socket], admin: Sequence[socket]) -> None:
    """The port alone selects the application, so the two ports must differ even on two addresses. Otherwise the metrics
    would be public and the API unreachable."""
    both = _ports(public) & _ports(admin)
    if both:
        raise BadSetting(f"LEADYARD_ADMIN_PORT={both.pop()}: the API already uses this port. Choose another one.")


def _ports(sockets: Sequence[socket]) -> set[int]:
    return {each.getsockname()[1] for each in sockets}


def _server_settings(settings: Settings, admin: Sequence[socket], workers: int) -> uvicorn.Config:
    import uvicorn

    from leadyard.assemble import assemble_app, assemble_protocol

    admin_port: int | None = admin[0].getsockname()[1] if admin else None
    return uvicorn.Config(
        partial(assemble_app, admin_port),
        factory=True,
        http=assemble_protocol(settings, admin_port),
        ws="none",  # No upgrade from HTTP, even if a library for WebSockets is installed.
        workers=workers,
        timeout_keep_alive=settings.idle_timeout_s,
        timeout_graceful_shutdown=settings.stop_timeout_s,
        # We write our own log line per request. uvicorn's would contain paths and no trace id.
        access_log=False,
        # Only LEADYARD_TRUSTED_PROXIES decides which proxies may report the address of a client.
        proxy_headers=False,
        log_level=settings.log_level,
        server_header=False,
    )


def _run(config: uvicorn.Config, public: Sequence[socket], admin: Sequence[socket]) -> None:
    """Serves both ports in one process, or in several that share the sockets. Each process answers on both ports."""
    import uvicorn

    if config.workers == 1:
        _tell(public, admin)
        server = uvicorn.Server(config)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[*public, *admin])
        if not server.started:
            sys.exit(1)
        return
    from leadyard.cli.processes import Processes
    from leadyard.settings.settings import share_metrics

    with TemporaryDirectory(prefix="leadyard-metrics-") as shared_dir:
        when_dead: Callable[[int], None] = _ignore
        if admin:
            share_metrics(Path(shared_dir))
            when_dead = partial(metrics.forget_process, shared_dir=Path(shared_dir))
        Processes(config, sockets=[*public, *admin], when_up=partial(_tell, public, admin), when_dead=when_dead).run()


def _ignore(_pid: int) -> None:
    """Does nothing, because without metrics a dead process leaves nothing behind."""


def _tell(public: Sequence[socket], admin: Sequence[socket]) -> None:
    tell("Leadyard is running on", public)
    tell("Metrics and health are on", admin)
