"""Markers: what somebody did, at its time, so that before and after can be told apart."""

from datetime import datetime, timedelta

from pymongo import IndexModel

from errorstack_live.errors import NotFound
from errorstack_live.event import MarkerChanged
from errorstack_live.model import Marker, Origin
from errorstack_live.storage.change import Changes
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, object_id, utc

BY_TIME = [("stack", 1), ("at", -1), ("_id", -1)]
INDEXES = (IndexModel(BY_TIME), IndexModel("expire_at", expireAfterSeconds=0))
MAX_MARKERS = 400
"""Of a stack, set by members and their programs; the oldest go."""
MAX_KEY_MARKERS = 100
"""Of a stack, set with its public key: strangers push out none of the others."""
TOLD = timedelta(hours=1)
"""A marker that was removed is kept so long, for processes that must hear of it."""


class Markers:
    """The collection ``markers``."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._markers = database.markers
        self._changes = changes

    @deadline()
    async def add(self, marker: Marker) -> Marker:
        """Store a marker, as durably as errors; beyond the bound the oldest go."""
        await self._markers.insert_one(_document(marker))
        self._changes.tell(MarkerChanged(marker))
        await self._trim(marker)
        return marker

    @deadline()
    async def newest(self, stack_id: str, limit: int = 100) -> list[Marker]:
        """The newest markers, newest first."""
        which = {"stack": object_id(stack_id), "removed_at": None}
        found = self._markers.find(which).sort(BY_TIME[1:]).limit(limit)
        return [from_document(each) for each in await found.to_list(None)]

    @deadline()
    async def remove(self, stack_id: str, marker_id: str, now: datetime) -> None:
        """Take a marker away. Raises NotFound."""
        which = {"_id": object_id(marker_id), "stack": object_id(stack_id), "removed_at": None}
        gone = {"removed_at": utc(now), "expire_at": utc(now + TOLD)}
        found = await self._markers.find_one_and_update(which, {"$set": gone}, return_document=True)
        if found is None:
            raise NotFound("There is no such marker")
        self._changes.tell(MarkerChanged(from_document(found)))

    async def _trim(self, marker: Marker) -> None:
        is_strange = marker.origin is Origin.KEY
        most = MAX_KEY_MARKERS if is_strange else MAX_MARKERS
        origin = {"origin": Origin.KEY.value if is_strange else {"$ne": Origin.KEY.value}}
        which = {"stack": object_id(marker.stack), **origin}
        surplus = self._markers.find(which, {"_id": 1}).sort(BY_TIME[1:]).skip(most)
        keys = [each["_id"] for each in await surplus.to_list(None)]
        if keys:
            await self._markers.delete_many({"_id": {"$in": keys}})


def _document(marker: Marker) -> Document:
    return {
        "_id": object_id(marker.id),
        "stack": object_id(marker.stack),
        "at": marker.at,
        "text": marker.text,
        "origin": marker.origin.value,
        "by": marker.by,
        "removed_at": None,
    }


def from_document(found: Document) -> Marker:
    """A marker as it was stored."""
    return Marker(
        id=str(found["_id"]),
        stack=str(found["stack"]),
        at=found["at"],
        text=found["text"],
        origin=Origin(found["origin"]),
        by=found["by"],
        removed_at=found["removed_at"],
    )
