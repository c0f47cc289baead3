"""The two builds that are compared: this checkout, and a commit in a git work tree with its own environment.

The work tree is outside of the repository and stays for the next run. The commit's own script/bootstrap installs it
from its own locks.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig.service import LEADYARD

ROOT = Path(__file__).parents[2]
_ORIGIN = "import leadyard; print(leadyard.__file__)"
_LAST_LINES = 15


class UnknownCommit(Exception):
    """The repository has no such commit, or this folder is not a checkout of git."""


class BuildFailed(Exception):
    """The commit cannot be built. The text names the log."""


@dataclass(frozen=True)
class Build:
    """A build that can be started: `program` is the beginning of its commands."""

    name: str
    commit: str
    program: tuple[str, ...]


def this_checkout() -> Build:
    """Returns the files of this checkout as they are now, also those that are not committed."""
    commit = _git("rev-parse", "HEAD").strip()
    changed = "-changed" if _git("status", "--porcelain").strip() else ""
    return Build("this checkout", commit + changed, LEADYARD)


def commit_of(name: str) -> str:
    """Returns the full hash of a commit, tag or branch. Raises UnknownCommit."""
    try:
        return _git("rev-parse", "--verify", f"{name}^{{commit}}").strip()
    except subprocess.CalledProcessError as error:
        raise UnknownCommit(
            f"git finds no commit {name!r} here ({error.stderr.strip()}). `git log` lists the commits. A shallow clone "
            "lacks old ones: `git fetch --unshallow`."
        ) from error


def build(commit: str, builds: Path) -> Build:
    """Returns the build of a full hash. Creates its work tree and its environment below the folder `builds`, unless an
    earlier run has left them. Raises BuildFailed."""
    tree = _folder_of(commit, builds.absolute())
    tree.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(tree):
        if not tree.exists():
            _add_work_tree(tree, commit)
        _require_unchanged(tree, commit)
        _bootstrap(tree, commit)
    python = tree / ".venv" / "bin" / "python"
    _require_own_code(python, tree)
    return Build(commit[:7], commit, (str(python), "-m", "leadyard"))


def usual_folder() -> Path:
    """Returns the folder of the builds: `$XDG_CACHE_HOME/leadyard-bench` or `~/.cache/leadyard-bench`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "leadyard-bench"


def _folder_of(commit: str, builds: Path) -> Path:
    """Returns the folder of the work tree. A second clone has another one, because a work tree belongs to one clone."""
    clone = hashlib.blake2b(_git("rev-parse", "--path-format=absolute", "--git-common-dir").encode(), digest_size=4)
    return builds / f"{commit[:12]}-{clone.hexdigest()}"


def _add_work_tree(tree: Path, commit: str) -> None:
    try:
        # --force, because git may still list a work tree whose folder was removed.
        _git("worktree", "add", "--force", "--detach", str(tree), commit)
    except subprocess.CalledProcessError as error:
        raise BuildFailed(f"git cannot check out {commit[:7]} into {tree}: {error.stderr.strip()}") from error


def _bootstrap(tree: Path, commit: str) -> None:
    script, log = tree / "script" / "bootstrap", tree.with_suffix(".log")
    if not script.is_file():
        raise BuildFailed(f"{commit[:7]} has no script/bootstrap, so it cannot be built.")
    # Older commits only have one part, with everything in it.
    part = ["--runtime"] if "--runtime" in script.read_text() else []
    # Both builds run on the same Python, or the interpreters would be compared as well.
    environment = {**os.environ, "PYTHON": os.path.realpath(sys.executable)}
    with log.open("wb") as output:
        done = subprocess.run(
            ["bash", str(script), *part], cwd=tree, env=environment, stdout=output, stderr=output, check=False
        )
    if done.returncode != 0:
        end = "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
        raise BuildFailed(
            f"{commit[:7]} cannot be built: its script/bootstrap ended with {done.returncode}. The log is {log}, and "
            f"ends with:\n{end}"
        )


def _require_unchanged(tree: Path, commit: str) -> None:
    try:
        changed = _git("status", "--porcelain", folder=tree).strip()
        is_at = _git("rev-parse", "HEAD", folder=tree).strip()
    except subprocess.CalledProcessError as error:
        raise BuildFailed(_cannot_use(tree, error.stderr.strip())) from error
    if changed or is_at != commit:
        raise BuildFailed(_cannot_use(tree, "its files differ from the commit"))


def _require_own_code(python: Path, tree: Path) -> None:
    """Refuses an environment that starts other code, for example because PYTHONPATH names this checkout."""
    found = subprocess.run([str(python), "-c", _ORIGIN], capture_output=True, text=True, check=False)
    if found.returncode != 0 or not Path(found.stdout.strip()).resolve().is_relative_to(tree.resolve()):
        raise BuildFailed(
            f"{python} does not start the code of {tree}, but {found.stdout.strip() or found.stderr.strip()}. "
            "Unset PYTHONPATH, or remove the folder to build it again."
        )


def _cannot_use(tree: Path, reason: str) -> str:
    return f"The build in {tree} cannot be used: {reason}. Remove it: `rm -rf {tree} && git worktree prune`."


@contextmanager
def _only_one(tree: Path) -> Iterator[None]:
    """Lets one run at a time make this work tree."""
    with tree.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _git(*arguments: str, folder: Path | None = None) -> str:
    """Returns the output of git, by default for this checkout. Raises CalledProcessError."""
    return subprocess.run(["git", *arguments], cwd=folder or ROOT, capture_output=True, text=True, check=True).stdout
