"""script/release in a small repository of its own: what it changes, builds and tags, and when it refuses."""

from __future__ import annotations

import datetime
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from script.supply.release import with_dated_section, with_package_version, with_version
from tests.house.documents import ROOT

VERSION_OF_CLIENT = "clients/python/src/leadyard_client/version.py"
DAY = datetime.date(2026, 11, 29)
CHANGELOG = "# Changelog\n\n## Unreleased\n\n- New.\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n"
PROJECT = """[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "leadyard"
version = "0.1.0"
requires-python = ">=3.11"
[tool.hatch.build.targets.wheel]
packages = ["src/leadyard"]
[tool.hatch.build]
artifacts = ["src/leadyard/http/guide/guide.zip"]
"""
NPM_FILES = ("package.json", "package-lock.json")
# Stand-ins for the scripts that script/release calls. Their own tests are elsewhere.
STAND_INS = {
    "script/bootstrap": "#!/bin/sh\n",
    "script/openapi": (
        "#!/bin/sh\ngrep '^version' pyproject.toml | tee openapi.json > src/leadyard/http/document/openapi.json\n"
        "sed 's/version/__version__/' openapi.json > clients/python/src/leadyard_client/version.py\n"
    ),
    "script/docs": "#!/bin/sh\necho pages > src/leadyard/http/guide/guide.zip\n",
    "script/sbom": "#!/bin/sh\necho {} > dist/leadyard.cdx.json\n",
    "script/typescript-client": (
        '#!/bin/sh\nversion=$(sed -n \'s/.*"version": "\\(.*\\)".*/\\1/p\' clients/typescript/package.json)\n'
        'echo > "$2/leadyard-client-$version.tgz"\n'
    ),
    "script/supply/audit.py": "",
    ".ci/run": '#!/bin/sh\ntest ! -e "$FAIL_FILE"\n',
}


def test_the_unreleased_entries_move_into_a_dated_section() -> None:
    assert with_dated_section(CHANGELOG, "0.2.0", DAY) == (
        "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-11-29)\n\n- New.\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n"
    )


def test_a_section_that_is_written_already_stays() -> None:
    written = CHANGELOG.replace("- New.\n\n", "")
    assert with_dated_section(written, "0.1.0", DAY) == written


@pytest.mark.parametrize(
    ("changelog", "version", "message"),
    [
        (CHANGELOG, "0.1.0", "also entries"),
        (CHANGELOG.replace("- New.\n\n", ""), "0.2.0", "nothing under"),
        ("# Changelog\n", "0.2.0", "no section"),
    ],
)
def test_a_changelog_that_does_not_fit_is_refused(changelog: str, version: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        with_dated_section(changelog, version, DAY)


def test_the_version_is_written_once_and_only_into_its_line() -> None:
    assert 'version = "0.2.0"' in with_version((ROOT / "pyproject.toml").read_text(), "0.2.0")
    with pytest.raises(ValueError, match="no line"):
        with_version("[project]\n", "0.2.0")


def test_the_versions_of_other_npm_packages_stay() -> None:
    lock = (ROOT / "clients/typescript/package-lock.json").read_text()
    changed = json.loads(with_package_version(lock, "9.9.9"))["packages"]
    before = json.loads(lock)["packages"]
    assert [name for name in before if changed[name]["version"] != before[name]["version"]] == [""]
    with pytest.raises(ValueError, match="without a version"):
        with_package_version('{"name": "x"}\n', "0.2.0")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit, which contains script/release."""
    folder = tmp_path / "repository"
    for name in ("script/release", "script/supply/release.py", "script/supply/lock.py"):
        write(folder / name, (ROOT / name).read_text())
    files = {
        "pyproject.toml": PROJECT,
        "CHANGELOG.md": CHANGELOG,
        "openapi.json": "",
        "src/leadyard/http/document/openapi.json": "",
        "src/leadyard/__init__.py": "",
        "clients/python/pyproject.toml": (ROOT / "clients/python/pyproject.toml").read_text(),
        "clients/python/README.md": "# Client\n",
        "clients/python/LICENSE": "",
        VERSION_OF_CLIENT: '__version__ = "0.1.0"\n',
        **{f"clients/typescript/{name}": (ROOT / "clients/typescript" / name).read_text() for name in NPM_FILES},
        "src/leadyard/http/guide/__init__.py": "",
    }
    for name, text in {**files, **STAND_INS, ".gitignore": "/dist/\n__pycache__/\nguide.zip\n"}.items():
        write(folder / name, text)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "tester@example.com")
    monkeypatch.setenv("FAIL_FILE", str(tmp_path / "fail"))
    git(folder, "init", "--quiet")
    (folder / ".git" / "info" / "exclude").write_text(".venv\n")
    (folder / ".venv").symlink_to(Path(sys.executable).parents[1])
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "Start")
    return folder


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def release(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", "script/release", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, check=False)


def test_a_release_is_a_commit_a_tag_and_files(repository: Path) -> None:
    done = release(repository, "0.2.0")
    assert done.returncode == 0, done.stderr
    assert "git push" in done.stderr
    assert git(repository, "log", "--format=%s").splitlines() == ["Release 0.2.0", "Start"]
    assert git(repository, "tag", "--list", "--format=%(contents:subject)", "v0.2.0") == "Leadyard 0.2.0\n"
    assert git(repository, "status", "--porcelain") == ""
    assert "## 0.2.0 (" in git(repository, "show", "v0.2.0:CHANGELOG.md")
    for document in ("openapi.json", "src/leadyard/http/document/openapi.json", VERSION_OF_CLIENT):
        assert "0.2.0" in git(repository, "show", f"v0.2.0:{document}")
    for name in NPM_FILES:
        description = json.loads(git(repository, "show", f"v0.2.0:clients/typescript/{name}"))
        versions = [description["version"], description.get("packages", {}).get("", description)["version"]]
        assert versions == ["0.2.0", "0.2.0"]
    files = {file.name: file for file in (repository / "dist").iterdir()}
    names = ("leadyard", "leadyard_client")
    packages = {f"{name}-0.2.0{suffix}" for name in names for suffix in ("-py3-none-any.whl", ".tar.gz")}
    packages |= {"leadyard-client-0.2.0.tgz", "leadyard.cdx.json"}
    assert set(files) == {*packages, "SHA256SUMS"}
    with zipfile.ZipFile(files["leadyard-0.2.0-py3-none-any.whl"]) as wheel:
        assert wheel.read("leadyard/http/guide/guide.zip") == b"pages\n", "a release contains the guide"
    sums = dict(line.split("  ")[::-1] for line in files["SHA256SUMS"].read_text().splitlines())
    assert sums == {name: hashlib.sha256(files[name].read_bytes()).hexdigest() for name in packages}


def test_a_dry_run_leaves_the_repository_as_it_was(repository: Path) -> None:
    done = release(repository, "0.2.0", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "CHANGELOG.md" in done.stdout
    assert (repository / "dist" / "leadyard-0.2.0-py3-none-any.whl").exists()
    assert git(repository, "log", "--format=%s") == "Start\n"
    assert git(repository, "tag") == ""
    assert git(repository, "status", "--porcelain") == ""


def test_a_release_with_failing_checks_is_refused(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "fail").touch()
    assert_refused(repository, ".ci/run failed", "0.2.0")


def test_a_release_with_open_changes_is_refused(repository: Path) -> None:
    (repository / "new.txt").touch()
    done = release(repository, "0.2.0")
    assert (done.returncode, "not committed" in done.stderr) == (1, True)


def test_a_tag_that_exists_and_a_wrong_version_are_refused(repository: Path) -> None:
    git(repository, "tag", "v0.2.0")
    done = release(repository, "0.2.0")
    assert (done.returncode, "v0.2.0 exists" in done.stderr) == (1, True)
    assert_refused(repository, "needs a version", "next")
    assert_refused(repository, "needs a version")
    assert_refused(repository, "'--push' is not an argument", "0.3.0", "--push")


def test_a_failing_audit_refuses_the_release(repository: Path) -> None:
    write(repository / "script/supply/audit.py", "raise SystemExit(1)\n")
    git(repository, "commit", "--quiet", "--all", "--message", "Fail")
    assert release(repository, "0.2.0").returncode == 1
    assert git(repository, "status", "--porcelain") == ""


def assert_refused(repository: Path, message: str, *arguments: str) -> None:
    done = release(repository, *arguments)
    assert done.returncode == 1
    assert message in done.stderr
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "log", "--format=%s") == "Start\n"
