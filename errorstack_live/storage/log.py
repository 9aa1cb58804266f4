"""Log messages: one capped collection for all stacks, of which each shows its last few."""

from datetime import datetime, timedelta

from pymongo import IndexModel

from errorstack_live.model import LogMessage
from errorstack_live.storage.cut import cut_document, cut_from
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import (
    Database,
    Document,
    decode_each,
    object_id,
    plain,
    raw_collection,
    without_empty,
)

MAX_ALIVE = 10
ALIVE = timedelta(hours=1)
START_S = 10.0
"""Reading the whole capped collection may take that long."""
INDEXES = (IndexModel([("stack", 1), ("at", -1), ("_id", -1)]),)

_NEWEST_FIRST = [("at", -1), ("_id", -1)]


class Logs:
    """The collection ``logs``."""

    def __init__(self, database: Database) -> None:
        self._logs = database.logs
        self._raw = raw_collection(database, "logs")

    @deadline()
    async def alive(self, stack_id: str, now: datetime) -> list[LogMessage]:
        """A stack's last MAX_ALIVE messages younger than ALIVE, oldest first (PROTOCOL 8)."""
        which = {"stack": object_id(stack_id), "at": {"$gt": now - ALIVE}}
        found = await self._raw.find(which, sort=_NEWEST_FIRST, limit=MAX_ALIVE).to_list(MAX_ALIVE)
        messages = decode_each(reversed(found), from_document)
        return [message for message in messages if isinstance(message, LogMessage)]

    @deadline(START_S)
    async def all_alive(self, now: datetime) -> list[LogMessage]:
        """The messages of all stacks that may be alive, in no order; for the start of a process."""
        found = await self._raw.find({"at": {"$gt": now - ALIVE}}).to_list(None)
        messages = decode_each(found, from_document)
        return [message for message in messages if isinstance(message, LogMessage)]

    @deadline()
    async def trim(self, stack_id: str) -> None:
        """Delete what a stack does not show any more, so that it pushes out nobody else's."""
        stack = object_id(stack_id)
        kept = self._logs.find({"stack": stack}, {"at": 1}, sort=_NEWEST_FIRST)
        oldest = await kept.skip(MAX_ALIVE - 1).limit(1).to_list(1)
        if oldest:
            at, key = oldest[0]["at"], oldest[0]["_id"]
            older = [{"at": {"$lt": at}}, {"at": at, "_id": {"$lt": key}}]
            await self._logs.delete_many({"stack": stack, "at": {"$lte": at}, "$or": older})


def to_document(message: LogMessage) -> Document:
    """A message as it is stored."""
    document = {
        "_id": object_id(message.id),
        "stack": object_id(message.stack),
        "at": message.at,
        "json": message.is_json or None,
        "cut": cut_document(message.cut),
    }
    content = {"text": message.text} if message.text is not None else {"fields": message.fields}
    return without_empty(document) | content


def from_document(found: Document) -> LogMessage:
    """A message as it was stored."""
    return LogMessage(
        id=str(found["_id"]),
        stack=str(found["stack"]),
        at=found["at"],
        text=found.get("text"),
        is_json=found.get("json", False),
        fields=plain(found["fields"]) if "fields" in found else None,
        cut=cut_from(found.get("cut")),
    )
