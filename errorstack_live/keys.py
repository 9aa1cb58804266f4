"""Which stack a key belongs to, known in memory so that the door seldom asks the database."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable

from errorstack_live.limit import TokenBuckets
from errorstack_live.model import Stack

MAX_UNKNOWN_KEYS = 10_000
UNKNOWN_KEY_S = 1.0
"""A key that was unknown is looked up again after this long: it may have been made since."""
LOOKUPS_PER_S = 200
"""Invented keys cost the database at most this many reads a second; the rest are unknown."""


class StackKeys:
    """The living keys of all stacks.

    ``lookup`` asks the database for one key. It is asked for keys this process has not seen:
    a key made a moment ago in another process must work before the feed has told of it.
    """

    def __init__(
        self, lookup: Callable[[str], Awaitable[Stack | None]], *, clock: Callable[[], float]
    ) -> None:
        self._lookup = lookup
        self._clock = clock
        self._stacks: dict[str, Stack] = {}
        self._unknown: OrderedDict[str, float] = OrderedDict()
        self._lookups = TokenBuckets(rate=LOOKUPS_PER_S, burst=LOOKUPS_PER_S, max_keys=1)

    def replace(self, stacks: Iterable[Stack]) -> None:
        """Know exactly these stacks from now on."""
        self._stacks = {
            each.key: stack for stack in stacks for each in stack.keys if each.revoked_at is None
        }
        self._unknown.clear()

    def peek(self, key: str) -> Stack | None:
        """The stack of a key this process knows already."""
        return self._stacks.get(key)

    async def find(self, key: str) -> Stack | None:
        """The stack of a key, or None for one that is empty, unknown or revoked."""
        stack = self._stacks.get(key)
        if stack is not None or not key:
            return stack
        now_s = self._clock()
        if self._unknown.get(key, 0.0) > now_s or self._lookups.take("", now_s):
            return None
        stack = await self._lookup(key)
        if stack is None:
            self._remember_unknown(key, now_s)
        else:
            self._stacks[key] = stack
        return stack

    def _remember_unknown(self, key: str, now_s: float) -> None:
        self._unknown[key] = now_s + UNKNOWN_KEY_S
        self._unknown.move_to_end(key)
        if len(self._unknown) > MAX_UNKNOWN_KEYS:
            self._unknown.popitem(last=False)
