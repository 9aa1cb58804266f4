"""What is said with one viewer, from the first message to the close code, over whatever carries it.

``hear`` never waits, so that nothing piles up before it; what takes time is answered by a task of
its own, one thing after the other; ``next`` gives what the mailbox does. A websocket carries it in
``socket``, a stream of events in ``events`` and in ``api.tail``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from errorstack_live.errors import Invalid, QueryError, StorageAway
from errorstack_live.live import asking, frames
from errorstack_live.live.asking import Asking, Fill, Filter, Mode, More, Ping, Start, Trap, Traps
from errorstack_live.live.frames import Snapshot
from errorstack_live.live.mailbox import Close, Resync
from errorstack_live.live.replay import replay
from errorstack_live.live.view import View
from errorstack_live.live.viewer import Viewer
from errorstack_live.query import parse
from errorstack_live.web import lookup, snapshot, trapping
from errorstack_live.web.auth import Reader
from errorstack_live.web.lookup import MAX_MISSED, Live

MESSAGES_PER_S = 50
"""From one viewer; a person's hands make a few."""
MAX_WAITING = 8
"""Requests of one viewer that wait for their answers; a page has one of each kind."""

BAD_MESSAGE = 4400
FAILED = Close(1011, "the server failed", retry_s=5.0)
STORAGE_AWAY = Close(1013, "the database is away", retry_s=5.0)

_log = structlog.get_logger(__name__)


class Conversation:
    """Talks with one viewer until either side ends it. Whoever begins one must ``end`` it."""

    __slots__ = (
        "_answering",
        "_checking",
        "_epoch",
        "_live",
        "_mailbox",
        "_message_count",
        "_reader",
        "_second",
        "_start",
        "_view",
        "_viewer",
        "_waiting",
    )

    def __init__(self, reader: Reader, viewer: Viewer, live: Live) -> None:
        self._reader = reader
        self._viewer = viewer
        self._mailbox = viewer.mailbox
        self._live = live
        self._start: Start | None = None
        self._view: View | None = None
        self._epoch = 0
        self._waiting: list[Callable[[], Awaitable[None]]] = []
        self._answering: asyncio.Task[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._second = 0
        self._message_count = 0

    def hear(self, message: str | bytes) -> bool:
        """Take a message; False when no client of ours sends it: then it was the last."""
        try:
            self._count_message()
            self._take(asking.read(message))
        except Invalid as invalid:
            self._mailbox.close(Close(BAD_MESSAGE, invalid.message))
            return False
        except Exception:  # noqa: BLE001 - the viewer is told, and comes back
            _log.exception("conversation_failed")
            self._mailbox.close(FAILED)
            return False
        return True

    async def next(self) -> str | Close:
        """What to say next, as soon as there is something; how to close is the last."""
        while isinstance(item := await self._mailbox.take(), Resync):
            self._reopen()
        return item

    async def end(self) -> None:
        """Leave unanswered what is still being looked up."""
        tasks = [each for each in (self._answering, self._checking) if each is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _count_message(self) -> None:
        second = int(self._live.hub.now())
        self._message_count = self._message_count + 1 if second == self._second else 1
        self._second = second
        if self._message_count > MESSAGES_PER_S:
            raise Invalid("too many messages")

    def _take(self, asked: Asking) -> None:
        match asked:
            case Ping(at):
                self._mailbox.notify("pong", frames.pong(at))
            case Mode(counts_only):
                self._live.hub.show_rows(self._viewer, shown=not counts_only)
            case Start() if self._start is None:
                self._start = asked
                self._viewer.has_started = True
                self._show(asked.query, asked.epoch, asked.since)
                if not asked.whole:  # a terminal has no place for them
                    self._live.hub.pinboard.greet(self._viewer)
            case Traps(traps):
                self._set_traps(traps)
            case Filter() if self._start is not None:
                self._show(asked.query, asked.epoch)
            case More() | Fill() if self._start is not None:
                self._look_up(asked)
            case _:
                raise Invalid("one start, and before anything else")

    def _set_traps(self, traps: tuple[Trap, ...]) -> None:
        understood = trapping.put(self._live.hub, self._reader, self._viewer, traps)
        if self._checking is not None:
            self._checking.cancel()
        looking = trapping.look_back(self._reader, self._viewer, understood)
        self._checking = asyncio.create_task(looking)

    # What takes time

    def _show(self, text: str, epoch: int, since: str | None = None) -> None:
        """Change to another query. What cannot be understood changes nothing but the epoch."""
        self._epoch = epoch
        try:
            query = parse(text)
        except QueryError as error:
            self._mailbox.renumber(epoch)
            self._mailbox.answer(frames.problem(epoch, error.message, error.at))
            return
        whole = self._start is not None and self._start.whole
        self._view = lookup.view_of(self._reader, query, whole=whole)
        self._reopen(since)

    def _reopen(self, since: str | None = None) -> None:
        """Open the view in hand; what was asked of the one before is of no use any more."""
        if self._answering is not None:
            self._answering.cancel()
            self._answering = None
        self._waiting.clear()
        if self._view is not None:
            self._ask(partial(self._open, self._view, since))

    def _look_up(self, asked: More | Fill) -> None:
        if self._view is None or asked.epoch != self._epoch:
            return  # meant for a list that is not shown any more
        if isinstance(asked, More):
            self._ask(partial(self._more, self._view, asked))
        else:
            self._ask(partial(self._fill, self._view, asked))

    def _ask(self, answer: Callable[[], Awaitable[None]]) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise Invalid("too many requests at once")
        self._waiting.append(answer)
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer())

    async def _answer(self) -> None:
        try:
            while self._waiting:
                await self._waiting.pop(0)()
        except StorageAway:
            self._mailbox.close(STORAGE_AWAY)
        except Exception:  # noqa: BLE001 - the viewer is told, and comes back
            _log.exception("answer_failed")
            self._mailbox.close(FAILED)

    async def _open(self, view: View, since: str | None) -> None:
        position = self._live.cursors.read(since)
        if position is None or not await self._resume(view, position):
            await self._live.snapshots.open(
                self._reader, self._viewer, view, self._epoch, self._limit
            )

    async def _resume(self, view: View, position: str) -> bool:
        """Send what happened since the position; False when that is not known or too much."""
        hub = self._live.hub
        until = max(hub.position, position)  # this process may be behind the one before
        hub.watch(self._viewer, view, self._epoch)
        entries = await hub.recall(position, until)
        missed = None if entries is None else replay(view, entries)
        if missed is None or (len(missed.rows) > MAX_MISSED and not view.whole):
            return False
        resumed = Snapshot(
            rows=missed.rows,
            logs=missed.logs,
            minutes=await snapshot.minutes(self._reader, view),
            issues=await snapshot.issues(self._reader, view),
            cursor=self._live.cursors.sign(until),
            markers=await snapshot.markers(self._reader),
            is_recovered=True,
        )
        self._mailbox.answer(resumed.text(self._mailbox.epoch))
        self._mailbox.release()
        return True

    async def _more(self, view: View, asked: More) -> None:
        self._mailbox.answer(await lookup.more(self._reader, view, asked, self._limit))

    async def _fill(self, view: View, asked: Fill) -> None:
        self._mailbox.answer(await lookup.fill(self._live, view, asked))

    @property
    def _limit(self) -> int:
        return self._start.limit if self._start is not None else 0
