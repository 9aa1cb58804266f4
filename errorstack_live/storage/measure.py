"""What a stack holds and takes: counted where that is bounded, else estimated and said so."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, object_id
from errorstack_live.storage.error import BY_TIME

MAX_COUNTED = 250_000
"""Documents of one kind that are counted, in about a tenth of a second; then it is said that
there are more."""
SAMPLE = 200
"""The size of a stack's errors is that of the newest ones, times their number."""
COUNT_S = 5.0


@dataclass(frozen=True, slots=True)
class Contents:
    """How much is in a stack; a figure of MAX_COUNTED means that or more."""

    errors: int
    issues: int
    logs: int
    shares: int


@dataclass(frozen=True, slots=True)
class Weight:
    """What a stack takes, about: its errors as they are, and packed on disk with their indexes.

    ``oldest_at`` is the time of the oldest error, None without one.
    """

    errors: int
    error_bytes: int
    disk_bytes: int
    oldest_at: datetime | None


class Measures:
    """Measures stacks. Nothing is kept; each figure is asked for when it is wanted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def contents(self, stack_id: str, now: datetime) -> Contents:
        """What would go with a stack: share links that work, and everything stored."""
        living = {"revoked_at": None, "$or": [{"expires_at": None}, {"expires_at": {"$gt": now}}]}
        return Contents(
            errors=await self._count("errors", stack_id, {}),
            issues=await self._count("issues", stack_id, {"count": {"$gt": 0}}),
            logs=await self._count("logs", stack_id, {}),
            shares=await self._count("shares", stack_id, living),
        )

    async def errors_between(self, stack_id: str, since: datetime | None, until: datetime) -> int:
        """How many errors came in this time, MAX_COUNTED at most; ``since`` None is from ever."""
        at: Document = {"$lt": until} if since is None else {"$gte": since, "$lt": until}
        return await self._count("errors", stack_id, {"at": at})

    @deadline(COUNT_S)
    async def weight(self, stack_id: str) -> Weight:
        """What a stack takes."""
        errors = self._database.errors
        which = {"stack": object_id(stack_id)}
        count = await errors.count_documents(which, limit=MAX_COUNTED, hint=BY_TIME)
        if not count:
            return Weight(0, 0, 0, None)
        oldest = await errors.find(which, {"at": 1}).sort("at", 1).limit(1).to_list(1)
        newest: list[Document] = [
            {"$match": which},
            {"$sort": dict(BY_TIME)},
            {"$limit": SAMPLE},
            {"$group": {"_id": None, "bytes": {"$avg": {"$bsonSize": "$$ROOT"}}}},
        ]
        sample = await errors.aggregate(newest, hint=dict(BY_TIME)).to_list(1)
        size = round(count * float(sample[0]["bytes"]))
        stats = await self._database.command("collStats", "errors")
        return Weight(count, size, round(size * _packed(stats)), oldest[0]["at"])

    @deadline(COUNT_S)
    async def _count(self, name: str, stack_id: str, also: Mapping[str, object]) -> int:
        which = {"stack": object_id(stack_id), **also}
        return await self._database[name].count_documents(which, limit=MAX_COUNTED)


def _packed(stats: Mapping[str, Any]) -> float:
    """Bytes on disk, indexes and all, for each byte of a document."""
    size = float(stats.get("size") or 0)
    on_disk = float(stats.get("storageSize", 0)) + float(stats.get("totalIndexSize", 0))
    return on_disk / size if size else 0.0
