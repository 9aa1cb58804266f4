"""What fields mean (PROTOCOL 9), for every client's and for hostile ones."""

import timeit
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errorstack_live import meaning
from errorstack_live.model import JSON, Level

PYTHON: dict[str, JSON] = {
    "name": "shop.views",
    "msg": "User %s could not pay %.2f",
    "args": "('ann', 12.5)",
    "levelname": "CRITICAL",
    "pathname": "/srv/shop/views.py",
    "lineno": "42",
    "exc_text": 'Traceback (most recent call last):\n  File "/srv/a.py", line 1\nValueError: no',
    "thread": "140",
    "process": "12",
}

TITLES: list[tuple[dict[str, JSON], str]] = [
    ({"Msg": "node died"}, "node died"),
    ({"msg": "b", "Msg": "a"}, "a"),
    ({"Msg": "", "message": "a"}, "a"),
    ({"Msg": "None", "reason": "a"}, "a"),
    ({"Msg": None, "error": "a"}, "a"),
    ({"_msg": "a"}, "a"),
    ({"Msg": ["", "one", "two"]}, "one"),
    ({"Msg": {"a": 1}, "message": "a"}, "a"),
    ({"Msg": 404}, "404"),
    ({"error": True, "message": "a"}, "a"),
    ({"error": True, "reason": "a"}, "a"),
    ({"error": {"message": "a", "name": "TypeError"}}, "TypeError: a"),
    ({"Msg": "x is undefined", "name": "TypeError"}, "TypeError: x is undefined"),
    ({"Msg": "TypeError: x", "name": "TypeError"}, "TypeError: x"),
    ({"Msg": "Uncaught TypeError: x", "name": "TypeError"}, "Uncaught TypeError: x"),
    ({"Msg": "disk full", "Type": "warning"}, "disk full"),
    ({"name": "TypeError"}, "TypeError"),
    ({"stack": "TypeError: q\n    at f (a.js:1:2)"}, "TypeError: q"),
    ({"exc_text": 'Traceback\n  File "a.py", line 1\nKeyError: 5'}, "KeyError: 5"),
    ({"a": "", "b": None, "c": "first text"}, "first text"),
    ({"thread": "1", "_id": "2", "postingIP": "3", "createdDate": "4", "c": "5"}, "5"),
    ({}, "(no message)"),
    ({"a": {"b": "c"}, "d": True, "e": []}, "(no message)"),
    ({"Msg": " \n\t "}, "(no message)"),
    ({"Msg": "one\n  two\r\nthree"}, "one two three"),
    ({"Msg": "x" * 400}, "x" * 299 + "…"),
    ({"Msg": "x" * 300}, "x" * 300),
    (PYTHON, "User ann could not pay 12.50"),
]


@pytest.mark.parametrize(("fields", "title"), TITLES)
def test_title(fields: dict[str, JSON], title: str) -> None:
    assert meaning.read(fields).title == title


ARGUMENTS: list[tuple[str, str, str]] = [
    ("%s and %s", "('a', 5)", "a and 5"),
    ("%s", "('a',)", "a"),
    ("%(name)s", "{'name': 'a'}", "a"),
    ("%d%%", "(5,)", "5%"),
    ("100%", "()", "100%"),
    ("100%", "", "100%"),
    ("%s", "None", "%s"),
    ("%s and %s", "('a',)", "%s and %s"),
    ("%d", "('a',)", "%d"),
    ("%s", "(<User: ann>,)", "%s"),
    ("%s", "__import__('os').getcwd()", "%s"),
    ("%(a)s", "{}", "%(a)s"),
    ("%c", f"({2**40},)", "%c"),
    ("%999999999s", "('a',)", "%999999999s"),
    ("%*d", "(999999999, 5)", "%*d"),
    ("%.99999f", "(0.1,)", "%.99999f"),
    ("%s", "(" * 1_000, "%s"),
    ("%s", "-" * 1_999 + "1", "%s"),
    ("%s", r"('\d',)", r"\d"),
    ("%s" * 51, "('a',)", "%s" * 51),
]


@pytest.mark.parametrize(("msg", "args", "message"), ARGUMENTS)
def test_python_arguments_are_put_in_where_that_is_safe(msg: str, args: str, message: str) -> None:
    assert meaning.read({"msg": msg, "args": args}).message == message
    assert meaning.template({"msg": msg, "args": args}) == msg


LEVELS: list[tuple[dict[str, JSON], Level]] = [
    ({}, Level.ERROR),
    ({"level": "critical"}, Level.FATAL),
    ({"level": "FATAL"}, Level.FATAL),
    ({"levelname": "CRITICAL"}, Level.FATAL),
    ({"severity": "emerg"}, Level.FATAL),
    ({"level": "Error"}, Level.ERROR),
    ({"level": "warn"}, Level.WARNING),
    ({"level": "WARNING"}, Level.WARNING),
    ({"level": "notice"}, Level.INFO),
    ({"level": "trace"}, Level.DEBUG),
    ({"level": "production"}, Level.ERROR),
    ({"level": "", "severity": "info"}, Level.INFO),
    ({"level": "info", "severity": "fatal"}, Level.INFO),
    ({"level": 50}, Level.FATAL),
    ({"level": "45"}, Level.ERROR),
    ({"level": 30}, Level.WARNING),
    ({"level": 20}, Level.INFO),
    ({"level": 10}, Level.DEBUG),
    ({"level": 3}, Level.ERROR),
    ({"level": 0}, Level.FATAL),
    ({"level": "9" * 5000}, Level.ERROR),
    ({"level": "٣"}, Level.ERROR),
    ({"level": True}, Level.ERROR),
    ({"level": ["debug", "error"]}, Level.DEBUG),
]


@pytest.mark.parametrize(("fields", "level"), LEVELS)
def test_level(fields: dict[str, JSON], level: Level) -> None:
    assert meaning.read(fields).level is level


TYPES: list[tuple[dict[str, JSON], str]] = [
    ({"name": "TypeError", "Type": "b"}, "TypeError"),
    ({"Type": "a", "type": "b"}, "a"),
    ({"Msg": "Uncaught TypeError: x"}, "TypeError"),
    ({"Msg": "Uncaught (in promise) Error: x"}, "Error"),
    ({"Msg": "java.lang.NullPointerException: x"}, "java.lang.NullPointerException"),
    ({"Msg": "An Error: x"}, ""),
    ({"Msg": "x", "StackTrace": "System.IO.IOException: y\n   at A.B()"}, "System.IO.IOException"),
    ({"msg": "x", "levelname": "INFO"}, "INFO"),
    ({"msg": "x", "name": "root", "levelname": "INFO"}, "root"),
    (PYTHON, "ValueError"),
    ({"name": "T" * 200}, "T" * 99 + "…"),
    ({"name": "a\nb"}, "a b"),
]


@pytest.mark.parametrize(("fields", "kind"), TYPES)
def test_type(fields: dict[str, JSON], kind: str) -> None:
    assert meaning.read(fields).type == kind


PLACES: list[tuple[dict[str, JSON], str]] = [
    ({"ScriptURL": "https://a/b.js", "URL": "https://a/", "Line": "12"}, "https://a/b.js:12"),
    ({"File": "/srv/a.php", "Line": 7}, "/srv/a.php:7"),
    ({"URL": "https://a/b.js?v=1#x", "Line": "3"}, "https://a/b.js?v=1#x:3"),
    ({"URL": "https://a/page", "Line": "3"}, "https://a/page:3"),
    ({"PageURL": "https://a/page"}, "https://a/page"),
    ({"URL": "https://a/", "stack": "Error\n    at f (https://a/b.js:9:1)"}, "https://a/b.js:9"),
    ({"StackTrace": "   at System.X.Y()\n   at A.B() in C:\\a.cs:line 4"}, "C:\\a.cs:4"),
    ({"trace": "nothing here", "PageURL": "https://a/"}, "https://a/"),
    ({"name": "shop.views", "levelname": "INFO"}, "shop.views"),
    (PYTHON, "/srv/shop/views.py:42"),
    ({"Line": "12"}, ""),
    ({}, ""),
]


@pytest.mark.parametrize(("fields", "place"), PLACES)
def test_where(fields: dict[str, JSON], place: str) -> None:
    assert meaning.read(fields).where == place


def test_a_list_of_lines_is_a_trace() -> None:
    lines: list[JSON] = ["/a.rb:1:in `x'", "/b.rb:2:in `y'", "/c.rb:3:in `z'"]
    assert meaning.read({"backtrace": lines}).trace == "\n".join(map(str, lines))


def test_search_text_holds_every_text_and_no_other_value() -> None:
    fields: dict[str, JSON] = {
        "a": "STRASSE Straße",
        "n": 5,
        "b": {"c": ["É", {"d": "deep"}], "e": None},
        "t": True,
    }
    assert meaning.search_text("Title", fields) == "title\nstrasse strasse\né\ndeep"


def test_search_text_is_bounded() -> None:
    most = meaning.MAX_SEARCH_CHARS
    assert len(meaning.search_text("t", {"a": "x" * 2 * most})) == most
    assert len(meaning.search_text("t", {"a": "ß" * most})) == most
    assert meaning.search_text("t", {"a": "x" * (most - 2), "b": "lost"}).endswith("x")


ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KNOWN_NAMES = st.sampled_from(
    [
        *(*meaning.MESSAGE_NAMES, *meaning.TYPE_NAMES, *meaning.LEVEL_NAMES, "args"),
        *(*meaning.FILE_NAMES, *meaning.PAGE_NAMES, *meaning.LINE_NAMES, *meaning.TRACE_NAMES),
    ]
)


@settings(deadline=None)
@given(st.dictionaries(KNOWN_NAMES | st.text(), ANY_JSON, max_size=8))
def test_any_json_has_a_meaning(fields: dict[str, JSON]) -> None:
    said = meaning.read(fields)
    assert 0 < len(said.title) <= meaning.MAX_TITLE_CHARS
    assert len(said.title.splitlines()) == 1
    assert len(said.where) <= meaning.MAX_WHERE_CHARS
    assert len(meaning.search_text(said.title, fields)) <= meaning.MAX_SEARCH_CHARS


HOSTILE: list[dict[str, JSON]] = [
    {"Msg": "A" * 1_000_000},
    {"Msg": "a." * 500_000},
    {"Msg": " " * 1_000_000},
    {"msg": "%" * 1_000_000, "args": "(1,)"},
    {"msg": "%(" * 1_900 + "%s", "args": "(1,)"},
    {"stack": "A" * 1_000_000},
    {"stack": "\n" * 1_000_000},
    {"URL": "a.js" * 250_000},
    {"backtrace": "a:1," * 250_000},
]


@pytest.mark.parametrize("fields", HOSTILE, ids=lambda fields: str(fields)[:20])
def test_hostile_text_is_read_quickly(fields: dict[str, JSON]) -> None:
    assert (
        min(timeit.repeat(lambda: meaning.read(fields), timer=process_time, number=1, repeat=3))
        < 0.2
    )
