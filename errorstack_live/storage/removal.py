"""Deletes a stack with all that is in it: in bounded steps, gone on with after a crash.

A note in ``removals`` is written before anything goes, and taken away when nothing is left. Every
process looks for notes again and again, so that a removal begun is finished by whoever lives.
"""

from datetime import datetime, timedelta

from bson import ObjectId

from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Collection, Database, utc
from errorstack_live.storage.minute import keys_of

STEP = 2000
"""Documents deleted in one call: about 50 ms, on a busy machine a second."""
STEP_S = 10.0
SETTLES = timedelta(seconds=30)
"""For so long other processes may still know the stack and store in it: what they did goes, too."""
SHARES_STAY = timedelta(days=1)
"""A link of a deleted stack says so much longer that it has ended."""
OF_A_STACK = (
    *("logs", "markers", "moves", "issues", "errors", "firsts"),
    *("refused", "uses", "watching"),
)
"""Collections whose documents name their ``stack`` and go with it."""


async def begin(database: Database, stack: ObjectId, now: datetime) -> None:
    """Note that a stack has to go; from then on its removal is finished whatever happens."""
    async with deadline():
        await database.removals.update_one(
            {"_id": stack}, {"$setOnInsert": {"at": utc(now)}}, upsert=True
        )


async def finish(database: Database, now: datetime) -> None:
    """Delete what the notes name; a note goes once nothing can be written in its stack any more."""
    async with deadline(in_turn=False):
        notes = await database.removals.find().to_list(None)
    for note in notes:
        await _remove_all(database, note["_id"], now)
        if note["at"] < now - SETTLES:
            async with deadline(in_turn=False):
                await database.removals.delete_one({"_id": note["_id"]})


async def _remove_all(database: Database, stack: ObjectId, now: datetime) -> None:
    async with deadline(in_turn=False):
        await database.stacks.delete_one({"_id": stack})
        await database.shares.update_many(
            {"stack": stack, "expire_at": None},
            {"$set": {"revoked_at": utc(now), "expire_at": utc(now) + SHARES_STAY}},
        )
    for name in OF_A_STACK:
        await _remove(database[name], {"stack": stack})
    await _remove(database.pins, {"_id": stack})
    await _remove(database.minutes, {"_id": keys_of(str(stack))})


async def _remove(collection: Collection, which: dict[str, object]) -> None:
    while True:
        async with deadline(STEP_S, in_turn=False):
            found = await collection.find(which, {"_id": 1}).limit(STEP).to_list(None)
            if not found:
                return
            await collection.delete_many({"_id": {"$in": [each["_id"] for each in found]}})
