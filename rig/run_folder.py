"""A folder that all processes of one test run share, with the services' logs, the secrets made and the ports taken.

A run has one process, or a controller and its workers. The controller creates the folder, and the workers find it in
their environment. Outside of a run, for example in the benchmarks, there is no folder, and these tools keep nothing.
"""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

_NAME = "LEADYARD_TEST_RUN_FOLDER"
# Below the range that a kernel hands out by itself, so that no connection and no "any port" of another server can be in
# the way.
_PORTS = (20_000, 32_000)


def make_run_folder(parent: Path) -> None:
    """Creates the folder, and passes it to every process that is started from now on."""
    folder = parent / "run"
    for name in ("service-logs", "ports", "attacks"):
        (folder / name).mkdir(parents=True)
    (folder / "secrets").touch(mode=0o600)
    os.environ[_NAME] = str(folder)


def run_folder() -> Path:
    """The folder of this run, with `service-logs`, `attacks`, `ports` and `secrets` in it."""
    return Path(os.environ[_NAME])


def note_secret(secret: str) -> None:
    """Records a secret that a test has made."""
    if _NAME in os.environ:
        # A line is appended in one write, even if other processes write at the same time.
        with (run_folder() / "secrets").open("a") as file:
            file.write(f"{secret}\n")


def secrets_noted() -> set[str]:
    """Returns every secret that a test of this run has made so far, in any process."""
    return set((run_folder() / "secrets").read_text().splitlines())


def free_port() -> int:
    """Returns a free port of 127.0.0.1, which belongs to the caller for the rest of this run. Otherwise two processes
    that look for one at the same moment would find the same port, and a server that is down for a while could lose its
    port.
    """
    for port in random.sample(range(*_PORTS), 1000):
        if _is_free(port) and _is_first_to_take(port):
            return port
    raise RuntimeError("There is no free port, or the tests have used them all.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that lingering connections are not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _is_first_to_take(port: int) -> bool:
    if _NAME not in os.environ:
        return True
    try:
        (run_folder() / "ports" / str(port)).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
