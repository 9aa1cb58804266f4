"""Which messages are let into the queue, and how many were not."""

from __future__ import annotations

import threading
from collections import OrderedDict

from errorstack_client.field import Texts

MAX_REMEMBERED = 500
MINUTE_S = 60.0


class Losses:
    """Counts what is not sent, by reason, until an error that is sent tells of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def add(self, reason: str, count: int = 1) -> None:
        with self._lock:
            self._counts[reason] = self._counts.get(reason, 0) + count

    def take(self) -> dict[str, int]:
        """Return the counts, which are then told; ``put_back`` what was not told after all."""
        with self._lock:
            taken, self._counts = self._counts, {}
        return taken

    def put_back(self, counts: dict[str, int]) -> None:
        for reason, count in counts.items():
            self.add(reason, count)


def told(counts: dict[str, int]) -> Texts:
    """Return counts as fields: ``dropped_repeat`` and so on."""
    return [(f"dropped_{reason}", str(count)) for reason, count in sorted(counts.items())]


class Gate:
    """Lets so many messages in each minute, and the same error once in ``dedupe_s``."""

    def __init__(self, *, per_minute: int, dedupe_s: float) -> None:
        self._lock = threading.Lock()
        self._per_minute = per_minute
        self._dedupe_s = dedupe_s
        self._seen: OrderedDict[int, float] = OrderedDict()
        self._minute_began_s = float("-inf")
        self._count = 0

    def refusal(self, sameness: int, now_s: float) -> str:
        """Return why a message stays out: "repeat", "limit", or "" when it may go in."""
        with self._lock:
            if now_s - self._seen.get(sameness, float("-inf")) < self._dedupe_s:
                return "repeat"
            if now_s - self._minute_began_s >= MINUTE_S:
                self._minute_began_s, self._count = now_s, 0
            if self._count >= self._per_minute:
                return "limit"
            self._count += 1
            self._remember(sameness, now_s)
            return ""

    def _remember(self, sameness: int, now_s: float) -> None:
        self._seen[sameness] = now_s
        self._seen.move_to_end(sameness)
        if len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)
