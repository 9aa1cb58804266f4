"""What is new in a stack is told once, by one process, and past a limit not at all."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from fixtures_dashboard import Dashboard
from fixtures_storage import writing
from samples_storage import error

from errorstack_live.first import MAX_ERROR_FIELDS, MAX_VALUE_CHARS, named
from errorstack_live.model import Error, Fields, Stack
from errorstack_live.query import parse
from errorstack_live.share import redact
from errorstack_live.storage import first as firsts
from errorstack_live.storage import record as records
from errorstack_live.storage.first import Firsts
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.record import ESTABLISHED, MAX_FIELDS, MAX_VALUES, SPREAD, Record
from errorstack_live.storage.writer import Writer

# Pure


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"a": "x", "b": 5, "c": True}, [("a", "x"), ("b", "5"), ("c", "true")]),
        ({"user": {"plan": "pro", "deep": {"a": {"b": {"c": 1}}}}},
         [("user.plan", "pro"), ("user.deep.a.b", None)]),
        ({"list": [1, 2], "none": None, "half": 0.5, "big": 1 << 70, "empty": {}},
         [("list", None), ("none", None), ("half", None), ("big", None), ("empty", None)]),
        ({"long": "x" * (MAX_VALUE_CHARS + 1), "n" * 200: "x"}, [("long", None)]),
        ({str(n): "" for n in range(99)}, [(str(n), "") for n in range(MAX_ERROR_FIELDS)]),
    ],
)  # fmt: skip
def test_fields_are_named_with_their_short_values(fields: Fields, expected: list[Any]) -> None:
    assert list(named(fields)) == expected


def learned(record: Record, *each: Fields) -> list[str]:
    """What was worth telling of these errors' fields, in order."""
    return [
        met.name if met.value is None else f"{met.name}={met.value}"
        for fields in each
        for met in record.learn(fields)
        if met.is_news
    ]


def test_all_of_the_first_error_is_new_and_not_told() -> None:
    record = Record(0)
    assert learned(record, {"a": "1", "b": "2"}) == []
    assert learned(record, {"a": "1", "b": "3"}) == []
    assert learned(record, {"a": "1", "c": "3"}) == ["c"]


def test_a_value_is_told_only_of_a_field_that_has_few() -> None:
    record = Record(0)
    assert learned(record, *({"release": "1"} for _ in range(ESTABLISHED))) == []
    assert learned(record, {"release": "2"}, {"release": "2"}) == ["release=2"]
    assert learned(record, {"release": "3"}) == ["release=3"]
    users = [{"user": str(n)} for n in range(60)]
    assert learned(record, {"user": "x"}, *users) == ["user"]


def test_the_spread_of_values_decides() -> None:
    record = Record(0)
    list(record.learn({}))
    for n in range(ESTABLISHED):
        list(record.learn({"region": f"{n % 4}"}))
    assert learned(record, {"region": "9"}) == [], "four values in ten errors"
    for _ in range(SPREAD * 5 - ESTABLISHED - 1):
        list(record.learn({"region": "0"}))
    assert learned(record, {"region": "10"}) == ["region=10"]


def test_past_its_limits_nothing_is_called_new(monkeypatch: pytest.MonkeyPatch) -> None:
    record = Record(0)
    assert len(learned(record, {"x": 0}, *({f"f{n}": 1} for n in range(MAX_FIELDS + 50)))) == (
        MAX_FIELDS - 1
    )
    assert len(record.fields) == MAX_FIELDS
    for n in range(MAX_VALUES + 1):
        list(record.learn({"x": f"v{n}"}))
    assert record.fields["x"].values is None
    for _ in range(2000):
        list(record.learn({"x": "v0"}))
    assert learned(record, {"x": "new"}) == [], "a field with so many values"
    monkeypatch.setattr(records, "MAX_STACK_VALUES", 3)
    small = Record(0)
    for n in range(20):
        list(small.learn({"a": 1, "b": 1, "c": 1, "d": n % 2}))
    assert learned(small, {"a": 2, "b": 2}) == []


def test_what_others_counted_is_taken_over() -> None:
    record = Record(0)
    list(record.learn({"a": "x"}))
    record.take_field("a", 50, 9, is_wide=False)
    assert learned(record, {"a": "y"}) == ["a=y"]
    record.take_field("a", 60, 40, is_wide=False)
    assert learned(record, {"a": "z"}) == []
    record.take_field("a", 5_000, 51, is_wide=True)
    assert learned(record, {"a": "zz"}) == []


def test_hidden_fields_are_cut_out_of_what_is_new() -> None:
    words = ("issue", "field:user.email", "field:a", "value:a=b=1", "value:plan=pro", "field:b")
    one = error("6732a1b0c4d5e6f708192aaa", {"a": 1}, new=words)
    assert redact(one, {"user"}).new == tuple(each for each in words if "user" not in each)
    assert redact(one, {"a=b", "plan"}).new == ("issue", "field:user.email", "field:a", "field:b")
    assert redact(one, {"a"}).new == ("issue", "field:user.email", "value:plan=pro", "field:b")


# In the database


async def new_in(writer: Writer, store: Store, stack: Stack, *each: Fields) -> list[Any]:
    """Store errors, one after the other; what each was told to be the first of."""
    sent = [error(stack.id, dict(fields)) for fields in each]
    for one in sent:
        await writer.store(one)
    return [list((await store.errors.get(stack.id, one.id)).new) for one in sent]


async def test_issue_field_and_value(writer: Writer, store: Store, stack: Stack) -> None:
    usual = {"Msg": "boom", "release": "2.4.0"}
    assert await new_in(writer, store, stack, *[usual] * (ESTABLISHED + 1)) == (
        [["issue"], *[[]] * ESTABLISHED]
    )
    assert await new_in(
        writer, store, stack,
        {**usual, "release": "2.4.1"},
        {**usual, "release": "2.4.1", "plan": "pro"},
        {**usual, "plan": "free"},
        {"Msg": "bang", "release": "2.4.1"},
    ) == [["value:release=2.4.1"], ["field:plan"], [], ["issue", "value:Msg=bang"]]  # fmt: skip
    assert [
        each.new for each in (await store.errors.find(stack.id, parse("_new:issue"))).errors
    ] == [
        ("issue", "value:Msg=bang"),
        ("issue",),
    ]
    assert len((await store.errors.find(stack.id, parse("_new:value:*"))).errors) == 2


async def test_it_is_known_after_a_restart(store: Store, stack: Stack) -> None:
    usual = {"Msg": "boom", "release": "1", "user": "a"}
    async with writing(store) as one:
        await new_in(one, store, stack, *[usual] * ESTABLISHED, {"Msg": "boom", "user": "b"})
    async with writing(store) as two:
        assert await new_in(two, store, stack, usual, {"Msg": "boom", "user": "b"}) == [[], []]
        assert await new_in(two, store, stack, {**usual, "release": "2"}) == [["value:release=2"]]
        assert await new_in(two, store, stack, {**usual, "extra": "2"}) == [["field:extra"]]
    found = await store.database.firsts.find_one({"stack": {"$exists": True}, "name": "release"})
    assert found is not None
    assert found["seen"] == ESTABLISHED + 3


async def test_of_several_processes_one_at_most_calls_it_new(store: Store, stack: Stack) -> None:
    usual = {"Msg": "boom", "release": "1"}
    async with writing(store) as one, writing(store) as two, writing(store) as three:
        processes = (one, two, three)
        for process in processes:
            await new_in(process, store, stack, *[usual] * ESTABLISHED)
        for fresh in ({**usual, "plan": "x"}, {**usual, "release": "2"}, {"Msg": "bang"}):
            told = await asyncio.gather(
                *(new_in(each, store, stack, *[fresh] * 3) for each in processes)
            )
            words = [word for process in told for new in process for word in new]
            assert sorted(set(words)) == sorted(words), "nothing is told twice"
            assert words


async def test_a_stack_that_had_errors_before_has_nothing_new(
    writer: Writer, store: Store, stack: Stack
) -> None:
    await new_in(writer, store, stack, *[{"Msg": "boom", "old": "1"}] * ESTABLISHED)
    await store.database.firsts.delete_many({})
    async with writing(store) as later:
        assert await new_in(later, store, stack, {"Msg": "boom", "old": "1"}) == [[]]
        assert await new_in(later, store, stack, {"Msg": "boom", "old": "2"}) == [["value:old=2"]]


async def test_what_the_database_refused_was_not_the_first(store: Store, stack: Stack) -> None:
    database = Firsts(store.database)
    usual, fresh = error(stack.id, {"a": "1"}), error(stack.id, {"a": "1", "b": "1"})
    assert await database.of([usual]) == {0: ("issue",)}
    told = await database.of([fresh], {fresh.issue})
    assert told == {0: ("field:b",)}
    refused = Error(**{**{n: getattr(fresh, n) for n in fresh.__slots__}, "new": told[0]})
    database.release(refused)
    await database.flush()
    assert await database.of([fresh], {fresh.issue}) == told


async def test_while_the_record_cannot_be_read_nothing_is_told(
    store: Store, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And errors do not wait for it; what came meanwhile is known when it is there."""
    database, gate = Firsts(store.database), asyncio.Event()
    begin = database._begin

    async def slowly(stack_id: str, record: Record) -> None:
        await gate.wait()
        await begin(stack_id, record)

    monkeypatch.setattr(database, "_begin", slowly)
    monkeypatch.setattr(firsts, "LOAD_WAIT_S", 0.01)
    one, two = error(stack.id, {"a": "1"}), error(stack.id, {"a": "1", "b": "1"})
    assert await database.of([one], {one.issue}) == {}
    assert await database.of([two], {two.issue}) == {}
    gate.set()
    await database._loading[stack.id].task
    assert await database.of([two, one], {one.issue, two.issue}) == {}
    three = error(stack.id, {"c": "1"})
    assert await database.of([three], {three.issue}) == {0: ("field:c",)}


async def test_deleting_a_stack_forgets(writer: Writer, store: Store, stack: Stack) -> None:
    await new_in(writer, store, stack, {"a": "1"}, {"b": "1"})
    await store.stacks.delete(stack.id, datetime.now(UTC))
    which = {"stack": {"$exists": True}}
    async with asyncio.timeout(20):
        while await store.database.firsts.count_documents(which):
            await asyncio.sleep(0.02)


async def test_values_are_kept_as_digests_alone(writer: Writer, store: Store, stack: Stack) -> None:
    await new_in(
        writer, store, stack, {"city": "Reykjavik"}, {"city": "Reykjavik", "b": "Akureyri"}
    )
    await writer._firsts.flush()
    kept = [each async for each in store.database.firsts.find({})]
    assert len(kept) >= 5
    assert "Reykjavik" not in str(kept)
    assert "Akureyri" not in str(kept)


async def test_rows_say_what_is_new(dashboard: Dashboard) -> None:
    await dashboard.submit({"Msg": "one", "a": "1"})
    error_id = await dashboard.submit({"Msg": "one", "a": "1", "plan": "pro"})
    visitor = await dashboard.signed_in()
    rows = (await visitor.get(f"{dashboard.data}/errors?query=_new:field:plan")).json["errors"]
    assert [(each["id"], each["new"]) for each in rows] == [(error_id, ["field:plan"])]
    whole = (await visitor.get(f"{dashboard.data}/errors/{error_id}")).json
    assert whole["new"] == ["field:plan"]
