"""The gate of a process that the operator has started for one account group: it needs no key and has no limits."""

from __future__ import annotations

from starlette.requests import Request

from leadyard.database import Database
from leadyard.http.admission.client_address import ClientAddresses
from leadyard.http.admission.gate import Gate
from leadyard.http.admission.rate_limits import RateLimits
from leadyard.operations.api_keys import Credential, OperatorCredential
from leadyard.operations.key_uses import KeyUses
from leadyard.settings.rate_policies import Scope


class OperatorGate(Gate):
    """Every request is the operator's. No port leads to it, only the process itself."""

    def __init__(self, account_group_id: str) -> None:
        super().__init__(limits=RateLimits(dict.fromkeys(Scope, ())), addresses=ClientAddresses(), uses=KeyUses())
        self._account_group_id = account_group_id

    async def identify(self, db: Database, request: Request, *, secret: str, account_group_id: str) -> Credential:
        """Returns the operator's credential, which is for the one account group."""
        request.scope["state"] |= {"api_key_id": None, "is_operator": True}
        return OperatorCredential.of(self._account_group_id, asked_for=account_group_id)

    async def check_again(self, db: Database, *, secret: str, account_group_id: str) -> Credential:
        """Returns the operator's credential, which cannot be revoked."""
        return OperatorCredential.of(self._account_group_id, asked_for=account_group_id)
