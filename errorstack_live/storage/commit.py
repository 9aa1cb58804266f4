"""Group commit: whatever has gathered is written at once, and each writer learns of its own.

No timer: a lone document is written immediately, and while that is on its way the next batch
gathers. So batches grow with the load, and the time a document waits does not.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog
from bson.raw_bson import RawBSONDocument

from errorstack_live.errors import ErrorStackError, StorageAway
from errorstack_live.model import Stored

ANSWER_S = 2.5
"""A document that is not durable by then is answered with StorageAway (PROTOCOL 7: within 3 s)."""
MAX_QUEUED = 20_000
MAX_QUEUED_BYTES = 128 << 20
MAX_BATCH = 500
FURTHER_BATCH = 32
"""With fewer waiting it is cheaper to let them gather behind the batch that is on its way."""
MAX_BATCH_BYTES = 12 << 20
"""Of one insert: MongoDB takes 48 MB, and a batch of this size takes a tenth of a second."""

T = TypeVar("T")
_log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Waiting(Generic[T]):
    """One document on its way: what it says, its bytes, and who waits for it."""

    item: T
    raw: RawBSONDocument
    answer: asyncio.Future[Stored]
    began_at: float = field(default_factory=time.monotonic)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.raw.raw)

    def stored(self, stored: Stored) -> None:
        """Answer that it is durable."""
        if not self.answer.done():  # who asked may have gone
            self.answer.set_result(stored)

    def failed(self, error: ErrorStackError) -> None:
        """Answer that it is not, or not known to be."""
        if not self.answer.done():
            self.answer.set_exception(error)


class GroupCommit(Generic[T]):
    """A bounded queue in front of ``commit(batch, ends_at)``.

    That writes a batch and answers everybody in it by ``ends_at``, in the time of
    ``time.monotonic``. Whom it leaves without an answer gets StorageAway.
    """

    def __init__(
        self, commit: Callable[[Sequence[Waiting[T]], float], Awaitable[None]], *, at_once: int
    ) -> None:
        self._commit = commit
        self._at_once = at_once
        self._queue: deque[Waiting[T]] = deque()
        self._queued_bytes = 0
        self._batches: set[asyncio.Task[None]] = set()
        self._is_due = False
        self._is_open = False

    def __len__(self) -> int:
        return len(self._queue)

    def start(self) -> None:
        """Take documents from now on."""
        self._is_open = True

    async def close(self) -> None:
        """Take no more, write what is queued, and end."""
        self._is_open = False
        self._start_batches()
        while self._batches:
            await asyncio.wait(self._batches)

    async def store(self, item: T, raw: RawBSONDocument) -> Stored:
        """Wait until a document is durable. Raises StorageAway, at once when the queue is full."""
        if not self._is_open:
            raise StorageAway("The server is stopping")
        if len(self._queue) >= MAX_QUEUED or self._queued_bytes > MAX_QUEUED_BYTES:
            raise StorageAway("Too much waits to be stored")
        loop = asyncio.get_running_loop()
        waiting = Waiting(item, raw, loop.create_future())
        self._queue.append(waiting)
        self._queued_bytes += waiting.size
        if not self._is_due:  # after everything that came in this turn of the event loop
            self._is_due = True
            loop.call_soon(self._start_batches)
        return await waiting.answer

    def _start_batches(self) -> None:
        """Send a batch when none is on its way, or when enough waits for one more."""
        self._is_due = False
        while self._queue and (
            not self._batches
            or (len(self._batches) < self._at_once and len(self._queue) >= FURTHER_BATCH)
        ):
            task = asyncio.create_task(self._write(self._take()))
            self._batches.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        self._start_batches()

    async def _write(self, batch: list[Waiting[T]]) -> None:
        problem: ErrorStackError
        try:
            await self._commit(batch, batch[0].began_at + ANSWER_S)
            problem = StorageAway("The batch was not answered for")
        except ErrorStackError as error:
            problem = error
        except Exception:  # noqa: BLE001 - whatever it was, whoever waits must be answered
            _log.exception("batch_failed", documents=len(batch))
            problem = StorageAway("Storing failed")
        for waiting in batch:
            waiting.failed(problem)

    def _take(self) -> list[Waiting[T]]:
        batch: list[Waiting[T]] = []
        size = 0
        while self._queue and len(batch) < MAX_BATCH:
            size += self._queue[0].size
            if batch and size > MAX_BATCH_BYTES:
                break
            waiting = self._queue.popleft()
            self._queued_bytes -= waiting.size
            batch.append(waiting)
        return batch
