"""The product itself on a real Hypercorn, in this process, on a free loopback port."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import httpx
import pytest_asyncio

from errorstack_live.model import Stack
from errorstack_live.settings import load
from errorstack_live.storage.mongo import Store
from errorstack_live.web.app import create_app
from errorstack_live.web.server import listen, run
from errorstack_live.web.state import State, now

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Server:
    """A serving process, seen from outside (``url``) and inside (``state``)."""

    url: str
    port: int
    state: State
    stack: Stack

    @property
    def key(self) -> str:
        return self.stack.keys[0].key


@asynccontextmanager
async def serving(store: Store, **chosen: object) -> AsyncIterator[Server]:
    """Serve on ``store`` with these settings until the block ends; a stack is made first."""
    settings = load(**{"port": 0, "tls_port": 0, "ingest_alias": "/x", **chosen})
    stack = await store.stacks.create("Test stack", now=now(), retention_days=30)
    listeners = listen(settings)
    app = create_app(settings, store)
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(
        run(app, settings, listeners, stop=stop, on_ready=ready.set, on_stop=app.drain)
    )
    waiting = asyncio.create_task(ready.wait())
    try:
        await asyncio.wait({running, waiting}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        assert ready.is_set(), "the server did not start"
        url = f"http://127.0.0.1:{listeners.port}"
        yield Server(url=url, port=listeners.port, state=app.state, stack=stack)
    finally:
        stop.set()
        waiting.cancel()
        await running
        listeners.close()


@pytest_asyncio.fixture(scope="module")
async def shared_server(mongo_uri: str) -> AsyncIterator[Server]:
    """One server for a module's tests; each has a stack of its own in it."""
    name = f"test_{os.getpid()}_shared_{next(_numbers)}"
    store = await Store.open(mongo_uri, name, logs_bytes=1 << 20)
    async with serving(store) as running:
        yield running
    await store.client.drop_database(name)
    await store.close()


@pytest_asyncio.fixture
async def server(shared_server: Server) -> Server:
    """A running server with an unused stack."""
    stack = await shared_server.state.store.stacks.create(
        "Test stack", now=now(), retention_days=30
    )
    return replace(shared_server, stack=stack)


@pytest_asyncio.fixture
async def own_server(store: Store) -> AsyncIterator[Server]:
    """A running server on a database of its own, where nobody has signed up."""
    async with serving(store) as running:
        yield running


@pytest_asyncio.fixture
async def slow_server(store: Store) -> AsyncIterator[Server]:
    async with serving(store, key_rate=1, key_burst=5) as running:
        yield running


@pytest_asyncio.fixture
async def http(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url) as client:
        yield client
