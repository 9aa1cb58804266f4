"""What viewers may say: the samples in ``wire``, and nothing that is not like them."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorstack_live.errors import Invalid
from errorstack_live.live import asking
from errorstack_live.live.asking import Asking, Fill, Filter, Mode, More, Ping, Start, Trap, Traps

WIRE = Path(__file__).parent / "wire"
FIRST = "AYJnMqGwAAAAAQ.pc0DkZ3r1vXyS0mS8lA0bP8m2nI"
SECOND = "AYJnMqGwAAAACQ.T8r0Vb2kq3l9b6y1hPzD1Wf0yZo"

MEANT: dict[str, Asking] = {
    "start": Start("level:error", 1, 200, None, whole=False),
    "start-again": Start("", 7, 200, FIRST, whole=False),
    "start-whole": Start("", 1, 200, None, whole=True),
    "query": Filter("level:error -service:search timeout", 2),
    "more": More(1731420000123, "6732a1b0c4d5e6f708192a3b", 2),
    "fill": Fill(FIRST, SECOND, 2),
    "mode": Mode(counts_only=True),
    "ping": Ping(1731420001000),
    "traps": Traps((Trap("t1", "level:fatal", 1731420000123), Trap("t2", "_new:issue", None))),
}


@pytest.mark.parametrize("path", sorted(WIRE.glob("client-*.json")), ids=lambda path: path.stem)
def test_reads_what_the_sample_means(path: Path) -> None:
    assert asking.read(path.read_text()) == MEANT.pop(path.stem.removeprefix("client-"))


def test_every_meaning_has_a_sample() -> None:
    assert not MEANT


START = {"type": "start", "query": "", "epoch": 1}


@pytest.mark.parametrize(
    "message",
    [
        None,
        b'{"type":"ping","at":1}',
        "",
        "no json",
        "[]",
        "1",
        '"start"',
        "{}",
        {"type": "unknown"},
        {"type": ["start"]},
        {"type": "start"},
        {**START, "query": 1},
        {**START, "epoch": "1"},
        {**START, "epoch": True},
        {**START, "epoch": -1},
        {**START, "epoch": 1.5},
        {**START, "epoch": 1 << 60},
        {**START, "limit": None},
        {**START, "since": 1},
        {**START, "since": "x" * 2000},
        {**START, "whole": 1},
        {"type": "query", "query": ""},
        {"type": "more", "epoch": 1},
        {"type": "more", "before": [1], "epoch": 1},
        {"type": "more", "before": [1, "x" * 24], "epoch": 1},
        {"type": "more", "before": ["1", "0" * 24], "epoch": 1},
        {"type": "more", "before": [1 << 50, "0" * 24], "epoch": 1},
        {"type": "more", "before": {"at": 1}, "epoch": 1},
        {"type": "fill", "from": "a", "epoch": 1},
        {"type": "fill", "from": "a", "to": None, "epoch": 1},
        {"type": "mode", "counts_only": "yes"},
        {"type": "ping"},
        '{"type":"ping","at":1,"x":"' + "x" * asking.MAX_MESSAGE_CHARS + '"}',
    ],
)
def test_refuses_everything_else(message: Any) -> None:
    text = orjson.dumps(message).decode() if isinstance(message, dict) else message
    with pytest.raises(Invalid):
        asking.read(text)


def test_more_rows_than_a_snapshot_holds_are_not_asked_for() -> None:
    start = asking.read(orjson.dumps({**START, "limit": 1_000_000}).decode())
    assert start == Start("", 1, asking.MAX_LIMIT, None, whole=False)


@given(st.text() | st.dictionaries(st.text(), st.integers() | st.text()).map(str))
def test_raises_nothing_but_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        asking.read(text)
