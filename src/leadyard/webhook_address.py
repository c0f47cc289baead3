"""Where a webhook may lead: the rules about its URL and about each address that its name leads to.

A receiver's URL comes from a client, and the service connects to it from inside the operator's network. So only `https`
to public addresses is allowed, and what the operator names in LEADYARD_WEBHOOK_NETWORKS. The check of a URL refuses
early. The check that counts is the one of each address, just before the connection to that same address
(docs/decisions/0049).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from leadyard.errors import UrlNotAllowed

Address = IPv4Address | IPv6Address
Networks = tuple[IPv4Network | IPv6Network, ...]

MAX_URL_LENGTH = 2_000

_PORTS = {"https": 443, "http": 80}
_PRINTABLE = re.compile(r"[!-~]+")
# Clients disagree about what these mean in a URL, and a disagreement is how a check is passed.
_AMBIGUOUS = re.compile(r'[\\"<>^`{|}]')
_NAME = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)
# A last part like this makes a host a number for inet_aton: 127.1, 0x7f000001, 017700000001.
_ENDS_IN_A_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")

# Written down here, because the lists in Python's ipaddress differ between the patch releases that we support. From the
# registries of special-purpose addresses of IANA, with multicast and the reserved rest.
_NOT_PUBLIC_4 = tuple(
    IPv4Network(each)
    for each in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by the customers of a provider
        "127.0.0.0/8",  # this machine
        "169.254.0.0/16",  # link-local, and the metadata of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # multicast relays
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Everything outside of it is local, multicast, reserved or a way to write an IPv4 address, such as NAT64 (64:ff9b::).
_UNICAST_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    IPv6Network(each)
    for each in (
        "2001::/23",  # protocols, Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which contains an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that passed the check. `host` is in lower case, and an IPv6 address has no brackets. `address` is the
    host as an address, None for a name. `path` contains the query."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address | None

    @property
    def authority(self) -> str:
        """The value of the header Host: host and port, without the port that is usual for the scheme."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def target_of(url: str, networks: Networks = ()) -> Target:
    """Returns the parts of a URL that a webhook may have. Raises UrlNotAllowed with the reason.

    It resolves no name. `networks` are those that the operator allows; `http` leads only into these.
    """
    if len(url) > MAX_URL_LENGTH or not _PRINTABLE.fullmatch(url) or _AMBIGUOUS.search(url):
        raise UrlNotAllowed(f"It must be at most {MAX_URL_LENGTH:,} printable ASCII characters without spaces or \\.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise UrlNotAllowed("It cannot be read as a URL.") from None
    if parts.scheme not in _PORTS or not url.lower().startswith(f"{parts.scheme}://"):
        raise UrlNotAllowed("It must begin with https://.")
    if parts.scheme == "http" and not networks:
        raise UrlNotAllowed("It must begin with https://. The operator may allow http in named networks.")
    if "@" in parts.netloc:
        raise UrlNotAllowed("It must not contain a user or a password. Receivers verify the signature instead.")
    if "#" in url:
        raise UrlNotAllowed("It must not contain a fragment (#), which is never sent.")
    if port == 0 or parts.netloc.endswith(":"):
        raise UrlNotAllowed("Its port must be from 1 to 65535.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = port or _PORTS[parts.scheme]
    address = _address_in(host, is_bracketed=parts.netloc.startswith("["))
    if address is None:
        _check_name(host, networks)
    elif not may_connect(address, parts.scheme, networks):
        raise UrlNotAllowed(_NOT_ALLOWED)
    return Target(parts.scheme, host if address is None else str(address), port, path, address)


def may_connect(address: Address, scheme: str, networks: Networks) -> bool:
    """Returns whether a webhook may connect to this address: a public one with `https`, or one in the `networks`."""
    address = getattr(address, "ipv4_mapped", None) or address
    if any(address in network for network in networks if network.version == address.version):
        return True
    return scheme == "https" and is_public(address)


def is_public(address: Address) -> bool:
    """Returns whether the address is one of the public internet. An IPv6 address that contains an IPv4 address in any
    way is not."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _NOT_PUBLIC_4)
    is_unicast = address.scope_id is None and address in _UNICAST_6
    return is_unicast and not any(address in network for network in _NOT_PUBLIC_6)


_NOT_ALLOWED = "Its address is not a public one. The operator may allow named networks (LEADYARD_WEBHOOK_NETWORKS)."


def _address_in(host: str, *, is_bracketed: bool) -> Address | None:
    """Returns the host as an address, None for a name. Raises UrlNotAllowed for another spelling of an address."""
    if is_bracketed:
        try:
            address = ip_address(host)
        except ValueError:
            address = None
        # A zone, as in fe80::1%eth0, names an interface of this machine.
        if not isinstance(address, IPv6Address) or "%" in host:
            raise UrlNotAllowed("Its host is not an IPv6 address.")
        return address
    if _ENDS_IN_A_NUMBER.fullmatch(host) is None:
        return None
    try:
        return IPv4Address(host)
    except ValueError:
        raise UrlNotAllowed("Write an IPv4 address as four decimal numbers without leading zeros.") from None


def _check_name(host: str, networks: Networks) -> None:
    name = host.removesuffix(".")
    if not _NAME.fullmatch(name):
        raise UrlNotAllowed("Its host is not a name. Write a name with other letters in its ASCII form, xn--….")
    if not networks and (name == "localhost" or name.endswith(".localhost")):
        raise UrlNotAllowed(_NOT_ALLOWED)
