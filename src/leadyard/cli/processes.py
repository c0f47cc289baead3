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
    """uvicorn's, but that nobody can connect any more once it is told to stop, and that it says when somebody can."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], when_up: Callable[[], None]) -> None:
        super().__init__(config, sockets)
        self._when_up = when_up

    def init_processes(self) -> None:
        super().init_processes()
        Thread(target=self._tell_when_up, args=(self.sockets[0].getsockname(),), daemon=True).start()

    def terminate_all(self) -> None:
        # While the parent keeps its sockets, the kernel goes on taking connections that nobody will ever serve.
        for each in self.sockets:
            each.close()
        super().terminate_all()

    def _tell_when_up(self, address: tuple[str, int]) -> None:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address[0], address[0])  # noqa: S104  (it is not bound)
        while not self.should_exit.is_set():
            try:
                socket.create_connection((host, address[1]), timeout=1).close()
            except OSError:
                time.sleep(_LOOK_EVERY_S)
                continue
            self._when_up()
            return
