"""What `leadyard --help` and `leadyard serve` load: nothing that they do not need. Times are measured by
benchmarks/starting.py; a test that compared them would fail by chance."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadyard.cli.help_text import HELP

# Each takes longer to load than Python takes to start.
HEAVY = {"typer", "click", "rich", "inspect", "asyncio", "pydantic", "structlog", "fastapi", "uvicorn", "sqlalchemy"}
# Of no use to a service that has no Redis and no provider, keeps no metrics, and whose schema is current.
UNUSED = {"redis", "httpx", "prometheus_client", "alembic", "sqlalchemy", "opentelemetry.sdk", "rich.text"}
# Both ways to call it, as Python would be called to see what each has loaded.
HELP_OF_TYPER = "from leadyard.cli.commands import app; app(prog_name={!r})"


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


def loaded(stderr: str) -> set[str]:
    """Returns the modules that Python has loaded, from what it says under -X importtime."""
    return {line.rpartition("|")[2].strip() for line in stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("columns", ["", "79", "80", "200"])
def test_help_is_what_typer_says(tmp_path: Path, columns: str) -> None:
    for program, call in (("python -m leadyard", ["-m", "leadyard"]), ("leadyard", [console_script(tmp_path)])):
        shown = python(*call, "--help", columns=columns)
        expected = python("-c", HELP_OF_TYPER.format(program), "--help", columns=columns)
        assert expected.returncode == 0
        assert (shown.returncode, shown.stderr) == (0, "")
        assert shown.stdout == expected.stdout, (
            "help_text.py is out of date: run script/help and commit what it writes."
        )


def test_help_loads_nothing_heavy(tmp_path: Path) -> None:
    for call in (["-m", "leadyard"], [console_script(tmp_path)]):
        shown = python("-X", "importtime", *call, "--help")
        assert shown.stdout.endswith(f"{HELP}\n")
        assert "leadyard.cli.main" in loaded(shown.stderr)
        assert not HEAVY & loaded(shown.stderr)


def test_other_arguments_are_left_to_typer(tmp_path: Path) -> None:
    shown = python(console_script(tmp_path), "--help", "serve")
    assert (shown.returncode, shown.stdout) == (0, f"Usage: leadyard {HELP}\n")
    unknown = python(console_script(tmp_path), "--version")
    assert (unknown.returncode, unknown.stdout) == (2, "")


@pytest.mark.parametrize("name", ["serve", "keys", "import"])
def test_the_help_of_one_command_loads_no_other(name: str) -> None:
    # Not by -X importtime: what importlib is asked for by name does not appear there.
    told = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    shown = python("-c", told + HELP_OF_TYPER.format("leadyard"), name, "--help")
    assert shown.returncode == 0, shown.stderr
    modules = {"serve": "leadyard.cli.serving", "keys": "leadyard.cli.keys", "import": "leadyard.cli.importing"}
    found = set(shown.stderr.split())
    assert found & set(modules.values()) == {modules[name]}
    assert not found & {"leadyard.assemble", "structlog"}


def test_a_service_loads_nothing_it_does_not_use(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/leadyard.db"
    made = python("-m", "leadyard", "migrate", LEADYARD_DATABASE_URL=url)
    assert made.returncode == 0, made.stderr
    # Everything up to the moment at which it would serve.
    start = (
        "import asyncio, sys; from leadyard.assemble import assemble_app, make_ready; "
        "from leadyard.config import read_settings; asyncio.run(make_ready(read_settings())); assemble_app(None); "
        "print(*sys.modules)"
    )
    settings = {"LEADYARD_DATABASE_URL": url, "LEADYARD_REDIS_URL": "", "LEADYARD_PROVIDER_URL": ""}
    started = python("-c", start, **settings)
    assert started.returncode == 0, started.stderr
    modules = set(started.stdout.split())
    assert "leadyard.http.server" in modules
    assert not (UNUSED | {"asyncpg"}) & modules


def test_the_collector_is_on_again_when_the_service_is_made(tmp_path: Path) -> None:
    start = (
        "import gc; from leadyard.assemble import assemble_app; gc.disable(); "
        "assemble_app(None); print(gc.isenabled(), gc.get_freeze_count() > 0)"
    )
    started = python("-c", start, LEADYARD_DATABASE_URL=f"sqlite:///{tmp_path}/leadyard.db")
    assert started.stdout == "True True\n", started.stderr
