"""Submissions that were refused: how many of a stack, and why."""

from datetime import datetime

from pymongo import IndexModel

from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, object_id

INDEXES = (
    IndexModel("at", expireAfterSeconds=86_400),
    IndexModel([("stack", 1), ("at", -1)]),
)


class Refusals:
    """The collection ``refused``, which the writer fills: counts a second, kept for a day."""

    def __init__(self, database: Database) -> None:
        self._refused = database.refused

    @deadline()
    async def counts(self, stack_id: str, since: datetime) -> dict[str, int]:
        """How many submissions to a stack were refused since then, by reason, most first."""
        grouped = self._refused.aggregate(
            [
                {"$match": {"stack": object_id(stack_id), "at": {"$gte": since}}},
                {"$group": {"_id": "$reason", "count": {"$sum": "$count"}}},
                {"$sort": {"count": -1, "_id": 1}},
            ]
        )
        return {each["_id"]: int(each["count"]) for each in await grouped.to_list(None)}
