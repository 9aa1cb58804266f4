"""The feed on a real server: everything once, in one order, through whatever happens to it."""

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fixtures_storage import Heard, eventually, following, insistently, writing
from samples_storage import error, message

from errorstack_live.event import (
    Entry,
    ErrorStored,
    IssueChanged,
    LogStored,
    Refused,
    SessionEnded,
    ShareChanged,
    StackChanged,
)
from errorstack_live.model import Stack, Status
from errorstack_live.storage import feed as feeds
from errorstack_live.storage.feed import DirectFeed, Feed
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import Mongod
from errorstack_live.storage.session import digest
from errorstack_live.storage.writer import Writer

LATER = datetime.now(UTC) + timedelta(days=1)


def now() -> datetime:
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def forgotten(position: str) -> str:
    """The position of an event that the database knows nothing of, a second before this one."""
    return f"{position[:2]}{int(position[2:10], 16) - 1:08X}{position[10:]}"


async def test_everything_is_told(store: Store, writer: Writer) -> None:
    async with following(store) as heard:
        stack = await store.stacks.create("One", now=now(), retention_days=1)
        first = error(stack.id, {"a": "1"}, at=now(), part="k")
        await writer.store(first)
        await writer.store(error(stack.id, {"b": "2"}, at=now(), part="k"))
        log = message(stack.id, at=now())
        await writer.store_log(log)
        writer.refuse(stack.id, "too-large")
        await store.issues.set_status(stack.id, [first.issue], Status.RESOLVED, now())
        token = await store.sessions.create(None, now=now(), expires_at=LATER)
        await store.sessions.end(digest(token))
        share = await store.shares.create(
            stack.id,
            token_sha256="x",
            name="",
            query="",
            hidden=("a",),
            with_logs=True,
            now=now(),
            expires_at=None,
        )
        await store.shares.revoke(share.id, now())
        await heard.until(lambda live: len(live.events(ShareChanged)) == 2 and live.events(Refused))
    stored = heard.events(ErrorStored)
    assert stored[0] == ErrorStored(replace(first, new=("issue",)))
    assert (stored[1].is_change, dict(stored[1].error.fields)) == (True, {"a": "1", "b": "2"})
    assert heard.events(LogStored) == [LogStored(log)]
    assert heard.events(StackChanged)[0].stack == stack.id
    assert heard.events(SessionEnded) == [SessionEnded(digest(token))]
    assert [each.share.revoked_at is None for each in heard.events(ShareChanged)] == [True, False]
    assert {each.issue.status for each in heard.events(IssueChanged)} >= {Status.RESOLVED}
    refused = heard.events(Refused)[0]
    assert (refused.stack, refused.reason, refused.count) == (stack.id, "too-large", 1)
    positions = [each.position for each in heard.entries]
    assert positions == sorted(set(positions))


async def test_a_storm_comes_whole_and_every_feed_says_the_same(
    store: Store, writer: Writer, stack: Stack
) -> None:
    async with following(store) as one, following(store) as two:
        sent = [error(stack.id, {"Msg": "boom", "n": n}, at=now()) for n in range(2000)]
        await asyncio.gather(*map(writer.store, sent))
        for heard in (one, two):
            await heard.until(lambda live: len(live.events(ErrorStored)) >= 2000)
    assert {each.error.id for each in one.events(ErrorStored)} == {each.id for each in sent}
    assert one.events(ErrorStored) == two.events(ErrorStored)
    assert len(one.events(ErrorStored)) == 2000


async def test_it_says_how_late_it_is(store: Store, writer: Writer, stack: Stack) -> None:
    async with following(store) as heard:
        assert heard.feed.is_live
        await writer.store(error(stack.id, at=now()))
        await heard.until(lambda live: live.events(ErrorStored))
        assert 0 <= heard.feed.lag_s < 2
        await writer.store(error(stack.id, at=now() - timedelta(seconds=60)))
        await heard.until(lambda live: len(live.events(ErrorStored)) == 2)
        assert heard.feed.lag_s > 59
    assert not heard.feed.is_live


async def test_catching_up(
    store: Store, writer: Writer, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with following(store) as heard:
        await writer.store(error(stack.id, at=now()))
        await heard.until(lambda live: live.events(ErrorStored))
        start = heard.entries[-1].position
        for _ in range(5):
            await writer.store(error(stack.id, at=now()))
        await heard.until(lambda live: len(live.events(ErrorStored)) == 6)
        end = heard.entries[-1].position
        missed = [each for each in heard.entries if start < each.position <= end]
        assert await heard.feed.catch_up(start, end, 100) == missed
        assert await heard.feed.catch_up(end, end, 100) == []
        assert await heard.feed.catch_up(end, heard.feed.position, 100) == [
            each for each in heard.entries if each.position > end
        ]
        assert await heard.feed.catch_up(start, missed[2].position, 100) == missed[:3]
        assert await heard.feed.catch_up(start, end, 2) is None
        for odd in ("x", "82", "zz" * 40, forgotten(end)):
            assert await heard.feed.catch_up(odd, end, 100) is None
        monkeypatch.setattr(feeds, "CATCH_UP_BYTES", 1000)
        assert await heard.feed.catch_up(start, end, 100) is None


async def test_what_the_database_forgot_is_told_as_lost(
    store: Store, writer: Writer, stack: Stack
) -> None:
    async with following(store) as first:
        await writer.store(error(stack.id, at=now()))
        await first.until(lambda live: live.events(ErrorStored))
    heard = Heard(store)
    heard.feed.position = forgotten(first.entries[0].position)
    task = asyncio.create_task(heard.feed.run())
    await heard.until(lambda live: live.lost_count)
    await writer.store(error(stack.id, at=now()))
    await heard.until(lambda live: live.events(ErrorStored))
    assert heard.lost_count == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_it_goes_on_where_it_was_when_the_server_returns(
    own_mongod: Mongod, own_store: Store, number: signal.Signals
) -> None:
    stack = await own_store.stacks.create("One", now=now(), retention_days=1)
    async with writing(own_store) as writer, following(own_store) as heard:
        await insistently(writer.store, error(stack.id, {"Msg": "before"}, at=now()))
        await heard.until(lambda live: live.events(ErrorStored))
        assert own_mongod.pid
        os.kill(own_mongod.pid, number)

        async def is_back() -> bool:
            return own_mongod.restarts == 1 and heard.feed.is_live

        await eventually(is_back)
        await insistently(writer.store, error(stack.id, {"Msg": "after"}, at=now()))
        await heard.until(lambda live: len(live.events(ErrorStored)) >= 2)
    titles = [each.error.title for each in heard.events(ErrorStored)]
    assert (titles, heard.lost_count) == (["before", "after"], 0)


async def test_while_the_server_is_silent_it_says_for_how_long(
    own_mongod: Mongod, own_store: Store
) -> None:
    """A server that is stopped, not gone: nothing is refused, nothing answers."""
    assert own_mongod.pid
    async with following(own_store) as heard:
        os.kill(own_mongod.pid, signal.SIGSTOP)
        try:

            async def is_silent() -> bool:
                return heard.feed.lag_s > 2 and not heard.feed.is_live

            await eventually(is_silent)
        finally:
            os.kill(own_mongod.pid, signal.SIGCONT)

        async def is_live() -> bool:
            return heard.feed.is_live and heard.feed.lag_s < 2

        await eventually(is_live)


async def test_a_failure_of_ours_is_a_gap_not_the_end(
    store: Store, writer: Writer, stack: Stack
) -> None:
    told: list[Entry] = []
    lost: list[str] = []

    def publish(entries: Sequence[Entry]) -> None:
        told.extend(entries)
        if len(told) == len(entries):
            raise ValueError("of the first batch")

    feed = Feed(store, publish=publish, lost=lambda: lost.append("once"))
    task = asyncio.create_task(feed.run())
    await feed.ready()
    sent = [error(stack.id, at=now()) for _ in range(2)]
    for count, each in enumerate(sent):
        await writer.store(each)

        async def is_told(count: int = count) -> bool:
            return sum(isinstance(entry.event, ErrorStored) for entry in told) > count

        await eventually(is_told)
    assert (lost, feed.is_live) == (["once"], True)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


# Direct


async def test_the_direct_feed_has_the_same_shape() -> None:
    told: list[Entry] = []
    feed = DirectFeed(publish=told.extend)
    await feed.ready()
    before = feed.position
    feed.committed([StackChanged("a"), StackChanged("b")])
    feed.committed([])
    assert [each.event for each in told] == [StackChanged("a"), StackChanged("b")]
    assert before < told[0].position < told[1].position == feed.position
    assert await feed.catch_up(before, feed.position, 10) is None
    assert (feed.is_live, feed.lag_s) == (True, 0.0)
    assert DirectFeed(publish=told.extend).position > feed.position  # also of a later start
    running = asyncio.create_task(feed.run())
    await asyncio.sleep(0)
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
