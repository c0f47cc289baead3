"""A proxy before the service that refuses, delays and loses requests as an overloaded installation does."""

from __future__ import annotations

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

PASS = "pass"
RATE_LIMITED = "429 before the service"
BUSY = "503 before the service"
LOST = "503 after the service"
BAD_GATEWAY = "502 of a proxy after the service"
CLOSED = "closed after the service"
_DROPPED_HEADERS = ("host", "transfer-encoding", "connection", "content-length", "content-encoding", "accept-encoding")


class StormyProxy(ThreadingHTTPServer):
    """Chooses one of the weather's events for each request. The same seed makes the same choices."""

    daemon_threads = True

    def __init__(self, target: str, weather: dict[str, int], seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = target
        self.happened: Counter[str] = Counter()
        self.http = httpx.Client(timeout=60)
        self._weather = weather
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next_event(self) -> str:
        with self._lock:
            event = self._chance.choices(list(self._weather), list(self._weather.values()))[0]
            self.happened[event] += 1
            return event


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: StormyProxy

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        event = self.server.next_event()
        if event == RATE_LIMITED:
            self._refuse(429, "RATE_LIMITED")
            return
        if event == BUSY:
            self._refuse(503, "SERVICE_UNAVAILABLE")
            return
        answer = self._forward(body)
        if event == LOST:
            self._refuse(503, "SERVICE_UNAVAILABLE")
        elif event == BAD_GATEWAY:
            self._reply(502, {"Content-Type": "text/html"}, b"<h1>Bad Gateway</h1>")
        elif event == CLOSED:
            self.close_connection = True
        else:
            headers = {name: value for name, value in answer.headers.items() if name not in _DROPPED_HEADERS}
            self._reply(answer.status_code, headers, answer.content)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Prints nothing."""

    def _forward(self, body: bytes) -> httpx.Response:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _DROPPED_HEADERS}
        return self.server.http.request(self.command, self.server.target + self.path, headers=headers, content=body)

    def _refuse(self, status: int, code: str) -> None:
        error = {"code": code, "message": "Too much.", "details": "Wait."}
        envelope = {"success": False, "data": None, "error": error, "traceId": "0" * 32}
        self._reply(status, {"Retry-After": "0"}, json.dumps(envelope).encode())

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def stormy_proxy(target: str, weather: dict[str, int], seed: int = 1) -> Iterator[StormyProxy]:
    """A proxy for the block."""
    proxy = StormyProxy(target, weather, seed)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        proxy.server_close()
        proxy.http.close()
