"""`leadyard mcp`: the tools for agents, over the standard input and output of the process that an agent program
starts."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.cli.output import refusals, wrong_usage
from leadyard.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from leadyard.settings.settings import Settings


def mcp(
    account_group: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Work on the database of the settings, as operator of this account group."),
    ] = None,
) -> None:
    """Serve the tools for agents over stdin and stdout.

    An agent program starts this command and stops it. Either set LEADYARD_URL and LEADYARD_API_KEY: the tools then use
    that service, with the permissions of the key. Or give --account-group: the tools then use the database of the
    settings without a key, and may do everything in this account group.
    """
    from leadyard.settings.settings import read_settings

    with refusals(as_json=False):
        settings = read_settings()
        if account_group is None and not settings.url:
            raise wrong_usage("Set LEADYARD_URL and LEADYARD_API_KEY, or give --account-group.")
        if account_group is not None and settings.url:
            raise wrong_usage("LEADYARD_URL is set, and --account-group is for a database. Choose one of them.")
        if settings.url and not settings.api_key.get_secret_value():
            raise BadSetting("LEADYARD_API_KEY: it is empty, and the service at LEADYARD_URL needs a key.")
        asyncio.run(_serve(settings, account_group))


async def _serve(settings: Settings, account_group: str | None) -> None:
    """Serves until the input ends. After a signal it ends the process itself, because a thread of the library still
    waits for the next line of input, and Python would wait for that thread until the agent program closes the input."""
    from leadyard.agents.stdio import serve_stdio

    stopped = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, stopped.set)
    async with _client(settings, account_group) as client:
        serving, stopping = asyncio.create_task(serve_stdio(client)), asyncio.create_task(stopped.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            stopping.cancel()
            await serving
            return
    sys.stderr.flush()
    os._exit(0)


@asynccontextmanager
async def _client(settings: Settings, account_group: str | None) -> AsyncIterator[httpx.AsyncClient]:
    """Yields the client of the tools: for the service at a URL, or for an application in this process."""
    from leadyard.api_client.connections import local_client, remote_client

    if account_group is None:
        async with remote_client(settings.url, settings.api_key.get_secret_value()) as client:
            yield client
        return
    from leadyard.assemble import assemble_operator_app, make_ready

    await make_ready(settings, to_write=True)
    async with assemble_operator_app(settings, account_group, for_long=True) as made, local_client(made.app) as client:
        yield client
