"""The gate before the routes: how often may this address and this key ask, and whose key is it."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from leadyard.errors import RateLimited, Unauthorized
from leadyard.http.client_address import ClientAddresses
from leadyard.http.errors import error_response
from leadyard.http.rate_limit import HEADERS_IN_STATE, RateLimits, count_leads
from leadyard.http.recognised_keys import RecognisedKeys
from leadyard.operations.api_keys import Credential, authenticate
from leadyard.operations.key_uses import KeyUses
from leadyard.operations.operation import Database
from leadyard.rate_policies import Scope

# Below it a route counts its requests itself, together with their key.
_API = "/v1/"


class Gate:
    """Everything that is remembered of callers between requests: one of it in each process."""

    def __init__(self, *, limits: RateLimits, addresses: ClientAddresses, uses: KeyUses) -> None:
        self.limits = limits
        self._addresses = addresses
        self._uses = uses
        self._keys = RecognisedKeys()

    async def identify(self, db: Database, request: Request, *, secret: str, account_group_id: str) -> Credential:
        """Returns what the secret entitles to. Raises RateLimited and Unauthorized.

        An address that asks too often, or with too many wrong keys, is refused before the database is asked. Too many
        wrong keys do not count against one that was valid when it was last looked at.
        """
        state, address = request.scope["state"], self._addresses.of(request.scope)
        credential = self._keys.recall(secret, account_group_id)
        subjects = {Scope.ADDRESS: address}
        if credential is None:
            # Otherwise guesses from behind the same proxy or router would lock out those who know their keys.
            guesses = {} if self._keys.is_familiar(secret, account_group_id) else {Scope.GUESSES: address}
            await self.limits.admit(state, {**subjects, **guesses})
            credential = await self._ask(db, state, secret=secret, account_group_id=account_group_id, address=address)
            # It is counted already; the others follow in a charge of their own.
            subjects = {}
        state["api_key_id"] = credential.api_key_id
        self._uses.note(credential.api_key_id)
        subjects[Scope.KEY] = credential.api_key_id
        if credential.account_group_id is not None:
            subjects[Scope.GROUP] = credential.account_group_id
        await self.limits.admit(state, subjects, body_bytes=_announced(request))
        return credential

    async def _ask(
        self, db: Database, state: dict[str, Any], *, secret: str, account_group_id: str, address: str
    ) -> Credential:
        asked = self._keys.asking()
        try:
            credential = await authenticate(db, secret=secret, account_group_id=account_group_id)
        except Unauthorized:
            self._keys.forget(secret, account_group_id)
            # Who sends no key at all does not guess.
            if secret:
                await self.limits.add_wrong_key(state, address)
            raise
        self._keys.remember(secret, account_group_id, credential, asked=asked)
        return credential

    async def weigh(self, request: Request, body: Any) -> None:
        """Counts what the leads in the parsed body weigh, for the key and its account group. Raises RateLimited."""
        state = request.scope["state"]
        subjects = {Scope.KEY: state["api_key_id"]}
        if "account_group_id" in state:
            subjects[Scope.GROUP] = state["account_group_id"]
        await self.limits.add_leads(state, subjects, leads=count_leads(body))

    async def count_stranger(self, scope: AsgiScope) -> None:
        """Counts a request that no route will count. Raises RateLimited."""
        if HEADERS_IN_STATE not in scope["state"]:
            await self.limits.admit(scope["state"], {Scope.ADDRESS: self._addresses.of(scope)})


def _announced(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if text.isdecimal() and len(text) < 20 else 0


class StrangersAtTheGate:
    """ASGI middleware, inside of Trace: what needs no key, as /docs does, is limited by address alone."""

    def __init__(self, app: ASGIApp, *, gate: Gate) -> None:
        self.app = app
        self._gate = gate

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(_API):
            try:
                await self._gate.count_stranger(scope)
            except RateLimited as refusal:
                await error_response(refusal, scope["state"]["trace_id"])(scope, receive, send)
                return
        await self.app(scope, receive, send)


class RateLimitHeaders:
    """ASGI middleware, outside of Trace: every answer, even to a bug, tells what is left of the quotas."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *state.get(HEADERS_IN_STATE, ())]
            await send(message)

        await self.app(scope, receive, send_with_headers)
