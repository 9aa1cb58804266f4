"""Who watches, as each process says of itself: so that every process can tell of all.

What changes is a document written anew, which the change stream carries; that a process lives is
an update, which it does not. Of a process that died somebody else takes the documents away.
"""

import os
import socket
from datetime import datetime, timedelta

from pymongo import IndexModel

from errorstack_live.access import LinkWatched, Watching
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, object_id, utc
from errorstack_live.storage.process import is_gone

ALIVE = timedelta(seconds=30)
"""A process says every few seconds that it lives; silent for this long it is taken for gone."""
INDEXES = (
    IndexModel("process"),
    IndexModel("at", expireAfterSeconds=120),
)


class Watchings:
    """The collection ``watching``: a document for each process and stack that is watched there."""

    def __init__(self, database: Database) -> None:
        self._watching = database.watching

    @deadline()
    async def write(self, watching: Watching, now: datetime) -> None:
        """Say who watches a stack here now."""
        key = f"{watching.process}:{watching.stack}"
        if watching.viewers:
            document = _to_document(watching, now)
            await self._watching.replace_one({"_id": {"$eq": key}}, document, upsert=True)
        else:
            await self._watching.delete_one({"_id": {"$eq": key}})

    @deadline()
    async def beat(self, process_id: str, now: datetime) -> None:
        """Say that a process lives."""
        which = {"process": {"$eq": process_id}}
        await self._watching.update_many(which, {"$set": {"at": utc(now)}})

    @deadline()
    async def all(self, now: datetime) -> list[Watching]:
        """What every process that lives says; what those say that do not is deleted."""
        found = await self._watching.find({}).to_list(None)
        dead = [each["_id"] for each in found if _is_dead(each, now)]
        if dead:
            await self._watching.delete_many({"_id": {"$in": dead}})
        return [from_document(each) for each in found if each["_id"] not in dead]

    @deadline()
    async def leave(self, process_id: str) -> None:
        """Say that a process ends."""
        await self._watching.delete_many({"process": {"$eq": process_id}})


def _is_dead(found: Document, now: datetime) -> bool:
    return found["at"] < now - ALIVE or is_gone(found["host"], found["pid"])


def _to_document(watching: Watching, now: datetime) -> Document:
    return {
        "process": watching.process,
        "stack": object_id(watching.stack),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "at": utc(now),
        "members": [list(each) for each in watching.members],
        "links": [[each.share, each.name, each.viewers] for each in watching.links],
        "others": watching.others,
    }


def from_document(found: Document) -> Watching:
    """Who watches, as it was stored."""
    return Watching(
        process=found["process"],
        stack=str(found["stack"]),
        members=tuple((email, int(count)) for email, count in found["members"]),
        links=tuple(LinkWatched(share, name, int(n)) for share, name, n in found["links"]),
        others=int(found["others"]),
    )


def gone(key: str) -> Watching:
    """That nobody watches a stack in a process any more, of the id of the document that went."""
    process, _, stack = key.partition(":")
    return Watching(process, stack)
