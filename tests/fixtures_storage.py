"""Real MongoDB servers: the embedded replica set, a standalone one, and a fresh database a test."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from motor.motor_asyncio import AsyncIOMotorClient

from errorstack_live.errors import StorageAway
from errorstack_live.event import Entry, Event
from errorstack_live.model import Stack, Stored
from errorstack_live.settings import load
from errorstack_live.storage import mongod as mongods
from errorstack_live.storage.feed import Feed
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import Mongod
from errorstack_live.storage.program import find_mongod
from errorstack_live.storage.replica import HOST, answers
from errorstack_live.storage.writer import Writer

T = TypeVar("T")
_numbers = itertools.count(1)


@pytest_asyncio.fixture(scope="session")
async def mongod(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Mongod]:
    """The embedded server, as `serve` starts it."""
    child = Mongod(load(data_dir=tmp_path_factory.mktemp("data")))
    await child.start()
    try:
        yield child
    finally:
        await child.stop()


@pytest.fixture(scope="session")
def mongo_uri(mongod: Mongod) -> str:
    return mongod.uri


@pytest_asyncio.fixture
async def database(mongo_uri: str) -> AsyncIterator[str]:
    """The name of a database that nothing has used, gone after the test."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    yield name
    await drop(mongo_uri, name)


@pytest_asyncio.fixture
async def store(mongo_uri: str, database: str) -> AsyncIterator[Store]:
    opened = await Store.open(mongo_uri, database, logs_bytes=1 << 20)
    try:
        yield opened
    finally:
        await opened.close()


@pytest_asyncio.fixture
async def writer(store: Store) -> AsyncIterator[Writer]:
    async with writing(store) as started:
        yield started


@pytest_asyncio.fixture
async def stack(store: Store) -> Stack:
    return await store.stacks.create("Test stack", now=datetime.now(UTC), retention_days=30)


@pytest_asyncio.fixture
async def own_mongod(tmp_path: Path) -> AsyncIterator[Mongod]:
    """An embedded server for one test that may do to it what it likes."""
    child = Mongod(load(data_dir=tmp_path / "data"))
    await child.start()
    try:
        yield child
    finally:
        await child.stop()


@pytest_asyncio.fixture
async def own_store(own_mongod: Mongod) -> AsyncIterator[Store]:
    opened = await Store.open(own_mongod.uri, "errorstack")
    try:
        yield opened
    finally:
        await opened.close()


async def insistently(store: Callable[[T], Awaitable[Stored]], item: T) -> Stored:
    """Store as a sender does who was told to try again."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await store(item)
            except StorageAway:
                await asyncio.sleep(0.05)


class Heard:
    """A feed and what it said."""

    def __init__(self, store: Store) -> None:
        self.feed = Feed(store, publish=self._publish, lost=self._lost)
        self.entries: list[Entry] = []
        self.lost_count = 0
        self._more = asyncio.Event()

    def events(self, *kinds: type[Event]) -> list[Any]:
        """What was said of these kinds."""
        return [each.event for each in self.entries if isinstance(each.event, kinds)]

    async def until(self, is_enough: Callable[["Heard"], object]) -> None:
        """Wait until what was said is enough."""
        async with asyncio.timeout(30):
            while not is_enough(self):
                self._more.clear()
                await self._more.wait()

    def _publish(self, entries: Sequence[Entry]) -> None:
        self.entries += entries
        self._more.set()

    def _lost(self) -> None:
        self.lost_count += 1
        self._more.set()


@asynccontextmanager
async def writing(store: Store, **chosen: Any) -> AsyncIterator[Writer]:
    """A writer of its own, started, and closed at the end."""
    started = Writer(store, **chosen)
    await started.start()
    try:
        yield started
    finally:
        await started.close()


@asynccontextmanager
async def following(store: Store) -> AsyncIterator[Heard]:
    """A feed of its own that is live."""
    heard = Heard(store)
    task = asyncio.create_task(heard.feed.run())
    try:
        await heard.feed.ready()
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def eventually(is_true: Callable[[], Awaitable[object]], seconds: float = 20) -> None:
    """Wait for what another process does in its own time."""
    async with asyncio.timeout(seconds):
        while not await is_true():
            await asyncio.sleep(0.02)


@pytest_asyncio.fixture(scope="session")
async def standalone_uri(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server without change streams."""
    directory = tmp_path_factory.mktemp("standalone")
    port = mongods._free_port()
    process = await asyncio.create_subprocess_exec(
        *(find_mongod(load()), "--dbpath", directory, "--port", str(port)),
        *("--bind_ip", HOST, "--nounixsocket", "--noscripting"),
        *("--wiredTigerCacheSizeGB", "0.25", "--logpath", directory / "log"),
        *("--setParameter", "ttlMonitorSleepSecs=1"),
        preexec_fn=mongods._end_with_parent,
    )
    while not answers(port):
        assert process.returncode is None, Path(directory / "log").read_text()
        await asyncio.sleep(0.02)
    try:
        yield f"mongodb://{HOST}:{port}/?directConnection=true"
    finally:
        process.terminate()
        await process.wait()


@pytest_asyncio.fixture
async def standalone_store(standalone_uri: str) -> AsyncIterator[Store]:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    opened = await Store.open(standalone_uri, name, logs_bytes=1 << 20)
    try:
        yield opened
    finally:
        await opened.close()
        await drop(standalone_uri, name)


async def drop(uri: str, name: str) -> None:
    client: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(uri)
    try:
        await client.drop_database(name)
    finally:
        client.close()
