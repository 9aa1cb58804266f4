"""Issues: what members see of all errors with one fingerprint, and what they said of it."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import IndexModel

from errorstack_live.errors import NotFound
from errorstack_live.event import IssueChanged
from errorstack_live.model import Error, Issue, Level, Status
from errorstack_live.query import pattern
from errorstack_live.storage.change import Changes
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, object_id, utc

INDEXES = (
    IndexModel([("stack", 1), ("last_seen_at", -1)]),
    IndexModel([("stack", 1), ("status", 1), ("last_seen_at", -1)]),
    IndexModel("returns", sparse=True),
)
MAX_WORDS = 10
"""Of a search; further words are left out."""
MAX_USERS = 100
"""Different users of an issue are counted exactly up to so many, then it is "100+"."""
NOT_MERGED: Document = {"into": None}
SORTS = {"last_seen": "last_seen_at", "first_seen": "first_seen_at", "count": "count"}


class Issues:
    """The collection ``issues``. One without a single error, or merged, is not listed."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._issues = database.issues
        self._changes = changes

    @deadline()
    async def find(
        self,
        stack_id: str,
        *,
        status: Status | None = None,
        limit: int = 100,
        query: str = "",
        sort: str = "last_seen",
    ) -> list[Issue]:
        """Issues by one of SORTS, the latest or the most first.

        Each word of ``query`` is looked for in title, type and place, whatever its case.
        """
        which: Document = {"stack": object_id(stack_id), "count": {"$gt": 0}, **NOT_MERGED}
        if status is not None:
            which["status"] = status.value
        if query.split():
            which["$and"] = [_holds(word) for word in query.split()[:MAX_WORDS]]
        order = list(dict.fromkeys([SORTS[sort], "last_seen_at", "_id"]))
        found = self._issues.find(which).sort([(name, -1) for name in order]).limit(limit)
        return [from_document(each) for each in await found.to_list(None)]

    @deadline()
    async def get(self, stack_id: str, issue_id: str) -> Issue:
        """Raises NotFound."""
        which = {"_id": object_id(issue_id), "stack": object_id(stack_id)}
        found = await self._issues.find_one(which)
        if found is None:
            raise NotFound("There is no such issue")
        return from_document(found)

    @deadline()
    async def by_ids(self, issue_ids: Sequence[str]) -> list[Issue]:
        """Those of these issues that there are."""
        which = {"_id": {"$in": [object_id(each) for each in issue_ids]}}
        return [from_document(each) for each in await self._issues.find(which).to_list(None)]

    @deadline()
    async def merged_into(self, stack_id: str, issue_id: str) -> list[Issue]:
        """The issues that were merged into this one."""
        which = {"stack": object_id(stack_id), "into": object_id(issue_id)}
        return [from_document(each) for each in await self._issues.find(which).to_list(None)]

    @deadline()
    async def merged(self, stack_id: str) -> list[Issue]:
        """All issues of a stack that were merged into others."""
        which = {"stack": object_id(stack_id), "into": {"$ne": None}}
        found = self._issues.find(which).sort("last_seen_at", -1)
        return [from_document(each) for each in await found.to_list(None)]

    @deadline()
    async def set_status(
        self,
        stack_id: str,
        issue_ids: Sequence[str],
        status: Status,
        now: datetime,
        *,
        until_at: datetime | None = None,
        more: int | None = None,
    ) -> list[Issue]:
        """Say of these issues what a member said; those of other stacks stay as they are.

        One that is ignored opens again by itself: at ``until_at``, or after ``more`` further
        errors. What was said before is kept for ``undo``. Returns the issues.
        """
        returns: Document | str = "$$REMOVE"
        if status is Status.IGNORED and (until_at or more):
            count = {"$add": ["$count", more]} if more else None
            returns = {"at": utc(until_at) if until_at else None, "count": count}
        changed: Document = {
            "before": {name: f"${name}" for name in _SAID},
            "status": status.value,
            "status_at": utc(now),
            "returns": returns,
        }
        if status is not Status.OPEN:  # it has not come back since
            changed |= {"regressed_at": None, "returned_at": None}
        which = {"_id": {"$in": [object_id(each) for each in issue_ids]}}
        return await self._change({**which, "stack": object_id(stack_id)}, [{"$set": changed}])

    @deadline()
    async def undo(self, stack_id: str, issue_ids: Sequence[str], done_at: datetime) -> list[Issue]:
        """Take back what was said of these issues at ``done_at``, unless more happened since."""
        keys = [object_id(each) for each in issue_ids]
        which = {
            "_id": {"$in": keys},
            "stack": object_id(stack_id),
            "status_at": utc(done_at),
            "before": {"$exists": True},
        }
        earlier = {name: f"$before.{name}" for name in _SAID}
        change = [{"$set": {**earlier, "before": "$$REMOVE"}}]
        return await self._change(which, change, found_by={"_id": {"$in": keys}})

    @deadline(in_turn=False)
    async def return_ignored(self, now: datetime) -> int:
        """Open those again that were ignored until now, or until so many errors came."""
        enough = {
            "$and": [{"$ne": ["$returns.count", None]}, {"$gte": ["$count", "$returns.count"]}]
        }
        which = {
            "returns": {"$exists": True},
            "status": Status.IGNORED.value,
            "$or": [{"returns.at": {"$ne": None, "$lte": utc(now)}}, {"$expr": enough}],
        }
        due = await self._issues.find(which, {"_id": 1}).to_list(None)
        if due:
            keys = {"_id": {"$in": [each["_id"] for each in due]}}
            back = {"status": Status.OPEN.value, "returned_at": utc(now)}
            change = {"$set": back, "$unset": {"returns": 1, "before": 1}}
            await self._change({**which, **keys}, change, found_by=keys)
        return len(due)

    @deadline()
    async def open_counts(self, stack_ids: Sequence[str]) -> dict[str, int]:
        """How many open issues each of these stacks has."""
        which = {
            "stack": {"$in": [object_id(each) for each in stack_ids]},
            "status": Status.OPEN.value,
            "count": {"$gt": 0},
            **NOT_MERGED,
        }
        grouped = self._issues.aggregate(
            [{"$match": which}, {"$group": {"_id": "$stack", "count": {"$sum": 1}}}]
        )
        counts = {str(each["_id"]): int(each["count"]) for each in await grouped.to_list(None)}
        return {stack_id: counts.get(stack_id, 0) for stack_id in stack_ids}

    async def _change(
        self,
        which: Document,
        change: Document | Sequence[Document],
        *,
        found_by: Document | None = None,
    ) -> list[Issue]:
        """Change issues, tell of it, and return them; ``found_by`` where they match no more."""
        await self._issues.update_many(which, change)
        found = [
            from_document(each) for each in await self._issues.find(found_by or which).to_list(None)
        ]
        self._changes.tell(*map(IssueChanged, found))
        return found


_SAID = ("status", "status_at", "returns", "regressed_at", "returned_at")
"""What members say of an issue, or what became of it: as it was before, for ``undo``."""


def _holds(word: str) -> Document:
    holds = {"$regex": pattern.escape(word), "$options": "i"}
    return {"$or": [{"title": holds}, {"type": holds}, {"where": holds}]}


def described(error: Error) -> Document:
    """What an issue's document says from its first error on."""
    return {
        "stack": object_id(error.stack),
        "fingerprint": error.fingerprint,
        "title": error.group or error.title,
        "type": "" if error.group else error.type,
        "level": error.level.value,
        "where": error.where,
        "status": Status.OPEN.value,
        "regressed_at": None,
    }


def from_document(found: Document) -> Issue:
    """An issue as it was stored."""
    returns = found.get("returns") or {}
    users = len(found.get("users", ()))
    into = found.get("into")
    return Issue(
        id=str(found["_id"]),
        stack=str(found["stack"]),
        fingerprint=found["fingerprint"],
        title=found["title"],
        type=found["type"],
        level=Level(found["level"]),
        where=found["where"],
        first_seen_at=found["first_seen_at"],
        last_seen_at=found["last_seen_at"],
        count=int(found["count"]),
        status=Status(found["status"]),
        regressed_at=found.get("regressed_at"),
        returned_at=found.get("returned_at"),
        until_at=returns.get("at"),
        until_count=returns.get("count"),
        status_at=found.get("status_at"),
        users=min(users, MAX_USERS),
        has_more_users=users > MAX_USERS,
        into=str(into) if into is not None else None,
    )
