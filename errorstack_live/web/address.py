"""Who is at the other end: the network address, behind proxies that are trusted to say."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address


class Proxies:
    """The networks whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed."""

    def __init__(self, trusted: Sequence[IPv4Network | IPv6Network]) -> None:
        self._trusted = tuple(trusted)
        self._is_trusted = lru_cache(maxsize=1024)(self._look_up)

    def address(self, peer: str, headers: Mapping[bytes, bytes]) -> str:
        """The nearest address that is not a trusted proxy's; ``peer`` where none is trusted.

        Header names are lower case. What a proxy was told by others is not believed: the list is
        walked from its end, and stops at the first address that is not trusted.
        """
        if not self._trusted or not self._is_trusted(peer):
            return peer
        forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1")
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            if not self._is_trusted(hop):
                return hop
        return peer

    def is_https(self, peer: str, scheme: str, headers: Mapping[bytes, bytes]) -> bool:
        """Whether the browser speaks https, to us or to a trusted proxy."""
        if self._trusted and self._is_trusted(peer):
            return headers.get(b"x-forwarded-proto", scheme.encode()).strip() == b"https"
        return scheme in {"https", "wss"}

    def _look_up(self, text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._trusted)
