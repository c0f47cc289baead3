"""Reads the files of the repository and the blocks of its README, for the tests of the documents."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def tracked_files() -> list[Path]:
    """Returns the files of the repository. Outside of git, returns the files of the folders that it would have."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    names = listed.stdout.decode().split("\0") if listed.returncode == 0 else []
    found = [ROOT / name for name in names if name] or [
        file for top in ("src", "tests", "docs", "script") for file in (ROOT / top).rglob("*")
    ]
    return [file for file in found if file.is_file()]


def bash_blocks(text: str) -> list[str]:
    """Returns what the blocks marked as bash contain."""
    return re.findall(r"```bash\n(.*?)```", text, re.DOTALL)


def block_with(words: str) -> str:
    """Returns the one block of the README that contains these words."""
    (found,) = [block for block in bash_blocks(README) if words in block]
    return found
