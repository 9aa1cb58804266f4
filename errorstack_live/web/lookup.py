"""What a viewer may ask for beside the stream: older errors, and what lies in a gap."""

from dataclasses import dataclass, replace

from errorstack_live.errors import StorageAway
from errorstack_live.live import frames
from errorstack_live.live.asking import Fill, More
from errorstack_live.live.cursor import Cursors
from errorstack_live.live.hub import Hub
from errorstack_live.live.replay import replay
from errorstack_live.live.view import View
from errorstack_live.query import Query
from errorstack_live.web import history, snapshot
from errorstack_live.web.auth import Reader
from errorstack_live.web.history import Span
from errorstack_live.web.parameter import at_millis
from errorstack_live.web.snapshot import Snapshots

MAX_MISSED = 1000
"""Errors sent at once to a list that comes back, or for a gap; a whole view gets all."""


@dataclass(frozen=True, slots=True)
class Live:
    """What all conversations of a process share."""

    hub: Hub
    cursors: Cursors
    snapshots: Snapshots


def view_of(reader: Reader, query: Query, *, whole: bool) -> View:
    """What this reader sees of their stack through ``query``."""
    return replace(history.view_of(reader, query), whole=whole)


async def more(reader: Reader, view: View, asked: More, limit: int) -> str:
    """The answer to ``more``: what the database does not tell in time is not told."""
    at = at_millis(asked.at)
    span = Span(before=(at, asked.error_id))
    try:
        page = await history.errors(reader, view.query, span, limit=limit)
    except StorageAway:
        return frames.page(asked.epoch, [], at, is_complete=False)
    rows = snapshot.encode(page.errors, view)
    return frames.page(asked.epoch, rows, page.reached_at, is_complete=page.is_complete)


async def fill(live: Live, view: View, asked: Fill) -> str:
    """The answer to ``fill``: what lies between two cursors, as far as it can be read back."""
    start, end = map(live.cursors.read, (asked.start, asked.end))
    entries = None
    if start is not None and end is not None:
        entries = await live.hub.recall(start, end)
    missed = replay(view, entries or ())
    shown = missed.rows if view.whole else missed.rows[:MAX_MISSED]
    is_complete = entries is not None and len(shown) == len(missed.rows)
    gap = asked.start, asked.end
    return frames.fill(asked.epoch, gap, shown, missed.logs, is_complete=is_complete)
