"""The issues this process has seen lately: which exist, what members said of them, their counts.

So that an error of a known issue costs no read, and that of a new one makes its document at once.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pymongo import InsertOne
from pymongo.errors import BulkWriteError

from errorstack_live.event import IssueChanged
from errorstack_live.model import Error, Issue, Status
from errorstack_live.storage.change import Changes
from errorstack_live.storage.document import Database, Document, object_id
from errorstack_live.storage.issue import described, from_document

MAX_KNOWN = 20_000
KNOWN_S = 6 * 3600.0
"""An issue that had no error for so long is read anew: it may be gone (see ``bound``)."""
_DUPLICATE = 11000


@dataclass(slots=True)
class Known:
    """What is known of an issue; ``count`` as far as this process can tell."""

    status: Status
    count: int
    used_at: float = field(default_factory=time.monotonic)


class KnownIssues(Collection[str]):
    """A bounded memory of issues in front of the collection; of ids it says which it holds."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._issues = database.issues
        self._changes = changes
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._meeting = asyncio.Lock()

    def __contains__(self, issue_id: object) -> bool:
        return issue_id in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def count(self, issue_id: str, more: int = 1) -> int:
        """Count errors of an issue; returns how many that makes, 0 if it is not known."""
        known = self._known.get(issue_id)
        if known is None:
            return 0
        known.count += more
        return known.count

    def see(self, issue: Issue) -> None:
        """Take over what the feed tells of an issue that is known here."""
        known = self._known.get(issue.id)
        if known is not None:
            known.status = issue.status
            known.count = max(known.count, issue.count)

    async def prepare(self, errors: Sequence[Error]) -> Counter[str]:
        """Make the issues of these errors where there are none, reopen them where resolved.

        Returns how many errors of each issue that was made now its document counts early.
        """
        made = Counter[str]()
        self._forget_unused({error.issue for error in errors})
        if any(error.issue not in self._known for error in errors):
            made = await self._meet(errors)
        for error in errors:
            known = self._known[error.issue]
            self._known.move_to_end(error.issue)
            if known.status is Status.RESOLVED:
                await self._reopen(error.issue, error.at)
                known.status = Status.OPEN
        while len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        return made

    def _forget_unused(self, issues: Iterable[str]) -> None:
        """Forget those of these issues that may be gone; the others are in use now."""
        now_s = time.monotonic()
        for issue in issues:
            known = self._known.get(issue)
            if known is None:
                continue
            if now_s - known.used_at > KNOWN_S:
                del self._known[issue]
            else:
                known.used_at = now_s

    async def _meet(self, errors: Sequence[Error]) -> Counter[str]:
        """Get to know the issues that are not. One batch at a time: what another batch is making
        must not be read half-way, or its errors would be counted twice."""
        async with self._meeting:
            unknown = {error.issue for error in errors if error.issue not in self._known}
            if unknown:
                await self._read(unknown)
            new = [error for error in errors if error.issue not in self._known]
            return await self._make(new) if new else Counter[str]()

    async def _read(self, issue_ids: Iterable[str]) -> None:
        which = {"_id": {"$in": [object_id(each) for each in issue_ids]}}
        for found in await self._issues.find(which, {"status": 1, "count": 1}).to_list(None):
            known = Known(Status(found["status"]), int(found["count"]))
            self._known[str(found["_id"])] = known

    async def _make(self, errors: Sequence[Error]) -> Counter[str]:
        documents = _new_documents(errors)
        taken: set[int] = set()
        try:
            await self._issues.bulk_write([InsertOne(each) for each in documents], ordered=False)
        except BulkWriteError as error:
            details = error.details or {}
            if any(each["code"] != _DUPLICATE for each in details["writeErrors"]):
                raise
            taken = {each["index"] for each in details["writeErrors"]}  # by another process
        made = [each for index, each in enumerate(documents) if index not in taken]
        for each in documents:
            self._known.setdefault(str(each["_id"]), Known(Status.OPEN, 0))
        self._changes.tell(*(IssueChanged(from_document(each)) for each in made))
        return Counter({str(each["_id"]): each["count"] for each in made})

    async def _reopen(self, issue_id: str, at: datetime) -> None:
        """Open a resolved issue again: it has regressed."""
        which = {"_id": object_id(issue_id), "status": Status.RESOLVED.value}
        back = {"status": Status.OPEN.value, "regressed_at": at}
        change = {"$set": back, "$unset": {"before": 1}}
        await self._issues.update_one(which, change)
        if self._changes.to is not None:
            found = await self._issues.find_one({"_id": object_id(issue_id)})
            if found is not None:
                self._changes.tell(IssueChanged(from_document(found)))


def _new_documents(errors: Sequence[Error]) -> list[Document]:
    """The documents of new issues. They count these errors of theirs before the minutes do."""
    documents: dict[str, Document] = {}
    for error in errors:
        known = documents.setdefault(
            error.issue,
            {
                "_id": object_id(error.issue),
                **described(error),
                "first_seen_at": error.at,
                "last_seen_at": error.at,
                "count": 0,
                "early": 0,
            },
        )
        known["count"] += 1
        known["early"] += 1
        known["first_seen_at"] = min(known["first_seen_at"], error.at)
        known["last_seen_at"] = max(known["last_seen_at"], error.at)
    return list(documents.values())
