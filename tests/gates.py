"""A gate that counts nobody, for tests that build the application in their own process."""

from __future__ import annotations

from leadyard.http.client_address import ClientAddresses
from leadyard.http.gate import Gate
from leadyard.http.rate_limit import RateLimits
from leadyard.operations.key_uses import KeyUses
from leadyard.rate_policies import parse_policies


def open_gate() -> Gate:
    """Returns it."""
    return Gate(limits=RateLimits(parse_policies("off")), addresses=ClientAddresses(), uses=KeyUses())
