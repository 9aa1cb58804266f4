"""Errors: as documents, one by one, and as pages that work back in time."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import IndexModel

from errorstack_live.errors import NotFound
from errorstack_live.model import Error, Level, Request
from errorstack_live.query import Query
from errorstack_live.storage import log
from errorstack_live.storage.cut import cut_document, cut_from
from errorstack_live.storage.deadline import CALL_S, MARGIN_S, deadline
from errorstack_live.storage.document import (
    Database,
    Document,
    Unreadable,
    checked,
    decode_each,
    object_id,
    plain,
    raw_collection,
    without_empty,
)
from errorstack_live.storage.group import Groups, group
from errorstack_live.storage.page import (
    BY_FIELD,
    NEWEST_FIRST,
    Count,
    Page,
    Tally,
    count,
    find,
    is_full,
    taken,
    tally,
)
from errorstack_live.storage.walk import Edge, Walk

BY_TIME = [("stack", 1), ("at", -1), ("_id", -1)]
BY_ISSUE = [("stack", 1), ("issue", 1), ("at", -1), ("_id", -1)]
BY_PART = [("stack", 1), ("part", 1)]
INDEXES = (
    IndexModel(BY_TIME),
    IndexModel(BY_ISSUE),
    IndexModel(BY_PART, unique=True, partialFilterExpression={"part": {"$exists": True}}),
    IndexModel(BY_FIELD),
    IndexModel("expire_at", expireAfterSeconds=0),
)

SEARCHES_AT_ONCE = 3
"""Each may keep a core of the database busy for as long as its deadline; more wait."""
COUNTINGS_AT_ONCE = 2
"""Readings of thousands of whole errors, only to count what is in them: they cost this process's
own time, which the stream needs; more wait."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Errors:
    """The collection ``errors``."""

    def __init__(self, database: Database) -> None:
        self._raw = raw_collection(database, "errors")
        self._searches = asyncio.Semaphore(SEARCHES_AT_ONCE)
        self.counting = asyncio.Semaphore(COUNTINGS_AT_ONCE)

    async def find(
        self,
        stack_id: str,
        query: Query,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        before: tuple[datetime, str] | None = None,
        issue: str | None = None,
        limit: int = 100,
        deadline_s: float = CALL_S,
    ) -> Page:
        """The newest errors that match: from ``since``, before ``until``, older than ``before``.

        Takes no longer than ``deadline_s``; what was not looked through by then is told.
        """
        limit = max(limit, 1)
        which, index = _selected(stack_id, since, until, issue)
        edge = Edge(before[0], object_id(before[1])) if before else None
        walk = Walk(self._raw, which, index, edge=edge, seconds=deadline_s)
        if query.is_empty:
            async with deadline(deadline_s):
                found = self._raw.find(walk.rest, sort=NEWEST_FIRST, hint=index)
                raw = await taken(found, limit)
                is_complete = not is_full(raw, limit)
        else:
            async with self._search(deadline_s):
                raw, is_complete = await find(self._raw, walk, query.to_mongo(), limit=limit)
        errors = tuple(read_all(raw, stack_id))
        if is_complete:
            return Page(errors)
        reached_at = errors[-1].at if is_full(raw, limit) else walk.reached_at or until
        return Page(errors, reached_at or datetime.now(UTC), is_complete=False)

    async def count(
        self,
        stack_id: str,
        query: Query,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        issue: str | None = None,
        deadline_s: float = CALL_S,
    ) -> Count:
        """How many errors match, as far back as the deadline lets it look."""
        which, index = _selected(stack_id, since, until, issue)
        walk = Walk(self._raw, which, index, edge=None, seconds=deadline_s)
        async with self._search(deadline_s):
            return await count(self._raw, walk, {} if query.is_empty else query.to_mongo())

    async def tally(
        self,
        stack_id: str,
        query: Query,
        *,
        since: datetime,
        until: datetime,
        step: timedelta,
        issue: str | None = None,
        before: tuple[datetime, str] | None = None,
        deadline_s: float = CALL_S,
    ) -> Tally:
        """How many errors match, by level, in each stretch of ``step`` that has any."""
        which, index = _selected(stack_id, since, until, issue)
        edge = Edge(before[0], object_id(before[1])) if before else None
        walk = Walk(self._raw, which, index, edge=edge, seconds=deadline_s)
        wanted = {} if query.is_empty else query.to_mongo()
        async with self._search(deadline_s):
            return await tally(self._raw, walk, wanted, step)

    async def group(
        self,
        stack_id: str,
        query: Query,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        deadline_s: float = CALL_S,
    ) -> Groups:
        """The issues of the errors that match, each with how many of them it has."""
        which, index = _selected(stack_id, since, until, None)
        walk = Walk(self._raw, which, index, edge=None, seconds=deadline_s)
        async with self._search(deadline_s):
            return await group(self._raw, walk, {} if query.is_empty else query.to_mongo())

    @deadline()
    async def get(self, stack_id: str, error_id: str) -> Error:
        """Raises NotFound."""
        which = {"_id": object_id(error_id), "stack": object_id(stack_id)}
        found = await self._raw.find_one(which)
        if found is None:
            raise NotFound("There is no such error")
        return read_all([found], stack_id)[0]

    @deadline()
    async def remove(self, stack_id: str, error_id: str) -> None:
        """Delete one; the counters are the writer's. Raises NotFound."""
        which = {"_id": object_id(error_id), "stack": object_id(stack_id)}
        gone = await self._raw.delete_one(which)
        if not gone.deleted_count:
            raise NotFound("There is no such error")

    @asynccontextmanager
    async def _search(self, seconds: float) -> AsyncIterator[None]:
        async with deadline(seconds + MARGIN_S, in_turn=False), self._searches:
            yield


def _selected(
    stack_id: str, since: datetime | None, until: datetime | None, issue: str | None
) -> tuple[Document, list[tuple[str, int]]]:
    """The filter that an index serves alone, and that index."""
    which: Document = {"stack": object_id(stack_id)}
    if issue is not None:
        which["issue"] = object_id(issue)
    at = without_empty({"$gte": since, "$lt": until})
    if at:
        which["at"] = at
    return which, BY_TIME if issue is None else BY_ISSUE


def read_all(found: Sequence[RawBSONDocument], stack_id: str) -> list[Error]:
    """Read documents one by one; one that is poisoned becomes an error that says so."""
    return [
        _unreadable(each, stack_id) if isinstance(each, Unreadable) else each
        for each in decode_each(found, from_document)
    ]


def to_document(error: Error, expire_at: datetime) -> Document:
    """An error as it is stored."""
    request = error.request
    document: Document = {
        "_id": object_id(error.id),
        "stack": object_id(error.stack),
        "at": error.at,
        "issue": object_id(error.issue),
        "fingerprint": error.fingerprint,
        "title": error.title,
        "type": error.type,
        "level": error.level.value,
        "where": error.where,
        "fields": error.fields,
        "request": {
            "ip": request.ip,
            "user_agent": request.user_agent,
            "referer": request.referer,
            "protocol": request.protocol,
        },
        "search": error.search,
        "expire_at": expire_at,
    }
    if error.before:
        document["before"] = [log.to_document(message) for message in error.before]
    if error.part is not None:
        document["part"] = error.part
    if error.cut is not None:
        document["cut"] = cut_document(error.cut)
    if error.scrubbed:
        document["scrubbed"] = list(error.scrubbed)
    if error.reserved:
        document["reserved"] = error.reserved
    if error.group:
        document["group"] = error.group
    if error.new:
        document["new"] = list(error.new)
    return document


def from_document(found: Document) -> Error:
    """An error as it was stored. Raises KeyError, TypeError or ValueError for a poisoned one."""
    request = found["request"]
    return Error(
        id=str(found["_id"]),
        stack=str(found["stack"]),
        at=checked(found["at"], datetime),
        issue=str(found["issue"]),
        fingerprint=found["fingerprint"],
        title=checked(found["title"], str),
        type=checked(found["type"], str),
        level=Level(found["level"]),
        where=checked(found["where"], str),
        fields=plain(checked(found["fields"], dict)),
        request=Request(
            request["ip"], request["user_agent"], request["referer"], request["protocol"]
        ),
        before=tuple(log.from_document(each) for each in found.get("before", ())),
        part=found.get("part"),
        cut=cut_from(found.get("cut")),
        scrubbed=tuple(found.get("scrubbed", ())),
        reserved=plain(found["reserved"]) if "reserved" in found else None,
        search=found.get("search", ""),
        group=found.get("group", ""),
        new=tuple(map(str, found.get("new", ()))),
    )


def _unreadable(what: Unreadable, stack_id: str) -> Error:
    at = what.id.generation_time if isinstance(what.id, ObjectId) else _EPOCH
    return Error(
        id=str(what.id),
        stack=stack_id,
        at=at,
        issue="",
        fingerprint="",
        title=f"This error cannot be read: {what.problem}",
        type="",
        level=Level.ERROR,
        where="",
        fields={},
        request=Request("", "", "", ""),
    )
