"""Whose address counts, behind which proxies."""

from ipaddress import IPv4Network, IPv6Network

import pytest

from errorstack_live.web.address import Proxies

PROXIES = Proxies([IPv4Network("10.0.0.0/8"), IPv6Network("::1")])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", None, "192.0.2.1"),
        ("192.0.2.1", b"198.51.100.7", "192.0.2.1"),  # nobody trusts this peer
        ("10.0.0.1", b"198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", b"198.51.100.7, 10.0.0.9", "198.51.100.7"),
        ("10.0.0.1", b"203.0.113.5, 198.51.100.7", "198.51.100.7"),  # the first was only claimed
        ("10.0.0.1", b"10.0.0.9", "10.0.0.1"),
        ("10.0.0.1", b"", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("::1", b"2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", b"not an address", "not an address"),
        ("", None, ""),
    ],
)
def test_address(peer: str, forwarded: bytes | None, address: str) -> None:
    headers = {} if forwarded is None else {b"x-forwarded-for": forwarded}
    assert PROXIES.address(peer, headers) == address


@pytest.mark.parametrize(
    ("peer", "scheme", "forwarded", "is_https"),
    [
        ("192.0.2.1", "https", None, True),
        ("192.0.2.1", "wss", None, True),
        ("192.0.2.1", "http", b"https", False),
        ("10.0.0.1", "http", b"https", True),
        ("10.0.0.1", "http", b"http", False),
        ("10.0.0.1", "https", None, True),
    ],
)
def test_is_https(peer: str, scheme: str, forwarded: bytes | None, is_https: bool) -> None:
    headers = {} if forwarded is None else {b"x-forwarded-proto": forwarded}
    assert PROXIES.is_https(peer, scheme, headers) is is_https
