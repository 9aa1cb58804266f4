"""Each stack's living log messages: the last 10, none older than an hour (PROTOCOL 8)."""

import json
from bisect import insort
from collections import OrderedDict
from dataclasses import replace
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
MAX_KEPT_CHARS = 3_000
"""Of each message that is kept with an error; the rest is an ellipsis. Else ten long messages
would make 160 KiB of every error that follows them: a cheap way to fill a disk."""

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
        """Remember a message, shortened to MAX_KEPT_CHARS, unless it or 10 newer ones are known."""
        message = _shortened(message)
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


def _shortened(message: LogMessage) -> LogMessage:
    """Long fields become text: of a part of them nobody could tell what is missing."""
    if weigh(LogStored(message)) <= MAX_KEPT_CHARS:
        return message
    text = message.text
    if text is None:
        text = json.dumps(message.fields, ensure_ascii=False)
    if len(text) <= MAX_KEPT_CHARS:
        return message
    return replace(message, text=f"{text[:MAX_KEPT_CHARS]}…", fields=None)
