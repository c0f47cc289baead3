"""Calls the comparison with what one would otherwise build, which is a program of its own and prints its own table."""

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
