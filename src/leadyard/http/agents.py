"""`/mcp`, the path for agents: who may come in. The answers are made by the door for agents."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from starlette import routing
from starlette.requests import Request
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from leadyard.errors import Forbidden
from leadyard.http.admission.presented_secret import secret_of_key
from leadyard.http.wire.headers import values_of

AGENT_PATH = "/mcp"


class Door(Protocol):
    """The door for agents, which assemble passes in."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request whose key is valid."""

    async def close(self) -> None:
        """Ends what still runs."""


class AgentRoute(routing.Route):
    """The route of the door. A client that requests a stream without a request (GET), or ends a session (DELETE), gets
    a 405, because there are no sessions."""

    def __init__(self, door: Door) -> None:
        super().__init__(AGENT_PATH, _Admission(door), methods=["POST"])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Names the route to the log."""
        match, found = super().matches(scope)
        return match, found if match is Match.NONE else {**found, "route": self}


class _Admission:
    def __init__(self, door: Door) -> None:
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuses pages of other origins (403), and requests without a valid key (401) or too many (429). The requests
        of the tools then pass the gate again, with the same key and its permissions."""
        _refuse_other_origins(scope)
        gate, db = scope["app"].state.gate, scope["app"].state.db
        await gate.identify(db, Request(scope), secret=secret_of_key(scope), account_group_id="")
        await self._door.answer(scope, receive, send)


def _refuse_other_origins(scope: Scope) -> None:
    """Raises Forbidden for a request that a page of another origin has sent from a browser."""
    hosts = values_of(scope, b"host")
    for origin in values_of(scope, b"origin"):
        if [urlsplit(origin).netloc] != hosts:
            raise Forbidden("A page of another origin may not use this path. Call it from your own program.")
