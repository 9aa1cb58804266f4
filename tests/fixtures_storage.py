"""Real MongoDB servers: the embedded replica set, a standalone one, and a fresh database a test."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from motor.motor_asyncio import AsyncIOMotorClient

from errorstack_live.settings import load
from errorstack_live.storage import mongod as mongods
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import Mongod

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


@pytest_asyncio.fixture(scope="session")
async def standalone_uri(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A server without change streams."""
    directory = tmp_path_factory.mktemp("standalone")
    port = mongods._free_port()
    process = await asyncio.create_subprocess_exec(
        *(mongods.find_mongod(load()), "--dbpath", directory, "--port", str(port)),
        *("--bind_ip", mongods.HOST, "--nounixsocket", "--noscripting"),
        *("--wiredTigerCacheSizeGB", "0.25", "--logpath", directory / "log"),
        preexec_fn=mongods._end_with_parent,
    )
    while not mongods._answers(port):
        assert process.returncode is None, Path(directory / "log").read_text()
        await asyncio.sleep(0.02)
    try:
        yield f"mongodb://{mongods.HOST}:{port}/?directConnection=true"
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
