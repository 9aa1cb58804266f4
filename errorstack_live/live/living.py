"""Each stack's living log messages: the last 10, none older than an hour (PROTOCOL 8)."""

from bisect import insort
from collections import OrderedDict
from datetime import datetime, timedelta
from operator import attrgetter

from errorstack_live.event import LogStored
from errorstack_live.live.ring import weigh
from errorstack_live.model import LogMessage

MAX_LIVING = 10
MAX_AGE = timedelta(hours=1)
MAX_STACKS = 10_000
MAX_BYTES = 32 << 20
"""Past either, the messages of the stack that has been silent for longest are forgotten."""

_in_order = attrgetter("at", "id")


class LivingLogs:
    """Remembers what errors are stored with as "before this", without asking the database.

    Messages may come in any order, and more than once: from the door and from the feed.
    """

    def __init__(self, *, max_stacks: int = MAX_STACKS, max_bytes: int = MAX_BYTES) -> None:
        self._stacks: OrderedDict[str, list[LogMessage]] = OrderedDict()
        self._max_stacks = max_stacks
        self._max_bytes = max_bytes
        self._bytes = 0

    def add(self, message: LogMessage) -> None:
        """Remember a message, unless it is known or 10 newer ones are."""
        messages = self._stacks.setdefault(message.stack, [])
        if any(known.id == message.id for known in messages):
            return
        self._stacks.move_to_end(message.stack)
        insort(messages, message, key=_in_order)
        self._bytes += weigh(LogStored(message))
        if len(messages) > MAX_LIVING:
            self._forget(messages.pop(0))
        while len(self._stacks) > self._max_stacks or self._bytes > self._max_bytes:
            for old in self._stacks.popitem(last=False)[1]:
                self._forget(old)

    def alive(self, stack_id: str, now: datetime) -> tuple[LogMessage, ...]:
        """Return the stack's messages of the last hour, at most 10, oldest first."""
        since = now - MAX_AGE
        return tuple(each for each in self._stacks.get(stack_id, ()) if each.at > since)

    def _forget(self, message: LogMessage) -> None:
        self._bytes -= weigh(LogStored(message))
