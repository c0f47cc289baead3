"""The wheel contains the whole service. The tests build it, install it with the runtime lock, and use it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rig import service as running
from rig.commands import LEGISLATORS
from rig.service import Service, leadyard, make_tenant, run_sql
from tests.house.documents import ROOT, tracked_files

# Installing takes 10 s, and longer when the index is slow or other tests run.
pytestmark = pytest.mark.timeout(400)


def run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the hatchling of requirements-build.lock, which script/bootstrap installs."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder)
    (found,) = folder.glob("leadyard-*.whl")
    return found


@pytest.fixture(scope="session")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment with nothing but the runtime lock and the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=os.name == "posix")
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--quiet", "--disable-pip-version-check")
    run(*pip, "install", "--no-deps", "--require-hashes", "--requirement", ROOT / "requirements-runtime.lock")
    run(*pip, "install", "--no-deps", wheel)
    run(*pip, "check")
    return folder / "bin"


def test_the_wheel_contains_every_file_of_the_package(wheel: Path) -> None:
    """Migrations and templates as well, not only the modules."""
    package = ROOT / "src"
    ours = {str(file.relative_to(package)) for file in tracked_files() if package in file.parents}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    # `script/docs` may have built the guide in this checkout, and git does not list it.
    assert names - {"leadyard/http/guide/guide.zip"} == ours
    assert any("/migrations/versions/" in name for name in names)


@pytest.fixture
def database_urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[str]]:
    """An empty database of each kind that this run tests. They share one test, so that one process installs once."""
    urls = [f"sqlite:///{tmp_path}/leadyard.db"]
    if "postgresql" not in os.environ.get("LEADYARD_TEST_DATABASES", "sqlite,postgresql"):
        yield urls
        return
    server: str = request.getfixturevalue("postgres_url")
    name = f"leadyard_wheel_{os.getpid()}"
    run_sql(server, f"CREATE DATABASE {name}")
    yield [*urls, urlsplit(server)._replace(path=f"/{name}").geturl()]
    run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


def test_the_wheel_serves_and_moves(
    programs: Path, database_urls: list[str], log_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = run(programs / "python", "-I", "-c", "import leadyard; print(leadyard.__file__)")
    assert Path(where.strip()).is_relative_to(programs.parent), "the checkout is not imported"
    monkeypatch.setattr(running, "LEADYARD", (str(programs / "leadyard"),))
    assert "import" in leadyard("--help", url="").stdout
    for url in database_urls:
        migrated = leadyard("migrate", url=url)
        assert migrated.returncode == 0, migrated.stderr
        service = Service(url, log_dir).start()
        try:
            import_and_move(service)
        finally:
            service.stop()


def import_and_move(service: Service) -> None:
    tenant = make_tenant(service)
    source, target = tenant.create_audience(), tenant.create_audience()
    into = ("--account-group", tenant.account_group_id, "--audience", source, "--identity-column", "bioguide_id")
    done = leadyard("import", str(LEGISLATORS), *into, url=service.database_url)
    assert done.returncode == 0, done.stderr
    moved = tenant.move(source, target, tenant.members(source)[:100])
    assert moved.status_code == 200, moved.text
    assert (tenant.count(source), tenant.count(target)) == (437, 100)
    assert service.doctor()["healthy"]
    tenant.client.close()
