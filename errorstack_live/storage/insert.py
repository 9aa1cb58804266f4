"""One durable, idempotent insert of many documents: tried again until its deadline."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from errorstack_live.errors import BadSubmission, StorageAway
from errorstack_live.storage.deadline import MARGIN_S, brief
from errorstack_live.storage.document import Database

RETRY_PAUSE_S = 0.05
DURABLE = {"w": "majority", "j": True}

_DUPLICATE = 11000
_OUT_OF_DISK = 14031
_ODD = frozenset({2, 9, 15, 16, 22, 10334, 17419, 17420})
"""Codes that blame a document: BadValue, FailedToParse, Overflow (too deep), InvalidLength,
InvalidBSON, BSONObjectTooLarge."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A document was not inserted, as another has its unique ``names``."""

    names: frozenset[str]


Failure = Taken | BadSubmission
"""Why one document of many was not inserted."""


async def insert(
    database: Database, collection: str, documents: Sequence[RawBSONDocument], *, ends_at: float
) -> dict[int, Failure]:
    """Make documents durable; returns the failures by index.

    Their ids were made before, so trying again stores nothing twice: a document whose id is there
    was stored by an earlier try. Raises StorageAway when the database does not answer in time.
    """
    while True:
        try:
            return await _insert(database, collection, documents, ends_at)
        except OperationFailure as error:
            if not _may_pass(error):
                return await _apart(database, collection, documents, ends_at, error)
            problem: Exception = error
        except (PyMongoError, TimeoutError) as error:
            problem = error
        if time.monotonic() + RETRY_PAUSE_S >= ends_at:
            raise StorageAway(f"The database does not answer: {brief(problem)}") from problem
        await asyncio.sleep(RETRY_PAUSE_S)


async def _insert(
    database: Database, collection: str, documents: Sequence[RawBSONDocument], ends_at: float
) -> dict[int, Failure]:
    left_s = max(ends_at - time.monotonic(), 0.05)
    with pymongo.timeout(left_s):
        async with asyncio.timeout(left_s + MARGIN_S):
            # The command itself: the driver's bulk writes cost 0.15 ms more each time.
            reply = await database.command(
                "insert", collection, documents=documents, ordered=False, writeConcern=DURABLE
            )
    if "writeConcernError" in reply:  # written, but not known to be durable: ask once more
        raise ConnectionFailure(str(reply["writeConcernError"].get("errmsg")))
    failures = {}
    for each in reply.get("writeErrors", ()):
        failure = _failure(each)
        if failure is not None:
            failures[int(each["index"])] = failure
    return failures


def _failure(error: dict[str, Any]) -> Failure | None:
    if error["code"] == _DUPLICATE:
        names = frozenset(error.get("keyPattern", ()))
        return None if names == {"_id"} else Taken(names)
    if error["code"] in _ODD:
        return BadSubmission(f"The database cannot hold this: {str(error.get('errmsg'))[:200]}")
    raise OperationFailure(str(error.get("errmsg")), error["code"])


def _may_pass(error: OperationFailure) -> bool:
    """Whether the same insert may succeed a moment later."""
    return error.timeout or error.code not in _ODD | {_OUT_OF_DISK}


async def _apart(
    database: Database,
    collection: str,
    documents: Sequence[RawBSONDocument],
    ends_at: float,
    error: OperationFailure,
) -> dict[int, Failure]:
    """Insert one by one what the server refused as a whole, to find out whose fault it was."""
    if error.code == _OUT_OF_DISK:
        raise StorageAway("The database's disk is full", reason="disk-full") from error
    if len(documents) == 1:
        return {0: BadSubmission(f"The database cannot hold this: {brief(error)}")}
    failures = {}
    for index, document in enumerate(documents):
        for failure in (await insert(database, collection, [document], ends_at=ends_at)).values():
            failures[index] = failure
    return failures
