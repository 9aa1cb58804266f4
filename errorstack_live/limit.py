"""How fast one key or address may submit: token buckets in bounded memory, without a clock."""

from collections import OrderedDict
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network


class TokenBuckets:
    """One bucket for every key, of ``burst`` tokens, refilled with ``rate`` tokens a second.

    A bucket is kept as the one time at which it will be full again (GCRA). At most ``max_keys``
    are kept; past that the key used longest ago is forgotten, and starts anew with a full bucket.
    """

    __slots__ = ("_full_at", "_max_keys", "_rate", "_refill_s")

    def __init__(self, rate: float, burst: float, max_keys: int) -> None:
        self._rate = rate
        self._refill_s = burst / rate
        self._max_keys = max_keys
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, key: str, now_s: float, n: float = 1, *, rate: float | None = None) -> float:
        """Take ``n`` tokens: 0.0 when there were enough, else the seconds until there will be.

        A refusal takes nothing. More than a whole bucket can never be there at once: such an
        ``n`` takes a full bucket. ``rate`` replaces the usual one for this key, and its burst
        in proportion.
        """
        full_at = max(self._full_at.get(key, now_s), now_s)
        then = full_at + min(n / (rate or self._rate), self._refill_s)
        wait_s = then - now_s - self._refill_s
        is_allowed = wait_s <= _ROUNDING_S
        self._remember(key, then if is_allowed else full_at)
        return 0.0 if is_allowed else wait_s

    def _remember(self, key: str, full_at: float) -> None:
        self._full_at[key] = full_at
        self._full_at.move_to_end(key)
        if len(self._full_at) > self._max_keys:
            self._full_at.popitem(last=False)


_ROUNDING_S = 1e-9
"""Sums of many small steps miss the exact second by less than this."""


@lru_cache(maxsize=1024)
def neighbours(address: str) -> str:
    """What counts as one network address: who has one of IPv6 may choose from 2^64 beside it."""
    if ":" not in address:
        return address
    try:
        known = IPv6Address(address)
    except ValueError:
        return address
    return str(known.ipv4_mapped or IPv6Network((int(known), 64), strict=False))
