"""What a program says, as the real server stores it."""

import logging
import time
from typing import Any

import pytest
from harness.answering import STORED, answering
from harness.stack import Stack

from connecting import Connect
from errorstack_client import Client

NOTHING: dict[str, str] = {}
LETTERS = "café € 😀 & = % + ; \x00"


def test_fields_are_stored_as_sent(stack: Stack, connect: Connect) -> None:
    client = connect(
        stack.key, stack.url, release="2.4.1", environment="test", fields={"shop": LETTERS}
    )
    order = {"id": 1017, "items": ["a", "b"], "paid": None, "by": {"name": "Ann"}}
    assert client.submit(Msg=f"died {LETTERS}", order=order, ok=False, half="\ud83d")
    assert client.flush(10)
    (fields,) = stack.fields(1)
    assert fields.pop("host")
    assert fields.pop("Platform").startswith("CPython 3.")
    assert fields == {
        "Msg": f"died {LETTERS}",
        "order.id": "1017",
        "order.items": ["a", "b"],
        "order.by.name": "Ann",
        "ok": "False",
        "half": "?",
        "release": "2.4.1",
        "environment": "test",
        "shop": LETTERS,
    }


def test_log_messages_come_before_the_error(stack: Stack, client: Client) -> None:
    client.log("deploying 2.4.1")
    client.log("deploying 2.4.1")  # a log repeats itself; that is no duplicate
    client.log(step="migrate", number=7)
    client.submit(Msg="died")
    assert client.flush(10)
    told = [(log.get("text"), log.get("fields")) for log in stack.logs(3)]
    assert told[:2] == [("deploying 2.4.1", None)] * 2
    assert told[2][1] == {"step": "migrate", "number": "7"}
    assert len(stack.errors(1)[0]["before"]) == 3


def fall(depth: int) -> None:
    if depth:
        fall(depth - 1)
    else:
        NOTHING["missing"]


def test_an_exception_has_its_whole_traceback(stack: Stack, client: Client) -> None:
    try:
        try:
            fall(2)
        except KeyError as error:
            raise ValueError("no order") from error
    except ValueError:
        client.submit_exception(order=1017)
    assert client.flush(10)
    (stored,) = stack.errors(1)
    assert stored["title"] == "ValueError: no order"
    fields = stored["fields"]
    assert (fields["type"], fields["Msg"], fields["order"]) == ("ValueError", "no order", "1017")
    assert "KeyError: 'missing'\n\nThe above exception was the direct cause" in fields["stack"]
    assert fields["stack"].count("in fall\n    fall(depth - 1)") == 2
    assert fields["stack"].endswith("ValueError: no order")


def test_a_recursion_is_cut(stack: Stack, client: Client) -> None:
    with pytest.raises(KeyError), client.watch():
        fall(400)
    assert client.flush(10)
    (error,) = stack.errors(1)
    assert error["fields"]["stack"].startswith("(302 outer calls are left out)\nTraceback (most")
    assert "[Previous line repeated 96 more times]" in error["fields"]["stack"]
    assert error["fields"]["stack"].endswith("KeyError: 'missing'")


def test_watch_submits_and_lets_pass(stack: Stack, client: Client) -> None:
    with pytest.raises(KeyError), client.watch(job="nightly"), client.watch(step=2):
        client.submit(Msg="seen inside")
        fall(0)
    client.submit(Msg="seen outside")
    assert client.flush(10)
    inside, raised, outside = stack.fields(3)
    assert (inside["job"], inside["step"]) == (raised["job"], raised["step"]) == ("nightly", "2")
    assert raised["type"] == "KeyError"
    assert "job" not in outside


def test_an_exception_is_sent_once_by_all_layers(stack: Stack, client: Client) -> None:
    with pytest.raises(KeyError), client.watch(), client.watch():
        fall(0)
    assert client.flush(10)
    stack.errors(1)


def test_a_repeated_error_is_counted(stack: Stack, connect: Connect) -> None:
    client = connect(stack.key, stack.url, per_minute=2)
    said = [client.submit(Msg=text) for text in ("a", "a", "a", "b", "c")]
    assert said == [True, False, False, True, False]
    assert client.flush(10)
    first, second = stack.fields(2)
    told = {name: value for name, value in {**first, **second}.items() if "dropped" in name}
    assert told.items() <= {"dropped_repeat": "2", "dropped_limit": "1"}.items()


def test_losses_are_told_by_the_next_error(connect: Connect) -> None:
    with answering(STORED) as server:
        client = connect("k", server.url)
        for _ in range(5):
            client.submit(Msg="again")
        assert client.flush(10)
        client.submit(Msg="other")
        assert client.flush(10)
        told = sum(int(form.get("dropped_repeat", 0)) for form in server.forms)
        assert told == 4
        client.submit(Msg="third")
        assert client.flush(10)
        assert "dropped_repeat" not in server.forms[-1]


def test_scrub(stack: Stack, connect: Connect) -> None:
    def scrub(fields: dict[str, Any]) -> dict[str, Any] | None:
        logging.getLogger("hook").error("the hook may say what it likes")
        if fields["Msg"] == "fails":
            raise RuntimeError
        return None if fields["Msg"] == "private" else {**fields, "user": "-"}

    client = connect(stack.key, stack.url, scrub=scrub)
    for text in ("private", "fails", "public"):
        client.submit(Msg=text, user="Ann")
    assert client.flush(10)
    (fields,) = stack.fields(1)
    assert (fields["Msg"], fields["user"], fields["dropped_scrub"]) == ("public", "-", "1")


def test_odd_values_break_nothing(stack: Stack, client: Client) -> None:
    class Odd:
        def __str__(self) -> str:
            client.submit(Msg="from inside")
            raise RuntimeError("no text")

    loop: dict[str, Any] = {}
    loop["self"] = loop
    long = "x" * 40_000
    assert client.submit(
        Msg="odd", odd=Odd(), loop=loop, long=long, raw=b"\xff", self=1, _s="no", many=range(9)
    )
    assert client.flush(10)
    (fields,) = stack.fields(1)
    assert fields["odd"] == "<Odd that cannot be shown: RuntimeError>"
    assert "7232 characters left out" in fields["long"]
    assert (fields["raw"], fields["self"], fields["many"]) == ("�", "1", "range(0, 9)")
    assert "_s" not in fields


@pytest.mark.parametrize(("key", "url"), [("", "http://a"), ("k", "a:b"), ("k", "http://a:b")])
def test_a_client_that_cannot_send_says_so(
    connect: Connect, key: str, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect(key, url)
    assert not client.is_enabled
    assert not client.submit(Msg="nowhere")
    assert client.flush()
    assert client.last_problem.startswith("nothing will be sent")
    assert len(caplog.records) == 1


def test_an_unknown_key_is_told(stack: Stack, connect: Connect) -> None:
    client = connect("0" * 32, stack.url)
    client.submit(Msg="lost")
    assert client.flush(10)
    assert client.last_problem == "Unknown stack key"


def test_a_call_is_cheap(connect: Connect) -> None:
    """The mean over many calls, each with a deep traceback; a single one may be interrupted."""
    with answering(STORED) as server:
        client = connect("k", server.url, per_minute=10_000)
        try:
            fall(50)
        except KeyError as error:
            began = time.perf_counter()
            for number in range(100):
                vars(error).clear()
                client.submit_exception(error, number=number)
            assert (time.perf_counter() - began) / 100 < 0.005
