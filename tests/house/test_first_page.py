"""The first page works: its blocks, pasted into one shell in a fresh checkout, run from the first to the last line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rig.run_folder import free_port
from tests.house.documents import ROOT, block_with, tracked_files

BLOCKS = ("script/bootstrap", "move-leads", "/prospecting")
# The test adds these lines: they wait for the job that the last block has started, and stop the service.
LAST_LINES = """
echo
leadyard jobs list --account-group "$ACCOUNT_GROUP" --json > jobs.json
JOB=$(python3 -c "import json; print(json.load(open('jobs.json'))['items'][0]['jobId'])")
leadyard jobs watch "$JOB" --account-group "$ACCOUNT_GROUP"
leadyard export --account-group "$ACCOUNT_GROUP" --audience "$TARGET" --output moved.csv
leadyard doctor
kill %1
wait
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the files of the repository, as a clone would contain them: no .venv and no data."""
    folder = tmp_path / "leadyard"
    for file in tracked_files():
        copy = folder / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    return folder


def environment(port: int) -> dict[str, str]:
    """Returns the environment of a shell that has not seen Leadyard yet, apart from a port that is free."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LEADYARD_", "VIRTUAL_ENV"))}
    ours = Path(sys.executable).parent
    path = [each for each in kept["PATH"].split(os.pathsep) if Path(each) != ours]
    return {**kept, "PATH": os.pathsep.join(path), "LEADYARD_PORT": str(port)}


@pytest.mark.timeout(400)
def test_the_first_page_pasted_as_one_block(checkout: Path) -> None:
    """bash reads the text from its standard input, as from a terminal, and goes on after a line that fails. So the
    shell reports each failed line on stderr, and the test reads that."""
    port = free_port()
    pasted = "\n".join(block_with(words) for words in BLOCKS)
    assert pasted.count("127.0.0.1:8000/") >= 4
    assert not re.search(r"(^|\s)#", pasted), "zsh takes a comment in a pasted block for a command"
    done = subprocess.run(
        ["bash"],
        input=pasted.replace("127.0.0.1:8000/", f"127.0.0.1:{port}/") + LAST_LINES,
        cwd=checkout,
        env=environment(port),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    report = f"{done.stdout}\n{done.stderr}\n{log_of(checkout)}"
    assert done.returncode == 0, report
    assert not re.search(r"bash: |Traceback|curl: ", done.stderr), report
    assert "added 3" in done.stdout, report
    assert re.search(r"Lead [0-9a-f]{24} is in audience [0-9a-f]{24}\. Audience [0-9a-f]{24} is empty\.", done.stdout)
    assert '"movedCount":1' in done.stdout.replace(" ", ""), report
    assert "completed" in done.stdout, report
    assert "Healthy: 1 account group, 3 audiences, 3 leads" in done.stdout, report
    assert len((checkout / "moved.csv").read_text().splitlines()) == 2, "a header and the lead that was moved"
    assert "sk_live_" not in done.stdout, "the key stays in its variable"


def log_of(checkout: Path) -> str:
    log = checkout / "data" / "serve.log"
    return log.read_text() if log.exists() else "There is no data/serve.log."
