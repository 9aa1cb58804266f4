"""The database as a whole: connected, brought up to date, and its collections by name."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import IndexModel
from pymongo.errors import CollectionInvalid, OperationFailure, PyMongoError

from errorstack_live.errors import ErrorStackError, SetupError
from errorstack_live.storage import (
    error,
    first,
    issue,
    log,
    marker,
    member,
    merge,
    minute,
    pin,
    process,
    refused,
    session,
    share,
    token,
    watching,
)
from errorstack_live.storage import stack as stacks
from errorstack_live.storage.change import Changes
from errorstack_live.storage.deadline import brief, deadline
from errorstack_live.storage.document import OPTIONS, Database, Document
from errorstack_live.storage.measure import Measures
from errorstack_live.storage.meta import Meta
from errorstack_live.storage.refused import Refusals
from errorstack_live.storage.use import KeyUses

VERSION = 5
"""Of the documents. A later version brings older ones up to date in ``_migrate``.

2: tokens and who watches. 3: issues may be ignored for a time and merged, stacks have rules and
markers. 4: what is new in an error. 5: refusals by stack. Each only has further indexes: nothing
that version 1 wrote has to change, and what is missing in it means that nothing was said.
"""
OLDEST_SERVER = 13
"""The wire version of MongoDB 5.0, the first to keep ``$`` and dots in names."""
CONNECT_S = 10.0
MIGRATE_S = 600.0
CLOSE_S = 1.0
_EXISTS = 48
DEFAULT_LOGS_BYTES = 64 << 20

_INDEXES: dict[str, Sequence[IndexModel]] = {
    "stacks": stacks.INDEXES,
    "errors": error.INDEXES,
    "issues": issue.INDEXES,
    "minutes": minute.INDEXES,
    "logs": log.INDEXES,
    "markers": marker.INDEXES,
    "moves": merge.INDEXES,
    "members": member.INDEXES,
    "sessions": session.INDEXES,
    "shares": share.INDEXES,
    "tokens": token.INDEXES,
    "processes": process.INDEXES,
    "watching": watching.INDEXES,
    "firsts": first.INDEXES,
    "refused": refused.INDEXES,
}


class Store:
    """An open database. ``secret`` signs cookies and cursors and is the same in every process."""

    def __init__(self, client: AsyncIOMotorClient[Document], database: Database) -> None:
        self.client = client
        self.database = database
        self.is_replica_set = False
        self.secret = ""
        self.changes = Changes()
        self.stacks = stacks.Stacks(database, self.changes)
        self.errors = error.Errors(database)
        self.issues = issue.Issues(database, self.changes)
        self.logs = log.Logs(database)
        self.markers = marker.Markers(database, self.changes)
        self.merges = merge.Merges(database, self.changes, lambda: self.is_replica_set)
        self.minutes = minute.Minutes(database)
        self.sessions = session.Sessions(database, self.changes)
        self.tokens = token.Tokens(database, self.changes)
        self.members = member.Members(database, self.sessions, self.tokens)
        self.shares = share.Shares(database, self.changes)
        self.processes = process.Processes(database)
        self.pins = pin.Pins(database, self.changes)
        self.watchings = watching.Watchings(database)
        self.uses = KeyUses(database)
        self.refusals = Refusals(database)
        self.measures = Measures(database)
        self.meta = Meta(database)

    @classmethod
    async def open(cls, uri: str, database: str, *, logs_bytes: int = DEFAULT_LOGS_BYTES) -> Self:
        """Connect and bring the documents up to date.

        Raises SetupError when the server cannot be reached, is older than MongoDB 5.0, or holds
        documents of a later version than this program knows.
        """
        try:
            client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
                uri,
                appname="errorstack-live",
                w="majority",
                journal=True,
                serverSelectionTimeoutMS=int(CONNECT_S * 1000),
                connectTimeoutMS=2000,
                socketTimeoutMS=20_000,
                maxPoolSize=32,
            )
            store = cls(client, client.get_database(database, codec_options=OPTIONS))
        except (PyMongoError, ValueError, TypeError) as failure:
            raise SetupError(
                f"ERRORSTACK_MONGODB_URI cannot be used: {brief(failure)}"
            ) from failure
        try:
            await store._prepare(logs_bytes)
        except BaseException as failure:
            client.close()
            if isinstance(failure, ErrorStackError) and not isinstance(failure, SetupError):
                raise SetupError(f"The database at {_hosts(uri)}: {failure.message}") from failure
            raise
        return store

    async def ping(self) -> float:
        """How long the database takes to answer, in seconds."""
        began_at = time.perf_counter()
        async with deadline():
            await self.database.command("ping")
        return time.perf_counter() - began_at

    async def free_bytes(self) -> int | None:
        """Free space on the database's disk; None where it does not say."""
        async with deadline():
            stats = await self.database.command("dbStats")
        total = stats.get("fsTotalSize")
        return int(total - stats["fsUsedSize"]) if total else None

    async def close(self) -> None:
        """Close the connections. Calls under way fail."""
        with pymongo.timeout(CLOSE_S):  # it tells the server, which may be gone
            self.client.close()

    async def _prepare(self, logs_bytes: int) -> None:
        async with deadline(CONNECT_S):
            hello = await self.database.command("hello")
        if hello["maxWireVersion"] < OLDEST_SERVER:
            raise SetupError("This MongoDB is too old: 5.0 or newer is needed.")
        self.is_replica_set = "setName" in hello or hello.get("msg") == "isdbgrid"
        version = await self.meta.version()
        if version is not None and version > VERSION:
            raise SetupError(
                f"The documents of this database are of version {version}; this program knows"
                f" them up to {VERSION}. Use the program that wrote them, or a newer one."
            )
        if version != VERSION:
            async with deadline(MIGRATE_S, in_turn=False):
                await self._migrate(logs_bytes)
            await self.meta.set_version(VERSION)
        await self._resize_logs(logs_bytes)
        self.secret = await self.meta.secret()

    async def _migrate(self, logs_bytes: int) -> None:
        try:
            await self.database.create_collection("logs", capped=True, size=logs_bytes)
        except CollectionInvalid:
            pass
        except OperationFailure as failure:
            if failure.code != _EXISTS:  # another process was first
                raise
        await asyncio.gather(
            *(self.database[name].create_indexes(list(each)) for name, each in _INDEXES.items())
        )

    async def _resize_logs(self, logs_bytes: int) -> None:
        """Give the log messages the space the setting says, where the server can (from 6.0)."""
        async with deadline():
            options = await self.database.logs.options()
            if options.get("size") != -(-logs_bytes // 256) * 256:
                with suppress(OperationFailure):
                    await self.database.command("collMod", "logs", cappedSize=logs_bytes)


def _hosts(uri: str) -> str:
    """The address without its password."""
    return uri.rpartition("@")[2].removeprefix("mongodb://").partition("/")[0]
