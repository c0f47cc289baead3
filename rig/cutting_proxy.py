"""A proxy before the service that cuts the next connection after a chosen number of bytes, of the request or the
answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

REQUEST, ANSWER = "request", "answer"


@dataclass
class CuttingProxy:
    """Forwards every byte until it is armed. `seen` counts the bytes of each direction since the last `arm`."""

    target_port: int
    cuts: int = 0
    seen: dict[str, int] = field(default_factory=lambda: {REQUEST: 0, ANSWER: 0})

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._direction = ""
        self._left = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def arm(self, direction: str, after: int) -> None:
        """The next connection is cut after that many bytes in that direction. An empty direction cuts nothing."""
        with self._lock:
            self._direction, self._left = direction, after
            self.seen = {REQUEST: 0, ANSWER: 0}

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target_port))
                threading.Thread(target=self._join, args=(client, server), daemon=True).start()

    def _join(self, client: socket.socket, server: socket.socket) -> None:
        pumps = []
        for direction, source, target in ((REQUEST, client, server), (ANSWER, server, client)):
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pumps.append(threading.Thread(target=self._pump, args=(direction, source, target), daemon=True))
            pumps[-1].start()
        # Closed only when neither thread uses them: the next connection may get the number of a closed socket at once,
        # and a thread that is late would read from it.
        for pump in pumps:
            pump.join()
        client.close()
        server.close()

    def _pump(self, direction: str, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                passed, is_cut = self._pass(direction, data)
                target.sendall(passed)
                if is_cut:
                    break
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _pass(self, direction: str, data: bytes) -> tuple[bytes, bool]:
        """Returns what may pass, and whether the connection ends with it."""
        with self._lock:
            self.seen[direction] += len(data)
            if direction != self._direction:
                return data, False
            if len(data) < self._left:
                self._left -= len(data)
                return data, False
            self._direction = ""
            self.cuts += 1
            return data[: self._left], True


@contextmanager
def cutting_proxy(target_port: int) -> Iterator[CuttingProxy]:
    """A proxy for the block."""
    proxy = CuttingProxy(target_port)
    try:
        yield proxy
    finally:
        proxy.close()
