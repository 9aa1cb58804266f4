"""Tells this process what becomes durable, in the database's own order."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import structlog
from pymongo.errors import OperationFailure, PyMongoError

from errorstack_live.event import Entry, Event
from errorstack_live.storage.deadline import brief
from errorstack_live.storage.entry import came_at, entries_of
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.stream import Batch, read

AWAIT_S = 1.0
"""An idle stream answers this often, and so tells that it lives."""
CATCH_UP_S = 2.0
CATCH_UPS_AT_ONCE = 2
"""Each reads a stream of its own; who waits longer than CATCH_UP_S gets a fresh snapshot."""
CATCH_UP_BYTES = 32 << 20
"""Of changes that are read back; strangers send them, of up to 1 MiB each."""
FIRST_PAUSE_S = 0.05
MAX_PAUSE_S = 2.0

_OVERTAKEN = frozenset({136, 260, 280, 286})
"""CappedPositionLost, InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost."""
_log = structlog.get_logger(__name__)


class Feed:
    """Follows the change stream for ever, through restarts of the server.

    ``publish`` is called with the entries of one batch, in order, in the event loop. ``lost`` is
    called when the database cannot tell any more what came next: a new stream is open by then,
    so that whatever was missed can be read from the database.
    """

    def __init__(
        self,
        store: Store,
        *,
        publish: Callable[[Sequence[Entry]], None],
        lost: Callable[[], None],
    ) -> None:
        self._store = store
        self._publish = publish
        self._lost = lost
        self._is_lost = False
        self._opened = asyncio.Event()
        self._catching_up = asyncio.Semaphore(CATCH_UPS_AT_ONCE)
        self._heard_at = time.monotonic()
        self._last_lag_s = 0.0
        self.is_live = False
        self.position = ""

    @property
    def lag_s(self) -> float:
        """How old the newest error or log message was when it came through.

        While the database is silent that is for how long.
        """
        silent_s = time.monotonic() - self._heard_at
        return silent_s if silent_s > 2 * AWAIT_S else self._last_lag_s

    async def ready(self) -> None:
        """Wait until the stream is open for the first time: nothing later is missed."""
        await self._opened.wait()

    async def run(self) -> None:
        """Follow until cancelled."""
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with aclosing(read(self._store, self.position, await_s=AWAIT_S)) as batches:
                    async for batch in batches:
                        self._take(batch)
                        pause_s = FIRST_PAUSE_S
            except (PyMongoError, TimeoutError) as error:
                self._interrupted(error)
            finally:
                self.is_live = False
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    async def catch_up(self, after: str, until: str, limit: int) -> list[Entry] | None:
        """What came after one position, up to and with another; None when that cannot be told.

        That is when it is more than ``limit`` entries or CATCH_UP_BYTES, or too long ago, or not
        read in time.
        """
        entries: list[Entry] = []
        room = CATCH_UP_BYTES
        try:
            async with (
                asyncio.timeout(CATCH_UP_S),
                self._catching_up,
                aclosing(read(self._store, after, await_s=0.05)) as batches,
            ):
                async for batch in batches:
                    entries += entries_of(batch.changes)
                    room -= sum(len(change.raw) for change in batch.changes)
                    if room < 0:
                        return None
                    if batch.position >= until:
                        break
                    if len(entries) > limit:
                        return None
        except (PyMongoError, TimeoutError):
            return None
        wanted = [each for each in entries if after < each.position <= until]
        return wanted if len(wanted) <= limit else None

    def _take(self, batch: Batch) -> None:
        self._heard_at = time.monotonic()
        if self._is_lost:
            self._is_lost = False
            self._lost()
        entries = entries_of(batch.changes)
        at = came_at(entries)
        if at is not None:
            self._last_lag_s = max((datetime.now(UTC) - at).total_seconds(), 0.0)
        elif not batch.changes:
            self._last_lag_s = 0.0
        self.position = batch.position
        if entries:
            self._tell(entries)
        self.is_live = True
        self._opened.set()

    def _tell(self, entries: Sequence[Entry]) -> None:
        try:
            self._publish(entries)
        except Exception:  # noqa: BLE001 - one batch is a gap that is announced, not the end
            _log.exception("feed_not_published", entries=len(entries))
            self._lost()

    def _interrupted(self, error: Exception) -> None:
        _log.warning("feed_interrupted", problem=brief(error))
        if isinstance(error, OperationFailure) and error.code in _OVERTAKEN:
            self.position, self._is_lost = "", True


class DirectFeed:
    """The same for a standalone server, which has no change stream: one process hears itself.

    Give ``committed`` to the Writer.
    """

    def __init__(self, *, publish: Callable[[Sequence[Entry]], None]) -> None:
        self._publish = publish
        self._epoch = time.time_ns()
        self._number = 0
        self.lag_s = 0.0
        self.is_live = True
        self.position = self._next()

    async def ready(self) -> None:
        """Nothing to wait for."""

    async def run(self) -> None:
        """Nothing to follow; never ends, as a feed."""
        await asyncio.Event().wait()

    async def catch_up(self, after: str, until: str, limit: int) -> list[Entry] | None:
        """Never possible: what was said is not kept."""
        del after, until, limit
        return None

    def committed(self, events: Sequence[Event]) -> None:
        """Publish what is durable, in this order."""
        entries = [Entry(self._next(), event) for event in events]
        if entries:
            self.position = entries[-1].position
            self._publish(entries)

    def _next(self) -> str:
        """A position behind all others, of earlier starts as well."""
        self._number += 1
        return f"{self._epoch:016x}{self._number:012x}"
