"""How many errors came in each minute, of a stack and of each issue, by level.

A counter's id is its stack, issue (or nothing) and minute in one text, so that a series is one
range of ids and the collection needs no further index.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pymongo import IndexModel

from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document

INDEXES = (IndexModel("expire_at", expireAfterSeconds=0),)
MINUTE = timedelta(minutes=1)
MAX_MINUTES = 200_000
"""Of one series: four months. The newest are given."""
MAX_SERIES = 300
MAX_SERIES_MINUTES = 62
"""Of several series at once, an hour and its broken ends: 18,600 counters at most."""


class Minutes:
    """The collection ``minutes``."""

    def __init__(self, database: Database) -> None:
        self._minutes = database.minutes

    @deadline()
    async def series(
        self,
        stack_id: str,
        since: datetime,
        until: datetime,
        issue: str | None = None,
        step: timedelta = MINUTE,
    ) -> list[tuple[datetime, dict[str, int]]]:
        """Errors by level in each minute that had any, oldest first, ``until`` excluded.

        Or in each stretch of ``step``, some whole minutes, counted from 1970 on.
        """
        which = {"_id": _range(stack_id, issue, since, until)}
        found = self._minutes.find(which, {"levels": 1}).sort("_id", -1).limit(MAX_MINUTES)
        counts: dict[datetime, Counter[str]] = {}
        for each in reversed(await found.to_list(None)):
            begin = _minute_of(each["_id"], step)
            counts.setdefault(begin, Counter()).update(each["levels"])
        return [(begin, levels) for begin, n in counts.items() if (levels := dict(+n))]

    @deadline()
    async def series_of(
        self, stack_id: str, issue_ids: Sequence[str], since: datetime, until: datetime
    ) -> dict[str, list[tuple[datetime, dict[str, int]]]]:
        """The same of several issues at once, by issue; MAX_SERIES of them, an hour of each."""
        since = max(since, until - timedelta(minutes=MAX_SERIES_MINUTES))
        ranges = [
            {
                "_id": {
                    "$gte": minute_key(stack_id, each, since),
                    "$lt": minute_key(stack_id, each, until),
                }
            }
            for each in issue_ids[:MAX_SERIES]
        ]
        found: dict[str, list[tuple[datetime, dict[str, int]]]] = {}
        if ranges:
            each: Document
            async for each in self._minutes.find({"$or": ranges}, {"levels": 1}).sort("_id", 1):
                levels = {level: n for level, n in each["levels"].items() if n > 0}
                if levels:
                    issue = each["_id"].split("/")[1]
                    found.setdefault(issue, []).append((_minute_of(each["_id"], MINUTE), levels))
        return found


def minute_key(stack_id: str, issue: str | None, at: datetime) -> str:
    """The id of the counter for the minute of ``at``; ids sort by time within a series."""
    return f"{stack_id}/{issue or ''}/{int(at.timestamp()) // 60:010d}"


def _range(stack_id: str, issue: str | None, since: datetime, until: datetime) -> Document:
    return {
        "$gte": minute_key(stack_id, issue, since),
        "$lt": minute_key(stack_id, issue, until),
    }


def keys_of(stack_id: str) -> Document:
    """The range of ids of everything that is counted for a stack."""
    return {"$gte": f"{stack_id}/", "$lt": f"{stack_id}0"}  # 0 is the character after /


def _minute_of(key: str, step: timedelta) -> datetime:
    minute = int(key.rpartition("/")[2])
    return datetime.fromtimestamp((minute - minute % (step // MINUTE)) * 60, UTC)
