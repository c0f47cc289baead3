"""Connections to the API: to the service at a URL, or to an application in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_TIMEOUT = httpx.Timeout(70, connect=10)
_NO_URL = "http://leadyard.internal"


def remote_client(url: str, api_key: str) -> httpx.AsyncClient:
    """Returns a client for the service at a URL. Close it."""
    return httpx.AsyncClient(base_url=url.rstrip("/"), headers={"Authorization": f"Bearer {api_key}"}, timeout=_TIMEOUT)


def local_client(app: ASGIApp) -> httpx.AsyncClient:
    """Returns a client for the application in this process. Close it."""
    return httpx.AsyncClient(transport=_InThisProcess(app), base_url=_NO_URL, trust_env=False)


class _InThisProcess(httpx.AsyncBaseTransport):
    """Calls the application, and hands on each piece of its answer before it gets the next one. The transport of httpx
    would first collect the whole answer, which may be a large file."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = _Answer(await request.aread())
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "scheme": request.url.scheme,
            "path": request.url.path,
            "raw_path": request.url.raw_path.partition(b"?")[0],
            "query_string": request.url.query,
            "server": (request.url.host, request.url.port),
            "client": ("127.0.0.1", 0),
            "root_path": "",
        }
        status, headers = await answer.begin(self._app, scope)
        return httpx.Response(status, headers=headers, stream=answer)


class _Answer(httpx.AsyncByteStream):
    """The answer of the application to a request with this body. Closing it lets the application know that the client
    is gone."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
        self._is_closed = asyncio.Event()
        self._failure: httpx.ReadError | None = None

    async def begin(self, app: ASGIApp, scope: dict[str, Any]) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Returns the status and the headers as soon as the application has sent them."""
        self._head: asyncio.Future[tuple[int, list[tuple[bytes, bytes]]]] = asyncio.get_running_loop().create_future()
        self._working = asyncio.create_task(self._work(app, scope))
        try:
            return await self._head
        except asyncio.CancelledError:
            await self.aclose()
            raise

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece
        if self._failure is not None:
            raise self._failure

    async def aclose(self) -> None:
        self._is_closed.set()
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)

    async def _work(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        try:
            await app(scope, self._receive, self._send)
        except Exception as error:
            # The application has logged it.
            self._failure = httpx.ReadError(type(error).__name__)
        if not self._head.done():
            self._head.set_exception(self._failure or httpx.ReadError("no answer"))
        await self._pieces.put(None)

    async def _receive(self) -> dict[str, Any]:
        if self._body is None:
            await self._is_closed.wait()
            return {"type": "http.disconnect"}
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._head.set_result((message["status"], list(message["headers"])))
        elif body := message.get("body"):
            await self._pieces.put(body)
