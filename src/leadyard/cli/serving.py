"""`leadyard serve`: the HTTP service."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Annotated

import typer

from leadyard.assemble import make_ready
from leadyard.cli.output import refusals
from leadyard.config import read_settings


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: LEADYARD_HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one. Default: LEADYARD_PORT.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes.")] = 1,
) -> None:
    """Run the HTTP service until it is told to stop (Ctrl-C, SIGTERM).

    The embedded database is migrated by itself. A server database that is out of date is refused: run 'leadyard
    migrate' first.
    """
    import uvicorn

    with refusals(as_json=False):
        settings = read_settings()
        asyncio.run(make_ready(settings))
    # uvicorn ends its work and then sends itself the signal again; being told to stop is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        uvicorn.run(
            "leadyard.assemble:assemble_app",
            factory=True,
            host=host or settings.host,
            port=settings.port if port is None else port,
            workers=workers,
            # One log line a request is ours; uvicorn's would tell paths and no trace id.
            access_log=False,
            log_level=settings.log_level,
            server_header=False,
        )
    except SystemExit as end:
        # Its own codes are 1 and 3; ours for "the answer is no", whose reason it has logged, is 1.
        raise typer.Exit(1 if end.code else 0) from None
