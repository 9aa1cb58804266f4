"""Finds errors newest first, by whichever way serves the filter, and says how far it came."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pymongo
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorCursor
from pymongo.errors import OperationFailure, PyMongoError

from errorstack_live.model import Error
from errorstack_live.storage.document import Document, RawCollection
from errorstack_live.storage.walk import Walk

NEWEST_FIRST = [("at", -1), ("_id", -1)]
BY_FIELD = [("fields.$**", 1)]
MAX_PAGE_BYTES = 16 << 20
"""Of a page's documents. Strangers send them, of up to 1 MiB: a thousand would take a gigabyte."""
READ_AT_ONCE = 16
RARE = 20
"""When less than this part of a page was in the first slice, the index over all fields is asked
for the rest. A value more common than that is found sooner by walking on."""
BY_FIELD_S = 0.25
"""Past it the value was not rare after all, or not in other stacks; then walking goes on."""
_LAST_ID = "f" * 24
_NO_SUCH_PLAN = (2, 291)  # BadValue in 5.0, NoQueryExecutionPlans since


@dataclass(frozen=True, slots=True)
class Page:
    """Errors, newest first.

    ``is_complete``: nothing older matches. Else everything that matches and is newer than
    ``reached_at`` is here: the page is full, of errors or of bytes, or time was up.
    """

    errors: tuple[Error, ...]
    reached_at: datetime | None = None
    is_complete: bool = True

    @property
    def next(self) -> tuple[datetime, str] | None:
        """Where the next page goes on, as its ``before``; None when nothing older matches.

        Behind the last error, or behind what was searched where that is older. At that moment
        there may be more that was not searched, so it begins before all ids.
        """
        if self.is_complete:
            return None
        last = self.errors[-1] if self.errors else None
        if self.reached_at is not None and (last is None or self.reached_at < last.at):
            return self.reached_at, _LAST_ID
        return (last.at, last.id) if last else None


@dataclass(frozen=True, slots=True)
class Count:
    """How many errors match, as far back as ``reached_at`` unless it is complete."""

    count: int
    reached_at: datetime | None = None
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Tally:
    """How many errors match, by level, in each stretch of time that has any, oldest first.

    Unless it is complete: of errors no older than the one ``reached``, which is counted.
    """

    bins: tuple[tuple[datetime, dict[str, int]], ...]
    reached: tuple[datetime, str] | None = None
    is_complete: bool = True


async def taken(cursor: "AsyncIOMotorCursor[RawBSONDocument]", limit: int) -> list[RawBSONDocument]:
    """What a cursor gives, until the page is full."""
    found: list[RawBSONDocument] = []
    cursor = cursor.limit(limit)
    while not is_full(found, limit) and (more := await cursor.to_list(READ_AT_ONCE)):
        found += more
    return found


def is_full(found: Sequence[RawBSONDocument], limit: int) -> bool:
    """Whether a page has room for no more."""
    return len(found) >= limit or sum(len(each.raw) for each in found) >= MAX_PAGE_BYTES


async def find(
    errors: RawCollection, walk: Walk, wanted: Document, *, limit: int
) -> tuple[list[RawBSONDocument], bool]:
    """Walk back until ``limit`` errors are found, and whether nothing older matches.

    A value that is rare is looked up in the index over all fields at once.
    """
    found: list[RawBSONDocument] = []
    may_look_up = True
    while not walk.is_over:
        if may_look_up and walk.is_begun:
            may_look_up = False
            if len(found) * RARE < limit:
                more = await _look_up(errors, walk, wanted, limit - len(found))
                if more is not None:
                    return found + more, not is_full(found + more, limit)
        try:
            found += await _in_slice(errors, walk, wanted, limit - len(found))
        except PyMongoError as error:
            walk.too_slow(error)
            continue
        if is_full(found, limit):
            return found, False
        if not walk.done():
            return found, True
    return found, False


async def count(errors: RawCollection, walk: Walk, wanted: Document) -> Count:
    """Ask the index over all fields, else walk back to the end or until time is up, counting."""
    counted = await _count_by_field(errors, walk, wanted) if wanted else None
    if counted is not None:
        return Count(counted)
    counted = 0
    while not walk.is_over:
        try:
            with pymongo.timeout(walk.left_s()):
                which = {"$and": [await walk.next(), wanted]} if wanted else await walk.next()
                more = await errors.count_documents(which, hint=walk.index)
        except PyMongoError as error:
            walk.too_slow(error)
            continue
        counted += more
        if not walk.done():
            return Count(counted)
    return Count(counted, walk.reached_at, is_complete=False)


async def tally(errors: RawCollection, walk: Walk, wanted: Document, step: timedelta) -> Tally:
    """Count by level in stretches of ``step``, by the index over all fields or walking back."""
    counts: dict[int, Counter[str]] = {}
    by_bin = _by_bin(step)
    if wanted and await _tally_by_field(errors, walk, [{"$match": wanted}, *by_bin], counts):
        return Tally(_bins(counts))
    while not walk.is_over:
        try:
            with pymongo.timeout(walk.left_s()):
                which = [{"$match": await walk.next()}, *([{"$match": wanted}] if wanted else ())]
                cursor = errors.aggregate([*which, *by_bin], hint=dict(walk.index))
                found = await cursor.to_list(None)
        except PyMongoError as error:
            walk.too_slow(error)
            continue
        _count(found, counts)
        if not walk.done():
            return Tally(_bins(counts))
    return Tally(_bins(counts), walk.reached, is_complete=False)


def _by_bin(step: timedelta) -> list[Document]:
    millis = {"$toLong": "$at"}
    size = step // timedelta(milliseconds=1)
    begin = {"$subtract": [millis, {"$mod": [millis, size]}]}
    return [{"$group": {"_id": {"at": begin, "level": "$level"}, "count": {"$sum": 1}}}]


def _count(found: Sequence[RawBSONDocument], counts: dict[int, Counter[str]]) -> None:
    for each in found:
        key = each["_id"]
        counts.setdefault(key["at"], Counter())[str(key.get("level"))] += each["count"]


def _bins(counts: dict[int, Counter[str]]) -> tuple[tuple[datetime, dict[str, int]], ...]:
    epoch = datetime.fromtimestamp(0, UTC)
    return tuple((epoch + timedelta(milliseconds=at), dict(counts[at])) for at in sorted(counts))


async def _tally_by_field(
    errors: RawCollection, walk: Walk, stages: list[Document], counts: dict[int, Counter[str]]
) -> bool:
    with _by_field(), pymongo.timeout(walk.left_s(BY_FIELD_S)):
        cursor = errors.aggregate([{"$match": walk.rest}, *stages], hint=dict(BY_FIELD))
        _count(await cursor.to_list(None), counts)
        return True
    return False


async def _in_slice(
    errors: RawCollection, walk: Walk, wanted: Document, limit: int
) -> list[RawBSONDocument]:
    with pymongo.timeout(walk.left_s()):
        which = {"$and": [await walk.next(), wanted]}
        cursor = errors.find(which, sort=NEWEST_FIRST, hint=walk.index)
        return await taken(cursor, limit)


async def _look_up(
    errors: RawCollection, walk: Walk, wanted: Document, limit: int
) -> list[RawBSONDocument] | None:
    """The rest by the index over all fields; None when it does not serve or takes too long."""
    with _by_field(), pymongo.timeout(walk.left_s(BY_FIELD_S)):
        which = {"$and": [walk.rest, wanted]}
        cursor = errors.find(which, sort=NEWEST_FIRST, hint=BY_FIELD)
        return await taken(cursor, limit)
    return None


async def _count_by_field(errors: RawCollection, walk: Walk, wanted: Document) -> int | None:
    with _by_field(), pymongo.timeout(walk.left_s(BY_FIELD_S)):
        return await errors.count_documents({"$and": [walk.rest, wanted]}, hint=BY_FIELD)
    return None


@contextmanager
def _by_field() -> Iterator[None]:
    """Let pass that the index over all fields does not serve a filter, or not in time."""
    try:
        yield
    except OperationFailure as error:
        if not error.timeout and error.code not in _NO_SUCH_PLAN:
            raise
    except PyMongoError as error:
        if not error.timeout:
            raise
