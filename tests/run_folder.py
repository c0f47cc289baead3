"""What all processes of one run of the tests share: a folder with services' logs, the secrets made and the ports taken.

A run has one process, or a controller and its workers. The controller makes the folder, and the workers find it in
their environment. Who uses these tools outside of a run, as the benchmarks do, has no folder: then nothing is kept.
"""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

_NAME = "LEADYARD_TEST_RUN_FOLDER"
# Below what a kernel hands out by itself, so that no connection and no other server's "any port" can be in the way.
_PORTS = (20_000, 32_000)


def make_run_folder(parent: Path) -> None:
    """Makes the folder, and tells every process that is started from now on."""
    folder = parent / "run"
    for name in ("service-logs", "ports", "attacks"):
        (folder / name).mkdir(parents=True)
    (folder / "secrets").touch(mode=0o600)
    os.environ[_NAME] = str(folder)


def run_folder() -> Path:
    """The folder of this run, with `service-logs`, `attacks`, `ports` and `secrets` in it."""
    return Path(os.environ[_NAME])


def note_secret(secret: str) -> None:
    """Remembers a secret that a test has made."""
    if _NAME in os.environ:
        # A line is written at once and at the end, whoever else writes.
        with (run_folder() / "secrets").open("a") as file:
            file.write(f"{secret}\n")


def secrets_noted() -> set[str]:
    """Returns every secret that a test of this run has made so far, in whichever process."""
    return set((run_folder() / "secrets").read_text().splitlines())


def free_port() -> int:
    """Returns a port of 127.0.0.1 on which nobody listens. It is nobody else's for the rest of this run: two processes
    that look for one at the same moment would otherwise find the same, and so would a server that is down for a while.
    """
    for port in random.sample(range(*_PORTS), 1000):
        if _is_free(port) and _is_first_to_take(port):
            return port
    raise RuntimeError("There is no free port, or the tests have used them all.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that connections that linger on are not in the way.
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
