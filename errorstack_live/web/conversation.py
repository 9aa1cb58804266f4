"""One viewer's websocket from its first message to its close code.

The reader never waits, so that nothing piles up before it; what takes time is answered by a task
of its own, one thing after the other; one writer sends what the mailbox gives.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from quart.wrappers import Websocket

from errorstack_live.errors import Invalid, QueryError, StorageAway
from errorstack_live.live import asking, frames
from errorstack_live.live.asking import Asking, Fill, Filter, Mode, More, Ping, Start
from errorstack_live.live.cursor import Cursors
from errorstack_live.live.frames import Snapshot
from errorstack_live.live.hub import Hub
from errorstack_live.live.mailbox import TOO_SLOW, Close, Resync
from errorstack_live.live.replay import replay
from errorstack_live.live.view import View
from errorstack_live.live.viewer import Viewer
from errorstack_live.query import parse
from errorstack_live.web import history, snapshot
from errorstack_live.web.auth import Reader
from errorstack_live.web.history import Span
from errorstack_live.web.parameter import at_millis
from errorstack_live.web.snapshot import Snapshots

MESSAGES_PER_S = 50
"""From one viewer; a person's hands make a few."""
GOODBYE_S = 2.0
MAX_WAITING = 8
"""Requests of one viewer that wait for their answers; a page has one of each kind."""
MAX_MISSED = 1000
"""Errors sent at once to a list that comes back, or for a gap; a whole view gets all."""

BAD_MESSAGE = 4400
FAILED = Close(1011, "the server failed", retry_s=5.0)
STORAGE_AWAY = Close(1013, "the database is away", retry_s=5.0)

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Live:
    """What all conversations of a process share."""

    hub: Hub
    cursors: Cursors
    snapshots: Snapshots


class Conversation:
    """Talks with one viewer until either side ends it."""

    __slots__ = (
        "_answering",
        "_epoch",
        "_live",
        "_mailbox",
        "_message_count",
        "_reader",
        "_second",
        "_socket",
        "_start",
        "_view",
        "_viewer",
        "_waiting",
    )

    def __init__(self, socket: Websocket, reader: Reader, viewer: Viewer, live: Live) -> None:
        self._socket = socket
        self._reader = reader
        self._viewer = viewer
        self._mailbox = viewer.mailbox
        self._live = live
        self._start: Start | None = None
        self._view: View | None = None
        self._epoch = 0
        self._waiting: list[Callable[[], Awaitable[None]]] = []
        self._answering: asyncio.Task[None] | None = None
        self._second = 0
        self._message_count = 0

    async def run(self) -> None:
        """Return when the conversation is over; raises CancelledError when the viewer is gone."""
        self._viewer.task = asyncio.current_task()
        reading = asyncio.create_task(self._read())
        try:
            await self._write()
        finally:
            tasks = [task for task in (reading, self._answering) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self) -> None:
        """Send what the mailbox gives, until it says how to close."""
        while True:
            match await self._mailbox.take():
                case Close() as close:
                    await self._close(close)
                    return
                case Resync():
                    self._reopen()
                case text:
                    await self._send(text)

    async def _send(self, text: str) -> None:
        self._viewer.sending_since = self._live.hub.now()  # the hub cuts it off in the end
        await self._socket.send(text)
        self._viewer.sending_since = None

    async def _close(self, close: Close) -> None:
        if close is not TOO_SLOW:  # who does not read will not read a farewell
            await self._send(frames.bye(close.code, close.retry_s))
        self._viewer.sending_since = self._live.hub.now()
        await self._socket.close(close.code, close.reason)
        await self._drain()

    async def _drain(self) -> None:
        """Take what is still coming until the viewer has answered, which ends this by force.

        To close a connection on unread messages would destroy the close code on its way, and
        Hypercorn waits for ever to hand over messages that nobody takes.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                while True:
                    await self._socket.receive()

    async def _read(self) -> None:
        """Take every message at once; the first that no client of ours sends is the last."""
        try:
            while True:
                message = await self._socket.receive()
                self._count_message()
                self._take(asking.read(message))
        except Invalid as invalid:
            self._mailbox.close(Close(BAD_MESSAGE, invalid.message))
        except Exception:  # noqa: BLE001 - the viewer is told, and comes back
            _log.exception("conversation_failed")
            self._mailbox.close(FAILED)

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
            case Filter() if self._start is not None:
                self._show(asked.query, asked.epoch)
            case More() | Fill() if self._start is not None:
                self._look_up(asked)
            case _:
                raise Invalid("one start, and before anything else")

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
        reader = self._reader
        self._view = View(
            reader.stack.id,
            query,
            base=reader.base_query,
            hidden=reader.hidden,
            with_logs=reader.with_logs,
            whole=self._start is not None and self._start.whole,
        )
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
            is_recovered=True,
        )
        self._mailbox.answer(resumed.text(self._mailbox.epoch))
        self._mailbox.release()
        return True

    async def _more(self, view: View, asked: More) -> None:
        at = at_millis(asked.at)
        try:
            page = await history.errors(
                self._reader, view.query, Span(before=(at, asked.error_id)), limit=self._limit
            )
        except StorageAway:
            answer = frames.page(asked.epoch, [], at, is_complete=False)
        else:
            answer = frames.page(
                asked.epoch,
                snapshot.encode(page.errors, view),
                page.reached_at,
                is_complete=page.is_complete,
            )
        self._mailbox.answer(answer)

    async def _fill(self, view: View, asked: Fill) -> None:
        start, end = map(self._live.cursors.read, (asked.start, asked.end))
        entries = None
        if start is not None and end is not None:
            entries = await self._live.hub.recall(start, end)
        missed = replay(view, entries or ())
        shown = missed.rows if view.whole else missed.rows[:MAX_MISSED]
        is_complete = entries is not None and len(shown) == len(missed.rows)
        gap = asked.start, asked.end
        self._mailbox.answer(
            frames.fill(asked.epoch, gap, shown, missed.logs, is_complete=is_complete)
        )

    @property
    def _limit(self) -> int:
        return self._start.limit if self._start is not None else 0
