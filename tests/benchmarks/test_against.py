"""`script/bench against COMMIT` builds the commit, measures both builds and removes what it started."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.against import builds, run
from benchmarks.against.builds import BuildFailed, build
from benchmarks.against.measures import MEASURES, chosen
from benchmarks.against.report import Line, faster, quicker
from benchmarks.suite.figures import Better
from rig.service import run_sql

ROOT = Path(__file__).parents[2]


def git(*arguments: str, folder: Path = ROOT) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


# ---------------------------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name the commit"),
        (["no-such-commit"], "git finds no commit 'no-such-commit' here"),
        (["HEAD", "no-such-measure"], "there is no measure no-such-measure"),
        (["HEAD", "--rows", "0"], "must be at least 1"),
        (["HEAD", "--rounds", "-1"], "must be at least 1"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_built(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        run.main([*arguments, "--builds", str(tmp_path / "builds")])
    assert ended.value.code == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "builds").exists()


def test_measures_are_chosen_by_name_or_by_its_beginning(capsys: pytest.CaptureFixture[str]) -> None:
    assert [each.name for each in chosen(["move-1"])] == ["move-1"]
    assert [each.name for each in chosen(["size", "import-job"])] == [
        "import-job-postgresql",
        "import-job-sqlite",
        "size-postgresql",
        "size-sqlite",
    ]
    assert chosen([]) == list(MEASURES.values())
    with pytest.raises(KeyError, match="mov"):
        chosen(["move", "mov"])
    assert run.main(["--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(MEASURES)


# ------------------------------------------------------------------------------------------------------- ratios


@pytest.mark.parametrize(
    ("better", "ratios", "target", "verdict"),
    [
        ("higher", (1.0, 1.7, 1.8), 1.6, "reached"),
        ("higher", (1.7, 1.5, 1.5), 1.6, "missed"),
        ("lower", (0.3, 0.4, 0.9), 0.4, "reached"),
        ("lower", (0.3, 0.41, 0.9), 0.4, "missed"),
        ("lower", (0.3,), None, ""),
    ],
)
def test_the_median_of_the_rounds_decides(
    better: Better, ratios: tuple[float, ...], target: float | None, verdict: str
) -> None:
    line = Line("fake", "one side", "the other", "s", better, ratios, ratios, ratios, target)
    assert line.verdict == verdict
    assert line.as_json()["reached"] == {"reached": True, "missed": False, "": None}[verdict]
    assert (line.as_json()["lowest"], line.as_json()["highest"]) == (min(ratios), max(ratios))


def test_we_are_faster_with_more_moves_and_in_less_time() -> None:
    assert faster((300.0, 100.0), (150.0, 200.0)) == (2.0, 0.5)
    assert quicker((2.0, 8.0), (4.0, 4.0)) == (2.0, 0.5)


# ------------------------------------------------------------------------------------------------------- builds


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in whose place `build` looks for commits."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git("init", "--quiet", folder=folder)
    git("config", "user.name", "Test", folder=folder)
    git("config", "user.email", "test@example.com", folder=folder)
    monkeypatch.setattr(builds, "ROOT", folder)
    return folder


def commit(repository: Path, bootstrap: str | None) -> str:
    """Commits this script/bootstrap, if any. Returns the hash."""
    if bootstrap is not None:
        (repository / "script").mkdir()
        (repository / "script" / "bootstrap").write_text(bootstrap)
        (repository / ".gitignore").write_text(".venv\n")
    git("add", "--all", folder=repository)
    git("commit", "--quiet", "--allow-empty", "--no-verify", "--message", "Commit", folder=repository)
    return git("rev-parse", "HEAD", folder=repository)


def test_a_build_that_fails_names_its_log(repository: Path, tmp_path: Path) -> None:
    broken = commit(repository, "echo 'This package has moved.' >&2\nexit 3\n")
    with pytest.raises(BuildFailed, match="ended with 3") as failed:
        build(broken, tmp_path / "builds")
    assert "This package has moved." in str(failed.value)
    [log] = (tmp_path / "builds").glob("*.log")
    assert str(log) in str(failed.value)
    assert log.read_text() == "This package has moved.\n"


def test_a_commit_without_our_scripts_cannot_be_built(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"has no script/bootstrap"):
        build(commit(repository, None), tmp_path / "builds")


def test_an_environment_that_starts_other_code_is_refused(repository: Path, tmp_path: Path) -> None:
    """Its `leadyard` comes from this checkout. Both sides would be the same build, and every ratio would be 1."""
    starts_ours = f"mkdir -p .venv/bin\nprintf '#!/bin/sh\\nexec {sys.executable} \"$@\"\\n' > .venv/bin/python\n"
    other = commit(repository, f"{starts_ours}chmod +x .venv/bin/python\n")
    with pytest.raises(BuildFailed, match="does not start the code of"):
        build(other, tmp_path / "builds")


def test_a_changed_build_is_not_measured_and_a_removed_one_is_built_again(repository: Path, tmp_path: Path) -> None:
    good = commit(repository, "mkdir -p .venv/bin\nln -sf /bin/echo .venv/bin/python\n")
    # A python that prints its arguments does not start our code, so each build ends there.
    for _ in range(2):
        with pytest.raises(BuildFailed, match="does not start the code of"):
            build(good, tmp_path / "builds")
    [tree] = (each for each in (tmp_path / "builds").iterdir() if each.is_dir())
    (tree / "script" / "bootstrap").write_text("true\n")
    with pytest.raises(BuildFailed, match="its files differ from the commit") as failed:
        build(good, tmp_path / "builds")
    remedy = str(failed.value).rpartition("`rm")[2].rstrip("`.")
    subprocess.run(f"rm{remedy}", shell=True, check=True, cwd=repository)
    assert not tree.exists()
    with pytest.raises(BuildFailed, match="does not start the code of"):
        build(good, tmp_path / "builds")


# ---------------------------------------------------------------------------------------------------- a real run


@pytest.fixture(scope="module")
def own_builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the builds of this repository, which forgets them afterwards."""
    folder = tmp_path_factory.mktemp("builds")
    yield folder
    for tree in folder.iterdir():
        if tree.is_dir():
            git("worktree", "remove", "--force", str(tree))


@pytest.fixture
def start(
    backend: str, own_builds: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """A function that starts `script/bench against`. At the end neither processes nor databases of it are left."""
    server = request.getfixturevalue("postgres_url") if backend == "postgresql" else None
    started: list[subprocess.Popen[str]] = []

    def run_it(*arguments: str) -> subprocess.Popen[str]:
        command = ["script/bench", "against", *arguments, "--builds", str(own_builds)]
        command += ["--url", server] if server else []
        started.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return started[-1]

    yield run_it
    for process in started:
        process.terminate()
        process.communicate(timeout=60)
    assert _databases(server) == set()
    assert _processes_of(own_builds) == []


@pytest.mark.timeout(600)
def test_a_tiny_run_measures_both_builds(
    backend: str, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    results = tmp_path / "results.json"
    names = {"sqlite": ["move-sqlite", "size-sqlite"], "postgresql": ["move-1", "size-postgresql"]}[backend]
    head = git("rev-parse", "HEAD")
    run_it = start(head, *names, "--rows", "300", "--rounds", "1", "--seconds", "0.3", "--json", str(results))
    printed, _ = run_it.communicate(timeout=500)
    assert run_it.returncode == 0, printed
    found = json.loads(results.read_text())
    assert found["theirs"] == head
    parts = {"sqlite": ["service"], "postgresql": ["service", "database"]}[backend]
    moves, sizes = [f"{names[0]}-{part}" for part in parts], [f"membership-{backend}", f"size-{backend}"]
    assert [line["name"] for line in found["lines"]] == [names[0], *moves, *sizes]
    for line in found["lines"]:
        assert all(each["ours"] > 0 and each["theirs"] > 0 for each in line["rounds"]), line
        assert line["what"] in printed
    # A membership has at least its ids and a time, and its index the ids once more.
    assert all(24 < each["theirs"] < 10_000 for each in found["lines"][-2]["rounds"])


@pytest.mark.timeout(600)
def test_a_run_that_is_stopped_leaves_nothing(
    backend: str, start: Callable[..., subprocess.Popen[str]], own_builds: Path
) -> None:
    run_it = start("HEAD", {"sqlite": "move-sqlite", "postgresql": "move-25"}[backend], "--seconds", "300")
    deadline = time.monotonic() + 500
    while not any(" serve " in line for line in _processes_of(own_builds)):
        assert run_it.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    run_it.terminate()
    run_it.communicate(timeout=60)
    assert run_it.returncode == 143


def _databases(server: str | None) -> set[str]:
    """Returns the databases of a benchmark on the server. An SQLite database is in a temporary folder."""
    if server is None:
        return set()
    return {name for (name,) in run_sql(server, "SELECT datname FROM pg_database WHERE datname LIKE '%against%'")}


def _processes_of(folder: Path) -> list[str]:
    """Returns the command lines of the processes that run a program of that folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = each.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if line.startswith(str(folder)):
            found.append(line)
    return found
