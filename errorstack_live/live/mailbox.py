"""A viewer's mailbox: what waits to be sent to one websocket, bounded whatever the viewer does."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from errorstack_live.live.frames import Frame, Gap

MAX_FRAMES = 128
MAX_BYTES = 4 << 20
"""Of waiting frames, which are shared with other viewers' mailboxes. One frame always fits."""
MAX_ANSWERS = 16
"""Snapshots, pages and fills that wait: more than a viewer may have asked for."""
MAX_BEHIND_S = 30.0
"""A viewer that has not caught up for so long after an overflow is closed (1013)."""


@dataclass(frozen=True, slots=True)
class Close:
    """The last thing a mailbox gives: why the socket closes; ``retry_s`` 0 means for good."""

    code: int
    reason: str
    retry_s: float = 0.0


class Resync:
    """Says that the stream was lost: this viewer needs a new snapshot."""


RESYNC: Final = Resync()
TOO_SLOW: Final = Close(1013, "too slow", retry_s=5.0)

Item = str | Close | Resync


@dataclass(slots=True)
class Tally:
    """What all mailboxes of a process did together, for its metrics."""

    frames_sent: int = 0
    frames_dropped: int = 0
    errors_skipped: int = 0


class Mailbox:
    """Frames, answers and notices for one viewer; nothing that is put into it waits.

    Frames come in the order they were put, after the snapshot of their epoch: from ``begin`` to
    ``release`` they are held. When frames overflow, those that wait are dropped, and the next one
    says how many errors they held (``skipped``). With ``counts_only`` every frame but heartbeats
    is dropped in this way: a page that nobody sees needs no rows.
    """

    __slots__ = (
        "_answers",
        "_behind_since",
        "_bytes",
        "_close",
        "_epoch",
        "_frames",
        "_gap",
        "_is_held",
        "_needs_resync",
        "_notices",
        "_tally",
        "_waiter",
        "counts_only",
    )

    def __init__(self, tally: Tally) -> None:
        self.counts_only = False
        self._tally = tally
        self._answers: list[str] = []  # few and short-lived: an empty deque takes 760 bytes
        self._notices: dict[str, str] = {}
        self._needs_resync = False
        self._close: Close | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.begin(0)

    def begin(self, epoch: int) -> None:
        """Forget the frames that wait; hold those that follow, which are of ``epoch``."""
        self._epoch = epoch
        self._frames: deque[Frame] = deque()
        self._bytes = 0
        self._gap: Gap | None = None
        self._is_held = True
        self._behind_since: float | None = None

    @property
    def epoch(self) -> int:
        """The epoch of the frames it gives."""
        return self._epoch

    def renumber(self, epoch: int) -> None:
        """Give what waits and follows another epoch: the view stays as it is."""
        self._epoch = epoch

    def release(self) -> None:
        """Give frames: their snapshot has been put."""
        self._is_held = False
        self._wake()

    def put(self, frame: Frame, now: float) -> None:
        """Add a frame."""
        if self._close is not None:
            return
        if self.counts_only and not frame.is_heartbeat:
            self._drop(frame)
            return
        if self._is_full_for(frame):
            self._overflow(now)
        self._frames.append(frame)
        self._bytes += frame.size
        self._wake()

    def answer(self, text: str) -> None:
        """Add an answer to what the viewer asked. It goes before all frames."""
        if len(self._answers) >= MAX_ANSWERS:
            self.close(TOO_SLOW)
            return
        self._answers.append(text)
        self._wake()

    def notify(self, kind: str, text: str) -> None:
        """Add a notice, of which only the last of its kind matters."""
        self._notices[kind] = text
        self._wake()

    def resync(self) -> None:
        """Ask for a new snapshot: the frames that wait have a gap of unknown size before them."""
        self.begin(self._epoch)
        self._needs_resync = True
        self._wake()

    def close(self, close: Close) -> None:
        """End: nothing that waits is given any more. The first reason stays."""
        if self._close is None:
            self._close = close
            self.begin(self._epoch)
            self._wake()

    def is_behind(self, now: float) -> bool:
        """Whether the viewer has read too slowly for too long."""
        return self._behind_since is not None and now - self._behind_since >= MAX_BEHIND_S

    @property
    def owes_counts(self) -> bool:
        """Whether the viewer of a hidden page has counts to be told."""
        return self.counts_only and self._gap is not None and not self._frames

    async def take(self) -> Item:
        """Return the next thing to send or do, as soon as there is one. For one task alone."""
        while (item := self._next()) is None:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return item

    def _next(self) -> Item | None:
        if self._close is not None:
            return self._close
        if self._needs_resync:
            self._needs_resync = False
            return RESYNC
        if self._answers:
            return self._answers.pop(0)
        if self._notices:
            return self._notices.pop(next(iter(self._notices)))
        if self._frames and not self._is_held:
            return self._next_frame()
        if not self._frames:
            self._behind_since = None
        return None

    def _next_frame(self) -> str:
        frame = self._frames.popleft()
        self._bytes -= frame.size
        self._tally.frames_sent += 1
        if self._gap is not None:
            frame, self._gap = self._gap.end_with(frame), None
        return frame.text(self._epoch)

    def _is_full_for(self, frame: Frame) -> bool:
        count = len(self._frames)
        return count >= MAX_FRAMES or (count > 0 and self._bytes + frame.size > MAX_BYTES)

    def _overflow(self, now: float) -> None:
        for frame in self._frames:
            self._drop(frame)
            self._tally.frames_dropped += 1
            self._tally.errors_skipped += frame.counts.total
        self._frames.clear()
        self._bytes = 0
        if self._behind_since is None:
            self._behind_since = now

    def _drop(self, frame: Frame) -> None:
        if self._gap is None:
            self._gap = Gap()
        self._gap.add(frame)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
