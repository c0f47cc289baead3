"""The committed files of the page are those that `script/page` builds from its sources."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from leadyard.http.page.files import BUILT

ROOT = Path(__file__).parents[2]


@pytest.mark.needs_npm
@pytest.mark.timeout(300)
def test_the_built_page_is_up_to_date(tmp_path: Path) -> None:
    sources = tmp_path / "repository" / "page"
    shutil.copytree(ROOT / "page", sources, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(ROOT / "clients" / "typescript" / "src", tmp_path / "repository" / "clients" / "typescript" / "src")
    built = tmp_path / "repository" / "src" / "leadyard" / "http" / "page" / "built"
    for command in (["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], ["npm", "run", "build"]):
        done = subprocess.run(command, cwd=sources, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert _files(built) == _files(BUILT), "run script/page and commit its result"


def _files(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_every_text_of_the_page_is_in_one_file() -> None:
    """A sentence in a view would be missed by a translation."""
    outside = {
        f"{file.name}: {line.strip()}"
        for file in (ROOT / "page" / "src").glob("*.tsx")
        for line in file.read_text(encoding="utf-8").splitlines()
        if any(part in line for part in ('label="', 'title="', 'placeholder="', 'aria-label="'))
    }
    assert outside == set()
