"""What a terminal makes of the live wire: everything once, in order, over any connections."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorstack_live.errors import QueryError
from errorstack_live.follow import OVERLAP_MS, Follower

NOW = 1_800_000_000_000


def row(number: int, *, at: int | None = None, **fields: str) -> dict[str, Any]:
    return {"id": f"{number:024x}", "at": NOW + number if at is None else at, "fields": fields}


def rows(*numbers: int) -> list[dict[str, Any]]:
    """Newest first, as the wire gives history."""
    return [row(number) for number in sorted(numbers, reverse=True)]


def snapshot(*numbers: int, cursor: str = "c0", **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"recovered": False, "complete": False, "reached_at": None, "logs": []}
    return {"type": "snapshot", "errors": rows(*numbers), "cursor": cursor, **given, **more}


def frame(*numbers: int, cursor: str, **more: Any) -> dict[str, Any]:
    return {"type": "frame", "errors": [row(n) for n in numbers], "cursor": cursor, **more}


def hello(at: int = NOW) -> dict[str, Any]:
    return {"type": "hello", "server_time": at}


class Session:
    """A follower and what it has told so far, as numbers (or kinds, where it is no error)."""

    def __init__(self, since_ms: int | None = None) -> None:
        self.follower = Follower("level:error", since_ms)
        self.told: list[Any] = []
        self.start = self.follower.start()

    def hear(self, *messages: dict[str, Any]) -> "Session":
        for message in messages:
            for each in self.follower.receive(message):
                self.told.append(int(each["id"], 16) if "id" in each else each["kind"])
        return self

    def reconnect(self) -> dict[str, Any]:
        return self.follower.start()

    def asked(self) -> list[dict[str, Any]]:
        asked = list(self.follower.requests)
        self.follower.requests.clear()
        return asked


def test_start_asks_for_whole_errors() -> None:
    start = Session().start
    assert start["query"] == "level:error"
    assert start["whole"] is True
    assert "since" not in start


def test_only_what_comes_after_the_first_snapshot_is_told() -> None:
    session = Session().hear(hello(), snapshot(1, 2), frame(2, 3, cursor="c1"), frame(cursor="c2"))
    assert session.told == ["live", 3]
    assert session.reconnect()["since"] == "c2"


def test_since_reads_back_page_by_page_and_holds_what_comes_meanwhile() -> None:
    session = Session(since_ms=NOW + 3).hear(snapshot(7, 8))
    assert session.asked() == [{"type": "more", "before": (NOW + 7, f"{7:024x}"), "epoch": 1}]
    session.hear(frame(9, cursor="c1"))
    assert session.told == ["live"]
    session.hear({"type": "page", "errors": rows(6, 5), "complete": False})
    session.hear({"type": "page", "errors": rows(4, 3, 2), "complete": False})
    assert session.told == ["live", 3, 4, 5, 6, 7, 8, 9]
    assert session.reconnect()["since"] == "c1"


@pytest.mark.parametrize(
    ("page", "asks"),
    [
        ({"errors": [], "complete": True, "reached_at": None}, False),
        ({"errors": rows(1), "complete": True, "reached_at": None}, False),
        ({"errors": [], "complete": False, "reached_at": None}, False),
        ({"errors": [], "complete": False, "reached_at": NOW}, True),
        ({"errors": [], "complete": False, "reached_at": NOW - 10}, False),
    ],
)
def test_reading_back_ends(page: dict[str, Any], *, asks: bool) -> None:
    session = Session(since_ms=NOW).hear(snapshot(5))
    session.asked()
    session.hear({"type": "page", **page})
    assert bool(session.asked()) is asks
    assert session.told == (
        ["live"] if asks else ["live", *(int(e["id"], 16) for e in page["errors"]), 5]
    )


def test_logs_of_history_are_told_in_order() -> None:
    log = {"id": f"{2:024x}", "at": NOW + 2, "text": "between"}
    old = {"id": f"{9:024x}", "at": NOW - 9, "text": "before"}
    session = Session(since_ms=NOW).hear(snapshot(1, 3, logs=[old, log]))
    session.hear({"type": "page", "errors": [], "complete": True})
    assert session.told == ["live", 1, 2, 3]


def test_a_resumed_stream_tells_what_was_missed_once() -> None:
    session = Session().hear(snapshot(), frame(1, cursor="c1"))
    assert session.reconnect()["since"] == "c1"
    session.hear(snapshot(1, 2, 3, cursor="c3", recovered=True), frame(3, 4, cursor="c4"))
    assert session.told == ["live", 1, 2, 3, 4]


def test_a_stream_that_cannot_be_resumed_is_read_back_and_says_so() -> None:
    session = Session().hear(hello(), snapshot(), frame(1, cursor="c1"))
    session.reconnect()
    session.hear(hello(NOW + 9), snapshot(5, 6, cursor="c6"))
    assert session.told == ["live", 1, "gap"]
    assert session.asked()[0]["before"] == (NOW + 5, f"{5:024x}")
    older = row(0, at=NOW - OVERLAP_MS - 1)
    session.hear({"type": "page", "errors": [*rows(4, 1), older], "complete": False})
    assert session.told == ["live", 1, "gap", 4, 5, 6]


def test_what_a_slow_reader_was_spared_is_filled_in() -> None:
    session = Session().hear(snapshot(cursor="c0"), frame(1, cursor="c1"))
    session.hear(frame(4, cursor="c4", skipped=2), frame(5, cursor="c5"))
    assert session.asked() == [{"type": "fill", "from": "c1", "to": "c4", "epoch": 1}]
    assert session.told == ["live", 1]
    session.hear({"type": "fill", "errors": rows(2, 3, 4), "complete": True})
    assert session.told == ["live", 1, 2, 3, 4, 5]


def test_a_fill_that_is_not_whole_is_a_gap() -> None:
    session = Session().hear(snapshot(cursor="c0"), frame(4, cursor="c4", skipped=2))
    session.hear({"type": "fill", "errors": [], "complete": False})
    assert session.told == ["live", "gap", 4]


def test_a_break_while_waiting_resumes_before_what_was_held() -> None:
    session = Session().hear(snapshot(), frame(1, cursor="c1"), frame(2, cursor="c2", skipped=1))
    assert session.reconnect()["since"] == "c1"
    assert session.asked() == []


def test_a_snapshot_in_mid_stream_starts_over() -> None:
    session = Session().hear(hello(), snapshot(), frame(1, cursor="c1"))
    session.hear(frame(3, cursor="c3", skipped=1), snapshot(3, 2, cursor="c4", complete=True))
    assert session.told == ["live", 1, "gap", 2, 3]
    assert session.asked() == []


def test_an_error_that_grew_is_told_again() -> None:
    session = Session().hear(snapshot())
    whole = {**row(1, a="x", b="y"), "change": True}
    first, second = (
        session.follower.receive({"type": "frame", "errors": [each], "cursor": "c"})
        for each in (row(1, a="x"), whole)
    )
    assert "change" not in first[0]
    assert second[0]["change"] is True
    assert session.follower.receive({"type": "frame", "errors": [whole], "cursor": "c"}) == []


def test_other_messages_tell_nothing() -> None:
    session = Session().hear(snapshot())
    for kind in ("presence", "pong", "bye", "page", "fill", "of tomorrow"):
        session.hear({"type": kind})
    assert session.told == ["live"]


def test_a_query_without_meaning_is_an_error() -> None:
    with pytest.raises(QueryError, match="no good") as told:
        Session().hear({"type": "problem", "message": "no good", "at": 3})
    assert told.value.at == 3


@given(st.data())
def test_every_stream_is_told_once_and_in_order(data: st.DataObject) -> None:
    """A server that breaks anywhere, forgets cursors at times, repeats and skips."""
    last = data.draw(st.integers(1, 60))
    session = Session().hear(hello(), snapshot(cursor="0"))
    at = 0
    while at < last:
        step = data.draw(st.integers(1, 9))
        new = list(range(at + 1, min(at + step, last) + 1))
        match data.draw(st.sampled_from(["frame", "repeat", "skip", "resume", "forget"])):
            case "frame":
                session.hear(frame(*new, cursor=str(new[-1])))
            case "repeat":
                session.hear(frame(*range(max(1, at - 3), new[-1] + 1), cursor=str(new[-1])))
            case "skip":
                session.hear(frame(cursor=str(new[-1]), skipped=len(new)))
                ask = session.asked()[-1]
                span = range(int(ask["from"]) + 1, int(ask["to"]) + 1)
                session.hear({"type": "fill", "errors": rows(*span), "complete": True})
            case "resume":
                missed = range(int(session.reconnect().get("since", 0)) + 1, new[-1] + 1)
                session.hear(snapshot(*missed, cursor=str(new[-1]), recovered=True))
            case "forget":
                session.reconnect()
                session.hear(hello(), snapshot(*new[-2:], cursor=str(new[-1])))
                while session.asked():
                    before = session.follower._reading.records[-1]["id"]  # type: ignore[union-attr]
                    older = [n for n in range(1, new[-1] + 1) if n < int(before, 16)][-4:]
                    session.hear({"type": "page", "errors": rows(*older), "complete": not older})
        at = new[-1]
    assert [each for each in session.told if isinstance(each, int)] == list(range(1, last + 1))
