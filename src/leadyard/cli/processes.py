"""Several server processes that share the port."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from threading import Thread

import uvicorn
from uvicorn.supervisors import Multiprocess

_LOOK_EVERY_S = 0.05


class Processes(Multiprocess):
    """uvicorn's supervisor, with three additions. It refuses connections as soon as a signal stops it, calls `when_up`
    when clients can connect, and calls `when_dead` with the id of each process that it has replaced."""

    def __init__(
        self,
        config: uvicorn.Config,
        sockets: list[socket.socket],
        *,
        when_up: Callable[[], None],
        when_dead: Callable[[int], None],
    ) -> None:
        super().__init__(config, sockets)
        self._when_up = when_up
        self._when_dead = when_dead
        self._started: set[int] = set()

    def init_processes(self) -> None:
        super().init_processes()
        Thread(target=self._wait_until_up, args=(self.sockets[0].getsockname(),), daemon=True).start()

    def keep_subprocess_alive(self) -> None:
        super().keep_subprocess_alive()
        # Not only those that this call replaced: SIGHUP and SIGTTOU end processes as well.
        running = {each.pid for each in self.processes if each.pid is not None}
        for pid in self._started - running:
            self._when_dead(pid)
        self._started = running

    def terminate_all(self) -> None:
        # While the parent keeps its sockets open, the kernel accepts connections that no process will serve.
        for each in self.sockets:
            each.close()
        super().terminate_all()

    def _wait_until_up(self, address: tuple[str, int]) -> None:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address[0], address[0])  # noqa: S104  (it is not bound)
        while not self.should_exit.is_set():
            try:
                socket.create_connection((host, address[1]), timeout=1).close()
            except OSError:
                time.sleep(_LOOK_EVERY_S)
                continue
            self._when_up()
            return
