"""The hub: takes the stream's entries and tells every viewer what their view shows of them.

It never waits for anybody. Each view gathers a batch, encoded once for all its viewers; the pace
of frames follows the load, so that a few errors are seen at once and many never pile up.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from errorstack_live.event import (
    Entry,
    ErrorStored,
    IssueChanged,
    LogStored,
    MarkerChanged,
    PinsChanged,
    Refused,
    SessionEnded,
    ShareChanged,
    WatchingChanged,
)
from errorstack_live.live.batch import Moment
from errorstack_live.live.channel import Channel
from errorstack_live.live.crowd import Crowd
from errorstack_live.live.gather import gather
from errorstack_live.live.mailbox import Tally
from errorstack_live.live.pinboard import Pinboard
from errorstack_live.live.presence import Presence
from errorstack_live.live.ring import Ring
from errorstack_live.live.trap import Traps
from errorstack_live.live.view import View
from errorstack_live.live.viewer import Pass, Viewer

FRAMES_PER_S = 5000
"""About what a quarter of a core sends. A flush is followed by a pause that pays for it ..."""
MAX_PAUSE_S = 0.1
"""... but not by a longer one."""
TICK_S = 1.0
MAX_CATCH_UP = 5000
"""Entries read back for one viewer; for more a new snapshot is cheaper."""


class Source(Protocol):
    """Where entries come from (``storage.feed``).

    ``position`` is never ahead of what was published, ``lag_s`` how far behind the stream it is.
    ``catch_up`` returns the entries after one position up to and with another, None when the
    stream does not reach back that far or there are more than ``limit``.
    """

    @property
    def position(self) -> str: ...
    @property
    def lag_s(self) -> float: ...
    async def catch_up(self, after: str, until: str, limit: int) -> list[Entry] | None: ...


class Hub:
    """One process's views and viewers. All of it runs in one event loop."""

    def __init__(
        self,
        *,
        version: str,
        process_id: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.version = version
        self.crowd = Crowd(clock)
        self.presence = Presence(self.crowd, process_id)
        self.pinboard = Pinboard(self.crowd)
        self.traps = Traps(clock)
        self._clock = clock
        self._source: Source | None = None
        self.sign: Callable[[str], str] = str
        self._ring = Ring()
        self._published = ""
        self._lost_before = ""
        self._by_stack: dict[str, dict[View, Channel]] = {}
        self._channels: dict[Viewer, Channel] = {}
        self._waiting: set[Channel] = set()
        self._next_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def follow(self, source: Source, sign: Callable[[str], str]) -> None:
        """Take the place in the stream from its source; ``sign`` makes cursors of positions."""
        self._source = source
        self.sign = sign

    @property
    def position(self) -> str:
        """The place in the stream up to which everything has been published here."""
        return max(self._published, self._source.position if self._source else "")

    @property
    def lag_s(self) -> float:
        """How far the source is behind the stream."""
        return self._source.lag_s if self._source else 0.0

    @property
    def tally(self) -> Tally:
        """What was sent, dropped and skipped since the start."""
        return self.crowd.tally

    @property
    def total_viewers(self) -> int:
        """How many watch in this process."""
        return len(self.crowd)

    def viewers(self, stack_id: str) -> int:
        """How many watch a stack, in all processes."""
        return self.presence.viewers(stack_id)

    async def run(self) -> None:
        """Do once a second, until cancelled, what no entry brings about."""
        while True:
            await asyncio.sleep(TICK_S)
            self.tick()

    def tick(self) -> None:
        """Keep the pace, heartbeats, deadlines and presence of this second."""
        moment = self._moment()
        for channel in self._all_channels():
            channel.tick(moment)
        self.crowd.tick(moment.now, datetime.fromtimestamp(moment.now_s, UTC))
        self.presence.tick()
        self.traps.tick()
        self.pinboard.tick()

    async def close(self) -> None:
        """Let every viewer go, with the word that the server restarts."""
        await self.crowd.close()
        if self._timer is not None:
            self._timer.cancel()

    def now(self) -> float:
        """The hub's clock, for what it checks."""
        return self._clock()

    # Viewers

    def enter(self, sees: View, held: Pass, address: str) -> Viewer:
        """Let someone in; see ``Crowd.enter``. Whoever enters must ``leave``."""
        return self.crowd.enter(sees, held, address)

    def watch(self, viewer: Viewer, view: View, epoch: int, *, since: str | None = None) -> bool:
        """Show a viewer this view from now on, instead of the one it had.

        Frames are held until the mailbox's ``release``: the snapshot is read after this, so that
        nothing falls between. With ``since`` the entries after that position come first; False,
        and nothing changed, when they are not all here any more.
        """
        missed = [] if since is None else self._recent(since)
        if missed is None:
            return False
        self._unwatch(viewer)
        channel = self._channel(view)
        if not channel.batch.is_empty:
            channel.send(self._moment())  # it happened before this viewer came
        viewer.mailbox.begin(epoch)
        channel.viewers.add(viewer)
        self._channels[viewer] = channel
        self._catch_up(viewer, view, missed)
        return True

    def show_rows(self, viewer: Viewer, *, shown: bool) -> None:
        """Send a viewer all of its frames, or, as long as nobody sees its page, counts only."""
        viewer.mailbox.counts_only = not shown
        channel = self._channels.get(viewer)
        if channel is not None and shown:
            channel.end_gap(viewer, self._moment())

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer; more than once does no harm."""
        self._unwatch(viewer)
        self.traps.drop(viewer)
        self.crowd.leave(viewer)

    async def recall(self, after: str, until: str) -> list[Entry] | None:
        """Read back what was published after one position up to and with another.

        None when that is not possible: too long ago, or too much.
        """
        recent = self._recent(after)
        if recent is not None:
            return [entry for entry in recent if entry.position <= until]
        if self._source is None:
            return None
        return await self._source.catch_up(after, until, MAX_CATCH_UP)

    def _recent(self, since: str) -> list[Entry] | None:
        if since < self._lost_before:
            return None
        return [] if since >= self.position else self._ring.since(since)

    def _catch_up(self, viewer: Viewer, view: View, entries: Iterable[Entry]) -> None:
        """Put what the entries show into one mailbox, as frames."""
        alone = Channel(view, self._clock())
        alone.viewers.add(viewer)
        for entry in entries:
            gather(entry, [alone])
        if not alone.batch.is_empty:
            alone.send(self._moment())

    def _channel(self, view: View) -> Channel:
        channels = self._by_stack.setdefault(view.stack, {})
        if view not in channels:
            channels[view] = Channel(view, self._clock())
        return channels[view]

    def _unwatch(self, viewer: Viewer) -> None:
        channel = self._channels.pop(viewer, None)
        if channel is None:
            return
        channel.viewers.remove(viewer)
        if not channel.viewers:
            view = channel.view
            self._waiting.discard(channel)
            del self._by_stack[view.stack][view]
            if not self._by_stack[view.stack]:
                del self._by_stack[view.stack]

    def _all_channels(self) -> list[Channel]:
        return [each for channels in self._by_stack.values() for each in channels.values()]

    # The stream

    def publish(self, entries: Sequence[Entry]) -> None:
        """Take entries, in the stream's order. Returns at once; frames follow by themselves."""
        for entry in entries:
            self._published = entry.position
            if not isinstance(entry.event, WatchingChanged):  # no view shows it
                self._ring.add(entry)
            match entry.event:
                case ShareChanged(share):
                    self.crowd.change_share(share)
                case SessionEnded(session):
                    self.crowd.end_session(session)
                case WatchingChanged(watching):
                    self.presence.take(watching)
                case PinsChanged(stack):
                    self.pinboard.changed(stack)
                case (
                    ErrorStored()
                    | LogStored()
                    | IssueChanged()
                    | MarkerChanged()
                    | Refused() as event
                ):
                    if isinstance(event, ErrorStored):
                        self.traps.see(event)
                        self.pinboard.see(event)
                    channels = self._by_stack.get(_stack(event))
                    if channels:
                        self._waiting.update(gather(entry, channels.values()))
                case _:
                    pass
        self._schedule()

    def lost(self) -> None:
        """The source was overtaken and begins anew: what it missed is unknown to every viewer.

        To be called when the new stream is open: only then does a snapshot leave nothing out.
        """
        self._ring = Ring()
        self._published = ""
        self._lost_before = self.position
        self.crowd.resync()

    def _schedule(self) -> None:
        """Have the next flush when the first view that waits may have it, and it is paid for."""
        if not self._waiting:
            return
        at = max(self._next_at, min(channel.due_at for channel in self._waiting))
        wait_s = max(0.0, at - self._clock())
        loop = asyncio.get_running_loop()
        if self._timer is not None:
            if self._timer.when() <= loop.time() + wait_s:
                return
            self._timer.cancel()
        self._timer = loop.call_later(wait_s, self._flush)

    def _flush(self) -> None:
        self._timer = None
        moment = self._moment()
        due = [channel for channel in self._waiting if channel.due_at <= moment.now]
        self._waiting.difference_update(due)
        sent_count = sum(channel.send(moment) for channel in due)
        self._next_at = moment.now + min(sent_count / FRAMES_PER_S, MAX_PAUSE_S)
        self._schedule()

    def _moment(self) -> Moment:
        return Moment(self._clock(), time.time(), self.position, self.lag_s, self.sign)


def _stack(event: ErrorStored | LogStored | IssueChanged | MarkerChanged | Refused) -> str:
    match event:
        case ErrorStored(error):
            return error.stack
        case LogStored(message):
            return message.stack
        case IssueChanged(issue):
            return issue.stack
        case MarkerChanged(marker):
            return marker.stack
        case Refused(stack):
            return stack
