"""The client address of a request: the other end of the connection, or the address that a trusted proxy reports."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from starlette.types import Scope

from leadyard.settings.networks import Networks

_NOBODY = "unknown"


class ClientAddresses:
    """Finds the address under which a request is counted: an IPv4 address, or a 64-bit IPv6 network, because that is
    the least that an internet provider assigns to one customer."""

    def __init__(self, trusted: Networks = ()) -> None:
        self._trusted = trusted

    def of(self, scope: Scope) -> str:
        """Returns the address of the connection. If this is a trusted proxy, returns the last address in
        X-Forwarded-For that is not one. The client may have invented the entries further left.

        `Forwarded` is ignored: a proxy that writes one of the two headers passes on the client's version of the other.
        """
        client = scope.get("client")
        address = client[0] if client else ""
        if self._trusted and self._is_trusted(address):
            address = self._last_untrusted(address, scope["headers"])
        return _counted_as(address)

    def _last_untrusted(self, proxy: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        values = b",".join(value for name, value in headers if name == b"x-forwarded-for").decode("latin-1")
        for hop in reversed([hop for hop in map(_without_port, values.split(",")) if hop]):
            if _parsed(hop) is None:
                break
            proxy = hop
            if not self._is_trusted(hop):
                break
        return proxy

    def _is_trusted(self, address: str) -> bool:
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._trusted)


def _without_port(hop: str) -> str:
    hop = hop.strip()
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


@lru_cache(maxsize=4096)
def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
        return parsed.ipv4_mapped
    return parsed


@lru_cache(maxsize=4096)
def _counted_as(address: str) -> str:
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed) >> 64 << 64, 64)))
    return _NOBODY if parsed is None else str(parsed)
