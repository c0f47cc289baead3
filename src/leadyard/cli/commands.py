"""The commands, all on one screen. A command is imported when it is asked for, so that none waits for the others."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from leadyard.cli.output import print_json

# In the order of the help: where each is written, as the module in this package and its function or group.
COMMANDS = {
    "serve": "serving:serve",
    "worker": "working:worker",
    "migrate": "database:migrate",
    "import": "importing:import_file",
    "export": "exporting:export_file",
    "doctor": "doctor:doctor",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "config": "configuration:config",
    "example-provider": "example_provider:example_provider",
    "account-groups": "account_groups:app",
    "keys": "keys:app",
    "jobs": "jobs:app",
}
_ADVICE = "'leadyard --help', and --help after a command, say what it takes."
# Typer has no name of its own for what all wrong usage is; the newest ones bring a private copy of click.
_WrongUsage: type[typer.BadParameter] = typer.BadParameter.__bases__[0]


class _MadeWhenAsked(Mapping[str, Any]):
    """What Typer makes of the commands. Only the help of them all, on a narrow terminal, asks for every one."""

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = COMMANDS[name].partition(":")
        found = getattr(import_module(f"leadyard.cli.{module}"), attribute)
        alone = _typer()
        if isinstance(found, typer.Typer):
            alone.add_typer(found, name=name)
        else:
            alone.command(name)(found)
        made: Any = typer.main.get_command(alone)
        return made.commands[name] if isinstance(found, typer.Typer) else made

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Group(TyperGroup):
    def __init__(self, **rest: Any) -> None:
        super().__init__(**rest)
        commands: Any = _MadeWhenAsked()
        self.commands = commands

    def list_commands(self, _ctx: Any) -> list[str]:
        return list(COMMANDS)


def _typer(**rest: Any) -> typer.Typer:
    return typer.Typer(pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None, **rest)


app = _typer(
    name="leadyard",
    cls=_Group,
    help="Lists of leads with a move that is atomic, exact and fast.",
    no_args_is_help=True,
    epilog="Settings come from the environment (LEADYARD_...); 'leadyard config' lists them. "
    "Exit codes: 0 done, 1 the answer is no, 2 wrong usage.",
)


@app.callback()
def _nothing_before_the_command() -> None:
    # Typer makes a group of an app without commands of its own only when it has a callback.
    pass


def run_command() -> None:
    """Does what the arguments of the process say, and ends it with the exit code."""
    if "--json" not in sys.argv:
        app()
        return
    try:
        sys.exit(app(standalone_mode=False))
    except _WrongUsage as error:
        error.show()
        print_json({"error": {"code": "WRONG_USAGE", "message": error.format_message(), "details": _ADVICE}})
        sys.exit(2)
