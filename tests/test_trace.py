"""Stack traces of every language as frames.

Samples are files: ``traces/<case>.txt`` as a program printed it, ``traces/<case>.json`` the frames
it must be read as: ``[whose, function, file, line, column, source]`` of each.
"""

import json
from pathlib import Path
from time import process_time

import pytest

from errorstack_live.model import JSON
from errorstack_live.trace import (
    MAX_CHARS,
    MAX_CONTEXT_LINES,
    MAX_FRAMES,
    MAX_LINE_CHARS,
    Frame,
    frames,
    of,
    parse,
    text,
)

SAMPLES = sorted((Path(__file__).parent / "traces").glob("*.txt"))


@pytest.mark.parametrize("sample", SAMPLES, ids=[each.stem for each in SAMPLES])
def test_frames_begin_where_it_was_thrown(sample: Path) -> None:
    expected = json.loads(sample.with_suffix(".json").read_text())
    found = [
        [
            "app" if one.is_app else "library",
            one.function,
            one.file,
            one.line,
            one.column,
            one.source,
        ]
        for one in frames(sample.read_text())
    ]
    assert found == expected


def test_every_sample_has_its_frames() -> None:
    described = {each.stem for each in (Path(__file__).parent / "traces").glob("*.json")}
    assert {each.stem for each in SAMPLES} == described


def test_what_is_no_frame_is_kept_as_words() -> None:
    trace = parse("KeyError: 'sku'\n    at pay (https://shop.example/a.js:1:2)\n\nCaused by: disk")
    assert trace.words == ("KeyError: 'sku'", "Caused by: disk")


LISTED: list[JSON] = [
    {
        "filename": "/srv/shop/cart.py",
        "function": "add",
        "lineno": 12,
        "colno": 5,
        "pre_context": [f"line {n}" for n in range(20)],
        "context_line": "raise KeyError(name)",
        "post_context": ["", "def next():"],
    },
    {"file": "vendor.js", "line": "3", "in_app": False},
    {"abs_path": "/usr/lib/python3.11/x.py", "in_app": True},
    {"nothing": "of use"},
    {"function": "f", "line": -1, "column": True, "source": ["x"], "above": [1, "y"]},
]


def test_a_list_of_frames_is_read_with_its_source() -> None:
    first, vendor, told, odd = of(LISTED).frames
    assert first == Frame(
        "/srv/shop/cart.py",
        "add",
        12,
        is_app=True,
        column=5,
        source="raise KeyError(name)",
        above=tuple(f"line {n}" for n in range(20 - MAX_CONTEXT_LINES, 20)),
        below=("", "def next():"),
    )
    assert vendor == Frame("vendor.js", "", 3, is_app=False)
    assert told.is_app  # the sender knows better than a path's looks
    assert odd == Frame("", "f", 0, is_app=True, column=1, above=("y",))


def test_a_list_of_frames_has_a_text_that_reads_the_same() -> None:
    said = text(LISTED)
    assert said.startswith("at add (/srv/shop/cart.py:12:5)\nat (anonymous) (vendor.js:3)\n")
    places = [(frame.file, frame.line, frame.column) for frame in frames(said)]
    assert places[0] == ("/srv/shop/cart.py", 12, 5)
    assert text("at a (b:1:2)") == text(["at a (b:1:2)"]) == text(None) == ""


def test_a_list_of_lines_and_other_values() -> None:
    assert of(["a.rb:1:in `x'", "b.rb:2:in `y'"]).frames[1].function == "y"
    others: tuple[JSON, ...] = (None, 7, {}, [], [[]], "")
    assert all(of(value).frames == () for value in others)
    assert len(of([{"file": "a"}] * (MAX_FRAMES + 1)).frames) == MAX_FRAMES


UNITS = (
    *("at ", "at a", "at (", "at a (b", "a@", 'File "', "#0 a", "a.b:", "/a.go:", "a:1:in `"),
    *("at a (eval at ", "at a () in ", " line 1 > ", "1 a  0x0 ", "a(b+0x1", "a() called at ", ","),
    *(
        "at a.b (",
        "at [",
        "| ",
        "at async ",
        "@[native ",
        " in a:1",
        "at a:\\",
        "a@b:1",
        "1: from ",
    ),
)


@pytest.mark.parametrize("line", UNITS)
def test_hostile_lines_are_read_in_one_go(line: str) -> None:
    traces = [f"{n}\n" + (line * 500)[: MAX_LINE_CHARS - 5] for n in range(20)]
    traces += [line * (MAX_CHARS // len(line))]
    began_at = process_time()  # once: what was read before is remembered
    for each in traces:
        parse(each)
    took = process_time() - began_at
    assert took < 0.1  # 26,000 characters


def test_what_is_past_the_limit_is_not_read() -> None:
    line = "total@https://shop.example/app.js:12:34\n"
    assert len(frames(line * 10_000)) <= MAX_CHARS // len(line) + 1
    assert frames("at " + "x" * 600 + " (a.js:1:2)") == ()
