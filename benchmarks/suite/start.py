"""Row 9: how long commands and the service take to start, compared with Python alone and with a bare FastAPI
application."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.suite.figures import Figure, Pairs, take_turns
from benchmarks.suite.stage import SETTINGS, Stage, leadyard_command
from rig.run_folder import free_port
from rig.service import READY_WITHIN_S

ROOT = Path(__file__).parents[2]


def start(stage: Stage) -> list[Figure]:
    with stage.database("sqlite") as url, stage.progress("starting", None):
        environment = {**os.environ, **SETTINGS, "LEADYARD_DATABASE_URL": url}
        helped = take_turns(
            lambda: _run([*leadyard_command(), "--help"]),
            lambda: _run([sys.executable, "-c", "pass"]),
            rounds=stage.rounds(31, 5),
        )
        served = take_turns(
            lambda: _first_answer(lambda port: [*leadyard_command(), "serve", "--port", port], environment),
            lambda: _first_answer(_bare_app, environment),
            rounds=stage.rounds(15, 3),
        )
    return [
        _figure("start-help", "time of `leadyard --help`", "bare `python -c pass`", 10.0, helped),
        _figure(
            "start-serve",
            "time from `leadyard serve` to its first answer, SQLite",
            "a bare FastAPI application (uvicorn, one route)",
            2.0,
            served,
        ),
    ]


def _figure(name: str, what: str, against: str, goal: float, found: Pairs) -> Figure:
    return Figure(
        number=9,
        name=name,
        what=what,
        against=against,
        ratio=found.ratio,
        better="lower",
        goal=goal,
        rounds=found.ratios,
        details={"seconds": found.ours, "bareSeconds": found.theirs},
    )


def _run(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _bare_app(port: str) -> list[str]:
    app = "benchmarks.suite.bare_app:app"
    return [sys.executable, "-m", "uvicorn", app, "--port", port, "--app-dir", str(ROOT)]


def _first_answer(command_on: Callable[[str], list[str]], environment: dict[str, str]) -> float:
    """Returns the seconds from starting the program until the first byte of its first answer, of any status."""
    port = free_port()
    started = time.perf_counter()
    process = subprocess.Popen(
        command_on(str(port)), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not _answers(port):
            assert process.poll() is None, f"it ended with {process.returncode}"
            assert time.perf_counter() - started < READY_WITHIN_S
            time.sleep(0.002)
        return time.perf_counter() - started
    finally:
        process.terminate()
        process.wait(20)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            return connection.recv(1) != b""
    except OSError:
        return False
