"""Prospect providers for tests: the example provider inside this process, and one that sends arbitrary bytes."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from leadyard.example_provider.app import Manners, build_example_provider
from leadyard.example_provider.faults import Failures, parse_failure
from leadyard.example_provider.people import People

TOKEN = "sk-provider-SECRET"
Write = Callable[[asyncio.StreamWriter], Awaitable[None]]


def made_up(count: int, *, name: str = "people") -> People:
    """Returns people of whom every second one has an e-mail address."""
    return People(
        [
            {
                "firstName": f"Ada {n}",
                "linkedinUrl": f"https://www.linkedin.com/in/ada-{n}",
                "email": f"ada-{n}@example.com" if n % 2 == 0 else None,
                "company": {"name": "Engines"},
                "providerId": f"p-{n}",
                "customFields": {"Number": str(n)},
            }
            for n in range(count)
        ],
        name=name,
    )


@dataclass
class Stage:
    """The example provider of a test: its URL, the requests it received, and the failures it must produce instead of
    answers."""

    app: ASGIApp
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    canned: str | None = None
    failing: Failures | None = None

    def fail(self, *specs: str) -> None:
        """From now on the provider fails like this; without a spec it works again."""
        self.failing = Failures([parse_failure(spec) for spec in specs], seed=1)

    def next(self, *, is_search: bool) -> str | None:
        """Stands in for Failures, so that they can be changed while it runs."""
        return self.failing.next(is_search=is_search) if self.failing else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append({**headers, "path": scope["path"], "query": scope["query_string"].decode()})
        app = self.app if self.canned is None else Response(self.canned, media_type="application/json")
        await app(scope, receive, send)


@contextmanager
def staged_provider(people: People, **manners: Any) -> Iterator[Stage]:
    """The example provider in a thread of this process. A test can change its failures while it runs."""
    stage = Stage(Response())
    stage.app = build_example_provider(people, stage, Manners(**{"token": TOKEN, **manners}))  # type: ignore[arg-type]
    config = uvicorn.Config(stage, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    stage.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield stage
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def example_provider(people: People, *fail: str, seed: int = 1, **manners: Any) -> Iterator[str]:
    """The example provider in a thread of this process; yields its URL."""
    with staged_provider(people, **manners) as stage:
        stage.failing = Failures([parse_failure(spec) for spec in fail], seed=seed)
        yield stage.url


@dataclass
class Raw:
    """A provider that misbehaves on purpose. `url` leads to it; `asked` contains the heads and bodies of the requests
    it received."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@asynccontextmanager
async def raw_provider(answer: bytes | Write) -> AsyncIterator[Raw]:
    """A server in the loop of the test that reads a request, sends the bytes (or calls the function) and closes."""
    raw = Raw()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw.asked.append((await reader.read(65_536)).decode())
        try:
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    raw.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        server.close()


def answer(body: bytes | str, status: str = "200 OK", *headers: str, content_type: str = "application/json") -> bytes:
    """Returns the bytes of an answer."""
    content = body if isinstance(body, bytes) else body.encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content)}", f"Content-Type: {content_type}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + content
