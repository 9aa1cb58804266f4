"""Errors that are pinned: one document a stack, so that their number is bounded in one step."""

from pymongo.errors import DuplicateKeyError

from errorstack_live.access import Pin
from errorstack_live.errors import Conflict
from errorstack_live.event import PinsChanged
from errorstack_live.storage.change import Changes
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, object_id, utc

MAX_PINS = 5
"""In a stack: more would push away what they stand above."""


class Pins:
    """The collection ``pins``."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._pins = database.pins
        self._changes = changes

    @deadline()
    async def all(self, stack_id: str) -> tuple[Pin, ...]:
        """What is pinned in a stack, the newest first."""
        found = await self._pins.find_one({"_id": object_id(stack_id)})
        return from_document(found) if found else ()

    @deadline()
    async def add(self, stack_id: str, pin: Pin) -> None:
        """Pin an error, or give one that is pinned another note. Raises Conflict when it is full.

        That an error is there is the caller's to know.
        """
        key, error = object_id(stack_id), object_id(pin.error)
        said = {"note": pin.note, "by": pin.by, "at": utc(pin.at)}
        changed = {f"pins.$.{name}": value for name, value in said.items()}
        known = {"_id": key, "pins.error": error}
        if not (await self._pins.update_one(known, {"$set": changed})).matched_count:
            room = {
                "_id": key,
                "pins.error": {"$ne": error},
                f"pins.{MAX_PINS - 1}": {"$exists": 0},
            }
            pushed = {"$push": {"pins": {"$each": [{"error": error, **said}], "$position": 0}}}
            try:
                await self._pins.update_one(room, pushed, upsert=True)
            except DuplicateKeyError:
                raise Conflict(f"{MAX_PINS} errors are pinned already: unpin one first") from None
        await self._tell(stack_id)

    @deadline()
    async def remove(self, stack_id: str, error_ids: list[str]) -> None:
        """Unpin errors; those that are not pinned are none."""
        which = {"pins": {"error": {"$in": [object_id(each) for each in error_ids]}}}
        await self._pins.update_one({"_id": object_id(stack_id)}, {"$pull": which})
        await self._tell(stack_id)

    async def _tell(self, stack_id: str) -> None:
        if self._changes.to is not None:
            self._changes.tell(PinsChanged(stack_id, await self.all(stack_id)))


def from_document(found: Document) -> tuple[Pin, ...]:
    """A stack's pins as they were stored."""
    return tuple(
        Pin(str(each["error"]), each["note"], each["by"], each["at"])
        for each in found.get("pins", ())
    )
