"""The issues of the errors that match: grouped by the database, back in time, within a deadline."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.errors import PyMongoError

from errorstack_live.model import Level
from errorstack_live.storage.document import Document, RawCollection
from errorstack_live.storage.walk import Walk

MAX_GROUPS = 5000
"""Issues that are told apart; past it what is older stays uncounted, and that is said."""
_LEVELS = frozenset(Level)
_NEWEST = ("title", "type", "level", "where")


@dataclass(frozen=True, slots=True)
class Group:
    """How many errors of one issue match, and what the newest of them says."""

    issue: str
    count: int
    first_at: datetime
    last_at: datetime
    title: str
    type: str
    level: Level
    where: str


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups, and whether that is all: else as far back as ``reached_at``."""

    groups: tuple[Group, ...]
    reached_at: datetime | None = None
    is_complete: bool = True


async def group(errors: RawCollection, walk: Walk, wanted: Document) -> Groups:
    """Walk back to the end, or until time is up or MAX_GROUPS are found."""
    found: dict[str, Group] = {}
    while not walk.is_over and len(found) < MAX_GROUPS:
        try:
            with pymongo.timeout(walk.left_s()):
                cursor = errors.aggregate(
                    [
                        {"$match": await walk.next()},
                        *([{"$match": wanted}] if wanted else ()),
                        {"$sort": {"at": -1, "_id": -1}},
                        _BY_ISSUE,
                    ],
                    hint=dict(walk.index),
                )
                slice_groups = await cursor.to_list(None)
        except PyMongoError as error:
            walk.too_slow(error)
            continue
        _add(found, slice_groups)
        if not walk.done():
            return Groups(tuple(found.values()))
    return Groups(tuple(found.values()), walk.reached_at, is_complete=False)


_BY_ISSUE: Document = {
    "$group": {
        "_id": "$issue",
        "count": {"$sum": 1},
        "first_at": {"$last": "$at"},
        "last_at": {"$first": "$at"},
        **{name: {"$first": f"${name}"} for name in _NEWEST},
    }
}


def _add(found: dict[str, Group], groups: Iterable[RawBSONDocument]) -> None:
    """Slices come newest first: of an issue that is known its first and its count change."""
    for each in groups:
        issue = str(each["_id"])
        known = found.get(issue)
        if known is not None:
            count = known.count + int(each["count"])
            found[issue] = replace(known, count=count, first_at=each["first_at"])
        elif isinstance(each["first_at"], datetime) and isinstance(each["last_at"], datetime):
            found[issue] = Group(
                issue=issue,
                count=int(each["count"]),
                first_at=each["first_at"],
                last_at=each["last_at"],
                title=str(each["title"]),
                type=str(each["type"]),
                level=Level(each["level"]) if each["level"] in _LEVELS else Level.ERROR,
                where=str(each["where"]),
            )
