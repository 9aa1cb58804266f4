"""Counts anew what a process that died, or lost its database, may have left uncounted."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import UpdateOne

from errorstack_live.model import Status
from errorstack_live.storage.counter import MINUTES_KEEP, SLACK, Session, at_once, is_dead
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, utc
from errorstack_live.storage.minute import minute_key

DESCRIBED = ("stack", "fingerprint", "title", "type", "level", "where", "group")
RECOUNT_S = 120.0
MINUTE = timedelta(minutes=1)


async def recount(
    database: Database, now: datetime, *, own_note: str, with_transactions: bool
) -> int:
    """Count anew for each process that died; returns for how many.

    While other processes count, the last minutes are not settled: those wait for a later call.
    ``own_note`` is that of a process that has not counted anything yet, or empty.
    """
    async with deadline(in_turn=False):
        which = {"kind": "counting", "_id": {"$ne": own_note}}
        notes = await database.meta.find(which).to_list(None)
    dead = [note for note in notes if is_dead(note, now)]
    is_alone = len(dead) == len(notes)
    done = 0
    for note in dead:
        until = now + MINUTE if is_alone else _minute(note["at"] + SLACK) + MINUTE
        if is_alone or until + SLACK < now:
            await _recount(database, note, until, with_transactions=with_transactions)
            done += 1
    return done


@dataclass(slots=True)
class _Counted:
    """What the counters of some minutes of a stack must be."""

    levels: dict[str, Counter[str]] = field(default_factory=dict)
    expire_at: dict[str, datetime] = field(default_factory=dict)
    issue_of: dict[str, ObjectId] = field(default_factory=dict)
    uncounted: Counter[ObjectId] = field(default_factory=Counter)
    stored: Counter[ObjectId] = field(default_factory=Counter)
    described: dict[ObjectId, Document] = field(default_factory=dict)

    def add(self, key: str, found: dict[str, Any]) -> None:
        """Count errors of one level under one key."""
        expire_at = found["expire_at"] + MINUTES_KEEP
        self.levels.setdefault(key, Counter())[found["_id"]["level"]] += found["count"]
        self.expire_at[key] = max(expire_at, self.expire_at.get(key, expire_at))

    def minutes(self) -> list[UpdateOne]:
        return [
            UpdateOne(
                {"_id": key},
                {"$set": {"levels": levels}, "$setOnInsert": {"expire_at": self.expire_at[key]}},
                upsert=True,
            )
            for key, levels in self.levels.items()
        ]

    def issues(self) -> list[UpdateOne]:
        return [
            UpdateOne({"_id": issue}, [{"$set": self._issue(issue, uncounted)}], upsert=True)
            for issue, uncounted in self.uncounted.items()
        ]

    def _issue(self, issue: ObjectId, uncounted: int) -> Document:
        """An update that also makes the document of an issue that was never made."""
        known = {
            name: {"$ifNull": [f"${name}", {"$literal": value}]}
            for name, value in self.described.get(issue, {}).items()
        }
        early = {"$ifNull": ["$early", 0]}
        count = {"$add": ["$count", {"$subtract": [uncounted, early]}]}
        return {
            **known,
            "count": {"$ifNull": [count, self.stored[issue]]},  # null where it was never made
            "early": 0,
        }


async def _recount(
    database: Database, note: Document, until: datetime, *, with_transactions: bool
) -> None:
    """Make the counters of the note's minutes what the errors say, and take the note away."""
    async with deadline(RECOUNT_S, in_turn=False):
        minutes: list[UpdateOne] = []
        issues: list[UpdateOne] = []
        async for stack in database.stacks.find({}, {"_id": 1}):
            counted = await _count(database, stack["_id"], _minute(note["since"]), utc(until))
            minutes += counted.minutes()
            issues += counted.issues()

        async def write(session: Session) -> None:
            mine = await database.meta.delete_one({"_id": note["_id"]}, session=session)
            if not mine.deleted_count:  # another process was first
                return
            if minutes:
                await database.minutes.bulk_write(minutes, ordered=False, session=session)
            if issues:
                await database.issues.bulk_write(issues, ordered=False, session=session)

        await at_once(database, write, with_transaction=with_transactions)


async def _count(database: Database, stack: ObjectId, since: datetime, until: datetime) -> _Counted:
    counted = _Counted()
    async for found in _groups(database, stack, since, until):
        issue, minute = found["_id"]["issue"], found["_id"]["minute"]
        key = minute_key(str(stack), str(issue), minute)
        counted.add(minute_key(str(stack), None, minute), found)
        counted.add(key, found)
        counted.issue_of[key] = issue
        counted.uncounted[issue] += found["count"]
        counted.stored[issue] += found["count"]
        counted.described.setdefault(issue, _described(found))
    recorded = {"_id": {"$in": list(counted.issue_of)}}
    async for found in database.minutes.find(recorded, {"levels": 1}):
        counted.uncounted[counted.issue_of[found["_id"]]] -= sum(found["levels"].values())
    seen = {"stack": stack, "last_seen_at": {"$gte": since, "$lt": until}, "early": {"$gt": 0}}
    async for found in database.issues.find(seen, {"_id": 1}):
        counted.uncounted[found["_id"]] += 0  # made for errors that then were not stored
    return counted


def _groups(
    database: Database, stack: ObjectId, since: datetime, until: datetime
) -> AsyncIterator[Document]:
    minute = {"$dateTrunc": {"date": "$at", "unit": "minute"}}
    return database.errors.aggregate(
        [
            {"$match": {"stack": stack, "at": {"$gte": since, "$lt": until}}},
            {
                "$group": {
                    "_id": {"issue": "$issue", "minute": minute, "level": "$level"},
                    "count": {"$sum": 1},
                    "expire_at": {"$max": "$expire_at"},
                    "first_seen_at": {"$min": "$at"},
                    "last_seen_at": {"$max": "$at"},
                    "error": {"$first": {name: f"${name}" for name in DESCRIBED}},
                }
            },
        ]
    )


def _described(found: Document) -> Document:
    seen = {name: found[name] for name in ("first_seen_at", "last_seen_at")}
    said = dict(found["error"])
    if group := said.pop("group", None):  # of an issue that a rule made
        said |= {"title": group, "type": ""}
    return {**said, **seen, "status": Status.OPEN.value, "regressed_at": None}


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
