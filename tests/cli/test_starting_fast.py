"""`leadyard --help` and `leadyard serve` load only what they need.

benchmarks/starting.py measures the times, because a test that compared them would fail by chance.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadyard.cli.commands import COMMANDS

# No help needs these, and each takes about as long to load as Python takes to start.
HEAVY = {"asyncio", "pydantic", "structlog", "fastapi", "uvicorn", "sqlalchemy", "rich"}
# Useless for a service that has no Redis and no provider, keeps no metrics, and whose schema is current.
UNUSED = {"redis", "httpx", "mcp", "mcp_types", "prometheus_client", "alembic", "sqlalchemy", "opentelemetry.sdk"}
UNUSED |= {"leadyard.provider.client", "leadyard.http.admin"}
# The service loads these after its first answers can go out.
LATER = {"leadyard.files.tables", "leadyard.files.columns", "leadyard.worker.jobs.kinds"}


def python(*arguments: str, columns: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    return subprocess.run(
        [sys.executable, *arguments],
        env={**known, **({"COLUMNS": columns} if columns else {}), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def console_script(directory: Path) -> str:
    """Returns a file like the one that installing makes."""
    script = directory / "leadyard"
    script.write_text("import sys\nfrom leadyard.cli.main import run\nsys.exit(run())\n")
    return str(script)


REPORT_MODULES = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
RUN_COMMAND = "from leadyard.cli.commands import app; app(prog_name='leadyard')"


def test_the_help_lists_every_command_with_its_summary(tmp_path: Path) -> None:
    for program, call in (("python -m leadyard", ["-m", "leadyard"]), ("leadyard", [console_script(tmp_path)])):
        shown = python(*call, "--help", columns="200")
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout.startswith(f"Usage: {program} [OPTIONS] COMMAND")
        listed = [
            line.split(maxsplit=1)
            for line in shown.stdout.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
        ]
        assert listed == [[name, place.summary] for name, place in COMMANDS.items()]


def test_every_line_of_the_help_fits_an_ordinary_terminal() -> None:
    shown = python("-m", "leadyard", "--help", columns="80")
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert all(shown.stdout.count(place.summary) == 1 for place in COMMANDS.values()), "a summary is broken in two"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_begins_with_its_summary(name: str) -> None:
    shown = python("-m", "leadyard", name, "--help", columns="200")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.split("\n\n")[1].strip() == COMMANDS[name].summary


@pytest.mark.parametrize("name", ["", "serve", "keys", "import"])
def test_a_help_loads_no_other_command_and_nothing_heavy(name: str) -> None:
    # Not by -X importtime, which does not list what importlib imports by name.
    shown = python("-c", REPORT_MODULES + RUN_COMMAND, *filter(None, [name]), "--help")
    assert shown.returncode == 0, shown.stderr
    found = set(shown.stderr.split())
    commands = {f"leadyard.cli.{place.where.partition(':')[0]}": key for key, place in COMMANDS.items()}
    assert {commands[module] for module in found & set(commands)} == set(filter(None, [name]))
    # Typer itself loads Pydantic for the parameters of a command.
    assert not found & {"leadyard.assemble", *(HEAVY - {"asyncio", "pydantic"} if name else HEAVY)}


def test_a_service_loads_nothing_it_does_not_use(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/leadyard.db"
    made = python("-m", "leadyard", "migrate", LEADYARD_DATABASE_URL=url)
    assert made.returncode == 0, made.stderr
    # Everything up to the moment at which it would serve.
    start = (
        "import asyncio, sys; from leadyard.assemble import assemble_app, make_ready; "
        "from leadyard.settings.settings import read_settings; "
        "asyncio.run(make_ready(read_settings())); assemble_app(None); "
        "print(*sys.modules)"
    )
    settings = {"LEADYARD_DATABASE_URL": url, "LEADYARD_REDIS_URL": "", "LEADYARD_PROVIDER_URL": ""}
    started = python("-c", start, **settings)
    assert started.returncode == 0, started.stderr
    modules = set(started.stdout.split())
    assert "leadyard.http.server" in modules
    assert not (UNUSED | LATER | {"asyncpg"}) & modules


def test_the_application_is_left_out_of_garbage_collection(tmp_path: Path) -> None:
    start = (
        "import gc; from leadyard.assemble import assemble_app; "
        "assemble_app(None); print(gc.isenabled(), gc.get_freeze_count() > 10_000)"
    )
    started = python("-c", start, LEADYARD_DATABASE_URL=f"sqlite:///{tmp_path}/leadyard.db")
    assert started.stdout == "True True\n", started.stderr
