"""Makes errors and log messages durable, and everything that is counted of them true."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from errorstack_live.errors import ErrorStackError, NotFound, StorageAway, UnknownKey
from errorstack_live.event import ErrorStored, Event, IssueChanged, LogStored, Refused
from errorstack_live.model import (
    BY_FINGERPRINT,
    Error,
    Grouping,
    Issue,
    LogMessage,
    Marker,
    Stored,
)
from errorstack_live.storage import error as errors
from errorstack_live.storage import log as logs
from errorstack_live.storage.bound import MAX_ISSUES, IssueBound, forget_gone
from errorstack_live.storage.commit import GroupCommit, Waiting
from errorstack_live.storage.counter import Counters
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import encode, new_id, object_id
from errorstack_live.storage.first import Firsts
from errorstack_live.storage.insert import Failure, Taken, insert
from errorstack_live.storage.job import Job, keep_doing
from errorstack_live.storage.known import KnownIssues
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.part import Joined, Parts
from errorstack_live.storage.recount import recount
from errorstack_live.storage.retention import Retention, apply_retention
from errorstack_live.storage.use import FLUSH_S

BATCHES_AT_ONCE = 2
"""While one waits for the disk the next is sent."""
UNTRIMMED = 10
"""After so many further log messages of a stack its old ones are deleted."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """An error and when it goes; a later part of it is grouped by ``grouping``."""

    error: Error
    expire_at: datetime
    grouping: Grouping = BY_FINGERPRINT


class Writer:
    """Group commit with everything that belongs to it: parts, issues, counters, refusals.

    Without a change stream ``on_committed`` is told what is durable, in the order of commits.
    ``on_batch`` is told the size of each batch and the seconds it took. With less free space than
    ``min_free_bytes`` on the database's disk nothing is stored (``has_space``).
    """

    def __init__(
        self,
        store: Store,
        *,
        on_committed: Callable[[Sequence[Event]], None] | None = None,
        on_batch: Callable[[int, float], None] | None = None,
        min_free_bytes: int = 0,
        max_issues: int = MAX_ISSUES,
    ) -> None:
        self._store = store
        self._changes = store.changes
        self._changes.to = on_committed
        self._on_batch = on_batch
        self._min_free_bytes = min_free_bytes
        self._retention = Retention(store.stacks)
        self._known = KnownIssues(store.database, store.changes)
        self._bound = IssueBound(store.database, self._known, max_issues)
        self._parts = Parts(store.database, self._place)
        self._firsts = Firsts(store.database)
        self._counters = Counters(store.database, with_transactions=store.is_replica_set)
        self._errors = GroupCommit(self._commit_errors, at_once=BATCHES_AT_ONCE)
        self._logs = GroupCommit(self._commit_logs, at_once=1)
        self._untrimmed: Counter[str] = Counter()
        self._refused: Counter[tuple[str, str]] = Counter()
        self._jobs: list[asyncio.Task[None]] = []
        self.has_space = True

    @property
    def queued(self) -> int:
        """Errors and log messages that wait for their batch."""
        return len(self._errors) + len(self._logs)

    async def start(self) -> None:
        """Count anew what was left uncounted when the server last died; then take submissions."""
        await self._counters.open(_now())
        await self._recount(own_note=self._counters.note)
        await self._look_at_space()
        self._errors.start()
        self._logs.start()
        self._jobs = [
            asyncio.create_task(keep_doing(job), name=job.name)
            for job in (
                Job("counters", 1.0, self._flush),
                Job("firsts", 5.0, self._firsts.flush),
                Job("refusals", 1.0, self._write_refused),
                Job("space", 2.0, self._look_at_space),
                Job("retention", 5.0, self._apply_retention),
                Job("note", 10.0, self._note),
                Job("ignored", 1.0, self._return_ignored),
                Job("merges", 1.0, self._move_merged),
                Job("gone", 3600.0, self._forget_gone),
                Job("recount", 30.0, self._recount),
                Job("removals", 5.0, self._finish_removals),
                Job("uses", FLUSH_S, self._store.uses.flush),
            )
        ]

    async def close(self) -> None:
        """Make durable what was taken, write what was counted, and end."""
        await asyncio.gather(self._errors.close(), self._logs.close())
        for task in self._jobs:
            task.cancel()
        await asyncio.gather(*self._jobs, return_exceptions=True)
        with suppress(ErrorStackError):  # what is left is counted anew at the next start
            await self._write_refused()
            await self._store.uses.flush()
            await self._counters.close(_now())
            await self._firsts.flush()

    async def store(self, error: Error, grouping: Grouping = BY_FINGERPRINT) -> Stored:
        """Store an error; returns when it is durable, or joined to the one it is a part of.

        Raises StorageAway within 3 s, UnknownKey when its stack is gone, TooLarge, BadSubmission.
        """
        self._check_space()
        try:
            expire_at = await self._retention.expire_at(error.stack, error.at)
        except NotFound:
            raise UnknownKey from None
        raw = encode(errors.to_document(error, expire_at))
        return await self._errors.store(Kept(error, expire_at, grouping), raw)

    async def remove(self, error: Error) -> None:
        """Delete an error and take it off the counters. Raises NotFound.

        Who watches keeps what they were shown, and may be shown it again while it is remembered
        for who comes back: some minutes.
        """
        expire_at = await self._retention.expire_at(error.stack, error.at)
        await self._store.errors.remove(error.stack, error.id)
        if error.issue:  # not of one that could not be read
            self._counters.add(error, expire_at, -1)

    async def store_log(self, message: LogMessage) -> Stored:
        """Store a log message; returns when it is durable. Raises StorageAway, TooLarge."""
        self._check_space()
        return await self._logs.store(message, encode(logs.to_document(message)))

    async def store_marker(self, marker: Marker) -> Stored:
        """Store a marker; returns when it is durable. Raises StorageAway."""
        self._check_space()
        await self._store.markers.add(marker)
        return Stored(marker.id)

    def refuse(self, stack_id: str, reason: str) -> None:
        """Count a submission that was refused; viewers are told each second."""
        self._refused[stack_id, reason] += 1

    def see_issue(self, issue: Issue) -> None:
        """Take over what the feed tells of an issue."""
        self._known.see(issue)

    # Errors

    async def _commit_errors(self, batch: Sequence[Waiting[Kept]], ends_at: float) -> None:
        await self._keep_bound(batch, ends_at)
        await self._tell_new(batch)
        failures = await self._insert("errors", batch, ends_at)
        stored = [each for index, each in enumerate(batch) if index not in failures]
        await self._stored(stored, ends_at)
        taken = []
        for index, failure in failures.items():
            if isinstance(failure, Taken):
                taken.append(batch[index])
            else:
                self._firsts.release(batch[index].item.error)
                batch[index].failed(failure)
        await asyncio.gather(*(self._join(each, ends_at) for each in taken))

    async def _place(self, error: Error) -> Error:
        return (await self._bound.keep([error])).get(error.id, error)

    async def _keep_bound(self, batch: Sequence[Waiting[Kept]], ends_at: float) -> None:
        """Send errors that would make an issue too many to the one that holds the rest."""
        try:
            async with deadline(max(ends_at - time.monotonic(), 0.1), in_turn=False):
                moved = await self._bound.keep([each.item.error for each in batch])
        except ErrorStackError:
            return  # storing finds out whether the database is away
        for each in batch:
            error = moved.get(each.item.error.id)
            if error is not None:
                each.item = replace(each.item, error=error)
                each.raw = encode(errors.to_document(error, each.item.expire_at))

    async def _tell_new(self, batch: Sequence[Waiting[Kept]]) -> None:
        """Note in errors what they are the first of; most are of nothing, and stay as they are."""
        found = await self._firsts.of([each.item.error for each in batch], self._known)
        for index, new in found.items():
            waiting = batch[index]
            kept = waiting.item
            error = replace(kept.error, new=tuple(dict.fromkeys((*kept.error.new, *new))))
            waiting.item = replace(kept, error=error)
            waiting.raw = encode(errors.to_document(error, kept.expire_at))

    async def _insert(
        self,
        collection: str,
        batch: Sequence[Waiting[Kept]] | Sequence[Waiting[LogMessage]],
        ends_at: float,
    ) -> dict[int, Failure]:
        began_at = time.monotonic()
        documents = [each.raw for each in batch]
        try:
            return await insert(self._store.database, collection, documents, ends_at=ends_at)
        except StorageAway:
            self._counters.doubt()  # it may have been stored
            raise
        finally:
            if self._on_batch is not None:
                self._on_batch(len(batch), time.monotonic() - began_at)

    async def _stored(self, batch: Sequence[Waiting[Kept]], ends_at: float) -> None:
        """Count and answer for errors that are durable."""
        if self._changes.to is not None:
            self._changes.tell(*(ErrorStored(each.item.error) for each in batch))
        early = await self._issues_of([each.item.error for each in batch], ends_at)
        new = set(early)
        for each in batch:
            error = each.item.error
            self._counters.add(error, each.item.expire_at, is_early=early[error.issue] > 0)
            count = self._known.count(error.issue)
            each.stored(Stored(error.id, error.issue, is_new=error.issue in new, count=count))
            new.discard(error.issue)

    async def _issues_of(self, stored: Sequence[Error], ends_at: float) -> Counter[str]:
        """Make the issues of errors that are stored; see ``KnownIssues.prepare``."""
        try:
            async with deadline(max(ends_at - time.monotonic(), 0.2), in_turn=False):
                return await self._known.prepare(stored)
        except ErrorStackError:  # the errors are durable all the same
            self._counters.doubt()
            return Counter()

    async def _join(self, waiting: Waiting[Kept], ends_at: float) -> None:
        """Join a part to its error, or begin a new one with it."""
        part = waiting.item.error
        try:
            async with deadline(max(ends_at - time.monotonic(), 0.1), in_turn=False):
                joined = await self._parts.join(part, waiting.item.grouping)
        except ErrorStackError as error:
            self._counters.doubt()
            waiting.failed(error)
            return
        if joined is None:
            await self._commit_errors([waiting], ends_at)
            return
        is_new = False
        if not joined.is_repeat:
            is_new = await self._changed(joined, waiting.item.expire_at, ends_at)
        count = self._known.count(joined.now.issue, 0)
        waiting.stored(
            Stored(
                joined.now.id,
                joined.now.issue,
                is_new=is_new,
                is_repeat=joined.is_repeat,
                count=count,
            )
        )

    async def _changed(self, joined: Joined, expire_at: datetime, ends_at: float) -> bool:
        """Count a changed error where it is now; returns whether its issue is new."""
        before, now = joined.before, joined.now
        if self._changes.to is not None:
            self._changes.tell(ErrorStored(now, is_change=True))
        if (before.issue, before.level) == (now.issue, now.level):
            return False
        early = await self._issues_of([now], ends_at)
        self._counters.add(before, expire_at, -1)
        self._counters.add(now, expire_at, is_early=bool(early))
        self._known.count(now.issue)
        return bool(early)

    # Log messages

    async def _commit_logs(self, batch: Sequence[Waiting[LogMessage]], ends_at: float) -> None:
        failures = await self._insert("logs", batch, ends_at)
        for index, each in enumerate(batch):
            failure = failures.get(index)
            if failure is None:
                each.stored(Stored(each.item.id))
                self._changes.tell(LogStored(each.item))
                self._untrimmed[each.item.stack] += 1
            elif not isinstance(failure, Taken):
                each.failed(failure)
        for stack_id, count in list(self._untrimmed.items()):
            if count >= UNTRIMMED:
                with suppress(ErrorStackError):  # the next messages try again
                    await self._store.logs.trim(stack_id)
                    del self._untrimmed[stack_id]

    # What comes again and again

    async def _flush(self) -> None:
        if not self._counters.is_empty:
            issues = await self._counters.flush(_now())
            if self._changes.to is not None:
                found = await self._store.issues.by_ids(issues)
                self._changes.tell(*(IssueChanged(each) for each in found))

    async def _note(self) -> None:
        """Say that this process lives and counts; begin anew where counting is in doubt."""
        await self._counters.flush(_now())
        if self._counters.is_in_doubt:
            await self._counters.abandon(_now())

    async def _write_refused(self) -> None:
        refused, self._refused = self._refused, Counter()
        now = _now()
        documents = [
            {
                "_id": object_id(new_id()),
                "stack": object_id(stack),
                "reason": reason,
                "count": count,
                "at": now,
            }
            for (stack, reason), count in refused.items()
        ]
        if not documents:
            return
        try:
            async with deadline(in_turn=False):
                await self._store.database.refused.insert_many(documents, ordered=False)
        except ErrorStackError:
            self._refused.update(refused)
            raise
        self._changes.tell(
            *(Refused(stack, reason, n, now) for (stack, reason), n in refused.items())
        )

    async def _return_ignored(self) -> None:
        await self._store.issues.return_ignored(_now())

    async def _forget_gone(self) -> None:
        await forget_gone(self._store.database, _now())

    async def _move_merged(self) -> None:
        await self._store.merges.move(_now())

    async def _look_at_space(self) -> None:
        free = await self._store.free_bytes()
        has_space = free is None or free >= self._min_free_bytes
        if has_space != self.has_space:
            _log.warning("disk_space", free_bytes=free, stores=has_space)
        self.has_space = has_space

    async def _apply_retention(self) -> None:
        await apply_retention(self._store.database)

    async def _finish_removals(self) -> None:
        await self._store.stacks.finish_removals(_now())

    async def _recount(self, own_note: str = "") -> None:
        await recount(
            self._store.database,
            _now(),
            own_note=own_note,
            with_transactions=self._store.is_replica_set,
        )

    def _check_space(self) -> None:
        if not self.has_space:
            raise StorageAway("The database's disk is nearly full", reason="disk-full")


def _now() -> datetime:
    return datetime.now(UTC)
