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
)
MAX_WORDS = 10
"""Of a search; further words are left out."""


class Issues:
    """The collection ``issues``. An issue without a single error is not shown."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._issues = database.issues
        self._changes = changes

    @deadline()
    async def find(
        self, stack_id: str, *, status: Status | None = None, limit: int = 100, query: str = ""
    ) -> list[Issue]:
        """Issues by when they were last seen, newest first.

        Each word of ``query`` is looked for in title, type and place, whatever its case.
        """
        which: Document = {"stack": object_id(stack_id), "count": {"$gt": 0}}
        if status is not None:
            which["status"] = status.value
        if query.split():
            which["$and"] = [_holds(word) for word in query.split()[:MAX_WORDS]]
        found = self._issues.find(which).sort("last_seen_at", -1).limit(limit)
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
    async def set_status(
        self, stack_id: str, issue_ids: Sequence[str], status: Status, now: datetime
    ) -> None:
        """Say of these issues what a member said; those of other stacks stay as they are."""
        keys = [object_id(each) for each in issue_ids]
        changed: Document = {"status": status.value, "status_at": utc(now)}
        if status is not Status.OPEN:  # it has not come back since
            changed["regressed_at"] = None
        which = {"_id": {"$in": keys}, "stack": object_id(stack_id)}
        await self._issues.update_many(which, {"$set": changed})
        if self._changes.to is not None:
            found = await self._issues.find(which).to_list(None)
            self._changes.tell(*(IssueChanged(from_document(each)) for each in found))

    @deadline()
    async def open_counts(self, stack_ids: Sequence[str]) -> dict[str, int]:
        """How many open issues each of these stacks has."""
        which = {
            "stack": {"$in": [object_id(each) for each in stack_ids]},
            "status": Status.OPEN.value,
            "count": {"$gt": 0},
        }
        grouped = self._issues.aggregate(
            [{"$match": which}, {"$group": {"_id": "$stack", "count": {"$sum": 1}}}]
        )
        counts = {str(each["_id"]): int(each["count"]) for each in await grouped.to_list(None)}
        return {stack_id: counts.get(stack_id, 0) for stack_id in stack_ids}


def _holds(word: str) -> Document:
    holds = {"$regex": pattern.escape(word), "$options": "i"}
    return {"$or": [{"title": holds}, {"type": holds}, {"where": holds}]}


def described(error: Error) -> Document:
    """What an issue's document says from its first error on."""
    return {
        "stack": object_id(error.stack),
        "fingerprint": error.fingerprint,
        "title": error.title,
        "type": error.type,
        "level": error.level.value,
        "where": error.where,
        "status": Status.OPEN.value,
        "regressed_at": None,
    }


def from_document(found: Document) -> Issue:
    """An issue as it was stored."""
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
    )
