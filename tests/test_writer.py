"""The writer on a real server: durable, counted, joined, bounded."""

import asyncio
import os
import socket
import time
from collections.abc import Awaitable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fixtures_storage import eventually, insistently, writing
from samples_storage import error, message

from errorstack_live.errors import (
    BadSubmission,
    StorageAway,
    TooLarge,
    UnknownKey,
)
from errorstack_live.model import Cut, Stack, Status
from errorstack_live.query import parse
from errorstack_live.storage import commit, counter, retention
from errorstack_live.storage import error as errors
from errorstack_live.storage.document import encode, object_id
from errorstack_live.storage.insert import insert
from errorstack_live.storage.job import Job, keep_doing
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import Mongod
from errorstack_live.storage.writer import Writer

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


async def counted(store: Store, stack: Stack) -> tuple[dict[str, int], int, int]:
    """What the counters say: of each issue, of all minutes, of all minutes of all issues."""
    issues = await store.issues.find(stack.id)
    span = (NOW - timedelta(days=40), NOW + timedelta(days=1))

    async def minutes(issue: str | None) -> int:
        series = await store.minutes.series(stack.id, *span, issue=issue)
        return sum(sum(levels.values()) for _, levels in series)

    each = [await minutes(issue.id) for issue in issues]
    return {issue.title: issue.count for issue in issues}, await minutes(None), sum(each)


# Stored


async def test_an_error_is_as_it_was(store: Store, writer: Writer, stack: Stack) -> None:
    sent = error(
        stack.id,
        {"Msg": "boom", "n": 5, "list": ["a", {"b": None}], "": "empty"},
        at=NOW,
        part="p1",
        cut=Cut(body_bytes=5, fields=2),
        scrubbed=("password",),
        reserved={"_x": "1"},
        before=(message(stack.id), message(stack.id, None, fields={"a": 1})),
    )
    stored = await writer.store(sent)
    assert (stored.id, stored.issue, stored.is_new, stored.count) == (sent.id, sent.issue, True, 1)
    found = await store.errors.get(stack.id, sent.id)
    assert found == replace(sent, new=("issue",))
    assert list(found.fields) == list(sent.fields)


async def test_the_issue_is_told(writer: Writer, stack: Stack) -> None:
    stored = [await writer.store(error(stack.id, at=NOW)) for _ in range(3)]
    assert [(each.is_new, each.is_repeat, each.count) for each in stored] == [
        (True, False, 1),
        (False, False, 2),
        (False, False, 3),
    ]


async def test_many_at_once_are_all_counted(store: Store, writer: Writer, stack: Stack) -> None:
    sent = [error(stack.id, {"Msg": f"kind {'abc'[n % 3]}"}, at=NOW) for n in range(600)]
    stored = await asyncio.gather(*map(writer.store, sent))
    assert sum(each.is_new for each in stored) == 3
    assert sorted(each.count for each in stored) == sorted([*range(1, 201)] * 3)
    await writer.close()
    expected = {f"kind {letter}": 200 for letter in "abc"}
    assert await counted(store, stack) == (expected, 600, 600)
    assert (await store.errors.count(stack.id, parse(""))).count == 600


async def test_two_writers_count_together(store: Store, writer: Writer, stack: Stack) -> None:
    async with writing(store) as other:
        await asyncio.gather(
            *(each.store(error(stack.id, at=NOW)) for each in (writer, other) for _ in range(50))
        )
    await writer.close()
    assert await counted(store, stack) == ({"boom": 100}, 100, 100)


async def test_a_new_issue_is_there_at_once(store: Store, writer: Writer, stack: Stack) -> None:
    await writer.store(error(stack.id, {"Msg": "new", "level": "warning"}, at=NOW))
    (issue,) = await store.issues.find(stack.id)
    assert (issue.count, issue.status, issue.first_seen_at) == (1, Status.OPEN, NOW)


async def test_a_stack_that_is_gone(writer: Writer) -> None:
    with pytest.raises(UnknownKey):
        await writer.store(error("0" * 24))


async def test_trying_again_stores_once(store: Store, stack: Stack) -> None:
    raw = [encode(errors.to_document(error(stack.id, at=NOW), NOW + HOUR)) for _ in range(3)]
    ends_at = time.monotonic() + 5
    assert await insert(store.database, "errors", raw[:2], ends_at=ends_at) == {}
    assert await insert(store.database, "errors", raw, ends_at=ends_at) == {}
    assert await store.database.errors.count_documents({}) == 3


# Issues


async def test_a_resolved_issue_that_returns_has_regressed(
    store: Store, writer: Writer, stack: Stack
) -> None:
    first = error(stack.id, at=NOW - HOUR)
    await writer.store(first)
    await store.issues.set_status(stack.id, [first.issue], Status.RESOLVED, NOW)
    writer.see_issue(await store.issues.get(stack.id, first.issue))
    await writer.store(error(stack.id, at=NOW))
    issue = await store.issues.get(stack.id, first.issue)
    assert (issue.status, issue.regressed_at) == (Status.OPEN, NOW)
    await store.issues.set_status(stack.id, [first.issue], Status.RESOLVED, NOW)
    assert (await store.issues.get(stack.id, first.issue)).regressed_at is None


async def test_an_ignored_issue_stays_ignored(store: Store, writer: Writer, stack: Stack) -> None:
    first = error(stack.id, at=NOW)
    await writer.store(first)
    await store.issues.set_status(stack.id, [first.issue], Status.IGNORED, NOW)
    writer.see_issue(await store.issues.get(stack.id, first.issue))
    await writer.store(error(stack.id, at=NOW))
    assert (await store.issues.get(stack.id, first.issue)).status is Status.IGNORED


async def test_another_process_knows_what_was_resolved(
    store: Store, writer: Writer, stack: Stack
) -> None:
    first = error(stack.id, at=NOW)
    await writer.store(first)
    await store.issues.set_status(stack.id, [first.issue], Status.RESOLVED, NOW)
    async with writing(store) as other:
        await other.store(error(stack.id, at=NOW))
    assert (await store.issues.get(stack.id, first.issue)).status is Status.OPEN


# Parts (PROTOCOL 5)


async def test_parts_become_one_error(store: Store, writer: Writer, stack: Stack) -> None:
    parts = [{"Msg": "boom"}, {"Line": "5", "Msg": "other"}, {"URL": "http://x/a.js"}]
    stored = [await writer.store(error(stack.id, f, at=NOW, part="k")) for f in parts]
    assert len({each.id for each in stored}) == 1
    assert not any(each.is_repeat for each in stored)
    found = await store.errors.get(stack.id, stored[0].id)
    assert found.fields == {"Msg": "boom", "Line": "5", "URL": "http://x/a.js"}
    assert (found.title, found.part) == ("boom", "k")
    await writer.close()
    assert await counted(store, stack) == ({"boom": 1}, 1, 1)


async def test_what_it_means_is_read_anew(store: Store, writer: Writer, stack: Stack) -> None:
    first = await writer.store(error(stack.id, {"Line": "5"}, at=NOW, part="k"))
    last = await writer.store(error(stack.id, {"Msg": "boom", "level": "fatal"}, at=NOW, part="k"))
    assert (last.is_new, last.count) == (True, 1)
    assert last.issue != first.issue
    found = await store.errors.get(stack.id, first.id)
    assert (found.title, found.level, found.issue) == ("boom", "fatal", last.issue)
    assert "boom" in found.search
    await writer.close()
    assert await counted(store, stack) == ({"boom": 1}, 1, 1)


async def test_the_same_part_again_changes_nothing(
    store: Store, writer: Writer, stack: Stack
) -> None:
    first = await writer.store(error(stack.id, at=NOW, part="k"))
    again = await writer.store(error(stack.id, at=NOW, part="k"))
    assert (again.id, again.is_repeat, again.is_new) == (first.id, True, False)
    await writer.close()
    assert await counted(store, stack) == ({"boom": 1}, 1, 1)


@pytest.mark.parametrize("writers", [1, 2])
async def test_parts_at_once_in_any_order(store: Store, stack: Stack, writers: int) -> None:
    async with writing(store) as one, writing(store) as two:
        both = [one, two][:writers]
        parts = [error(stack.id, {f"f{n}": str(n)}, at=NOW, part="k") for n in range(20)]
        stored = await asyncio.gather(
            *(both[n % writers].store(part) for n, part in enumerate(parts))
        )
    (found,) = (await store.errors.find(stack.id, parse(""))).errors
    assert {each.id for each in stored} == {found.id}
    assert found.fields == {f"f{n}": str(n) for n in range(20)}
    issues, minutes, by_issue = await counted(store, stack)
    assert (sum(issues.values()), minutes, by_issue) == (1, 1, 1)


async def test_after_an_hour_the_name_is_free(store: Store, writer: Writer, stack: Stack) -> None:
    old = await writer.store(error(stack.id, {"a": "1"}, at=NOW - 2 * HOUR, part="k"))
    new = await writer.store(error(stack.id, {"b": "2"}, at=NOW, part="k"))
    assert old.id != new.id
    assert not new.is_repeat
    assert (await store.errors.get(stack.id, old.id)).fields == {"a": "1"}
    assert (await store.errors.get(stack.id, new.id)).fields == {"b": "2"}


async def test_parts_are_of_their_stack(store: Store, writer: Writer, stack: Stack) -> None:
    other = await store.stacks.create("Other", now=NOW, retention_days=1)
    one = await writer.store(error(stack.id, at=NOW, part="k"))
    two = await writer.store(error(other.id, at=NOW, part="k"))
    assert one.id != two.id


async def test_parts_have_the_limit_of_one_error(
    store: Store, writer: Writer, stack: Stack
) -> None:
    def fields(start: int) -> dict[str, str]:
        return {f"f{n}": "" for n in range(start, start + 700)}

    stored = await writer.store(error(stack.id, fields(0), at=NOW, part="k"))
    await writer.store(error(stack.id, fields(700), at=NOW, part="k", cut=Cut(names=1)))
    found = await store.errors.get(stack.id, stored.id)
    assert len(found.fields) == 1000
    assert found.cut == Cut(fields=400, names=1)


# Odd input


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"d": value}
    return value


async def test_odd_ones_fail_alone(store: Store, writer: Writer, stack: Stack) -> None:
    good = [error(stack.id, at=NOW) for _ in range(5)]
    odd = [
        error(stack.id, nested(500), at=NOW),
        error(stack.id, {"x": "x" * (17 << 20)}, at=NOW),
    ]
    results = await asyncio.gather(
        *(writer.store(each) for each in (*good[:2], *odd, *good[2:])), return_exceptions=True
    )
    assert [type(each) for each in results if isinstance(each, Exception)] == [
        BadSubmission,
        TooLarge,
    ]
    assert (await store.errors.count(stack.id, parse(""))).count == 5


# Log messages (PROTOCOL 8)


async def test_the_last_ten_of_an_hour_live(store: Store, writer: Writer, stack: Stack) -> None:
    sent = [message(stack.id, f"m{n}", at=NOW - n * HOUR / 15) for n in range(16)]
    await asyncio.gather(*map(writer.store_log, sent))
    alive = await store.logs.alive(stack.id, NOW)
    assert [each.text for each in alive] == [f"m{n}" for n in range(9, -1, -1)]
    later = await store.logs.alive(stack.id, NOW + HOUR / 2)
    assert [each.text for each in later] == [f"m{n}" for n in range(7, -1, -1)]
    assert await store.logs.alive(stack.id, NOW + HOUR) == []


async def test_a_log_message_is_as_it_was(store: Store, writer: Writer, stack: Stack) -> None:
    sent = [
        message(stack.id, "{}", at=NOW - HOUR / 2, is_json=True, cut=Cut(body_bytes=9)),
        message(stack.id, "", at=NOW - HOUR / 3),
        message(stack.id, None, at=NOW, fields={"$a": [1], "b.c": None, "": "x"}),
    ]
    for each in sent:
        assert (await writer.store_log(each)).id == each.id
    assert await store.logs.alive(stack.id, NOW) == sent


async def test_a_noisy_stack_pushes_nobody_out(store: Store, writer: Writer, stack: Stack) -> None:
    """The collection of the tests holds 1 MiB; the noise is four times that."""
    noisy = await store.stacks.create("Noisy", now=NOW, retention_days=1)
    quiet = message(stack.id, "quiet", at=NOW)
    await writer.store_log(quiet)
    for _ in range(16):
        await asyncio.gather(
            *(writer.store_log(message(noisy.id, "x" * 16_000, at=NOW)) for _ in range(16))
        )
    assert await store.logs.alive(stack.id, NOW) == [quiet]
    assert len(await store.logs.alive(noisy.id, NOW)) == 10


# Refusals, limits and ends


async def test_refusals_are_merged(store: Store, writer: Writer, stack: Stack) -> None:
    for reason in ("rate-limited", "rate-limited", "too-large"):
        writer.refuse(stack.id, reason)
    await writer.close()
    found = await store.database.refused.find().sort("count", 1).to_list(None)
    assert [(each["reason"], each["count"]) for each in found] == [
        ("too-large", 1),
        ("rate-limited", 2),
    ]


async def test_nothing_is_stored_on_a_full_disk(store: Store, stack: Stack) -> None:
    async with writing(store, min_free_bytes=1 << 60) as writer:
        assert not writer.has_space
        for refused in (writer.store(error(stack.id)), writer.store_log(message(stack.id))):
            with pytest.raises(StorageAway) as told:
                await refused
            assert told.value.reason == "disk-full"


async def test_the_queue_is_bounded(
    store: Store, writer: Writer, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    await writer.store(error(stack.id, at=NOW))  # what comes first is looked up first
    monkeypatch.setattr(commit, "MAX_QUEUED", 100)
    results = await asyncio.gather(
        *(writer.store(error(stack.id, at=NOW)) for _ in range(300)), return_exceptions=True
    )
    refused = [each for each in results if isinstance(each, StorageAway)]
    assert len(refused) == 200
    assert (await store.errors.count(stack.id, parse(""))).count == 101


async def test_the_end_makes_durable_what_was_taken(store: Store, stack: Stack) -> None:
    async with writing(store) as writer:
        await writer.store(error(stack.id, at=NOW))
        waiting = [asyncio.create_task(writer.store(error(stack.id, at=NOW))) for _ in range(50)]
        await asyncio.sleep(0)
    assert all([(await each).id for each in waiting])
    with pytest.raises(StorageAway):
        await writer.store(error(stack.id, at=NOW))
    assert await counted(store, stack) == ({"boom": 51}, 51, 51)
    assert await store.database.meta.count_documents({"kind": "counting"}) == 0


async def test_batches_are_told(store: Store, stack: Stack) -> None:
    told: list[tuple[int, float]] = []
    async with writing(store, on_batch=lambda *batch: told.append(batch)) as writer:
        await asyncio.gather(*(writer.store(error(stack.id, at=NOW)) for _ in range(20)))
    assert sum(size for size, _ in told) == 20
    assert all(seconds > 0 for _, seconds in told)


async def test_a_server_that_is_away_is_told_in_time(own_mongod: Mongod, own_store: Store) -> None:
    stack = await own_store.stacks.create("Away", now=NOW, retention_days=1)
    writer = Writer(own_store)
    await writer.start()
    await writer.store(error(stack.id, at=NOW))
    await own_mongod.stop()
    began_at = time.monotonic()
    results = await asyncio.gather(
        *(writer.store(error(stack.id, at=NOW)) for _ in range(50)),
        writer.store_log(message(stack.id)),
        return_exceptions=True,
    )
    assert all(isinstance(each, StorageAway) for each in results)
    assert time.monotonic() - began_at < 3.5
    await own_mongod.start()
    assert (await insistently(writer.store, error(stack.id, at=NOW))).id
    await writer.close()


# Counting anew


async def test_what_a_crash_left_uncounted_is_counted_at_the_next_start(
    store: Store, stack: Stack
) -> None:
    crashed = Writer(store)
    await crashed.start()
    for task in crashed._jobs:
        task.cancel()
    counting = datetime.now(UTC)
    sent = [error(stack.id, {"Msg": f"kind {'ab'[n % 2]}"}, at=counting) for n in range(20)]
    for each in sent[:10]:
        await crashed.store(each)
    await crashed._counters.flush(counting)
    for each in [*sent[10:], error(stack.id, {"Msg": "late"}, at=counting)]:
        await crashed.store(each)
    counter._LIVING_NOTES.discard(crashed._counters.note)  # as if its process were gone
    await store.database.issues.delete_one({"_id": object_id(sent[0].issue)})
    async with writing(store):
        expected = {"kind a": 10, "kind b": 10, "late": 1}
        assert await counted(store, stack) == (expected, 21, 21)
    assert await store.database.meta.count_documents({"kind": "counting"}) == 0


async def test_while_others_count_it_waits_for_them(
    store: Store, writer: Writer, stack: Stack
) -> None:
    crashed = Writer(store)
    await crashed.start()
    await crashed.store(error(stack.id, at=NOW))
    counter._LIVING_NOTES.discard(crashed._counters.note)
    await writer._recount()
    assert await store.database.meta.count_documents({"_id": crashed._counters.note}) == 1
    long_ago = datetime.now(UTC) - timedelta(minutes=10)
    await store.database.meta.update_one(
        {"_id": crashed._counters.note}, {"$set": {"at": long_ago, "since": long_ago}}
    )
    await writer._recount()
    assert await store.database.meta.count_documents({"_id": crashed._counters.note}) == 0
    for task in crashed._jobs:
        task.cancel()


async def test_what_is_in_doubt_is_left_to_be_counted_anew(
    store: Store, writer: Writer, stack: Stack
) -> None:
    await writer.store(error(stack.id, at=NOW))
    before = writer._counters.note
    writer._counters.doubt()
    await writer._note()
    assert writer._counters.note != before
    notes = await store.database.meta.find({"kind": "counting"}).to_list(None)
    assert {each["_id"] for each in notes} == {before, writer._counters.note}


# Retention


async def test_errors_go_when_their_stack_says(store: Store, writer: Writer, stack: Stack) -> None:
    sent = [error(stack.id, at=NOW - timedelta(days=n)) for n in range(5)]
    for each in sent:
        await writer.store(each)
    keep = timedelta(days=30)
    found = await store.database.errors.find().sort("at", -1).to_list(None)
    assert [each["expire_at"] for each in found] == [each.at + keep for each in sent]
    await store.stacks.configure(stack.id, retention_days=60)
    await writer._apply_retention()
    found = await store.database.errors.find().sort("at", -1).to_list(None)
    assert [each["expire_at"] for each in found] == [each.at + 2 * keep for each in sent]
    assert await store.database.stacks.count_documents({"retention_due": True}) == 0


async def test_the_server_deletes_what_has_expired(standalone_store: Store) -> None:
    """The standalone server of the tests looks for them every second."""
    stack = await standalone_store.stacks.create("Old", now=NOW, retention_days=30)
    old, new = error(stack.id, at=NOW - timedelta(days=31)), error(stack.id, at=NOW)
    async with writing(standalone_store) as writer:
        await writer.store(old)
        await writer.store(new)

        async def is_gone() -> bool:
            return await standalone_store.database.errors.count_documents({}) == 1

        await eventually(is_gone)
    assert (await standalone_store.errors.get(stack.id, new.id)).id == new.id


# What else can go wrong


async def test_a_note_is_dead_when_its_process_is() -> None:
    now = datetime.now(UTC)
    here, elsewhere = socket.gethostname(), "another.example"
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    cases = [
        (here, os.getppid(), now, False),
        (here, ended.pid, now, True),
        (here, os.getpid(), now, True),  # of an earlier process with the same number
        (elsewhere, 1, now, False),
        (elsewhere, 1, now - timedelta(minutes=3), True),
        (here, 1, now - timedelta(minutes=3), True),
    ]
    for host, pid, at, expected in cases:
        note = {"_id": "counting:x", "host": host, "pid": pid, "at": at}
        assert counter.is_dead(note, now) is expected, note


async def test_a_job_goes_on_after_a_failure() -> None:
    failures: list[Exception] = [StorageAway("away"), ValueError("ours")]
    done = asyncio.Event()

    async def run() -> None:
        if failures:
            raise failures.pop()
        done.set()

    task = asyncio.create_task(keep_doing(Job("test", 0.0, run)))
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_new_retention_holds_for_new_errors_soon(
    store: Store, writer: Writer, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "FRESH_S", 0.0)
    await writer.store(error(stack.id, at=NOW))
    await store.stacks.configure(stack.id, retention_days=60)

    async def holds() -> bool:
        await writer.store(error(stack.id, at=NOW))
        newest = await store.database.errors.find_one(sort=[("_id", -1)])
        return newest is not None and newest["expire_at"] == NOW + timedelta(days=60)

    await eventually(holds)
    await store.stacks.delete(stack.id, NOW)

    async def is_refused() -> bool:
        try:
            await writer.store(error(stack.id, at=NOW))
        except UnknownKey:
            return True
        return False

    await eventually(is_refused)


async def test_reading_from_a_server_that_is_away_is_told(
    own_mongod: Mongod, own_store: Store
) -> None:
    stack = await own_store.stacks.create("Away", now=NOW, retention_days=1)
    await own_mongod.stop()
    calls: list[Awaitable[object]] = [
        own_store.errors.find(stack.id, parse("")),
        own_store.errors.find(stack.id, parse("word")),
        own_store.errors.count(stack.id, parse("a:b")),
        own_store.stacks.all(),
        own_store.ping(),
    ]
    told = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(each) for each in told] == [StorageAway] * len(calls)
