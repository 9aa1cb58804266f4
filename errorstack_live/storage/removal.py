"""Deletes what belongs to a stack, in bounded steps."""

from datetime import UTC, datetime, timedelta

from bson import ObjectId

from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Collection, Database
from errorstack_live.storage.minute import keys_of

STEP = 2000
"""Documents deleted in one call: about 50 ms."""


async def remove_stack(database: Database, stack: ObjectId) -> None:
    """Delete everything of a stack that is gone already. Its share links end, and go in a day."""
    now = datetime.now(UTC)
    async with deadline():
        await database.shares.update_many(
            {"stack": stack},
            {"$set": {"revoked_at": now, "expire_at": now + timedelta(days=1)}},
        )
    for name in ("logs", "markers", "moves", "issues", "errors", "watching", "firsts"):
        await _remove(database[name], {"stack": stack})
    await _remove(database.minutes, {"_id": keys_of(str(stack))})


async def _remove(collection: Collection, which: dict[str, object]) -> None:
    while True:
        async with deadline():
            found = await collection.find(which, {"_id": 1}).limit(STEP).to_list(None)
            if not found:
                return
            await collection.delete_many({"_id": {"$in": [each["_id"] for each in found]}})
