"""The gate before the routes: identifies the key, and limits the rate of each address and key."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.types import Scope as AsgiScope

from leadyard.database import Database
from leadyard.errors import Unauthorized
from leadyard.http.admission.client_address import ClientAddresses
from leadyard.http.admission.rate_limits import HEADERS_IN_STATE, RateLimits, count_leads
from leadyard.http.admission.recognised_keys import RecognisedKeys
from leadyard.http.wire.headers import announced_length
from leadyard.operations.api_keys import Credential, authenticate
from leadyard.operations.key_uses import KeyUses
from leadyard.operations.page_sessions import is_session_secret
from leadyard.settings.rate_policies import Scope


class Gate:
    """All that a process remembers about callers between requests. Each process has one."""

    def __init__(self, *, limits: RateLimits, addresses: ClientAddresses, uses: KeyUses) -> None:
        self.limits = limits
        self._addresses = addresses
        self._uses = uses
        self._keys = RecognisedKeys()

    async def identify(self, db: Database, request: Request, *, secret: str, account_group_id: str) -> Credential:
        """Returns the credential of the secret. Raises RateLimited and Unauthorized.

        An address that sends too many requests, or too many wrong keys, is refused before the database is queried. Too
        many wrong keys do not block a key that was valid at its last check.
        """
        state, address = request.scope["state"], self._addresses.of(request.scope)
        credential = self._keys.recall(secret, account_group_id)
        subjects = {Scope.ADDRESS: address}
        if credential is None:
            # Otherwise guesses from behind the same proxy or router would lock out clients with a valid key.
            guesses = {} if self._keys.is_familiar(secret, account_group_id) else {Scope.GUESSES: address}
            await self.limits.admit(state, {**subjects, **guesses})
            credential = await self._ask(db, state, secret=secret, account_group_id=account_group_id, address=address)
            # The address is now counted; the key and the group follow in a separate charge.
            subjects = {}
        state["api_key_id"] = credential.api_key_id
        self._uses.note(credential.api_key_id)
        subjects[Scope.KEY] = credential.api_key_id
        if credential.account_group_id is not None:
            subjects[Scope.GROUP] = credential.account_group_id
        await self.limits.admit(state, subjects, body_bytes=announced_length(request.scope))
        return credential

    async def _ask(
        self, db: Database, state: dict[str, Any], *, secret: str, account_group_id: str, address: str
    ) -> Credential:
        try:
            return await self._query(db, secret=secret, account_group_id=account_group_id)
        except Unauthorized:
            # A request without a key is not a guess.
            if secret:
                await self.limits.add_wrong_key(state, address)
            raise

    async def _query(self, db: Database, *, secret: str, account_group_id: str) -> Credential:
        asked = self._keys.asking()
        try:
            credential = await authenticate(db, secret=secret, account_group_id=account_group_id)
        except Unauthorized:
            self._keys.forget(secret, account_group_id)
            raise
        self._keys.remember(secret, account_group_id, credential, asked=asked)
        return credential

    async def check_again(self, db: Database, *, secret: str, account_group_id: str) -> Credential:
        """Returns the credential of the secret with which a long answer began. Counts no request, and queries the
        database unless the secret was recognised a moment ago. Raises Unauthorized."""
        known = self._keys.recall(secret, account_group_id)
        return known or await self._query(db, secret=secret, account_group_id=account_group_id)

    async def sign_in(self, db: Database, request: Request, *, secret: str) -> Credential:
        """Returns the credential of a key with which a browser signs in. Raises RateLimited and Unauthorized. A client
        that has sent too many wrong keys is refused even with a valid one, because a page signs in once."""
        state, address = request.scope["state"], self._addresses.of(request.scope)
        await self.limits.admit(state, {Scope.GUESSES: address})
        try:
            if is_session_secret(secret):
                raise Unauthorized
            credential = await authenticate(db, secret=secret, account_group_id="")
        except Unauthorized:
            await self.limits.add_wrong_key(state, address)
            raise
        state["api_key_id"] = credential.api_key_id
        self._uses.note(credential.api_key_id)
        return credential

    def forget(self, secret: str) -> None:
        """Forgets a session that has been closed. Other processes do within three seconds."""
        self._keys.forget_everywhere(secret)

    async def weigh(self, request: Request, body: Any) -> None:
        """Charges the leads in the parsed body to the key and its account group. Raises RateLimited."""
        state = request.scope["state"]
        subjects = {Scope.KEY: state["api_key_id"]}
        if "account_group_id" in state:
            subjects[Scope.GROUP] = state["account_group_id"]
        await self.limits.add_leads(state, subjects, leads=count_leads(body))

    async def count_stranger(self, scope: AsgiScope) -> None:
        """Counts a request that no route counts. Raises RateLimited."""
        if HEADERS_IN_STATE not in scope["state"]:
            await self.limits.admit(scope["state"], {Scope.ADDRESS: self._addresses.of(scope)})
