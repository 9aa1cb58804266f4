"""How values look on a page."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import error
from markupsafe import escape

from errorstack_live.web import render

AT = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("café €", "café €"),
        ("a\nb\tc", "a\nb\tc"),
        ("<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"),
        ("a\u202eb", 'a<span class="ctl">U+202E</span>b'),
        ("\x00\x1b[31m", '<span class="ctl">U+0000</span><span class="ctl">U+001B</span>[31m'),
        (
            "\u200b\ufeff\u2066",
            "".join(f'<span class="ctl">U+{n}</span>' for n in ("200B", "FEFF", "2066")),
        ),
        ("\ud800", '<span class="ctl">U+D800</span>'),
        ("\U000e0041", '<span class="ctl">U+E0041</span>'),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert render.visible(text) == shown


@given(st.text())
def test_visible_text_never_acts(text: str) -> None:
    shown = render.visible(text)
    assert "<" not in shown.replace('<span class="ctl">', "").replace("</span>", "")
    render.plain(text).encode()
    assert not any(character in shown for character in "\u202a\u202e\u2066\x00\x1b")


@given(st.text(st.characters(categories=["L", "N", "P"])))
def test_ordinary_text_is_only_escaped(text: str) -> None:
    assert render.visible(text) == escape(text)
    assert render.plain(text) == text


@pytest.mark.parametrize(
    ("text", "is_link"),
    [
        ("https://example.org/a?b=1#c", True),
        ("HTTP://example.org", True),
        ("https://user@example.org:8443/", True),
        ("javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,<script>", False),
        ("//example.org/", False),
        ("https://", False),
        ("https:///path", False),
        ("https://[::1", False),
        ("https://example.org/ and more", False),
        ("https://example.org/\u202e", False),
        ('https://example.org/"onclick="x', False),
        ("see https://example.org", False),
        ("https://example.org/" + "x" * 2048, False),
    ],
)
def test_link(text: str, is_link: bool) -> None:
    assert render.link(text) == (text if is_link else None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (4, "just now"),
        (40, "40 s ago"),
        (300, "5 min ago"),
        (7200, "2 h ago"),
        (86_400, "1 day ago"),
        (200_000, "2 days ago"),
    ],
)
def test_ago(seconds: int, words: str) -> None:
    assert render.ago(AT, AT + timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("type_", "title", "said"),
    [
        ("", "Boom", "Boom"),
        ("KeyError", "KeyError: 'a'", "'a'"),
        ("TypeError", "Uncaught TypeError: x is null", "x is null"),
        ("KeyError", "KeyError", ""),
        ("KeyError", "something else", "something else"),
        ("Error", "Errors happen", "Errors happen"),
    ],
)
def test_a_type_is_said_once(type_: str, title: str, said: str) -> None:
    assert render.saying(error(type=type_, title=title)) == said


def test_times() -> None:
    assert render.clock(AT) + render.fraction(AT) == "03:04:05.678"
    assert render.stamp(AT) == "2026-01-02 03:04:05 UTC"
    assert render.iso(AT) == "2026-01-02T03:04:05.678Z"


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 bytes"), (1023, "1023 bytes"), (2048, "2 KB"), (3 << 20, "3.0 MB")]
)
def test_size(count: int, words: str) -> None:
    assert render.size(count) == words


def test_a_spark_is_the_last_hour() -> None:
    minutes = [
        (AT - timedelta(hours=3), {"error": 1000}),
        (AT - timedelta(minutes=59), {"info": 5}),
        (AT - timedelta(minutes=1), {"error": 10}),
        (AT, {"warning": 10}),
    ]
    bars = render.spark(minutes, AT)
    assert [(bar.x, bar.height, bar.is_bad) for bar in bars] == [(0, 5.0, False), (116, 20.0, True)]
    assert render.spark([], AT) == []
