"""Snapshots: what a view shows when it is opened. Read once for all who open it together.

After a restart a thousand viewers come back within seconds, most of them to the same few views.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from errorstack_live.errors import StorageAway
from errorstack_live.live import rows
from errorstack_live.live.frames import Minutes, Snapshot
from errorstack_live.live.hub import Hub
from errorstack_live.live.view import View
from errorstack_live.live.viewer import Viewer
from errorstack_live.model import Error
from errorstack_live.web import history
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import now

SHARED_S = 1.0
"""A snapshot serves those who come this long after it was begun; the hub adds what it lacks."""
READ_AT_ONCE = 8
"""Snapshots read at a time; the driver has few threads, and submissions need them too."""
MAX_ISSUES = 100
MAX_MARKERS = 50
CHARTED = timedelta(hours=1)
TRIES = 15
TRY_S = 1.0
"""While the database is away, a snapshot is tried again after so long."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A snapshot that is being read; it lacks nothing that came before ``position``.

    ``waiting`` are those who want it. When there are none by its turn it is given up: one viewer
    that changes its query all the time must not make all others wait.
    """

    position: str
    snapshot: asyncio.Task[Snapshot]
    waiting: list[Viewer]


class Snapshots:
    """Opens views: subscribes first, then reads, so that nothing falls between."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._reading: dict[tuple[View, int], _Reading] = {}
        self._turns = asyncio.Semaphore(READ_AT_ONCE)

    async def open(
        self, reader: Reader, viewer: Viewer, view: View, epoch: int, limit: int
    ) -> None:
        """Show the viewer this view: its snapshot with ``limit`` errors, then its frames.

        Raises StorageAway when the database stays away.
        """
        reading = self._reading.get((view, limit))
        if (
            reading is None
            or reading.snapshot.cancelled()
            or not self._hub.watch(viewer, view, epoch, since=reading.position)
        ):
            reading = self._begin(reader, view, limit)
            self._hub.watch(viewer, view, epoch)
        reading.waiting.append(viewer)
        try:
            snapshot = await asyncio.shield(reading.snapshot)
        finally:
            reading.waiting.remove(viewer)
        viewer.mailbox.answer(snapshot.text(viewer.mailbox.epoch))  # it may have changed
        viewer.mailbox.release()

    def _begin(self, reader: Reader, view: View, limit: int) -> _Reading:
        key = view, limit
        position = self._hub.position
        waiting: list[Viewer] = []
        reads = partial(read, reader, view, limit, self._hub.sign(position))
        task = asyncio.create_task(self._read(reads, waiting))
        task.add_done_callback(_retrieve)
        reading = self._reading[key] = _Reading(position, task, waiting)
        asyncio.get_running_loop().call_later(SHARED_S, self._end, key, reading)
        return reading

    def _end(self, key: tuple[View, int], reading: _Reading) -> None:
        if self._reading.get(key) is reading:
            del self._reading[key]

    async def _read(
        self, reads: Callable[[], Awaitable[Snapshot]], waiting: list[Viewer]
    ) -> Snapshot:
        for _ in range(TRIES):
            try:
                async with self._turns:
                    if not waiting:
                        raise asyncio.CancelledError
                    return await reads()
            except StorageAway:
                await asyncio.sleep(TRY_S)
        raise StorageAway("The database is away")


async def read(reader: Reader, view: View, limit: int, cursor: str) -> Snapshot:
    """Read what the view shows now."""
    page = await history.errors(reader, view.query, limit=limit)
    return Snapshot(
        rows=encode(page.errors, view),
        logs=[rows.log(message) for message in await history.logs(reader)],
        minutes=await minutes(reader, view),
        issues=await issues(reader, view),
        cursor=cursor,
        markers=await markers(reader),
        reached_at=page.reached_at,
        is_complete=page.is_complete,
    )


def encode(errors: Iterable[Error], view: View) -> list[bytes]:
    """The view's rows of errors that were read for it."""
    return [rows.row(error, whole=view.whole, with_logs=view.with_logs) for error in errors]


async def issues(reader: Reader, view: View) -> list[bytes]:
    """The stack's issues, newest first; none where a share link is limited."""
    if not view.is_open:
        return []
    return [rows.issue(issue) for issue in await history.issues(reader, limit=MAX_ISSUES)]


async def markers(reader: Reader) -> list[bytes]:
    """The stack's newest markers, newest first; none where a share link is limited."""
    return [rows.marker(each) for each in await history.markers(reader, limit=MAX_MARKERS)]


async def minutes(reader: Reader, view: View) -> Minutes:
    """The last hour's counters; none where they would have to be counted first."""
    if not view.is_open or not view.query.is_empty:
        return ()
    until = now()
    series, _ = await history.minutes(reader, until - CHARTED, until)
    return series


def _retrieve(task: asyncio.Task[Snapshot]) -> None:
    """Those who wait for it see its failure; when nobody does any more, nobody needs to."""
    if not task.cancelled():
        task.exception()
