"""What viewers of a share link with hidden fields are not told."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errorstack_live import meaning
from errorstack_live.live.living import MAX_KEPT_CHARS, LivingLogs
from errorstack_live.model import JSON, Error, Fields, LogMessage, Request
from errorstack_live.share import hides, redact, redact_log

AT = datetime(2026, 1, 2, tzinfo=UTC)
MARK = "\u2603"


def log(fields: Fields | None, text: str | None = None) -> LogMessage:
    return LogMessage(id="b", stack="s", at=AT, text=text, fields=fields)


def error(fields: Fields, **given: Any) -> Error:
    said = meaning.read(fields)
    made = Error(
        id="a",
        stack="s",
        at=AT,
        issue="i",
        fingerprint="1",
        title=said.title,
        type=said.type,
        level=said.level,
        where=said.where,
        fields=fields,
        request=Request("192.0.2.1", "Browser", "https://a/", "beacon"),
        search=meaning.search_text(said.title, fields),
    )
    return replace(made, **given)


FIELDS: list[tuple[set[str], dict[str, JSON], dict[str, JSON]]] = [
    ({"a"}, {"a": 1, "b": 2}, {"b": 2}),
    ({"a"}, {"a": {"b": 1}, "a.b": 2, "ab": 3}, {"ab": 3}),
    ({"a.b"}, {"a": {"b": 1, "c": 2}, "a.b": 3, "a.b.c": 4, "b": 5}, {"a": {"c": 2}, "b": 5}),
    ({"a.b"}, {"a": [{"b": 1, "c": 2}, {"b": 3}, 4]}, {"a": [{"c": 2}, {}, 4]}),
    ({"a.b.c"}, {"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"d": 2}}}),
    ({"a.b.c"}, {"a": {"b.c": 1, "b": 2}}, {"a": {"b": 2}}),
    ({"b"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ({""}, {"": 1, "a": 2}, {"a": 2}),
    ({"x", "y"}, {"z": 1}, {"z": 1}),
]


@pytest.mark.parametrize(("hidden", "fields", "left"), FIELDS)
def test_hidden_fields_are_cut_out(
    hidden: set[str], fields: dict[str, JSON], left: dict[str, JSON]
) -> None:
    assert redact(error(fields), hidden).fields == left
    assert redact(error({}, reserved=fields), hidden).reserved == left
    assert redact(error({}, before=(log(fields),)), hidden).before == (log(left),)
    assert redact_log(log(fields), hidden) == log(left)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"user": "ann", "n": 1}', '{"n": 1}'),
        (' [{"user": "ann"}, {"n": {"user": 2}}]', '[{}, {"n": {"user": 2}}]'),
        ('{"n":1}', '{"n":1}'),
        ('{"n": "long", "user": "an…', "…"),  # the start of long fields, as errors keep it
        ('["x", {"user": "an', "…"),
        ("[worker 3] user ann", "[worker 3] user ann"),
        ('user: {"user": 1}', 'user: {"user": 1}'),
    ],
)
def test_hidden_fields_are_cut_out_of_json_in_log_text(text: str, left: str) -> None:
    assert redact_log(log(None, text), {"user"}).text == left
    assert redact(error({}, before=(log(None, text),)), {"user"}).before[0].text == left


def test_long_log_fields_kept_with_an_error_tell_nothing_hidden() -> None:
    logs = LivingLogs()
    logs.add(log({"user": MARK, "more": "x" * MAX_KEPT_CHARS}))
    whole = error({}, before=logs.alive("s", AT))
    assert MARK in repr(whole)
    assert MARK not in repr(redact(whole, {"user"}))


def test_what_is_read_from_hidden_fields_is_read_anew() -> None:
    whole = error(
        {
            "Msg": "ann lost her card",
            "name": "CardError",
            "level": "fatal",
            "File": "a.php",
            "b": "c",
        }
    )
    seen = redact(whole, {"Msg", "name", "level", "File"})
    assert (seen.title, seen.type, seen.level.value, seen.where) == ("c", "", "error", "")
    assert seen.search == "c\nc"
    assert (seen.id, seen.issue, seen.at) == (whole.id, whole.issue, whole.at)


def test_nothing_hidden_is_the_same_object() -> None:
    whole = error({"a": 1})
    assert redact(whole, frozenset()) is whole


def test_other_places_of_a_name() -> None:
    whole = error({}, scrubbed=("a.b", "c"), part="secret", before=(log(None, "text"),))
    seen = redact(whole, {"a", "_id", "request.ip"})
    assert seen.scrubbed == ("c",)
    assert seen.part is None
    assert seen.request == Request("", "Browser", "https://a/", "beacon")
    assert seen.before == whole.before
    assert redact(whole, {"request"}).request == Request("", "", "", "beacon")


@pytest.mark.parametrize(
    ("path", "is_hidden"),
    [("a", True), ("a.b", True), ("b.c", True), ("b.c.d", True), ("b", False), ("ab", False)],
)
def test_a_name_hides_what_is_below_it(path: str, is_hidden: bool) -> None:
    assert hides({"a", "b.c"}, path) == is_hidden


NAMES = st.sampled_from(["a", "b", "a.b", "b.a", "Msg", "name", "stack", "URL", "level", "error"])


def marked(value: JSON, hidden: set[str], path: str = "") -> JSON:
    """Put the mark into every text at or below a hidden path."""
    if isinstance(value, dict):
        return {n: marked(v, hidden, f"{path}.{n}" if path else n) for n, v in value.items()}
    if isinstance(value, list):
        return [marked(item, hidden, path) for item in value]
    return f"{MARK}{value}" if hides(hidden, path) else value


TREES: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["x", "TypeError", "https://a/b.js"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(NAMES, TREES, max_size=5), st.sets(NAMES, min_size=1, max_size=3))
def test_no_hidden_text_is_left_anywhere(tree: dict[str, JSON], hidden: set[str]) -> None:
    fields = marked(tree, hidden)
    assert isinstance(fields, dict)
    whole = error(fields, reserved=fields, before=(log(fields),))
    assert MARK not in repr(redact(whole, hidden))
