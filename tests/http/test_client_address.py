"""The client's address: what a trusted proxy reports, what is forged, and which addresses count as one client."""

from __future__ import annotations

import pytest

from leadyard.http.admission.client_address import ClientAddresses
from leadyard.settings.networks import parse_networks

PROXY = "10.0.0.1"
TRUSTED = parse_networks("10.0.0.0/8, 2001:db8:ffff::/48")


def whose(client: str | None, *forwarded: str, trusted: bool = True, **headers: str) -> str:
    scope = {
        "client": (client, 1234) if client is not None else None,
        "headers": [(b"x-forwarded-for", value.encode("latin-1")) for value in forwarded]
        + [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    return ClientAddresses(TRUSTED if trusted else ()).of(scope)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ([], PROXY),
        (["203.0.113.7"], "203.0.113.7"),
        (["1.2.3.4, 203.0.113.7"], "203.0.113.7"),
        (["1.2.3.4", "203.0.113.7"], "203.0.113.7"),
        (["1.2.3.4, 203.0.113.7, 10.9.9.9"], "203.0.113.7"),
        (["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
        (["203.0.113.7:5555"], "203.0.113.7"),
        (["[2001:db8::1]:443"], "2001:db8::/64"),
        (["2001:db8::1"], "2001:db8::/64"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7, 2001:db8:ffff::9"], "203.0.113.7"),
        (["nonsense"], PROXY),
        (["203.0.113.7, nonsense, 10.3.3.3"], "10.3.3.3"),
        (["\xff\x00"], PROXY),
        ([""], PROXY),
        ([" , ,"], PROXY),
    ],
)
def test_behind_a_trusted_proxy_the_last_untrusted_address_counts(forwarded: list[str], client: str) -> None:
    assert whose(PROXY, *forwarded) == client


def test_who_is_no_trusted_proxy_cannot_pretend() -> None:
    assert whose("198.51.100.1", "203.0.113.7") == "198.51.100.1"
    assert whose(PROXY, "203.0.113.7", trusted=False) == PROXY
    assert whose(PROXY, forwarded="for=203.0.113.7") == PROXY
    assert whose("127.0.0.1", "203.0.113.7", trusted=False) == "127.0.0.1"


def test_what_counts_as_one_client() -> None:
    assert whose("2001:db8:1:2:3::4") == whose("2001:db8:1:2:ffff::") == "2001:db8:1:2::/64"
    assert whose("2001:db8:1:3::4") != whose("2001:db8:1:2::4")
    assert whose("::ffff:203.0.113.7") == whose("203.0.113.7") == "203.0.113.7"
    assert whose("fe80::1%eth0") == "fe80::/64"
    assert whose(None) == whose("a unix socket") == "unknown"


@pytest.mark.parametrize("text", ["proxy.example", "10.0.0.1/8", "10.0.0.0/33", "*"])
def test_networks_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address or a network such as"):
        parse_networks(f"127.0.0.1,{text}")
