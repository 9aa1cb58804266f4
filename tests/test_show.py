"""What the command line prints: times, JSON lines, and lines for people that cannot bite."""

import io
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from errorstack_live import record
from errorstack_live.cli import show
from errorstack_live.errors import Invalid
from errorstack_live.model import Error, Level, LogMessage, Request
from errorstack_live.when import from_ms, iso, parse_moment, parse_span, to_ms

AT = datetime(2026, 3, 1, 12, 0, 0, 123_000, UTC)
LOG = LogMessage("a" * 24, "s" * 24, AT, '{"a": 1}', is_json=True)
ERROR = Error(
    id="e" * 24,
    stack="s" * 24,
    at=AT,
    issue="i" * 24,
    fingerprint="1:x",
    title="TypeError: x",
    type="TypeError",
    level=Level.WARNING,
    where="app.js:10",
    fields={"Msg": "x", "n": 1, "deep": {"a": [None]}},
    request=Request("127.0.0.1", "", "", "submit"),
    before=(LOG,),
)
ROW = {
    "id": ERROR.id,
    "at": to_ms(AT),
    "issue": ERROR.issue,
    "level": "warning",
    "type": "TypeError",
    "title": "TypeError: x",
    "where": "app.js:10",
    "fields": ERROR.fields,
    "before": [{"id": LOG.id, "at": to_ms(AT), "text": LOG.text, "json": True}],
}


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("15m", timedelta(minutes=15)),
        ("2h", timedelta(hours=2)),
        (" 7D ", timedelta(days=7)),
        ("30s", timedelta(seconds=30)),
        ("2w", timedelta(weeks=2)),
        ("m", None),
        ("1.5h", None),
        ("-3d", None),
        ("٣d", timedelta(days=3)),
        ("", None),
    ],
)
def test_spans(text: str, span: timedelta | None) -> None:
    assert parse_span(text) == span


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", AT - timedelta(hours=2)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T12:00:00.123Z", AT),
        ("2026-03-01T13:00:00.123+01:00", AT),
    ],
)
def test_moments(text: str, at: datetime) -> None:
    assert parse_moment(text, AT) == at


def test_what_is_no_moment_is_wrong_usage() -> None:
    with pytest.raises(Invalid):
        parse_moment("yesterday", AT)


def test_times_of_the_wire() -> None:
    assert iso(from_ms(to_ms(AT))) == iso(AT) == "2026-03-01T12:00:00.123Z"


def test_storage_and_wire_give_one_shape() -> None:
    assert record.of_row(ROW) == record.of_error(ERROR)
    assert record.of_wire_log(ROW["before"][0]) == record.of_log(LOG)  # type: ignore[index]
    assert list(record.of_error(ERROR)) == [
        *("kind", "id", "at", "title", "level", "type", "where", "issue", "fields", "before")
    ]
    assert record.of_error(ERROR)["at"] == "2026-03-01T12:00:00.123Z"


HOSTILE = "a\x1b[2J\x9b31m\u202egnp.exe\x00\r\n\u2066\u200b\ufeff\x7f\u2028é😀👩\u200d💻"


@given(st.text() | st.just(HOSTILE))
def test_json_lines_mean_the_same_and_cannot_bite(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    line = record.encode({"Msg": text})
    assert orjson.loads(line) == {"Msg": text}
    assert not any(character in line for character in "\x1b\x9b\x7f\r\n\u202e\u2066\u2028")


@given(st.text() | st.just(HOSTILE))
def test_lines_for_people_cannot_bite(text: str) -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, color_system=None, soft_wrap=True)
    shown = {"kind": "error", "level": "error", "title": text, "where": text, "at": iso(AT)}
    show.out(shown, screen, as_json=False)
    printed = screen.file.getvalue()  # type: ignore[attr-defined]
    assert printed.endswith("\n")
    bad = set(printed[:-1]) & set("\x00\x07\x1b\x9b\x7f\r\n\u202e\u2066\u2028\u200b")
    assert not bad


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mb", "a␛[31mb"),
        ("two\nlines\t", "two␊lines␉"),
        ("\x7f\x9b", "␡<U+009B>"),
        ("\u202eabc\u2069", "<U+202E>abc<U+2069>"),
        ("\ud800", "<U+D800>"),
        ("👩\u200d💻 é", "👩\u200d💻 é"),
        ("[bold]not markup[/]", "[bold]not markup[/]"),
    ],
)
def test_marks(text: str, shown: str) -> None:
    assert show.visible(text) == shown


def test_what_a_server_says_of_a_failure_cannot_bite() -> None:
    said = show.Failed("No\nsuch \x1b]0;title\x07 \u202ekey")
    assert said.format_message() == "No\nsuch ␛]0;title␇ <U+202E>key"


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ({"level": "fatal", "title": "Boom", "where": "a.py:3"}, "fatal   Boom  a.py:3"),
        ({"text": "hello"}, "log     hello"),
        ({"fields": {"a": 1, "b": "x\ny"}}, "log     a=1 b=x␊y"),
    ],
)
def test_lines(what: dict[str, object], words: str) -> None:
    line = show.line({"at": "2026-03-01T12:00:00.123Z", **what}).plain
    assert line.partition(" ")[2] == words
