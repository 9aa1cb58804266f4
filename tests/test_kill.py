"""kill -9 of mongod under load: no acknowledged error is lost, and the feed tells none twice.

Three kills in an ordinary run; ERRORSTACK_TEST_KILLS says how many else.
"""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime

from fixtures_storage import eventually, following, writing
from samples_storage import error

from errorstack_live.errors import StorageAway
from errorstack_live.event import ErrorStored
from errorstack_live.model import Stack
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import Mongod
from errorstack_live.storage.writer import Writer

KILLS = int(os.environ.get("ERRORSTACK_TEST_KILLS", "3"))
SENDERS = 20


class Load:
    """Senders that store errors one after the other until told to stop."""

    def __init__(self, writer: Writer, stack: Stack) -> None:
        self._writer = writer
        self._stack = stack
        self._stop = asyncio.Event()
        self.acknowledged: set[str] = set()
        self.refused: set[str] = set()
        self.slowest_s = 0.0

    async def run(self) -> None:
        await asyncio.gather(*(self._send(n) for n in range(SENDERS)))

    def stop(self) -> None:
        self._stop.set()

    async def _send(self, sender: int) -> None:
        while not self._stop.is_set():
            at = datetime.now(UTC)
            sent = error(self._stack.id, {"Msg": f"of {'abcde'[sender % 5]}"}, at=at)
            began_at = time.monotonic()
            try:
                await self._writer.store(sent)
            except StorageAway:
                self.refused.add(sent.id)
            else:
                self.acknowledged.add(sent.id)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began_at)


async def test_nothing_acknowledged_is_lost_or_told_twice(
    own_mongod: Mongod, own_store: Store
) -> None:
    store = own_store
    stack = await store.stacks.create("Killed", now=datetime.now(UTC), retention_days=1)
    async with following(store) as heard:
        async with writing(store) as writer:
            load = Load(writer, stack)
            running = asyncio.create_task(load.run())
            for number in range(1, KILLS + 1):
                await _more_stored(load)
                await asyncio.sleep(random.uniform(0, 0.2))
                assert own_mongod.pid
                os.kill(own_mongod.pid, signal.SIGKILL)
                await _restarted(own_mongod, number)
            await _more_stored(load)
            load.stop()
            await running
        found = store.database.errors.find({}, {"_id": 1})
        stored = {str(each["_id"]) for each in await found.to_list(None)}
        await heard.until(lambda live: len(live.events(ErrorStored)) >= len(stored))
    told = Counter(each.error.id for each in heard.events(ErrorStored))
    assert load.acknowledged <= stored <= load.acknowledged | load.refused
    assert set(told) == stored
    assert set(told.values()) == {1}
    assert (heard.lost_count, own_mongod.restarts) == (0, KILLS)
    assert load.slowest_s < 5
    await _counts_are_right(store, stack, len(stored))


async def _more_stored(load: Load) -> None:
    enough = len(load.acknowledged) + 300

    async def is_enough() -> bool:
        return len(load.acknowledged) >= enough

    await eventually(is_enough, 60)


async def _restarted(mongod: Mongod, number: int) -> None:
    async def is_restarted() -> bool:
        return mongod.restarts == number and mongod.pid is not None

    await eventually(is_restarted, 60)


async def _counts_are_right(store: Store, stack: Stack, stored: int) -> None:
    """At the latest when the next process starts, all others having ended."""
    async with writing(store):
        pass
    issues = await store.issues.find(stack.id)
    assert sum(each.count for each in issues) == stored
