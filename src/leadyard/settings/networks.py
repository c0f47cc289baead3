"""The networks of LEADYARD_TRUSTED_PROXIES and LEADYARD_WEBHOOK_NETWORKS as values."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

Networks = tuple[IPv4Network | IPv6Network, ...]


def parse_networks(text: str) -> Networks:
    """Returns the networks of a list such as `10.0.0.0/8, 2001:db8::1`. Raises ValueError that quotes a wrong part."""
    networks = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            networks.append(ip_network(part))
        except ValueError:
            raise ValueError(f"{part!r} is not an address or a network such as 10.0.0.0/8") from None
    return tuple(networks)
