"""Issues that members merge, or take apart again, and the errors that follow them.

To merge is to say where errors of a fingerprint go from now on (kept with the stack, applied as
they come) and to move those that are stored: in bounded steps, each with its counters, so that
whatever is read of an issue is read of it alone. Other processes may store errors under the old
issue for a moment yet: a move is done again twice before it is over.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from pymongo import IndexModel, UpdateOne

from errorstack_live.errors import Conflict, NotFound
from errorstack_live.event import IssueChanged, StackChanged
from errorstack_live.grouping import MAX_MERGES
from errorstack_live.model import Issue
from errorstack_live.storage import issue as issues
from errorstack_live.storage.change import Changes
from errorstack_live.storage.counter import MINUTES_KEEP, Session, at_once
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, new_id, object_id, utc
from errorstack_live.storage.error import BY_ISSUE
from errorstack_live.storage.minute import minute_key
from errorstack_live.storage.walk import Edge

INDEXES = (IndexModel([("due_at", 1)]),)
MAX_AT_ONCE = 100
"""Issues merged in one go."""
STEP = 500
"""Errors moved in one transaction: about 50 ms."""
STEP_S = 10.0
PASSES = (timedelta(0), timedelta(seconds=5), timedelta(seconds=60))
"""After it was asked for, a move is done so often; a flush and a refresh take a second or two."""
CLAIM = timedelta(seconds=30)
"""A process that has not moved a step for so long is taken for dead; another goes on."""


@dataclass(frozen=True, slots=True)
class _Move:
    """Errors of one issue that belong to another: all, or those of one fingerprint."""

    id: ObjectId
    stack: ObjectId
    source: ObjectId
    target: ObjectId
    fingerprint: str | None
    asked_at: datetime
    pass_number: int


class Merges:
    """The collection ``moves``, and what of issues and stacks belongs to merging."""

    def __init__(
        self, database: Database, changes: Changes, has_transactions: Callable[[], bool]
    ) -> None:
        self._database = database
        self._changes = changes
        self._has_transactions = has_transactions

    @deadline(STEP_S)
    async def merge(
        self, stack_id: str, issue_ids: Sequence[str], into: str, now: datetime
    ) -> list[Issue]:
        """Make these issues a part of another, with all that was merged into them before.

        Returns all of them, the target first; their errors follow within moments. Raises NotFound,
        and Conflict for more than a stack can keep.
        """
        stack, target = object_id(stack_id), object_id(into)
        keys = [key for key in map(object_id, dict.fromkeys(issue_ids)) if key != target]
        if len(keys) > MAX_AT_ONCE:
            raise Conflict(f"At most {MAX_AT_ONCE} issues are merged at once")

        async def write(session: Session) -> None:
            if await self._read(stack, {"_id": target, "into": None}, session) == []:
                raise NotFound("There is no such issue to merge into")
            sources = await self._read(stack, {"_id": {"$in": keys}, "into": None}, session)
            if len(sources) < len(keys):
                raise NotFound("One of these issues is not there, or merged already")
            under = await self._read(stack, {"into": {"$in": keys}}, session)
            marks = [each["fingerprint"] for each in (*sources, *under)]
            await self._send(stack, marks, into, session)
            which = {"_id": {"$in": [each["_id"] for each in (*sources, *under)]}}
            await self._database.issues.update_many(
                which, {"$set": {"into": target}}, session=session
            )
            users = [user for each in sources for user in each.get("users", ())]
            if users:
                most = users[: issues.MAX_USERS + 1]
                await self._database.issues.update_one(
                    {"_id": target, f"users.{issues.MAX_USERS}": {"$exists": False}},
                    {"$addToSet": {"users": {"$each": most}}},
                    session=session,
                )
            moves = [_document(stack, key, target, None, now) for key in keys]
            await self._database.moves.insert_many(moves, session=session)

        if keys:
            await at_once(self._database, write, with_transaction=self._has_transactions())
        return await self._tell(stack, [target, *keys])

    @deadline(STEP_S)
    async def unmerge(self, stack_id: str, issue_id: str, now: datetime) -> list[Issue]:
        """Take an issue out of the one it was merged into; what came of it meanwhile follows.

        What both have counted of errors that are gone by now, and their users, stay with the
        other. Returns the issue and the other one. Raises NotFound.
        """
        stack, key = object_id(stack_id), object_id(issue_id)
        holders: list[ObjectId] = []

        async def write(session: Session) -> None:
            found = await self._read(stack, {"_id": key, "into": {"$ne": None}}, session)
            if not found:
                raise NotFound("There is no such issue, or it is not merged")
            mark, holder = found[0]["fingerprint"], found[0]["into"]
            await self._database.stacks.update_one(
                {"_id": stack}, {"$pull": {"merges": {"fingerprint": mark}}}, session=session
            )
            await self._database.issues.update_one(
                {"_id": key}, {"$unset": {"into": 1}}, session=session
            )
            move = _document(stack, holder, key, mark, now)
            await self._database.moves.insert_one(move, session=session)
            holders[:] = [holder]

        await at_once(self._database, write, with_transaction=self._has_transactions())
        return await self._tell(stack, [key, *holders])

    async def move(self, now: datetime) -> int:
        """Do what is due, oldest first; returns how many errors were moved."""
        moved = 0
        while (due := await self._claim(now)) is not None:
            moved += await self._pass(due)
            await self._end(due)
        return moved

    async def _read(self, stack: ObjectId, which: Document, session: Session) -> list[Document]:
        found = self._database.issues.find({"stack": stack, **which}, session=session)
        return await found.to_list(None)

    async def _send(
        self, stack: ObjectId, marks: Sequence[str], into: str, session: Session
    ) -> None:
        """Let errors of these fingerprints go to another issue from now on."""
        found = await self._database.stacks.find_one({"_id": stack}, session=session)
        if found is None:
            raise NotFound("There is no such stack")
        merges = {each["fingerprint"]: each["into"] for each in found.get("merges", ())}
        merges |= dict.fromkeys(marks, into)
        if len(merges) > MAX_MERGES:
            raise Conflict(f"A stack keeps at most {MAX_MERGES} merges: a rule can stand for many")
        kept = [{"fingerprint": mark, "into": where} for mark, where in merges.items()]
        await self._database.stacks.update_one(
            {"_id": stack}, {"$set": {"merges": kept}}, session=session
        )

    async def _tell(self, stack: ObjectId, keys: Sequence[ObjectId]) -> list[Issue]:
        found = {
            each["_id"]: each for each in await self._read(stack, {"_id": {"$in": keys}}, None)
        }
        changed = [issues.from_document(found[key]) for key in keys if key in found]
        self._changes.tell(StackChanged(str(stack)), *map(IssueChanged, changed))
        return changed

    # Moving

    @deadline(in_turn=False)
    async def _claim(self, now: datetime) -> _Move | None:
        """Take the oldest move that is due and that no living process works at."""
        found = await self._database.moves.find_one_and_update(
            {"due_at": {"$lte": utc(now)}},
            {"$set": {"due_at": utc(now + CLAIM)}},
            sort=[("_id", 1)],
        )
        if found is None:
            return None
        return _Move(
            found["_id"],
            found["stack"],
            found["source"],
            found["target"],
            found["fingerprint"],
            found["asked_at"],
            found["pass"],
        )

    async def _pass(self, move: _Move) -> int:
        moved, edge, is_over = 0, None, False
        while not is_over:
            count, edge = await self._step(move, edge)
            moved += count
            is_over = edge is None
            async with deadline(in_turn=False):
                claimed_until = {"due_at": utc(datetime.now(UTC) + CLAIM)}
                await self._database.moves.update_one({"_id": move.id}, {"$max": claimed_until})
        return moved

    async def _end(self, move: _Move) -> None:
        """Wait for the next pass; after the last the move is over."""
        which = {"_id": move.id}
        later = move.pass_number + 1
        async with deadline(STEP_S, in_turn=False):
            if later < len(PASSES):
                due_at = utc(move.asked_at + PASSES[later])
                await self._database.moves.update_one(
                    which, {"$set": {"pass": later, "due_at": due_at}}
                )
                return

            async def write(session: Session) -> None:
                if move.fingerprint is None:
                    await self._move_rest(move, session)
                else:
                    await self._see_last(move, session)
                await self._database.moves.delete_one(which, session=session)

            await at_once(self._database, write, with_transaction=self._has_transactions())

    async def _step(self, move: _Move, edge: Edge | None) -> tuple[int, Edge | None]:
        """Move what belongs elsewhere of the next STEP errors behind ``edge``."""
        which: Document = {"stack": move.stack, "issue": move.source}
        rest = {"$and": [which, edge.older()]} if edge else which
        names = {"at": 1, "level": 1, "fingerprint": 1, "expire_at": 1}
        found: list[Document] = []
        mine: list[Document] = []

        async def write(session: Session) -> None:
            errors = self._database.errors.find(rest, names, hint=BY_ISSUE, session=session)
            found[:] = await errors.sort(BY_ISSUE[2:]).limit(STEP).to_list(None)
            mark = move.fingerprint
            mine[:] = [each for each in found if mark is None or each["fingerprint"] == mark]
            if mine:
                await self._write(move, mine, session)

        async with deadline(STEP_S, in_turn=False):
            await at_once(self._database, write, with_transaction=self._has_transactions())
        last = Edge(found[-1]["at"], found[-1]["_id"]) if len(found) == STEP else None
        return len(mine), last

    async def _write(self, move: _Move, mine: list[Document], session: Session) -> None:
        keys = {"_id": {"$in": [each["_id"] for each in mine]}}
        await self._database.errors.update_many(
            keys, {"$set": {"issue": move.target}}, session=session
        )
        await self._database.minutes.bulk_write(
            _minutes(move, mine), ordered=False, session=session
        )
        times = [each["at"] for each in mine]
        seen = {"$min": {"first_seen_at": min(times)}, "$max": {"last_seen_at": max(times)}}
        count = len(mine)
        await self._database.issues.bulk_write(
            [
                UpdateOne({"_id": move.source}, {"$inc": {"count": -count}}),
                UpdateOne({"_id": move.target}, {"$inc": {"count": count}, **seen}),
            ],
            session=session,
        )

    async def _move_rest(self, move: _Move, session: Session) -> None:
        """Count with the target what the source has counted of errors that are gone by now."""
        found = await self._database.issues.find_one({"_id": move.source}, session=session)
        if found and found["count"]:
            seen = {
                "$min": {"first_seen_at": found["first_seen_at"]},
                "$max": {"last_seen_at": found["last_seen_at"]},
            }
            await self._database.issues.bulk_write(
                [
                    UpdateOne({"_id": move.source}, {"$inc": {"count": -found["count"]}}),
                    UpdateOne({"_id": move.target}, {"$inc": {"count": found["count"]}, **seen}),
                ],
                session=session,
            )

    async def _see_last(self, move: _Move, session: Session) -> None:
        """Say when the issue that gave errors away was last seen without them."""
        which = {"stack": move.stack, "issue": move.source}
        newest = self._database.errors.find(which, {"at": 1}, hint=BY_ISSUE, session=session)
        for each in await newest.sort(BY_ISSUE[2:]).limit(1).to_list(1):
            await self._database.issues.update_one(
                {"_id": move.source}, {"$set": {"last_seen_at": each["at"]}}, session=session
            )


def _document(
    stack: ObjectId, source: ObjectId, target: ObjectId, mark: str | None, now: datetime
) -> Document:
    return {
        "_id": object_id(new_id()),
        "stack": stack,
        "source": source,
        "target": target,
        "fingerprint": mark,
        "asked_at": utc(now),
        "due_at": utc(now),
        "pass": 0,
    }


def _minutes(move: _Move, mine: list[Document]) -> list[UpdateOne]:
    """The counters of the minutes of these errors, from one issue to the other."""
    counts: dict[str, Counter[str]] = {}
    expire_at: dict[str, datetime] = {}
    for each in mine:
        for issue, one in ((move.source, -1), (move.target, 1)):
            key = minute_key(str(move.stack), str(issue), each["at"])
            counts.setdefault(key, Counter())[each["level"]] += one
            expire_at[key] = each["expire_at"] + MINUTES_KEEP
    return [
        UpdateOne({"_id": key}, _counted(levels, expire_at[key]), upsert=True)
        for key, levels in counts.items()
    ]


def _counted(levels: Counter[str], expire_at: datetime) -> dict[str, Any]:
    changed = {f"levels.{level}": count for level, count in levels.items()}
    return {"$inc": changed, "$setOnInsert": {"expire_at": expire_at}}
