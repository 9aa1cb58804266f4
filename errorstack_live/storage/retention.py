"""How long errors are kept: known for each stack, and carried to older errors when it changes."""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from bson import ObjectId

from errorstack_live.errors import NotFound, StorageAway
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document
from errorstack_live.storage.error import BY_TIME
from errorstack_live.storage.stack import Stacks
from errorstack_live.storage.walk import Edge

FRESH_S = 5.0
"""A stack's retention is read again after this long."""
STEP = 2000
"""Errors changed in one call: about 50 ms."""
STEP_S = 10.0
MAX_STACKS = 10_000


@dataclass(slots=True)
class _Known:
    keep: timedelta
    read_at: float


class Retention:
    """What a new error's ``expire_at`` must be.

    Only a stack's first errors wait for the database, all for one read; later it is read anew
    beside them.
    """

    def __init__(self, stacks: Stacks) -> None:
        self._stacks = stacks
        self._known: dict[str, _Known] = {}
        self._reading: dict[str, asyncio.Task[_Known | None]] = {}

    async def expire_at(self, stack_id: str, at: datetime) -> datetime:
        """When an error of this stack goes. Raises NotFound for a stack that is gone."""
        known = self._known.get(stack_id)
        if known is None:
            known = await asyncio.shield(self._read_once(stack_id))
            if known is None:
                raise NotFound("There is no such stack")
        elif time.monotonic() - known.read_at > FRESH_S:
            known.read_at = time.monotonic()
            self._read_once(stack_id)
        return at + known.keep

    def _read_once(self, stack_id: str) -> asyncio.Task[_Known | None]:
        task = self._reading.get(stack_id)
        if task is None:
            task = self._reading[stack_id] = asyncio.create_task(self._read(stack_id))
            task.add_done_callback(lambda _: self._reading.pop(stack_id))
        return task

    async def _read(self, stack_id: str) -> _Known | None:
        """Read a stack's retention; None when it is gone.

        Without a database what is known stays so; raises StorageAway where that is nothing.
        """
        try:
            stack = await self._stacks.by_id(stack_id)
        except NotFound:
            self._known.pop(stack_id, None)
            return None
        except StorageAway:
            if stack_id in self._known:
                return self._known[stack_id]
            raise
        if len(self._known) >= MAX_STACKS:
            self._known.clear()
        known = _Known(timedelta(days=stack.retention_days), time.monotonic())
        self._known[stack_id] = known
        return known


async def apply_retention(database: Database) -> None:
    """Carry changed retentions to the errors that are stored already, in bounded steps."""
    async with deadline(in_turn=False):
        due = await database.stacks.find({"retention_due": True}).to_list(None)
    for stack in due:
        days = stack["retention_days"]
        edge: Edge | None = None
        while True:
            edge = await _step(database, stack["_id"], days, edge)
            if edge is None:
                break
        async with deadline(in_turn=False):  # unless it was changed again meanwhile
            await database.stacks.update_one(
                {"_id": stack["_id"], "retention_days": days}, {"$unset": {"retention_due": 1}}
            )


async def _step(database: Database, stack: ObjectId, days: int, edge: Edge | None) -> Edge | None:
    """Change the next STEP errors behind ``edge``; returns where they end, None at the end."""
    rest: Document = {"$and": [{"stack": stack}, edge.older()]} if edge else {"stack": stack}
    async with deadline(STEP_S, in_turn=False):
        found = database.errors.find(rest, {"at": 1}, hint=BY_TIME)
        last = await found.sort(BY_TIME[1:]).skip(STEP - 1).limit(1).to_list(1)
        lower = Edge(last[0]["at"], last[0]["_id"]) if last else None
        which = {"$and": [rest, lower.newer()]} if lower else rest
        expire_at = {"$dateAdd": {"startDate": "$at", "unit": "day", "amount": days}}
        await database.errors.update_many(which, [{"$set": {"expire_at": expire_at}}], hint=BY_TIME)
    return lower
