"""The wheel of the client: what it contains, and a move with nothing else installed but httpx."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import leadyard_client
from rig.service import Tenant

ROOT = Path(__file__).parents[3]
PROJECT = ROOT / "clients" / "python"
PROGRAM = """
import sys, leadyard_client
from leadyard_client import Leadyard
assert "site-packages" in leadyard_client.__file__, leadyard_client.__file__
url, key, here, there, lead = sys.argv[1:]
with Leadyard(url, key) as client:
    print(client.move_leads(here, target_audience_id=there, lead_ids=[lead]).moved_count)
"""
# Installing fetches httpx, which takes longer when the index is slow.
pytestmark = pytest.mark.timeout(300)


def run(*command: str | Path, cwd: Path = PROJECT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client-wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="session")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the wheel and its dependencies."""
    folder = tmp_path_factory.mktemp("client-installed")
    venv.create(folder, with_pip=False, symlinks=os.name == "posix")
    program = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", program, "--quiet", "--disable-pip-version-check", "install", wheel)
    return program


def test_the_wheel_contains_the_package_its_types_and_its_license(wheel: Path) -> None:
    assert wheel.name == f"leadyard_client-{leadyard_client.__version__}-py3-none-any.whl"
    package = PROJECT / "src"
    ours = {file.relative_to(package).as_posix() for file in package.rglob("*.py")} | {"leadyard_client/py.typed"}
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name for name in names if ".dist-info/" not in name} == ours
    assert any(name.endswith("/LICENSE") for name in names)


def test_the_wheel_makes_a_move(python: Path, tenant: Tenant) -> None:
    here, there = tenant.create_audience("Here"), tenant.create_audience("There")
    (lead,) = tenant.add_leads(here, 1)
    given = (tenant.service.base_url, tenant.key, here, there, lead)
    assert run(python, "-I", "-c", PROGRAM, *given, cwd=PROJECT.parent) == "1\n"
    assert tenant.members(there) == [lead]
    listed = run(sys.executable, "-m", "pip", "--python", python, "list", "--format=freeze", cwd=PROJECT)
    installed = {line.split("==")[0] for line in listed.splitlines()}
    assert installed == {"anyio", "certifi", "h11", "httpcore", "httpx", "idna", "leadyard-client"} | (
        installed & {"typing_extensions", "sniffio"}
    )
