"""The query language: one table for both languages, and both evaluators held equal on a server."""

import json
import re
import timeit
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import process_time
from typing import Any

import bson
import pytest
from bson import ObjectId
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient, WriteConcern
from pymongo.collection import Collection

from errorstack_live import meaning
from errorstack_live.errors import QueryError
from errorstack_live.model import JSON, Error, Fields, Level, Request
from errorstack_live.query import Query, both, parse, pattern
from errorstack_live.query.node import MEANINGS
from errorstack_live.share import redact

CASES = json.loads((Path(__file__).parent / "query" / "cases.json").read_text(encoding="utf-8"))
AT = datetime(2026, 1, 2, tzinfo=UTC)


def error(fields: Fields, **given: Any) -> Error:
    title = given.get("title", "a title")
    return Error(
        id=given.get("id", "65a0000000000000000000ff"),
        stack="65a000000000000000000000",
        at=AT,
        issue=given.get("issue", "65a0000000000000000000ee"),
        fingerprint="1",
        title=title,
        type=given.get("type", ""),
        level=Level(given.get("level", "error")),
        where=given.get("where", ""),
        fields=fields,
        request=Request("", "", "", ""),
        search=meaning.search_text(title, fields),
        new=tuple(given.get("new", ())),
    )


ERRORS = {name: error(**sample) for name, sample in CASES["errors"].items()}


def document(each: Error) -> dict[str, Any]:
    return {
        "_id": ObjectId(each.id),
        "issue": ObjectId(each.issue),
        "level": each.level.value,
        "type": each.type,
        "title": each.title,
        "where": each.where,
        "fields": each.fields,
        "search": each.search,
        **({"new": list(each.new)} if each.new else {}),
    }


@pytest.fixture(scope="module")
def collection(mongo_uri: str) -> Iterator[Collection[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        errors = client["query_test"].get_collection("errors", write_concern=WriteConcern(w=1))
        errors.create_index([("fields.$**", 1)])  # as in storage: what it serves must not differ
        yield errors
        client.drop_database("query_test")


def found_by_server(
    collection: Collection[dict[str, Any]], errors: list[Error], queries: list[Query]
) -> list[set[str]]:
    """Ask the server for each query's errors, in one go and without storing them."""
    facets = {
        f"q{n}": [{"$match": query.to_mongo()}, {"$project": {"_id": 1}}]
        for n, query in enumerate(queries)
    }
    documents = {"$documents": {"$literal": [document(each) for each in errors]}}
    (found,) = collection.database.aggregate([documents, {"$facet": facets}])
    return [{str(each["_id"]) for each in found[name]} for name in facets]


def found_here(errors: list[Error], queries: list[Query]) -> list[set[str]]:
    return [{each.id for each in errors if query.matches(each)} for query in queries]


@pytest.mark.parametrize("case", CASES["queries"], ids=lambda case: case["query"] or "(empty)")
def test_a_query_matches_the_errors_of_the_table(case: dict[str, Any]) -> None:
    query = parse(case["query"])
    assert [name for name, each in ERRORS.items() if query.matches(each)] == [
        name for name in ERRORS if name in case["matches"]
    ]
    assert query.text == case.get("text", query.text)
    assert parse(query.text) == query


def test_the_server_finds_the_same_errors(collection: Collection[dict[str, Any]]) -> None:
    names = {ObjectId(each.id): name for name, each in ERRORS.items()}
    collection.delete_many({})
    collection.insert_many([document(each) for each in ERRORS.values()])
    for case in CASES["queries"]:
        found = collection.find(parse(case["query"]).to_mongo(), {"_id": 1})
        assert {names[each["_id"]] for each in found} == set(case["matches"]), case["query"]


@pytest.mark.parametrize("case", CASES["wrong"], ids=lambda case: case["query"][:40])
def test_a_wrong_query_says_where(case: dict[str, Any]) -> None:
    with pytest.raises(QueryError) as caught:
        parse(case["query"])
    assert caught.value.at == case["at"], caught.value.message


NAMES = [
    "a",
    "b",
    "a.b",
    "a.0",
    "a.b.0",
    "a.0.b",
    "b.1.0",
    "a..b",
    ".a",
    "$x",
    "a.$x",
    "",
    "É",
    "a b",
]
SCALARS: st.SearchStrategy[JSON] = st.one_of(
    st.sampled_from(
        ["", "x", "X", "xyx", "é", "É", "ß", "SS", "x\ny", "x\n", "null", "true", "$x", "a*b", "\0"]
    ),
    st.sampled_from(
        [
            "5",
            "05",
            "5.0",
            "-5",
            "-0",
            "0",
            "5.5",
            "1e1",
            "10",
            "+5",
            " 5",
            "5\n",
            "\u0661",
            "9" * 15,
        ]
    ),
    st.sampled_from([0, -0.0, 5, 5.0, -5, 10, 2**53 + 1, 2**63 - 1, 0.1, 1e300, True, False, None]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "0", "$x", "a.b", ""]), inner, max_size=3),
    ),
    max_leaves=6,
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4)
NUMBERS = st.sampled_from(
    ["5", "0", "-5", "5.0", "5.5", "10", "-0", "007", "0.1", "9" * 15, "-5.25"]
)
ITEMS = st.one_of(
    NUMBERS,
    st.tuples(NUMBERS, NUMBERS).map("..".join),
    st.sampled_from(
        ["*", "x", "x*", "*x", "*X*", "x*x", "É*", "*é", "*s*", "null", "true", "2e0", "a*b"]
    ),
    st.sampled_from(
        [
            '""',
            '"x"',
            '"a*b"',
            '"x\ny"',
            '"x\n"',
            '"$x"',
            '"\0"',
            '"é"',
            "9007199254740993",
            "1e300",
            "$x*",
        ]
    ),
)


def quoted(name: str) -> str:
    return f'"{name}"'


TERMS = st.one_of(
    st.tuples(st.sampled_from(NAMES), st.lists(ITEMS, min_size=1, max_size=3)).map(
        lambda pair: f"{quoted(pair[0])}:{','.join(pair[1])}"
    ),
    st.tuples(st.sampled_from(NAMES), st.sampled_from([">", ">=", "<", "<="]), NUMBERS).map(
        lambda three: quoted(three[0]) + three[1] + three[2]
    ),
    st.sampled_from(
        [
            "x",
            "*",
            "x*y",
            '"x\ny"',
            "É",
            "SS",
            "null",
            '"a*b"',
            "level>=warning",
            "type:*",
            "title:T*",
        ]
    ),
)


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        inner.map("-({})".format),
        st.tuples(inner, inner).map("({0[0]} OR {0[1]})".format),
        st.tuples(inner, inner).map("({0[0]} {0[1]})".format),
    )


QUERIES = st.recursive(TERMS, combined, max_leaves=4)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    samples=st.lists(FIELDS, min_size=1, max_size=8),
    texts=st.lists(QUERIES, min_size=1, max_size=8),
)
def test_server_and_predicate_agree(
    collection: Collection[dict[str, Any]], samples: list[dict[str, JSON]], texts: list[str]
) -> None:
    errors = [error(sample, id=f"{number:024x}") for number, sample in enumerate(samples)]
    queries = list(map(parse, texts))
    assert found_by_server(collection, errors, queries) == found_here(errors, queries)
    assert [parse(query.text) for query in queries] == queries


ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
ANY_NAME = ANY_TEXT.filter(lambda name: "\0" not in name)


def in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def asked_of(name: str, value: str, piece: str) -> list[str]:
    """Queries of one field, in every form that takes any text."""
    field = in_quotes(name if name not in MEANINGS and name != "_new" else f"fields.{name}")
    asked = [f"{field}:*", f"{field}:{in_quotes(value)}", f"-{field}:{in_quotes(piece)}"]
    bare = re.sub(r'[\s()",*\\<>]|\.\.|//', "", piece)
    asked += [f"{field}:{bare}*", f"{field}:*{bare}*,*{bare}"] if bare else []
    return asked + [in_quotes(text) for text in (value, piece) if text]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    samples=st.lists(
        st.dictionaries(ANY_NAME, ANY_TEXT | st.lists(ANY_TEXT, max_size=2), max_size=3),
        min_size=1,
        max_size=5,
    ),
    name=ANY_NAME,
    piece=ANY_TEXT,
)
def test_any_name_and_any_text_agree(
    collection: Collection[dict[str, Any]],
    samples: list[dict[str, JSON]],
    name: str,
    piece: str,
) -> None:
    texts = asked_of(name, piece, piece)
    for sample in samples:
        for field, value in sample.items():
            text = "".join(map(str, value)) if isinstance(value, list) else str(value)
            texts += asked_of(field, text, text[1:])
    errors = [error(sample, id=f"{number:024x}") for number, sample in enumerate(samples)]
    queries = [query for text in texts[:60] if isinstance(query := parsed_or_wrong(text), Query)]
    here = found_here(errors, queries)
    assert found_by_server(collection, errors, queries) == here
    for sample, each in zip(samples, errors, strict=True):
        for field, value in sample.items():
            if isinstance(value, str):
                _, exact, *_ = map(parsed_or_wrong, asked_of(field, value, ""))
                assert isinstance(exact, QueryError) or exact.matches(each), (field, value)


STEPS = st.sampled_from(["a", "0", "1"])
NESTED = st.recursive(
    st.just(1),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(STEPS, inner, max_size=2),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(NESTED, min_size=20, max_size=20),
    paths=st.lists(st.lists(STEPS, min_size=1, max_size=4), min_size=8, max_size=8),
)
def test_a_path_reaches_what_it_reaches_on_the_server(
    collection: Collection[dict[str, Any]], values: list[JSON], paths: list[list[str]]
) -> None:
    errors = [error({"a": value}, id=f"{number:024x}") for number, value in enumerate(values)]
    names = [".".join(["a", *steps]) for steps in paths]
    queries = [parse(f"{name}:{test}") for name in names for test in ("1", "*")]
    assert found_by_server(collection, errors, queries) == found_here(errors, queries)


@pytest.mark.parametrize("size", [65_534, 65_535, 1_000_000])
@pytest.mark.parametrize("fill", ["x", "a", "é"])
def test_long_texts_are_the_same_on_the_server(
    collection: Collection[dict[str, Any]], size: int, fill: str
) -> None:
    text = f"a{fill * (size - 8)}needleb"
    shapes = [
        "*needle*",
        "a*",
        "*b",
        "*needleb",
        "a*b",
        "*nee*le*",
        "a*needle*",
        "*a*a*a*a*c",
        "*c*",
    ]
    queries = [parse(f"{name}:{shape}") for name in ("f", '"$f"') for shape in [*shapes, "1..5"]]
    errors = [error({"f": text, "$f": text})]
    here = found_here(errors, queries)
    assert found_by_server(collection, errors, queries) == here
    assert [bool(found) for found in here[:3]] == [True] * 3
    assert bool(here[4]) == (size == pattern.MAX_STEPPED_CHARS)


def test_a_query_is_equal_to_its_other_spellings() -> None:
    assert parse("a  AND (b)") == parse("a b")
    assert hash(parse("f:>5")) == hash(parse("f>5"))
    assert parse("a OR b") != parse("a b")
    assert parse("").is_empty
    assert not parse("a").is_empty


def test_both_binds_closer_than_or() -> None:
    query = both(parse("a OR b"), parse("c"))
    assert query.text == "(a OR b) c"
    assert both(query, parse("")) == query


def parsed_or_wrong(text: str) -> Query | QueryError:
    try:
        return parse(text)
    except QueryError as wrong:
        return wrong


@given(
    text=st.text(alphabet='ab:<>=-,.*"\\()\0\u00a0 \ud83d1é', max_size=30) | st.text(max_size=30)
)
@settings(deadline=None)
def test_any_text_is_a_query_or_an_error_with_its_place(text: str) -> None:
    query = parsed_or_wrong(text)
    if isinstance(query, QueryError):
        assert 0 <= query.at <= len(text)
        return
    assert parse(query.text) == query
    query.matches(error({"a": "b"}))
    bson.encode(query.to_mongo())


OPERATORS = {"$and", "$or", "$nor", "$in", "$type", "$regex", "$exists", "$expr"}
COMPARISONS = {"$gt", "$gte", "$lt", "$lte"}
INSIDE_EXPR = {"$let", "$getField", "$literal", "$cond", "$isArray", "$concatArrays", "$map"} | {
    *{"$ne", "$eq", "$anyElementTrue", "$regexMatch", "$isNumber", "$toObjectId", "$toString"},
    *{"$and", "$or", "$in", "$type"},
}


def operators(value: object, *, in_expr: bool = False) -> Iterator[tuple[str, bool]]:
    if isinstance(value, list):
        for item in value:
            yield from operators(item, in_expr=in_expr)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name.startswith("$"):
                yield name, in_expr
            if name != "$literal":
                yield from operators(inner, in_expr=in_expr or name == "$expr")


@given(
    name=st.sampled_from(["$where", "$ne", "a.$gt", "$expr", "fields.$ne", "x.$where.y", "a"]),
    value=st.sampled_from(["$where", "$$ROOT", "$fields.secret", "{}", '{"$ne":null}', "$a*", "5"]),
)
def test_no_text_of_a_query_becomes_an_operator(name: str, value: str) -> None:
    escaped = value.replace('"', '\\"')
    mongo = parse(f'{quoted(name)}:"{escaped}" OR {quoted(name)}:x* OR {quoted(name)}>5').to_mongo()
    for operator, in_expr in operators(mongo):
        assert operator in (INSIDE_EXPR if in_expr else OPERATORS) | COMPARISONS
    assert value in str(mongo)


DECIMALS = st.from_regex(r"-?[0-9]{1,4}(\.[0-9]{1,3})?", fullmatch=True)


@given(text=DECIMALS, number=DECIMALS, operator=st.sampled_from([">", ">=", "<", "<="]))
@example(text="0.5", number="0", operator=">")
@example(text="-0.5", number="-0", operator="<")
def test_a_text_that_spells_a_number_is_compared_as_one(
    text: str, number: str, operator: str
) -> None:
    expected = {
        ">": Decimal(text) > Decimal(number),
        ">=": Decimal(text) >= Decimal(number),
        "<": Decimal(text) < Decimal(number),
        "<=": Decimal(text) <= Decimal(number),
    }[operator]
    is_number = not (text.startswith("-") and not text.strip("-0."))
    assert parse(f"n{operator}{number}").matches(error({"n": text})) == (expected and is_number)


@pytest.mark.parametrize("text", ["", "1e1", "+5", " 5", "5\n", "5.", ".5", "0x5", "1" * 16, "NaN"])
def test_other_texts_are_no_numbers(text: str) -> None:
    sample = error({"n": text})
    assert not parse("n>-999999999999999").matches(sample)
    assert not parse("n<999999999999999").matches(sample)


@given(
    text=st.text(alphabet="abA\n", max_size=12),
    shape=st.from_regex(r"[abA*]{0,4}\*[abA*]{0,3}", fullmatch=True),
)
def test_a_wildcard_is_any_text(text: str, shape: str) -> None:
    reference = re.compile(shape.replace("*", "(?:.|\n)*"), re.IGNORECASE)
    expected = reference.fullmatch(text) is not None
    assert parse(f"f:{shape}").matches(error({"f": text})) == expected


@pytest.mark.parametrize("query", ["f:*a*a*a*a*a*b", "*a*a*a*a*a*b", "f:*ab", "f>5", "f:a*a*a*b"])
def test_matching_takes_time_in_proportion_to_the_text(query: str) -> None:
    match = parse(query).matches

    def seconds(size: int) -> float:
        sample = replace(error({"f": "a" * size}), search="a" * size)
        return min(timeit.repeat(lambda: match(sample), timer=process_time, number=1, repeat=5))

    assert seconds(200_000) < 40 * seconds(20_000) + 0.01  # ten times the text


HIDDEN_NAMES = st.sampled_from(["a", "b", "a.b", "b.a", "level", "error", "Msg"])
HIDDEN_VALUES = SCALARS | st.fixed_dictionaries({"b": SCALARS, "level": st.just("fatal")})
HIDDEN_TERMS = st.sampled_from(
    [
        *("a:*", "a.b:*", "a.b:x", "a.0.b:*", "b>0", "b.a:*", "a:x*", "b:5", "error.level:*"),
        *("level:error", "level:fatal", "title:x*", "type:*", "x", "issue:*", "$x:*"),
        *("_new:*", "_new:field:a", "_new:value:b*", "-_new:field:a.b"),
    ]
)


@settings(deadline=None, max_examples=500)
@given(
    fields=st.dictionaries(
        st.sampled_from(["a", "b", "a.b", "level", "error", "Msg", "$x"]),
        HIDDEN_VALUES | st.lists(HIDDEN_VALUES, max_size=2),
        max_size=4,
    ),
    hidden=st.sets(HIDDEN_NAMES, min_size=1, max_size=3),
    text=st.recursive(HIDDEN_TERMS, combined, max_leaves=3),
)
@example(fields={"a": [{"b": "x"}]}, hidden={"a.b"}, text="a.0.b:x")
@example(fields={"a": [{"b": "x"}]}, hidden={"a.b"}, text="-(a.0.b:x)")
def test_a_relaxed_query_asks_nothing_about_hidden_fields(
    fields: dict[str, JSON], hidden: set[str], text: str
) -> None:
    said = meaning.read(fields)
    whole = replace(error(fields, title=said.title), type=said.type, level=said.level)
    seen, query = redact(whole, hidden), parse(text)
    relaxed = query.relaxed(hidden)
    assert relaxed.matches(whole) == relaxed.matches(seen)
    assert relaxed.matches(whole) or not query.matches(seen)
    assert parse(relaxed.text) == relaxed
