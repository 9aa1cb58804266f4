"""Errors on a real server: whatever was sent reads back, and pages work back in time."""

import itertools
import math
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from bson import ObjectId
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128
from fixtures_storage import Heard, following
from samples_storage import NOW, ago, as_sent, error

from errorstack_live.errors import NotFound
from errorstack_live.event import ErrorStored
from errorstack_live.model import Error, Stack
from errorstack_live.query import parse
from errorstack_live.storage import error as errors
from errorstack_live.storage import page as pages
from errorstack_live.storage import walk as walks
from errorstack_live.storage.document import encode
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.writer import Writer

EVERYTHING = parse("")


def nested(depth: int) -> Any:
    value: Any = "end"
    for _ in range(depth):
        value = {"d": [value]}
    return value


KEPT: list[dict[str, Any]] = [
    {"$set": 1, "a.b": 2, "": 3, ".": 4, "$": 5, "$$ROOT": 6, "a": {"$gt": {"": ""}}},
    {"_id": "mine", "_class": "x", "__proto__": "y", "stack": "trace", "at": "then"},
    {"ref": {"$ref": "c", "$id": "1"}, "list": [{"x": 1, "$ref": "c", "$id": 2, "$db": "d"}]},
    {"$ref": "c", "$id": 5, "z": {"$ref": 5}},
    {"date": {"$date": "2020"}, "oid": {"$oid": "0" * 24}, "re": {"$regex": ".*"}},
    {"int64": 2**63 - 1, "min": -(2**63), "float": 1e308, "tiny": 5e-324, "neg": -0.5},
    {"true": True, "false": False, "null": None, "list": [], "dict": {}, "lists": [[[]]]},
    {"nul": "a\0b", "control": "\x01\x1f\x7f", "bidi": "\u202e", "emoji": "😀", "bom": "\ufeff"},
    {"long": "x" * 1_000_000},
    {f"f{n}": str(n) for n in range(1000)},
    {"deep": nested(16)},
    {"language": "klingon", "n" * 1024: "long name"},
]
MENDED: list[tuple[Any, Any]] = [
    (2**63, str(2**63)),
    (-(2**63) - 1, str(-(2**63) - 1)),
    ("\ud800", "\ufffd"),
    (["a\udfffb", {"x\ud800": 1}], ["a\ufffdb", {"x\ufffd": 1}]),
    ({"a\0b": 1}, {"a\u2400b": 1}),
]


@pytest_asyncio.fixture
async def heard(store: Store) -> Any:
    async with following(store) as live:
        yield live


async def test_odd_fields_are_kept_exactly(
    store: Store, writer: Writer, stack: Stack, heard: Heard
) -> None:
    """In their order: one by one, in the list and from the feed."""
    sent = [error(stack.id, fields, at=ago(seconds=n)) for n, fields in enumerate(KEPT)]
    for each in sent:
        await writer.store(each)
    await heard.until(lambda live: len(live.events(ErrorStored)) == len(KEPT))
    ways = (
        [await store.errors.get(stack.id, each.id) for each in sent],
        (await store.errors.find(stack.id, EVERYTHING)).errors,
        [event.error for event in heard.events(ErrorStored)],
    )
    for found in ways:
        for seen, each in zip(found, sent, strict=True):
            assert repr(seen.fields) == repr(each.fields)
            assert as_sent([seen]) == [each]


async def test_what_has_no_place_is_mended(store: Store, writer: Writer, stack: Stack) -> None:
    for value, kept in MENDED:
        sent = errors_with(error(stack.id), {"x": value, "y": "beside"})
        await writer.store(sent)
        found = await store.errors.get(stack.id, sent.id)
        assert found.fields == {"x": kept, "y": "beside"}


async def test_what_is_too_deep_becomes_text(store: Store, writer: Writer, stack: Stack) -> None:
    await writer.store(errors_with(error(stack.id), {"x": nested(20), "bad\ud800": 1}))
    value: Any = (await only(store, stack)).fields["x"]
    depth = 0
    while not isinstance(value, str):
        value = value["d"] if isinstance(value, dict) else value[0]
        depth += 1
    assert depth == 31
    assert value.startswith('[{"d": [{"d": ')


async def test_nan_is_kept_as_it_is(store: Store, writer: Writer, stack: Stack) -> None:
    """The decoder makes it text; storage must not choke on it all the same."""
    await writer.store(errors_with(error(stack.id), {"x": math.nan}))
    (value,) = (await only(store, stack)).fields.values()
    assert isinstance(value, float)
    assert math.isnan(value)


def errors_with(made: Error, fields: dict[str, Any]) -> Error:
    return replace(made, fields=fields)


async def only(store: Store, stack: Stack) -> Error:
    (found,) = (await store.errors.find(stack.id, EVERYTHING)).errors
    return found


# Poisoned documents


async def test_a_poisoned_document_breaks_no_page(
    store: Store, writer: Writer, stack: Stack, heard: Heard
) -> None:
    good = [error(stack.id, {"n": n}, at=ago(minutes=n)) for n in range(3)]
    for each in good:
        await writer.store(each)
    poisoned: dict[str, Any] = dict(errors.to_document(error(stack.id), NOW + timedelta(days=1)))
    changes: list[dict[str, Any]] = [
        {"title": None},
        {"level": "loud"},
        {"fields": [1]},
        {"at": DatetimeMS(2**62)},
        {"request": "none"},
        {"before": [{"x": 1}]},
    ]
    for number, change in enumerate(changes):
        await store.database.errors.insert_one(
            {**poisoned, "at": ago(minutes=number), **change, "_id": ObjectId()}
        )
    page = await store.errors.find(stack.id, EVERYTHING)
    assert len(page.errors) == 9
    assert {each.id for each in good} <= {each.id for each in page.errors}
    odd = next(each for each in page.errors if "cannot be read" in each.title)
    assert (await store.errors.get(stack.id, odd.id)).title == odd.title
    last = error(stack.id)
    await writer.store(last)
    await heard.until(lambda live: len(live.events(ErrorStored)) == 4)
    assert as_sent([heard.events(ErrorStored)[-1].error]) == [last]


async def test_what_is_no_json_reads_as_text(store: Store, stack: Stack) -> None:
    document = errors.to_document(error(stack.id), NOW + timedelta(days=1))
    key = ObjectId()
    fields = {
        "date": datetime(2020, 1, 1, tzinfo=UTC),
        "far": DatetimeMS(2**62),
        "in": [{"key": key, "number": Decimal128("1.5")}],
    }
    await store.database.errors.insert_one({**document, "fields": fields})
    assert (await only(store, stack)).fields == {
        "date": "2020-01-01 00:00:00+00:00",
        "far": f"{DatetimeMS(2**62)}",
        "in": [{"key": str(key), "number": "1.5"}],
    }


# Pages


@pytest_asyncio.fixture
async def ten(writer: Writer, stack: Stack) -> list[Error]:
    """Ten errors, newest first; the four in the middle came at the same time."""
    at = [ago(minutes=n) for n in (0, 1, 2, 5, 5, 5, 5, 6, 7, 8)]
    made = [
        error(stack.id, {"Msg": "even" if n % 2 == 0 else "odd", "n": n}, at=when)
        for n, when in enumerate(at)
    ]
    for each in made:
        await writer.store(each)
    return sorted(made, key=lambda each: (each.at, each.id), reverse=True)


async def test_pages_are_newest_first_and_meet(
    store: Store, stack: Stack, ten: list[Error]
) -> None:
    found: list[Error] = []
    before = None
    while True:
        page = await store.errors.find(stack.id, EVERYTHING, before=before, limit=3)
        found += page.errors
        if page.is_complete:
            break
        last = page.errors[-1]
        assert page.reached_at == last.at
        before = (last.at, last.id)
    assert as_sent(found) == ten
    assert page.reached_at is None


@pytest.mark.parametrize("query", ["", "Msg:*", "n:*"])
async def test_a_page_is_full_of_bytes_too(
    store: Store, stack: Stack, ten: list[Error], monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr(pages, "READ_AT_ONCE", 1)
    monkeypatch.setattr(pages, "MAX_PAGE_BYTES", 1000)
    found: list[Error] = []
    before = None
    while not (page := await store.errors.find(stack.id, parse(query), before=before)).is_complete:
        assert 0 < len(page.errors) < 5
        found += page.errors
        assert page.reached_at == found[-1].at
        before = (found[-1].at, found[-1].id)
    assert len(found) > 5
    assert as_sent([*found, *page.errors]) == ten


async def test_ranges(store: Store, stack: Stack, ten: list[Error]) -> None:
    since, until = ago(minutes=6), ago(minutes=2)
    page = await store.errors.find(stack.id, EVERYTHING, since=since, until=until)
    assert as_sent(page.errors) == [each for each in ten if since <= each.at < until]
    assert page.is_complete
    counted = await store.errors.count(stack.id, EVERYTHING, since=since, until=until)
    assert (counted.count, counted.is_complete) == (5, True)


async def test_of_one_issue(store: Store, stack: Stack, ten: list[Error]) -> None:
    page = await store.errors.find(stack.id, EVERYTHING, issue=ten[0].issue)
    assert as_sent(page.errors) == [each for each in ten if each.issue == ten[0].issue]
    assert (await store.errors.count(stack.id, EVERYTHING, issue=ten[0].issue)).count == 5


WAYS = [(1, 0), (1, 10**6), (2, 20), (3, 0), (4, 100), (500, 20)]
"""Errors in the first slice, and which part of a page there makes a value rare."""


QUERIES = ["Msg:even", "even", "n>3", "-Msg:even", "n:7", "Msg:x", "n:*"]


async def test_filters_find_the_same_whatever_the_way(
    store: Store, ten: list[Error], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "LEAST_SLICE", 1)
    before = (ten[1].at, ten[1].id)
    for query, (first_slice, rare) in itertools.product(map(parse, QUERIES), WAYS):
        monkeypatch.setattr(walks, "FIRST_SLICE", first_slice)
        monkeypatch.setattr(pages, "RARE", rare)
        expected = [each for each in ten if query.matches(each)]
        page = await store.errors.find(ten[0].stack, query)
        assert (as_sent(page.errors), page.is_complete) == (expected, True), query.text
        assert (await store.errors.count(ten[0].stack, query)).count == len(expected)
        some = await store.errors.find(ten[0].stack, query, limit=2, before=before)
        assert as_sent(some.errors) == [each for each in expected if each not in ten[:2]][:2]


@pytest.mark.usefixtures("ten")
@pytest.mark.parametrize("text", ["", "n>3", "-n:4", "n:4", "nobody:x"])
@pytest.mark.parametrize("step_s", [1, 10, 60, 7200])
async def test_counting_over_time_counts_what_is_found(
    store: Store, stack: Stack, text: str, step_s: int
) -> None:
    step = timedelta(seconds=step_s)
    since, until = ago(hours=30), NOW + timedelta(hours=1)
    found = await store.errors.find(stack.id, parse(text), since=since, until=until, limit=100)
    wanted: dict[datetime, Counter[str]] = {}
    for each in found.errors:
        begin = each.at - (each.at - datetime.fromtimestamp(0, UTC)) % step
        wanted.setdefault(begin, Counter())[each.level.value] += 1
    counted = await store.errors.tally(stack.id, parse(text), since=since, until=until, step=step)
    assert counted.is_complete
    assert list(counted.bins) == [(begin, dict(wanted[begin])) for begin in sorted(wanted)]
    assert (len(found.errors) > 0) == (text != "nobody:x")


@pytest.mark.usefixtures("ten")
async def test_past_its_deadline_counting_says_so(store: Store, stack: Stack) -> None:
    counted = await store.errors.tally(
        stack.id,
        EVERYTHING,
        since=ago(hours=30),
        until=NOW,
        step=timedelta(minutes=1),
        deadline_s=0,
    )
    assert not counted.is_complete


async def test_counting_goes_on_where_it_stopped(
    store: Store, stack: Stack, ten: list[Error]
) -> None:
    since, until, step = ago(hours=30), NOW + timedelta(hours=1), timedelta(seconds=1)
    page = await store.errors.find(stack.id, EVERYTHING, since=since, until=until, limit=4)
    last = page.errors[-1]
    rest = await store.errors.tally(
        stack.id, EVERYTHING, since=since, until=until, step=step, before=(last.at, last.id)
    )
    assert sum(sum(levels.values()) for _, levels in rest.bins) == len(ten) - 4


async def test_past_its_deadline_a_page_says_how_far_it_came(
    store: Store, stack: Stack, ten: list[Error], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "FIRST_SLICE", 4)

    class Clock:
        """Time is up when the first slice is done."""

        now_s = 0.0

        def monotonic(self) -> float:
            self.now_s += 1.0
            return self.now_s

    monkeypatch.setattr(walks, "time", Clock())
    page = await store.errors.find(stack.id, parse("Msg:even"), deadline_s=4.5)
    assert as_sent(page.errors) == [each for each in ten[:4] if each.title == "even"]
    assert (page.is_complete, page.reached_at) == (False, ten[3].at)
    monkeypatch.setattr(walks, "time", Clock())
    counted = await store.errors.count(stack.id, parse("even"), deadline_s=5.5)
    assert (counted.is_complete, counted.reached_at) == (False, ten[3].at)
    counted = await store.errors.count(stack.id, parse("even"), deadline_s=0.0)
    assert (counted.count, counted.is_complete) == (0, False)


@pytest.mark.parametrize("error_id", ["", "x", "0" * 24, "\ud800"])
async def test_none_such(store: Store, stack: Stack, error_id: str) -> None:
    with pytest.raises(NotFound):
        await store.errors.get(stack.id, error_id)


async def test_of_another_stack(store: Store, ten: list[Error]) -> None:
    other = await store.stacks.create("Other", now=NOW, retention_days=1)
    with pytest.raises(NotFound):
        await store.errors.get(other.id, ten[0].id)
    assert (await store.errors.find(other.id, EVERYTHING)).errors == ()


async def test_deleting_a_stack_deletes_what_is_in_it(
    store: Store, stack: Stack, ten: list[Error]
) -> None:
    assert ten
    kept = await store.stacks.create("Kept", now=NOW, retention_days=1)
    await store.database.errors.insert_one(
        encode(errors.to_document(error(kept.id), NOW + timedelta(days=1)))
    )
    await store.stacks.delete(stack.id, NOW)
    assert [each.id for each in await store.stacks.all()] == [kept.id]
    await store.stacks.finish_removals(NOW)
    for name in ("errors", "issues", "minutes", "logs"):
        left = await store.database[name].count_documents({})
        assert left == (name == "errors")
    assert [each.id for each in await store.stacks.all()] == [kept.id]
