"""What is one issue and what is two."""

import timeit
from time import process_time

import pytest

from errorstack_live import fingerprint, meaning
from errorstack_live.model import JSON, Fields

STACK = "TypeError: x\n    at add (https://a.example/js/cart.js:{line}:{line})\n    at run (https://a.example/js/app.js:1:1)"


def of(fields: Fields) -> str:
    return fingerprint.of(meaning.read(fields), fields)


SAME: list[tuple[str, dict[str, JSON], dict[str, JSON]]] = [
    ("number", {"Msg": "order 17 failed"}, {"Msg": "order 18234 failed"}),
    ("number in a word", {"Msg": "node-7 died"}, {"Msg": "node-12 died"}),
    ("address", {"Msg": "at 0x7f3aee10"}, {"Msg": "at 0x7ffe0001"}),
    ("hex", {"Msg": "commit 8f14e45fceea"}, {"Msg": "commit c9f0f895fb98"}),
    (
        "uuid",
        {"Msg": "user 550e8400-e29b-41d4-a716-446655440000 is gone"},
        {"Msg": "user 6ba7b810-9dad-11d1-80b4-00c04fd430c8 is gone"},
    ),
    ("quoted id", {"Msg": "no key 'user-42-ann'"}, {"Msg": "no key 'order-9'"}),
    ("token", {"Msg": f"key {'a1' * 20} is bad"}, {"Msg": f"key {'zz9' * 15} is bad"}),
    ("e-mail", {"Msg": "no mail to ann@example.com"}, {"Msg": "no mail to bob@example.org"}),
    ("query string", {"Msg": "GET /a?x=ann&y=1 failed"}, {"Msg": "GET /a?z=bob failed"}),
    ("time", {"Msg": "at 2026-01-02T03:04:05Z"}, {"Msg": "at 2025-12-30T23:59:59Z"}),
    ("white space", {"Msg": "a  b"}, {"Msg": "a\nb"}),
    ("line", {"Msg": "x", "File": "a.php", "Line": "1"}, {"Msg": "x", "File": "a.php", "Line": 9}),
    ("page", {"Msg": "x", "PageURL": "https://a/1"}, {"Msg": "x", "PageURL": "https://a/b"}),
    ("page as URL", {"Msg": "x", "URL": "https://a/1"}, {"Msg": "x", "URL": "https://a/b"}),
    ("lines of a trace", {"stack": STACK.format(line=1)}, {"stack": STACK.format(line=22)}),
    (
        "host and build of a script",
        {"Msg": "x", "ScriptURL": "https://a.example/js/app.3f9c0d1e.js?v=1"},
        {"Msg": "x", "ScriptURL": "https://b.example/js/app.77ab01cc.js"},
    ),
    (
        "deep recursion",
        {"stack": "Error: x\n" + "    at f (a.js:1:1)\n" * 3 + "    at g (a.js:2:1)"},
        {"stack": "Error: x\n" + "    at f (a.js:1:1)\n" * 30 + "    at g (a.js:2:1)"},
    ),
    (
        "what a library called",
        {"stack": "Error: x\n    at f (a.js:1:1)\n    at h (https://a/node_modules/b.js:1:1)"},
        {"stack": "Error: x\n    at f (a.js:1:1)\n    at i (https://a/node_modules/c.js:1:1)"},
    ),
    (
        "Python's arguments, thread, process and time",
        {"msg": "pay %s", "args": "('ann',)", "thread": "1", "process": "2", "asctime": "a"},
        {"msg": "pay %s", "args": "('bob',)", "thread": "3", "process": "4", "asctime": "b"},
    ),
    (
        "who sent it, and when",
        {"Msg": "x", "_id": "1", "postingIP": "192.0.2.1", "createdDate": "2026"},
        {"Msg": "x", "_id": "2", "postingIP": "192.0.2.2", "createdDate": "2027"},
    ),
]


@pytest.mark.parametrize(("one", "other"), [case[1:] for case in SAME], ids=[c[0] for c in SAME])
def test_what_varies_between_occurrences_is_one_issue(one: Fields, other: Fields) -> None:
    assert of(one) == of(other)


DIFFERENT: list[tuple[str, dict[str, JSON], dict[str, JSON]]] = [
    ("message", {"Msg": "disk full"}, {"Msg": "disk gone"}),
    ("quoted name", {"Msg": "no property 'total'"}, {"Msg": "no property 'price'"}),
    ("type", {"Msg": "x", "name": "TypeError"}, {"Msg": "x", "name": "RangeError"}),
    ("file", {"Msg": "x", "File": "/srv/a.php"}, {"Msg": "x", "File": "/srv/b.php"}),
    ("template", {"msg": "%s a", "args": "('x b',)"}, {"msg": "%s b", "args": "('x a',)"}),
    (
        "function",
        {"Msg": "x", "stack": "Error\n    at f (a.js:1:1)"},
        {"Msg": "x", "stack": "Error\n    at g (a.js:1:1)"},
    ),
    (
        "caller",
        {"Msg": "x", "stack": "Error\n    at f (a.js:1:1)\n    at g (a.js:2:1)"},
        {"Msg": "x", "stack": "Error\n    at f (a.js:1:1)\n    at h (a.js:2:1)"},
    ),
]


@pytest.mark.parametrize(
    ("one", "other"), [case[1:] for case in DIFFERENT], ids=[c[0] for c in DIFFERENT]
)
def test_what_is_another_fault_is_another_issue(one: Fields, other: Fields) -> None:
    assert of(one) != of(other)


def test_a_fingerprint_stays_what_it_is() -> None:
    """When this fails, every open issue of every user splits: raise VERSION if that is meant."""
    assert of({"Msg": "order 17 failed", "File": "/srv/a.php"}) == "2e4881aec8bd985e4"
    assert fingerprint.issue_id("65a000000000000000000000", "1abc") == "ede2f5b035528ffd65c9cc95"
    assert of({}).startswith(fingerprint.VERSION)


def test_an_issue_id_is_of_one_stack_and_one_fingerprint() -> None:
    ids = {fingerprint.issue_id(stack, mark) for stack in "ab" for mark in "12"}
    assert len(ids) == 4
    assert all(len(one) == 24 and int(one, 16) >= 0 for one in ids)


@pytest.mark.parametrize(
    "text", ["a", "1", "a1", "'", "'a", "a@", "@a.", "?", "-", "0x", "a-", "😀", " ", "12345678-"]
)
def test_hostile_messages_take_linear_time(text: str) -> None:
    fields: dict[str, JSON] = {"Msg": text * (1_000_000 // len(text))}
    assert min(timeit.repeat(lambda: of(fields), timer=process_time, number=1, repeat=3)) < 0.2


def test_any_text_can_be_hashed() -> None:
    assert of({"Msg": "\ud800"})
