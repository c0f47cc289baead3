"""A gate without limits, for tests that build the application in their own process."""

from __future__ import annotations

from leadyard.http.admission.client_address import ClientAddresses
from leadyard.http.admission.gate import Gate
from leadyard.http.admission.rate_limits import RateLimits
from leadyard.operations.key_uses import KeyUses
from leadyard.settings.rate_policies import parse_policies


def open_gate() -> Gate:
    """Returns the gate."""
    return Gate(limits=RateLimits(parse_policies("off")), addresses=ClientAddresses(), uses=KeyUses())
