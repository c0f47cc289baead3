"""Where a webhook may lead: URLs in every spelling, and addresses of every kind. No test connects anywhere."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from leadyard.errors import UrlNotAllowed
from leadyard.settings.networks import parse_networks
from leadyard.webhook_address import MAX_URL_LENGTH, is_public, may_connect, target_of

INSIDE = parse_networks("10.20.0.0/16, fd00:1::/32, 127.0.0.0/8")


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://example.com", "example.com", "/"),
        ("https://example.com/hook?a=1&b=%20", "example.com", "/hook?a=1&b=%20"),
        ("HTTPS://EXAMPLE.com:443/", "example.com", "/"),
        ("https://example.com:8443/x", "example.com:8443", "/x"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
        ("https://example.com./", "example.com.", "/"),
        ("https://8.8.8.8/", "8.8.8.8", "/"),
        ("https://[2600:1f18::1]:444/", "[2600:1f18::1]:444", "/"),
        ("https://7even.example/", "7even.example", "/"),
    ],
)
def test_a_public_https_url_is_allowed(url: str, authority: str, path: str) -> None:
    target = target_of(url)
    assert (target.authority, target.path) == (authority, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "https:/example.com",
        "https:example.com",
        "https://",
        "https:///path",
        "https://?x",
        # http needs a network that the operator names.
        "http://example.com/",
        "http://8.8.8.8/",
        # Users, fragments, ports.
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com@192.0.2.1/",
        "https://example.com/#fragment",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:-1/",
        "https://example.com:https/",
        "https://example.com:/",
        # Clients read these in different ways.
        "https://example.com\\@192.0.2.1/",
        "https://example.com\t.example/",
        "https://exa mple.com/",
        "https://example.com/a b",
        "https://example.com/\r\nHost: other",
        "https://bücher.example/",
        "https://example。com/",
        "https://１２７.0.0.1/",
        "https://%31%32%37.0.0.1/",
        "https://example.com%00.example/",
        f"https://example.com/{'x' * MAX_URL_LENGTH}",
        "https://-x.example/",
        f"https://{'a' * 64}.example/",
        "https://a..example/",
        # This machine and its network, and other spellings of them.
        "https://localhost/",
        "https://LOCALHOST:8443/",
        "https://localhost./",
        "https://a.localhost/",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.0.0.1./",
        "https://127.000.000.001/",
        "https://8.8.8.010/",
        "https://1.2.3.4.5/",
        "https://example.0x1/",
        "https://0/",
        "https://0.0.0.0/",
        "https://10.0.0.1/",
        "https://172.31.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://192.0.2.1/",
        "https://198.51.100.1/",
        "https://203.0.113.1/",
        "https://198.18.0.1/",
        "https://192.88.99.1/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://[::]/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:1::1]/",
        "https://[2001:db8::1]/",
        "https://[3fff::1]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[2600:1f18::1%25eth0]/",
        "https://[fc00::1]/",
        "https://[fec0::1]/",
        "https://[ff02::1]/",
        "https://[100::1]/",
        "https://[5f00::1]/",
        "https://[::1/",
        "https://[example.com]/",
        "https://[127.0.0.1]/",
        "https://[v1.fe80::a]/",
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(UrlNotAllowed) as refused:
        target_of(url)
    assert refused.value.details.endswith((".", ")"))


def test_the_operator_may_allow_networks_and_http_to_them() -> None:
    for url in (
        "http://10.20.30.40/",
        "https://10.20.30.40/",
        "http://[fd00:1::9]:8080/",
        "http://[::ffff:10.20.0.1]/",
        "http://receiver:8080/hook",
        "http://localhost:9000/",
    ):
        assert target_of(url, INSIDE).port > 0
    for url in ("http://10.21.0.1/", "https://192.168.0.1/", "http://8.8.8.8/", "http://[fd00:2::1]/"):
        with pytest.raises(UrlNotAllowed):
            target_of(url, INSIDE)
    assert may_connect(ip_address("10.20.0.1"), "http", INSIDE)
    assert not may_connect(ip_address("8.8.8.8"), "http", INSIDE)
    assert may_connect(ip_address("8.8.8.8"), "https", INSIDE)
    assert may_connect(ip_address("::ffff:127.0.0.1"), "http", INSIDE)
    assert not may_connect(ip_address("::ffff:127.0.0.1"), "https", ())


def test_networks_are_read_strictly() -> None:
    assert parse_networks(" , ") == ()
    for text in ("10.0.0.1/8", "localhost", "10.0.0.0/33", "*"):
        with pytest.raises(ValueError, match="is not an address or a network"):
            parse_networks(text)


def test_whatever_python_calls_local_is_not_public() -> None:
    """Our lists against Python's, at random: ours may be stricter, never laxer."""
    draw = random.Random(7)
    addresses: list[IPv4Address | IPv6Address] = [IPv4Address(draw.getrandbits(32)) for _ in range(20_000)]
    addresses += [IPv6Address(draw.getrandbits(128)) for _ in range(20_000)]
    addresses += [IPv6Address(0x2 << 124 | draw.getrandbits(124)) for _ in range(5_000)]
    # Near the edges of everything short, too.
    addresses += [IPv6Address(draw.getrandbits(16) << 112 | draw.getrandbits(48)) for _ in range(20_000)]
    public = [each for each in addresses if is_public(each)]
    assert 20_000 < len(public) < len(addresses)
    for each in public:
        assert each.is_global, each
        assert not (each.is_private or each.is_multicast or each.is_reserved or each.is_loopback or each.is_link_local)
