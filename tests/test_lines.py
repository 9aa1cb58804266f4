"""What a program prints, as errors and log messages."""

import re
from typing import Any

import pytest

from errorstack_live.cli.lines import MAX_BLOCK_LINES, Lines

PYTHON = """Traceback (most recent call last):
  File "shop.py", line 7, in total
    return 1 / 0
ZeroDivisionError: division by zero"""
CHAINED = f"""Traceback (most recent call last):
  File "shop.py", line 3, in find
KeyError: 'sku'

During handling of the above exception, another exception occurred:

{PYTHON}"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: no cart
	at shop.Cart.total(Cart.java:17)
Caused by: java.io.IOException: gone
	at shop.Store.read(Store.java:9)
	... 1 more"""
NODE = """TypeError: x is not a function
    at total (/srv/shop.js:3:9)"""


def told(text: str, **chosen: Any) -> list[Any]:
    lines = Lines(**chosen)
    return [each for line in text.split("\n") for each in lines.take(line)] + lines.end()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PYTHON, "ZeroDivisionError: division by zero"),
        (CHAINED, "ZeroDivisionError: division by zero"),
        (JAVA, 'Exception in thread "main" java.lang.IllegalStateException: no cart'),
        (NODE, "TypeError: x is not a function"),
    ],
)
def test_a_stack_trace_is_one_error(text: str, message: str) -> None:
    before, error, after = told(f"begins\n{text}\nends")
    assert (before, after) == ("begins", "ends")
    assert error == {"Msg": message, "level": "error", "stack": text, "before": "begins"}


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2026-11-25 ERROR cannot save", "error"),
        ("panic: runtime error: index out of range", "fatal"),
        ("CRITICAL disk full", "fatal"),
        ("warning treated as error", "warning"),
        ("requests.exceptions.ConnectionError: refused", "error"),
    ],
)
def test_a_line_that_tells_of_an_error(line: str, level: str) -> None:
    assert told(line) == [{"Msg": line, "level": level}]


@pytest.mark.parametrize("line", ["all is well", "0 terrors found", "mirrored", "errorless"])
def test_a_line_that_does_not(line: str) -> None:
    assert told(line) == [line]


def test_errors_next_to_each_other_are_two() -> None:
    assert [each["Msg"] for each in told("error: a\nerror: b")] == ["error: a", "error: b"]


def test_what_makes_an_error_can_be_chosen() -> None:
    chosen = told("error: a\nE-17 b", pattern=re.compile(r"^E-\d+"))
    assert [type(each) for each in chosen] == [str, dict]
    assert [each["Msg"] for each in told("disk full\nok", pattern=None)] == ["disk full", "ok"]


def test_an_endless_trace_is_cut() -> None:
    first, *rest = told("error\n" + "\n".join(f" {n}" for n in range(MAX_BLOCK_LINES + 5)))
    assert first["stack"].count("\n") == MAX_BLOCK_LINES - 1
    assert all(isinstance(each, str) for each in rest)


def test_empty_lines_say_nothing() -> None:
    assert told("\n \na\n\n") == ["a"]


def test_the_last_lines_are_kept_with_an_error() -> None:
    *_, error = told("\n".join(str(n) for n in range(20)) + "\nerror")
    assert error["before"].split("\n") == [str(n) for n in range(10, 20)]
