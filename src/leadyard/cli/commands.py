"""All commands on one screen. A command is imported only when it is used, so that it does not wait for the others."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

from leadyard.cli.output import WrongUsage, print_json


class Place(NamedTuple):
    """The place of a command, as `module:attribute` in this package, and its line in the list of commands."""

    where: str
    summary: str


# In the order of the help. The summaries are here so that `leadyard --help` does not have to import all commands.
COMMANDS = {
    "serve": Place("serving:serve", "Run the HTTP service until it is stopped."),
    "worker": Place("worker_command:worker", "Run jobs and send webhooks until it is stopped."),
    "migrate": Place("migrate:migrate", "Bring the database to the current schema."),
    "distribute": Place("distribute:distribute", "Distribute the tables over a Citus cluster."),
    "import": Place("importing:import_file", "Import a table or vCards into an audience."),
    "export": Place("exporting:export_file", "Export an audience as CSV."),
    "doctor": Place("doctor:doctor", "Check the database file and that counts are exact."),
    "backup": Place("backup:backup", "Copy the embedded database to a file while it is in use."),
    "restore": Place("backup:restore", "Restore the embedded database from a backup."),
    "config": Place("configuration:config", "List every setting, its value and its source."),
    "example-provider": Place(
        "example_provider:example_provider", "Run a prospect provider on the people of a CSV file."
    ),
    "account-groups": Place("account_groups:app", "Create, list and change account groups, the tenants."),
    "keys": Place("keys:app", "Create, list, rotate, revoke and check API keys."),
    "audiences": Place("audiences:app", "List, create, rename and delete audiences."),
    "people": Place("people:app", "Find people, show a person, and erase one."),
    "move": Place("people_changes:move", "Move people from one audience to another."),
    "copy": Place("people_changes:copy", "Copy people from one audience to another."),
    "remove": Place("people_changes:remove", "Remove people from an audience."),
    "jobs": Place("jobs:app", "List, show, watch and cancel prospecting jobs."),
    "transfers": Place("transfers:app", "Move, copy or remove any number of leads."),
    "changes": Place("changes:app", "List, show and undo the changes of audiences."),
    "suppress": Place("suppressing:suppress", "Keep the people of a file out of an account group."),
    "events": Place("events:app", "List and follow the events of an account group."),
    "webhooks": Place("webhooks:app", "Create, test and delete webhooks, and send events again."),
    "example-receiver": Place("example_receiver:example_receiver", "Print and verify webhooks that come in."),
    "duplicates": Place("duplicates:app", "List likely duplicates, and merge two leads."),
    "mcp": Place("agents:mcp", "Serve the tools for agents over stdin and stdout."),
}
_ADVICE = "See 'leadyard --help', or use --help after a command."


class _LazyGroup(TyperGroup):
    """Imports a command when it is called or when its help is shown."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            close = get_close_matches(cmd_name, COMMANDS, n=1)
            if close:
                raise WrongUsage(f"No such command {cmd_name!r}. Did you mean {close[0]!r}?", ctx=ctx)
            return None
        module, _, attribute = COMMANDS[cmd_name].where.partition(":")
        found = getattr(import_module(f"leadyard.cli.{module}"), attribute)
        alone = _typer()
        if isinstance(found, typer.Typer):
            alone.add_typer(found, name=cmd_name)
            group: Any = typer.main.get_command(alone)
            return group.commands[cmd_name]
        alone.command(cmd_name)(found)
        return typer.main.get_command(alone)


def _typer(**rest: Any) -> typer.Typer:
    return typer.Typer(pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None, **rest)


app = _typer(
    name="leadyard",
    cls=_LazyGroup,
    help="Lists of leads with a move that is atomic, exact and fast.",
    no_args_is_help=True,
    epilog="Settings come from the environment (LEADYARD_...); 'leadyard config' lists them. "
    "Exit codes: 0 success, 1 failure, 2 usage error.",
)


def _print_version(is_given: bool) -> None:
    if is_given:
        print(f"leadyard {version('leadyard')}")
        raise typer.Exit


@app.callback()
def _before_the_command(
    # Its callback does the work. Typer makes a group of an app without commands of its own only if it has a callback.
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def run_command() -> None:
    """Runs the command of the process's arguments, and exits with its code."""
    if "--json" not in sys.argv:
        app()
        return
    try:
        sys.exit(app(standalone_mode=False))
    except WrongUsage as error:
        error.show()
        print_json({"error": {"code": "WRONG_USAGE", "message": error.format_message(), "details": _ADVICE}})
        sys.exit(2)
