"""The commands, all on one screen. Each does its own imports, so that `leadyard --help` answers at once."""

from __future__ import annotations

import sys

import typer

from leadyard.cli import (
    account_groups,
    backup,
    configuration,
    database,
    doctor,
    example_provider,
    exporting,
    importing,
    jobs,
    keys,
    serving,
    working,
)
from leadyard.cli.output import print_json

_ADVICE = "'leadyard --help', and --help after a command, say what it takes."
# Typer has no name of its own for what all wrong usage is; the newest ones bring a private copy of click.
_WrongUsage: type[typer.BadParameter] = typer.BadParameter.__bases__[0]

app = typer.Typer(
    name="leadyard",
    help="Lists of leads with a move that is atomic, exact and fast.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    epilog="Settings come from the environment (LEADYARD_...); 'leadyard config' lists them. "
    "Exit codes: 0 done, 1 the answer is no, 2 wrong usage.",
)
app.command("serve")(serving.serve)
app.command("worker")(working.worker)
app.command("migrate")(database.migrate)
app.add_typer(account_groups.app, name="account-groups")
app.add_typer(keys.app, name="keys")
app.add_typer(jobs.app, name="jobs")
app.command("import")(importing.import_file)
app.command("export")(exporting.export_file)
app.command("doctor")(doctor.doctor)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("config")(configuration.config)
app.command("example-provider")(example_provider.example_provider)


def run() -> None:
    """The entry point of the command `leadyard`."""
    if "--json" not in sys.argv:
        app()
        return
    try:
        sys.exit(app(standalone_mode=False))
    except _WrongUsage as error:
        error.show()
        print_json({"error": {"code": "WRONG_USAGE", "message": error.format_message(), "details": _ADVICE}})
        sys.exit(2)
