"""Counters of issues and minutes, merged in memory and written every second or 25 batches.

They may lag a crash by one such write. Each process keeps a note of until when it has counted;
what is open in the note of one that died is counted anew (``recount``). Counters and note are
written in one transaction, or, on a standalone server, one after the other.

An issue's document counts its first errors ``early``, in the moment it is made; the field says
how many of its count the minutes lack.
"""

import os
import socket
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import UpdateOne

from errorstack_live.model import Error, Level
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, new_id, object_id, utc
from errorstack_live.storage.minute import minute_key
from errorstack_live.storage.process import is_gone
from errorstack_live.storage.users import Users

SLACK = timedelta(seconds=30)
"""An error is counted at most this long after its time: sent, stored, counted."""
FLUSH_DEADLINE_S = 10.0
MINUTES_KEEP = timedelta(days=1)
"""Counters go this long after the errors they count."""

Session = AsyncIOMotorClientSession | None
_LIVING_NOTES: set[str] = set()


@dataclass(slots=True)
class _IssueCount:
    first_seen_at: datetime
    last_seen_at: datetime
    count: int = 0
    early: int = 0

    def update(self) -> Document:
        return {
            "$inc": {"count": self.count, "early": -self.early},
            "$min": {"first_seen_at": self.first_seen_at},
            "$max": {"last_seen_at": self.last_seen_at},
        }


@dataclass(slots=True)
class _MinuteCount:
    expire_at: datetime
    levels: Counter[Level] = field(default_factory=Counter)

    def update(self) -> Document:
        changed = {f"levels.{level.value}": n for level, n in self.levels.items() if n}
        return {"$inc": changed, "$setOnInsert": {"expire_at": self.expire_at}}


class Counters:
    """What this process has yet to write into ``issues`` and ``minutes``."""

    def __init__(self, database: Database, *, with_transactions: bool) -> None:
        self._database = database
        self._with_transactions = with_transactions
        self._issues: dict[str, _IssueCount] = {}
        self._minutes: dict[str, _MinuteCount] = {}
        self._users = Users()
        self.note = ""
        self.is_in_doubt = False

    async def open(self, now: datetime) -> None:
        """Leave a note that this process counts from now on."""
        self.note = f"counting:{new_id()}"
        _LIVING_NOTES.add(self.note)
        async with deadline(in_turn=False):
            await self._database.meta.insert_one(
                {
                    "_id": self.note,
                    "kind": "counting",
                    "host": socket.gethostname(),
                    "pid": os.getpid(),
                    "since": utc(now) - SLACK,
                    "at": utc(now),
                }
            )

    async def close(self, now: datetime) -> None:
        """Write what is left and take the note away."""
        await self.flush(now)
        _LIVING_NOTES.discard(self.note)
        async with deadline(in_turn=False):
            await self._database.meta.delete_one({"_id": self.note})

    def doubt(self) -> None:
        """Say that nobody knows whether something was stored or counted since the last flush."""
        self.is_in_doubt = True

    async def abandon(self, now: datetime) -> None:
        """Go on under a new note: what the old one leaves open is counted anew some time later."""
        _LIVING_NOTES.discard(self.note)
        await self.open(now)
        self.is_in_doubt = False

    def add(
        self, error: Error, expire_at: datetime, count: int = 1, *, is_early: bool = False
    ) -> None:
        """Count an error, which ``is_early`` in its issue's count; -1 takes one away."""
        issue = self._issue(error)
        if count > 0:
            self._users.see(error)
        if is_early:
            issue.early += count
        else:
            issue.count += count
        for of in (None, error.issue):
            key = minute_key(error.stack, of, error.at)
            minute = self._minutes.get(key)
            if minute is None:
                minute = self._minutes[key] = _MinuteCount(expire_at + MINUTES_KEEP)
            minute.levels[error.level] += count

    async def flush(self, now: datetime) -> list[str]:
        """Write what was counted, all or nothing; returns the ids of the issues.

        When this raises, nobody knows which: it is in doubt then.
        """
        issues, self._issues = self._issues, {}
        minutes, self._minutes = self._minutes, {}
        users = self._users.take()
        since = utc(now) - SLACK

        async def write(session: Session) -> None:
            if issues:
                await self._database.issues.bulk_write(
                    [
                        *(UpdateOne({"_id": object_id(k)}, v.update()) for k, v in issues.items()),
                        *users,
                    ],
                    ordered=False,
                    session=session,
                )
            if minutes:
                await self._database.minutes.bulk_write(
                    [UpdateOne({"_id": k}, v.update(), upsert=True) for k, v in minutes.items()],
                    ordered=False,
                    session=session,
                )
            noted = {"at": utc(now)} if self.is_in_doubt else {"at": utc(now), "since": since}
            await self._database.meta.update_one(
                {"_id": self.note}, {"$set": noted}, session=session
            )

        try:
            async with deadline(FLUSH_DEADLINE_S, in_turn=False):
                await at_once(self._database, write, with_transaction=self._with_transactions)
        except BaseException:
            self.doubt()
            self._users.forget()
            raise
        return list(issues)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self._minutes

    def _issue(self, error: Error) -> _IssueCount:
        issue = self._issues.get(error.issue)
        if issue is None:
            issue = self._issues[error.issue] = _IssueCount(error.at, error.at)
        issue.first_seen_at = min(issue.first_seen_at, error.at)
        issue.last_seen_at = max(issue.last_seen_at, error.at)
        return issue


async def at_once(
    database: Database,
    write: Callable[[Session], Coroutine[Any, Any, None]],
    *,
    with_transaction: bool,
) -> None:
    """Write all or nothing, where the server has transactions; tried again on a conflict."""
    if not with_transaction:
        await write(None)
        return
    async with await database.client.start_session() as session:
        await session.with_transaction(write)


def is_dead(note: Document, now: datetime) -> bool:
    """Whether the process that wrote a note cannot write any more."""
    if note["_id"] in _LIVING_NOTES:
        return False
    if note["host"] == socket.gethostname() and note["pid"] == os.getpid():
        return True  # this process knows its own
    return is_gone(note["host"], note["pid"]) or bool(note["at"] < now - 4 * SLACK)
