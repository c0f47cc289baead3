"""The commands that use the API: against the database as its operator, or against a service with a key.

Both ways send the same requests, the first to an application in this process. So both have the same output and the same
refusals, and the command has no rule of its own.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from leadyard.api_client.refused import Refused
from leadyard.cli.output import AsJson, Output, print_output, refusals, wrong_usage

if TYPE_CHECKING:
    from leadyard.api_client.api import Api
    from leadyard.database import Database
    from leadyard.settings.settings import Settings

_ATTEMPTS = 5
_LONGEST_WAIT_S = 60
_LISTED_GROUPS = 5


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where a command works, and how it prints its result."""

    account_group: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The account group. A key that has only one needs no choice."),
    ] = None
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Use the service at this URL. Default: LEADYARD_URL, or the database if that is empty."
        ),
    ] = None
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="The API key for the service. Better set LEADYARD_API_KEY: other users can see your options.",
        ),
    ] = None
    as_json: AsJson = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The API in one account group. `group` is its path, and `options` are the options with which another command gets
    there. `working_on` works on a job as long as it is open, if there is no service that has workers. `db` is None for
    a service."""

    api: Api
    group: str
    options: str
    working_on: Callable[[str], AbstractAsyncContextManager[None]]
    db: Database | None = None

    def undo_command(self, change_id: str) -> str:
        """Returns the command that undoes the change."""
        return f"leadyard changes undo {change_id}{self.options}"


def run_on_api(door: Door, work: Callable[[Session], Awaitable[Output | None]]) -> None:
    """Runs the work, prints its output in the requested form, and exits with its code. None is not printed."""
    with refusals(as_json=door.as_json):
        output = _run(door, work)
    if output is not None:
        print_output(output, as_json=door.as_json)


def uses_service(door: Door) -> bool:
    """Returns whether the command works on a service, and not on the database. Raises BadSetting."""
    from leadyard.settings.settings import read_settings

    return bool(_url(read_settings(), door))


def group_on_database(door: Door) -> str:
    """Returns the account group of a command on the database. Raises a usage error for options of the other door."""
    if door.key is not None:
        raise wrong_usage("--key is for a service. Give --url, too, or set LEADYARD_URL.")
    if door.account_group is None:
        raise wrong_usage(
            "Give --account-group for the database, or --url for a service. 'leadyard account-groups list' has the ids."
        )
    return door.account_group


def _url(settings: Settings, door: Door) -> str:
    return settings.url if door.url is None else door.url


def _run(door: Door, work: Callable[[Session], Awaitable[Output | None]]) -> Output | None:
    import asyncio

    from leadyard.settings.settings import read_settings

    settings = read_settings()
    url = _url(settings, door)

    async def run() -> Output | None:
        async with _remote(settings, door, url) if url else _local(settings, door) as session:
            return await work(session)

    return asyncio.run(run())


@asynccontextmanager
async def _local(settings: Settings, door: Door) -> AsyncIterator[Session]:
    from leadyard.api_client.api import OF_THIS_PROCESS, Api
    from leadyard.api_client.connections import local_client
    from leadyard.assemble import assemble_operator_app, make_ready

    group = group_on_database(door)
    await make_ready(settings)
    async with (
        assemble_operator_app(settings, group, for_long=False) as made,
        local_client(made.app) as client,
    ):
        yield Session(
            api=Api(client, OF_THIS_PROCESS),
            group=f"/v1/accounts/{group}",
            options=_options(group),
            working_on=_worker_for(made.db, group),
            db=made.db,
        )


@asynccontextmanager
async def _remote(settings: Settings, door: Door, url: str) -> AsyncIterator[Session]:
    from leadyard.api_client.api import Api, Patience, part
    from leadyard.api_client.connections import remote_client

    key = _checked_key(settings, door, url)
    patience = Patience(_ATTEMPTS, _LONGEST_WAIT_S, _report_wait)
    async with remote_client(url, key) as client:
        api = Api(client, patience)
        group = door.account_group or await _only_group(api)
        yield Session(
            api=api,
            group=f"/v1/accounts/{part(group)}",
            # Without the key, so that no output contains it.
            options=_options(door.account_group, url=door.url),
            # The workers of the service do it.
            working_on=lambda _: nullcontext(),
        )


def _options(account_group: str | None, *, url: str | None = None) -> str:
    """Returns the options with a space before each, as a user can paste them into a shell."""
    given = (("--url", url), ("--account-group", account_group))
    return "".join(f" {option} {shlex.quote(value)}" for option, value in given if value)


def _checked_key(settings: Settings, door: Door, url: str) -> str:
    """Returns the key. Raises a usage error, which does not contain it, for a URL or a key that cannot be used."""
    from leadyard.settings.service_urls import check_base_url, check_secret

    key = settings.api_key.get_secret_value() if door.key is None else door.key
    for option, check, value in (("--url", check_base_url, url), ("--key", check_secret, key)):
        try:
            check(value)
        except ValueError as error:
            raise wrong_usage(f"{option} {error}.") from None
    if not key:
        raise wrong_usage("The service needs an API key. Set LEADYARD_API_KEY.")
    if door.key is not None:
        print("Warning: other users of this machine can see --key. Set LEADYARD_API_KEY instead.", file=sys.stderr)
    return key


async def _only_group(api: Api) -> str:
    """Returns the account group of the key. Raises Refused if it has several."""
    groups = (await api.get("/v1/accounts", limit=_LISTED_GROUPS))["items"]
    if len(groups) == 1:
        only: str = groups[0]["id"]
        return only
    named = ", ".join(f"{each['id']} ({each['name']})" for each in groups)
    raise Refused(
        "ACCOUNT_GROUP_NEEDED",
        "The key may use several account groups.",
        f"Choose one with --account-group: {named}.",
        extra={"accountGroups": [{"id": each["id"], "name": each["name"]} for each in groups]},
    )


def _report_wait(wait_s: int) -> None:
    print(f"The service is busy. Trying again in {wait_s} s.", file=sys.stderr, flush=True)


def _worker_for(db: Database, account_group_id: str) -> Callable[[str], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def working_on(job_id: str) -> AsyncIterator[None]:
        import asyncio
        from contextlib import suppress

        from leadyard.assemble import work_on_job

        working = asyncio.create_task(work_on_job(db, account_group_id, job_id))
        try:
            yield
        finally:
            working.cancel()
            with suppress(asyncio.CancelledError):
                await working

    return working_on
