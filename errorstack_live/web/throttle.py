"""When each address may come again: the rate limiter's store, bounded."""

from collections import OrderedDict
from datetime import datetime

from quart_rate_limiter.store import RateLimiterStoreABC


class Arrivals(RateLimiterStoreABC):
    """The latest of ``max_keys`` addresses; the one that came longest ago is forgotten first."""

    def __init__(self, max_keys: int) -> None:
        self._max_keys = max_keys
        self._arrivals: OrderedDict[str, datetime] = OrderedDict()

    async def get(self, key: str, default: datetime) -> datetime:
        return self._arrivals.get(key, default)

    async def set(self, key: str, tat: datetime) -> None:
        self._arrivals[key] = tat
        self._arrivals.move_to_end(key)
        if len(self._arrivals) > self._max_keys:
            self._arrivals.popitem(last=False)

    async def before_serving(self) -> None: ...

    async def after_serving(self) -> None: ...
