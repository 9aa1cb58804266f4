"""The last entries of the stream, so that a viewer who was away for a moment misses none."""

from collections import deque
from collections.abc import Mapping

from errorstack_live.event import Entry, ErrorStored, Event, LogStored
from errorstack_live.model import Fields

MAX_ENTRIES = 5000
MAX_BYTES = 8 << 20
"""Of the memory that the entries' text takes, as estimated; Python's own objects come on top."""

ENTRY_BYTES = 500
"""An entry's objects without its text."""
VALUE_BYTES = 60
"""A value's object, and its place in what holds it."""


class Ring:
    """A bounded run of the stream's newest entries, without a gap.

    ``floor`` is the position right before the oldest of them: whoever has seen it has missed
    nothing that is not here. Entries come with rising positions.
    """

    def __init__(self, *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self.floor = ""
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: deque[tuple[Entry, int]] = deque()
        self._bytes = 0

    def add(self, entry: Entry) -> None:
        """Keep an entry; the oldest go where there are too many."""
        self.floor = self.floor or entry.position  # what came before the first is not known
        weight = weigh(entry.event)
        self._entries.append((entry, weight))
        self._bytes += weight
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            oldest, weight = self._entries.popleft()
            self._bytes -= weight
            self.floor = oldest.position

    def since(self, position: str) -> list[Entry] | None:
        """Return the entries after a position, oldest first; None when some are gone already."""
        if not self.floor or position < self.floor:
            return None
        found: list[Entry] = []
        for entry, _ in reversed(self._entries):
            if entry.position <= position:
                break
            found.append(entry)
        found.reverse()
        return found


def weigh(event: Event) -> int:
    """Estimate the bytes that an event keeps in memory."""
    match event:
        case ErrorStored(error):
            return ENTRY_BYTES + len(error.search) + _weigh(error.fields) + _weigh(error.reserved)
        case LogStored(message):
            return ENTRY_BYTES + len(message.text or "") + _weigh(message.fields)
        case _:
            return ENTRY_BYTES


def _weigh(value: object | Fields) -> int:
    if isinstance(value, str):
        return VALUE_BYTES + len(value)
    if isinstance(value, Mapping):
        return VALUE_BYTES + sum(len(name) + _weigh(inner) for name, inner in value.items())
    if isinstance(value, list):
        return VALUE_BYTES + sum(map(_weigh, value))
    return VALUE_BYTES
