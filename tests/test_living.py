"""A stack's living log messages: the last ten, none older than an hour, in any order."""

import random
from dataclasses import replace
from datetime import timedelta

import making
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorstack_live.live.living import MAX_KEPT_CHARS, MAX_LIVING, LivingLogs
from errorstack_live.model import LogMessage

NOW = making.AT + timedelta(hours=2)


def log(minutes_ago: float, number: int = 1, stack: str = making.STACK) -> LogMessage:
    return making.message(number, at=NOW - timedelta(minutes=minutes_ago), stack=stack)


def alive(logs: LivingLogs, stack: str = making.STACK) -> list[str]:
    return [each.id for each in logs.alive(stack, NOW)]


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 40)), unique_by=lambda each: each[1]))
def test_the_last_ten_of_the_hour_in_order(given_logs: list[tuple[int, int]]) -> None:
    logs = LivingLogs()
    sent = [log(minutes, number) for minutes, number in given_logs]
    for each in random.Random(1).sample(sent * 2, len(sent) * 2):
        logs.add(each)
    last = sorted(sent, key=lambda each: (each.at, each.id))[-MAX_LIVING:]
    wanted = [each.id for each in last if NOW - each.at < timedelta(hours=1)]
    assert alive(logs) == wanted


@pytest.mark.parametrize(("minutes_ago", "lives"), [(0, True), (59.999, True), (60, False)])
def test_an_hour_is_an_hour(minutes_ago: float, *, lives: bool) -> None:
    logs = LivingLogs()
    logs.add(log(minutes_ago))
    assert bool(alive(logs)) is lives


def test_an_old_message_does_not_come_back() -> None:
    """Ten newer ones came: the database has trimmed it, and so have we."""
    logs = LivingLogs()
    for number in range(1, 12):
        logs.add(log(20 - number, number))
    logs.add(log(19, 1))
    assert alive(logs) == [making.an_id(number) for number in range(2, 12)]


def test_a_noisy_stack_pushes_no_other_out() -> None:
    logs = LivingLogs()
    logs.add(log(5, 1, stack="quiet"))
    for number in range(10_000):
        logs.add(log(1, number + 2))
    assert alive(logs, "quiet") == [making.an_id(1)]
    assert alive(logs, "unknown") == []


def test_memory_is_bounded_by_the_longest_silent_stack() -> None:
    logs = LivingLogs(max_stacks=3)
    for number, stack in enumerate(["a", "b", "c", "a", "d"], 1):
        logs.add(log(1, number, stack=stack))
    assert [bool(alive(logs, stack)) for stack in "abcd"] == [True, False, True, True]

    heavy = LivingLogs(max_bytes=15_000)
    for number in range(1, 11):
        heavy.add(making.message(number, stack=str(number), at=NOW, text="x" * 3_000))
    kept = [stack for stack in map(str, range(1, 11)) if alive(heavy, stack)]
    assert kept == ["7", "8", "9", "10"]


@pytest.mark.parametrize("chars", [MAX_KEPT_CHARS, MAX_KEPT_CHARS + 1, 16_000])
def test_of_a_long_message_the_start_is_kept(chars: int) -> None:
    logs = LivingLogs()
    logs.add(replace(log(1), text="x" * chars))
    (kept,) = logs.alive(making.STACK, NOW)
    assert kept.text == "x" * min(chars, MAX_KEPT_CHARS) + "…" * (chars > MAX_KEPT_CHARS)


def test_long_fields_are_kept_as_the_start_of_their_text() -> None:
    logs = LivingLogs()
    logs.add(replace(log(1, 1), text=None, fields={"short": "a"}))
    logs.add(replace(log(1, 2), text=None, fields={"long": "é" * 9000}))
    short, long = logs.alive(making.STACK, NOW)
    assert short.fields == {"short": "a"}
    assert long.fields is None
    assert (long.text or "")[:12] == '{"long": "éé'
    assert len(long.text or "") == MAX_KEPT_CHARS + 1
