"""Issues on a real server: what members say of them, users, the bound, merges."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from fixtures_storage import eventually, writing
from samples_storage import error

from errorstack_live import fingerprint
from errorstack_live.errors import Conflict, NotFound
from errorstack_live.model import BY_FINGERPRINT, Error, Grouping, Issue, Rule, Stack, Status
from errorstack_live.query import parse
from errorstack_live.storage import bound, issue, known, merge
from errorstack_live.storage.document import object_id
from errorstack_live.storage.mongo import VERSION, Store
from errorstack_live.storage.writer import Writer

NOW = datetime.now(UTC).replace(microsecond=0)
A, B, C = {"Msg": "kind a"}, {"Msg": "kind b"}, {"Msg": "kind c"}


async def stored(writer: Writer, stack: Stack, *fields: Mapping[str, object]) -> list[Error]:
    sent = [error(stack.id, dict(each), at=NOW) for each in fields]
    await asyncio.gather(*(writer.store(each, stack.grouping) for each in sent))
    await writer._flush()
    return sent


async def one(store: Store, stack: Stack, of: Error) -> Issue:
    return await store.issues.get(stack.id, of.issue)


async def listed(store: Store, stack: Stack, **wanted: object) -> dict[str, int]:
    found = await store.issues.find(stack.id, **wanted)  # type: ignore[arg-type]
    return {each.title: each.count for each in found}


# What members say


async def test_ignored_for_a_time_it_returns_by_itself(
    store: Store, writer: Writer, stack: Stack
) -> None:
    (sent,) = await stored(writer, stack, A)
    until = NOW + timedelta(hours=1)
    (said,) = await store.issues.set_status(
        stack.id, [sent.issue], Status.IGNORED, NOW, until_at=until
    )
    assert (said.status, said.until_at, said.until_count) == (Status.IGNORED, until, None)
    assert await store.issues.return_ignored(until - timedelta(seconds=1)) == 0
    assert await store.issues.return_ignored(until) == 1
    back = await one(store, stack, sent)
    assert (back.status, back.returned_at, back.until_at) == (Status.OPEN, until, None)
    assert back.regressed_at is None
    assert await store.issues.return_ignored(until) == 0


async def test_ignored_until_more_come_it_returns_with_the_last_of_them(
    store: Store, writer: Writer, stack: Stack
) -> None:
    (sent,) = await stored(writer, stack, A)
    await store.issues.set_status(stack.id, [sent.issue], Status.IGNORED, NOW, more=2)
    await stored(writer, stack, A)
    assert await store.issues.return_ignored(NOW) == 0
    ignored = await one(store, stack, sent)
    assert (ignored.count, ignored.until_count) == (2, 3)
    await stored(writer, stack, A)  # the writer looks every second
    await eventually(lambda: is_open(store, stack, sent))
    assert (await one(store, stack, sent)).returned_at is not None


async def is_open(store: Store, stack: Stack, of: Error) -> bool:
    return (await one(store, stack, of)).status is Status.OPEN


async def test_ignored_for_ever_it_stays_so(store: Store, writer: Writer, stack: Stack) -> None:
    (sent,) = await stored(writer, stack, A)
    await store.issues.set_status(stack.id, [sent.issue], Status.IGNORED, NOW)
    await stored(writer, stack, A, A, A)
    assert await store.issues.return_ignored(NOW + timedelta(days=9999)) == 0
    assert (await one(store, stack, sent)).status is Status.IGNORED


async def test_a_resolved_one_that_returns_has_regressed(
    store: Store, writer: Writer, stack: Stack
) -> None:
    (sent,) = await stored(writer, stack, A)
    await store.issues.set_status(stack.id, [sent.issue], Status.RESOLVED, NOW)
    writer.see_issue(await one(store, stack, sent))
    await stored(writer, stack, A)
    back = await one(store, stack, sent)
    assert (back.status, back.regressed_at) == (Status.OPEN, NOW)
    await store.issues.set_status(stack.id, [sent.issue], Status.RESOLVED, NOW)
    assert (await one(store, stack, sent)).regressed_at is None, "not since it was resolved"


async def test_what_was_said_is_taken_back(store: Store, writer: Writer, stack: Stack) -> None:
    first, second = await stored(writer, stack, A, B)
    ids = [first.issue, second.issue]
    until = NOW + timedelta(days=1)
    await store.issues.set_status(stack.id, ids, Status.IGNORED, NOW, until_at=until)
    before = await one(store, stack, first)
    later = NOW + timedelta(seconds=5)
    await store.issues.set_status(stack.id, ids, Status.RESOLVED, later)
    taken_back = await store.issues.undo(stack.id, ids, later)
    assert {each.id for each in taken_back} == set(ids)
    assert await one(store, stack, first) == before
    # A second time, or for a moment at which nothing was said, nothing changes.
    await store.issues.undo(stack.id, ids, later)
    assert await one(store, stack, first) == before


async def test_what_happened_since_is_not_taken_back(
    store: Store, writer: Writer, stack: Stack
) -> None:
    (sent,) = await stored(writer, stack, A)
    await store.issues.set_status(stack.id, [sent.issue], Status.RESOLVED, NOW)
    writer.see_issue(await one(store, stack, sent))
    await stored(writer, stack, A)
    (left,) = await store.issues.undo(stack.id, [sent.issue], NOW)
    assert (left.status, left.regressed_at) == (Status.OPEN, NOW)


async def test_another_stack_cannot_be_told_anything(
    store: Store, writer: Writer, stack: Stack
) -> None:
    (sent,) = await stored(writer, stack, A)
    assert await store.issues.set_status("1" * 24, [sent.issue], Status.RESOLVED, NOW) == []
    assert (await one(store, stack, sent)).status is Status.OPEN


async def test_issues_are_listed_by_count_or_by_time(
    store: Store, writer: Writer, stack: Stack
) -> None:
    await stored(writer, stack, A, A, A)
    await writer.store(error(stack.id, B, at=NOW + timedelta(seconds=9)))
    await writer._flush()
    assert list(await listed(store, stack)) == ["kind b", "kind a"]
    assert list(await listed(store, stack, sort="count")) == ["kind a", "kind b"]
    assert list(await listed(store, stack, sort="first_seen")) == ["kind b", "kind a"]


# Users


async def test_users_are_counted_exactly_up_to_a_limit(
    store: Store, writer: Writer, stack: Stack
) -> None:
    most = issue.MAX_USERS

    async def seen(users: Sequence[object]) -> tuple[int, bool]:
        (sent, *_) = await stored(writer, stack, *({**A, "user": user} for user in users))
        found = await one(store, stack, sent)
        return found.users, found.has_more_users

    assert await seen(["ada", "kim", "ada", "", None]) == (2, False)
    assert await seen(["kim", {"id": "lou", "plan": "pro"}]) == (3, False)
    assert await seen([f"u{n}" for n in range(most - 3)]) == (most, False)
    assert await seen(["one more"]) == (most, True)
    assert await seen([f"v{n}" for n in range(500)]) == (most, True)
    document = await store.database.issues.find_one({})
    assert document is not None
    assert len(document["users"]) <= 2 * most + 2
    assert "ada" not in str(document["users"])


async def test_without_a_user_field_there_are_none(
    store: Store, writer: Writer, stack: Stack
) -> None:
    (sent,) = await stored(writer, stack, A)
    assert (await one(store, stack, sent)).users == 0


# The bound


async def test_past_the_bound_new_kinds_share_one_issue(store: Store, stack: Stack) -> None:
    async with writing(store, max_issues=3) as writer:
        kinds: list[dict[str, object]] = [{"Msg": f"kind {letter}"} for letter in "abcdefg"]
        for each in kinds:
            await stored(writer, stack, each)
        await stored(writer, stack, *kinds)
        assert await listed(store, stack) == {
            "kind a": 2, "kind b": 2, "kind c": 2, bound.TITLE: 8
        }  # fmt: skip
        rest = fingerprint.issue_id(stack.id, bound.OVERFLOW)
        page = await store.errors.find(stack.id, parse(f"issue:{rest}"), limit=100)
        assert {each.title for each in page.errors} == {f"kind {letter}" for letter in "defg"}
    # Another process, which knows none of them, keeps to the bound as well.
    async with writing(store, max_issues=3) as other:
        await stored(other, stack, {"Msg": "kind a"}, {"Msg": "kind z"})
        found = await listed(store, stack)
        assert (found["kind a"], found[bound.TITLE], len(found)) == (3, 9, 4)


async def test_one_batch_of_many_kinds_keeps_to_the_bound(store: Store, stack: Stack) -> None:
    async with writing(store, max_issues=5) as writer:
        letters = [f"{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
        await stored(writer, stack, *({"Msg": f"kind {each}"} for each in letters))
        found = await listed(store, stack)
        assert len(found) == 6
        assert sum(found.values()) == len(letters)


async def test_a_later_part_keeps_to_the_bound(store: Store, stack: Stack) -> None:
    async with writing(store, max_issues=1) as writer:
        first = error(stack.id, A, at=NOW, part="p")
        await writer.store(first)
        said = await writer.store(error(stack.id, {"name": "TypeError"}, at=NOW, part="p"))
        assert said.issue == fingerprint.issue_id(stack.id, bound.OVERFLOW)


async def test_the_bound_is_each_stacks_own(store: Store, stack: Stack) -> None:
    other = await store.stacks.create("Other", now=NOW, retention_days=30)
    async with writing(store, max_issues=1) as writer:
        await stored(writer, stack, A, B)
        await stored(writer, other, A)
        assert await listed(store, other) == {"kind a": 1}


async def test_issues_whose_errors_are_gone_make_room(
    store: Store, writer: Writer, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c, d, e = await stored(writer, stack, A, B, C, {"Msg": "kind d"}, {"Msg": "kind e"})
    await store.issues.set_status(stack.id, [b.issue], Status.IGNORED, NOW)
    await merged(store, stack, [d.issue], c.issue)
    later = NOW + timedelta(days=stack.retention_days + 1)
    assert await bound.forget_gone(store.database, later) == 0
    await store.database.issues.update_one(
        {"_id": object_id(e.issue)}, {"$set": {"last_seen_at": later}}
    )
    assert await bound.forget_gone(store.database, later + timedelta(seconds=1)) == 1
    assert set(await listed(store, stack)) == {"kind b", "kind c", "kind e"}
    # A process that still knows it makes it anew, and counts it from one.
    monkeypatch.setattr(known, "KNOWN_S", 0.0)
    await stored(writer, stack, A)
    assert (await one(store, stack, a)).count == 1


# Rules


async def test_a_stacks_rules_are_kept(store: Store, writer: Writer, stack: Stack) -> None:
    rules = (Rule("kind", "Kinds"), Rule("other", split=("a", "b")))
    await store.stacks.set_rules(stack.id, rules)
    changed = await store.stacks.by_id(stack.id)
    assert changed.grouping.rules == rules
    by = changed.grouping
    sent = [error(stack.id, fields, at=NOW, grouping=by) for fields in (A, B)]
    await asyncio.gather(*(writer.store(each, by) for each in sent))
    assert await listed(store, stack) == {"Kinds": 2}
    page = await store.errors.find(stack.id, parse(""))
    assert {each.group for each in page.errors} == {"Kinds"}


async def test_a_later_part_is_grouped_by_rules_too(writer: Writer, stack: Stack) -> None:
    by = Grouping((Rule("release:*", "Released"),))
    await writer.store(error(stack.id, A, at=NOW, part="p"), by)
    said = await writer.store(error(stack.id, {"release": "2"}, at=NOW, part="p"), by)
    assert said.issue == fingerprint.issue_id(stack.id, fingerprint.named("Released"))


# Merges


async def merged(store: Store, stack: Stack, ids: Sequence[str], into: str) -> Stack:
    await store.merges.merge(stack.id, ids, into, NOW)
    await store.merges.move(NOW)
    return await store.stacks.by_id(stack.id)


async def minutes(store: Store, stack: Stack, of: Error) -> int:
    span = NOW - timedelta(days=1), NOW + timedelta(days=1)
    series = await store.minutes.series(stack.id, *span, issue=of.issue)
    return sum(sum(levels.values()) for _, levels in series)


async def test_merged_issues_are_one(store: Store, writer: Writer, stack: Stack) -> None:
    a, *_, b = await stored(
        writer, stack, {**A, "user": 1}, A, {**B, "user": 1}, {**B, "user": 2}, B
    )
    await merged(store, stack, [b.issue], a.issue)
    assert await listed(store, stack) == {"kind a": 5}
    assert (await one(store, stack, a)).users == 2
    assert (await one(store, stack, b)).into == a.issue
    assert [each.id for each in await store.issues.merged_into(stack.id, a.issue)] == [b.issue]
    page = await store.errors.find(stack.id, parse(f"issue:{a.issue}"), limit=100)
    assert len(page.errors) == 5
    assert (await minutes(store, stack, a), await minutes(store, stack, b)) == (5, 0)
    assert await store.issues.open_counts([stack.id]) == {stack.id: 1}


async def test_new_errors_go_to_the_target(store: Store, writer: Writer, stack: Stack) -> None:
    a, b = await stored(writer, stack, A, B)
    changed = await merged(store, stack, [b.issue], a.issue)
    late = error(stack.id, B, at=NOW, grouping=changed.grouping)
    assert (late.issue, late.fingerprint) == (a.issue, b.fingerprint)
    await writer.store(late, changed.grouping)
    await writer._flush()
    assert await listed(store, stack) == {"kind a": 3}


async def test_what_another_process_stored_meanwhile_follows(
    store: Store, writer: Writer, stack: Stack
) -> None:
    a, b = await stored(writer, stack, A, B)
    await merged(store, stack, [b.issue], a.issue)
    await stored(writer, stack, B)  # by a process that has not heard of it
    for wait in merge.PASSES:
        await store.merges.move(NOW + wait)
    assert await listed(store, stack) == {"kind a": 3}
    assert await store.database.moves.count_documents({}) == 0


async def test_many_are_moved_in_steps(
    store: Store, writer: Writer, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merge, "STEP", 3)
    a, *rest = await stored(writer, stack, A, *[B] * 8)
    await store.merges.merge(stack.id, [rest[0].issue], a.issue, NOW)
    assert await store.merges.move(NOW) == 8
    assert await listed(store, stack) == {"kind a": 9}


async def test_an_issue_is_taken_out_again_with_its_errors(
    store: Store, writer: Writer, stack: Stack
) -> None:
    a, b = await stored(writer, stack, A, B)
    changed = await merged(store, stack, [b.issue], a.issue)
    late = error(stack.id, B, at=NOW, grouping=changed.grouping)
    await writer.store(late, changed.grouping)
    await writer._flush()
    told = await store.merges.unmerge(stack.id, b.issue, NOW)
    assert [each.id for each in told] == [b.issue, a.issue]
    await store.merges.move(NOW)
    assert await listed(store, stack) == {"kind a": 1, "kind b": 2}
    assert (await minutes(store, stack, a), await minutes(store, stack, b)) == (1, 2)
    assert (await store.stacks.by_id(stack.id)).grouping.merges == ()
    with pytest.raises(NotFound):
        await store.merges.unmerge(stack.id, b.issue, NOW)


async def test_what_was_merged_before_goes_along(
    store: Store, writer: Writer, stack: Stack
) -> None:
    a, b, c = await stored(writer, stack, A, B, C)
    await merged(store, stack, [b.issue], a.issue)
    changed = await merged(store, stack, [a.issue], c.issue)
    assert await listed(store, stack) == {"kind c": 3}
    assert {each.into for each in changed.grouping.merges} == {c.issue}
    await store.merges.unmerge(stack.id, b.issue, NOW)
    await store.merges.move(NOW)
    assert await listed(store, stack) == {"kind c": 2, "kind b": 1}


async def test_merging_is_refused_where_it_cannot_be(
    store: Store, writer: Writer, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c = await stored(writer, stack, A, B, C)
    await store.merges.merge(stack.id, [b.issue], a.issue, NOW)
    for ids, into in (([c.issue], "0" * 24), (["0" * 24], a.issue), ([c.issue], b.issue)):
        with pytest.raises(NotFound):
            await store.merges.merge(stack.id, ids, into, NOW)
    with pytest.raises(NotFound):
        await store.merges.merge("0" * 24, [c.issue], a.issue, NOW)
    assert [each.id for each in await store.merges.merge(stack.id, [a.issue], a.issue, NOW)] == [
        a.issue
    ]
    monkeypatch.setattr(merge, "MAX_MERGES", 1)
    with pytest.raises(Conflict):
        await store.merges.merge(stack.id, [c.issue], a.issue, NOW)
    assert (await one(store, stack, c)).into is None, "all or nothing"


async def test_a_crash_leaves_counts_right(store: Store, writer: Writer, stack: Stack) -> None:
    """What is counted anew after a merge is what the errors say."""
    a, b = await stored(writer, stack, A, B)
    await merged(store, stack, [b.issue], a.issue)
    writer._counters.doubt()
    await writer._note()
    await stored(writer, stack, A)
    await writer._recount()
    assert await listed(store, stack) == {"kind a": 3}
    assert await minutes(store, stack, a) == 3


async def test_merging_without_transactions(standalone_store: Store) -> None:
    stack = await standalone_store.stacks.create("Alone", now=NOW, retention_days=30)
    async with writing(standalone_store) as writer:
        a, b = await stored(writer, stack, A, B)
        await merged(standalone_store, stack, [b.issue], a.issue)
        assert await listed(standalone_store, stack) == {"kind a": 2}


# Documents of version 1


async def test_what_version_1_wrote_is_read_and_goes_on(
    mongo_uri: str, database: str, store: Store, stack: Stack
) -> None:
    """Stacks without rules and merges, issues without anything that came later, no markers."""
    old = error(stack.id, A, at=NOW)
    await store.database.stacks.update_one({}, {"$unset": {"rules": 1, "merges": 1}})
    await store.database.issues.insert_one(
        {
            "_id": object_id(old.issue),
            **{
                name: value
                for name, value in issue.described(old).items()
                if name in {"stack", "fingerprint", "title", "type", "level", "where", "status"}
            },
            "first_seen_at": NOW,
            "last_seen_at": NOW,
            "count": 4,
        }
    )
    await store.database.markers.drop()
    await store.database.moves.drop()
    await store.database.issues.drop_index("returns_1")
    await store.database.meta.update_one({"_id": "schema"}, {"$set": {"version": 1}})
    opened = await Store.open(mongo_uri, database, logs_bytes=1 << 20)
    try:
        assert await opened.meta.version() == VERSION
        assert "returns_1" in await opened.database.issues.index_information()
        read = await opened.stacks.by_id(stack.id)
        assert read.grouping is BY_FINGERPRINT
        (found,) = await opened.issues.find(stack.id)
        assert (found.count, found.users, found.into, found.until_at) == (4, 0, None, None)
        async with writing(opened) as writer:
            await stored(writer, stack, {**A, "user": "ada"})
        await opened.issues.set_status(stack.id, [old.issue], Status.IGNORED, NOW, more=1)
        (found,) = await opened.issues.undo(stack.id, [old.issue], NOW)
        assert (found.count, found.users, found.status) == (5, 1, Status.OPEN)
        assert await opened.markers.newest(stack.id) == []
    finally:
        await opened.close()
