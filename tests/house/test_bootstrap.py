"""script/bootstrap installs the requested part once, and again when something has changed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.documents import ROOT

# It notes its arguments. What it makes of `uv venv` is an environment without packages.
FAKE_UV = f"""#!/bin/sh
echo "$@" >> calls
if [ "$1" = venv ]; then {sys.executable} -m venv --without-pip .venv; fi
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with script/bootstrap and the files that it reads, and a uv on the PATH that installs nothing."""
    folder, tools = tmp_path / "checkout", tmp_path / "tools"
    (folder / "script").mkdir(parents=True)
    tools.mkdir()
    for name in ("requirements.lock", "requirements-runtime.lock", "requirements-build.lock", "pyproject.toml"):
        (folder / name).write_text("1\n")
    (folder / "script/bootstrap").write_bytes((ROOT / "script/bootstrap").read_bytes())
    (tools / "uv").write_text(FAKE_UV)
    (tools / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    # The environment is empty, so there is nothing to compile.
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.delenv("PYTHON", raising=False)
    return folder


def bootstrap(checkout: Path, *arguments: str) -> str:
    """Runs it and returns the lock that it installed, or nothing."""
    calls = checkout / "calls"
    calls.unlink(missing_ok=True)
    command = ["bash", "script/bootstrap", *arguments]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return " ".join(re.findall(r"requirements(?:-runtime)?\.lock", calls.read_text())) if calls.exists() else ""


def test_the_rest_is_installed_on_top_of_the_runtime(checkout: Path) -> None:
    assert bootstrap(checkout, "--runtime") == "requirements-runtime.lock"
    assert bootstrap(checkout, "--runtime") == ""
    assert bootstrap(checkout) == "requirements.lock"
    assert bootstrap(checkout) == ""
    assert bootstrap(checkout, "--runtime") == "", "everything contains the runtime"


@pytest.mark.parametrize("name", ["requirements-build.lock", "requirements-runtime.lock", "pyproject.toml"])
def test_a_changed_file_makes_the_environment_stale(checkout: Path, name: str) -> None:
    bootstrap(checkout)
    (checkout / name).write_text("2\n")
    assert bootstrap(checkout, "--runtime") == "requirements.lock", "the tools of a developer stay"


def test_an_environment_of_another_place_is_rebuilt(checkout: Path, tmp_path: Path) -> None:
    bootstrap(checkout, "--runtime")
    moved = checkout.rename(tmp_path / "moved")
    assert bootstrap(moved, "--runtime") == "requirements-runtime.lock"


def test_an_unknown_argument_is_refused(checkout: Path) -> None:
    command = ["bash", "script/bootstrap", "--everything"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "'--everything' is not an argument" in done.stderr) == (1, True)
    assert not (checkout / ".venv").exists()
