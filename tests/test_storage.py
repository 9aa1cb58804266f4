"""The database as a whole, and its smaller collections, on a real server."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest
from fixtures_storage import writing
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import AutoReconnect, OperationFailure
from samples_storage import NOW, ago, error, message

from errorstack_live.errors import Conflict, Invalid, NotFound, SetupError, StorageAway
from errorstack_live.event import (
    ErrorStored,
    Event,
    IssueChanged,
    LogStored,
    Refused,
    SessionEnded,
    ShareChanged,
    StackChanged,
)
from errorstack_live.model import Stack, Status
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.mongo import VERSION, Store
from errorstack_live.storage.mongod import Mongod
from errorstack_live.storage.session import digest
from errorstack_live.storage.writer import Writer

LATER = NOW + timedelta(days=1)
NOBODY = "0" * 24


# Opened


async def test_opening_again_keeps_everything(mongo_uri: str, store: Store, stack: Stack) -> None:
    again = await Store.open(mongo_uri, store.database.name)
    assert again.secret == store.secret
    assert len(store.secret) >= 48
    assert await again.stacks.all() == [stack]
    await again.close()


async def test_opening_at_once(mongo_uri: str, database: str) -> None:
    stores = await asyncio.gather(*(Store.open(mongo_uri, database) for _ in range(4)))
    assert len({store.secret for store in stores}) == 1
    for store in stores:
        await store.close()


async def test_documents_of_a_later_version(mongo_uri: str, store: Store) -> None:
    await store.meta.set_version(VERSION + 1)
    with pytest.raises(SetupError, match=f"version {VERSION + 1}"):
        await Store.open(mongo_uri, store.database.name)


async def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("errorstack_live.storage.mongo.CONNECT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(SetupError, match=f"127.0.0.1:{port}") as told:
            await Store.open(f"mongodb://me:secret@127.0.0.1:{port}", "x")
        assert "secret" not in told.value.message


@pytest.mark.parametrize("uri", ["", "http://x", "mongodb://", "mongodb://%"])
async def test_an_address_that_is_none(uri: str) -> None:
    with pytest.raises(SetupError, match="ERRORSTACK_MONGODB_URI"):
        await Store.open(uri, "x")


async def test_a_password_that_is_wrong(mongod: Mongod) -> None:
    with pytest.raises(SetupError, match="Authentication failed"):
        await Store.open(mongod.uri.replace(mongod._password, "wrong"), "x")


async def test_ping_and_space(store: Store) -> None:
    assert 0 < await store.ping() < 2
    assert (await store.free_bytes() or 0) > 1 << 20


async def test_the_space_for_logs_follows_the_setting(mongo_uri: str, store: Store) -> None:
    again = await Store.open(mongo_uri, store.database.name, logs_bytes=2 << 20)
    assert (await again.database.logs.options())["size"] == 2 << 20
    await again.close()


async def test_failures_have_our_names() -> None:
    async def raising(failure: Exception) -> None:
        async with deadline(0.05):
            raise failure

    for failure in (AutoReconnect("gone"), TimeoutError(), OperationFailure("")):
        with pytest.raises(StorageAway):
            await raising(failure)
    for value in (OverflowError(), UnicodeEncodeError("utf-8", "x", 0, 1, "x"), RecursionError()):
        with pytest.raises(Invalid):
            await raising(value)
    with pytest.raises(StorageAway):
        async with deadline(0.01):
            await asyncio.Event().wait()


# Issues and minutes


async def test_issues_are_found(store: Store, writer: Writer, stack: Stack) -> None:
    other = await store.stacks.create("Other", now=NOW, retention_days=1)
    sent = [
        error(stack.id, {"Msg": "TypeError: a (b) failed", "File": "/x/a.js"}, at=ago(minutes=3)),
        error(stack.id, {"Msg": "Timeout"}, at=ago(minutes=2)),
        error(stack.id, {"Msg": "Disk full"}, at=ago(minutes=1)),
        error(other.id, {"Msg": "Elsewhere"}),
    ]
    for each in sent:
        await writer.store(each)
    found = await store.issues.find(stack.id)
    assert [each.title for each in found] == ["Disk full", "Timeout", "TypeError: a (b) failed"]
    await store.issues.set_status(stack.id, [sent[1].issue, sent[3].issue], Status.RESOLVED, NOW)
    resolved = await store.issues.find(stack.id, status=Status.RESOLVED)
    assert [each.title for each in resolved] == ["Timeout"]
    assert await store.issues.open_counts([stack.id, other.id]) == {stack.id: 2, other.id: 1}
    assert len(await store.issues.find(stack.id, limit=1)) == 1
    for query, count in (("a (B) FAILED", 1), ("full disk", 1), (".*", 0), ("a.js", 1), (" ", 3)):
        assert len(await store.issues.find(stack.id, query=query)) == count, query
    assert (await store.issues.get(stack.id, sent[0].issue)).title == sent[0].title
    with pytest.raises(NotFound):
        await store.issues.get(stack.id, sent[3].issue)


async def test_minutes_by_level(store: Store, stack: Stack) -> None:
    sent = [
        error(stack.id, {"Msg": "a"}, at=ago(minutes=2)),
        error(stack.id, {"Msg": "a"}, at=ago(minutes=2, seconds=10)),
        error(stack.id, {"Msg": "a", "level": "info"}, at=ago(minutes=2)),
        error(stack.id, {"Msg": "b"}, at=NOW),
    ]
    async with writing(store) as writer:
        await asyncio.gather(*map(writer.store, sent))
    minute = NOW.replace(second=0)
    early = minute - timedelta(minutes=2)
    series = await store.minutes.series(stack.id, ago(hours=1), LATER)
    assert series == [(early, {"error": 2, "info": 1}), (minute, {"error": 1})]
    assert await store.minutes.series(stack.id, ago(hours=1), minute) == series[:1]
    of_b = await store.minutes.series(stack.id, ago(hours=1), LATER, issue=sent[3].issue)
    assert of_b == [(minute, {"error": 1})]


# Members, sessions, the set-up token


async def test_members(store: Store) -> None:
    made = await store.members.add(" Ada@Example.com ", "hash", NOW)
    assert await store.members.count() == 1
    assert made.email == "Ada@Example.com"
    assert await store.members.by_email("ada@example.COM") == made
    assert await store.members.by_email("x") is None
    assert await store.members.by_id(made.id) == made
    with pytest.raises(Conflict):
        await store.members.add("ADA@example.com", "hash", NOW)
    await store.members.set_password(made.id, "other")
    assert [each.password_hash for each in await store.members.all()] == ["other"]
    token = await store.sessions.create(made.id, now=NOW, expires_at=LATER)
    await store.members.remove(made.id)
    assert await store.sessions.by_token(token, NOW) is None
    for call in (
        store.members.by_id(made.id),
        store.members.remove(made.id),
        store.members.set_password(made.id, "x"),
    ):
        with pytest.raises(NotFound):
            await call


async def test_sessions(store: Store) -> None:
    token = await store.sessions.create(None, now=NOW, expires_at=LATER)
    found = await store.sessions.by_token(token, NOW)
    assert found is not None
    assert (found.id, found.member, found.expires_at) == (digest(token), None, LATER)
    assert token not in str(await store.database.sessions.find().to_list(None))
    assert await store.sessions.by_token(token, LATER) is None
    for odd in ("", "x", "\ud800", found.id):
        assert await store.sessions.by_token(odd, NOW) is None
    await store.sessions.end(found.id)
    await store.sessions.end(found.id)
    assert await store.sessions.by_token(token, NOW) is None


async def test_a_setup_token_is_good_once(store: Store) -> None:
    old = await store.meta.new_setup_token(NOW)
    token = await store.meta.new_setup_token(NOW)
    assert not await store.meta.take_setup_token(old, NOW)
    assert not await store.meta.take_setup_token(token, NOW + timedelta(days=2))
    taken = await asyncio.gather(*(store.meta.take_setup_token(token, NOW) for _ in range(5)))
    assert sorted(taken) == [False, False, False, False, True]


# Shares, processes


async def test_shares(store: Store, stack: Stack) -> None:
    made = await store.shares.create(
        stack.id,
        token_sha256=digest("token"),
        name="For Bob",
        query="level:error",
        hidden=("email",),
        with_logs=False,
        now=NOW,
        expires_at=LATER,
    )
    assert await store.shares.by_token_sha256(digest("token")) == made
    assert await store.shares.by_token_sha256("token") is None
    assert await store.shares.by_id(made.id) == made
    assert await store.shares.all(stack.id) == await store.shares.all() == [made]
    assert await store.shares.all(NOBODY) == []
    await store.shares.revoke(made.id, NOW)
    await store.shares.revoke(made.id, LATER)
    assert (await store.shares.by_id(made.id)).revoked_at == NOW
    for call in (store.shares.by_id(NOBODY), store.shares.revoke(NOBODY, NOW)):
        with pytest.raises(NotFound):
            await call


async def test_shares_end_with_their_stack(store: Store, stack: Stack) -> None:
    made = await store.shares.create(
        stack.id,
        token_sha256="x",
        name="",
        query="",
        hidden=(),
        with_logs=True,
        now=NOW,
        expires_at=None,
    )
    await store.stacks.delete(stack.id, NOW)
    assert (await store.shares.by_id(made.id)).revoked_at is not None


async def test_processes(store: Store) -> None:
    await store.processes.beat("one", "http://a", "all", NOW)
    await store.processes.beat("two", "http://b", "ingest", NOW - timedelta(minutes=1))
    await store.processes.beat("one", "http://c", "all", NOW + timedelta(seconds=5))
    (alive,) = await store.processes.alive(NOW + timedelta(seconds=5))
    assert (alive.id, alive.url, alive.role) == ("one", "http://c", "all")
    await store.processes.leave("one")
    assert await store.processes.alive(NOW) == []


# A standalone server


async def test_without_a_change_stream_everything_is_told(standalone_store: Store) -> None:
    store, told = standalone_store, list[Event]()
    assert not store.is_replica_set
    now = datetime.now(UTC)
    async with writing(store, on_committed=told.extend) as writer:
        stack = await store.stacks.create("One", now=now, retention_days=1)
        first = error(stack.id, {"a": "1"}, at=now, part="k")
        await writer.store(first)
        await writer.store(error(stack.id, {"b": "2"}, at=now, part="k"))
        await writer.store_log(message(stack.id, at=now))
        writer.refuse(stack.id, "too-large")
        await store.issues.set_status(stack.id, [first.issue], Status.RESOLVED, now)
        token = await store.sessions.create(None, now=now, expires_at=LATER)
        await store.sessions.end(digest(token))
        share = await store.shares.create(
            stack.id,
            token_sha256="x",
            name="",
            query="",
            hidden=(),
            with_logs=True,
            now=now,
            expires_at=None,
        )
        await store.shares.revoke(share.id, now)
        await writer._write_refused()
        await writer._flush()
    assert {type(each) for each in told} == {
        StackChanged,
        ErrorStored,
        IssueChanged,
        LogStored,
        Refused,
        SessionEnded,
        ShareChanged,
    }
    stored = [each for each in told if isinstance(each, ErrorStored)]
    assert [each.is_change for each in stored] == [False, True]
    assert dict(stored[1].error.fields) == {"a": "1", "b": "2"}
    issues = [each.issue for each in told if isinstance(each, IssueChanged)]
    assert {each.status for each in issues} == {Status.OPEN, Status.RESOLVED}
    shares = [each.share for each in told if isinstance(each, ShareChanged)]
    assert [each.revoked_at is not None for each in shares] == [False, True]
    client: AsyncIOMotorClient[dict[str, object]] = store.client
    assert (await client.admin.command("hello")).get("setName") is None
