"""Calls the comparison with the alternatives to Leadyard, which is a separate program and prints its own table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.suite.figures import Figure
from benchmarks.suite.stage import Stage

RUN = Path(__file__).parents[1] / "peers" / "run.py"


def peers(stage: Stage) -> list[Figure]:
    subprocess.run([sys.executable, str(RUN), "--server", stage.server_url()], check=True)
    return []
