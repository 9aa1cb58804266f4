"""Every message a server says is the sample in ``wire``; rows are cut and counted exactly."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import making
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errorstack_live.access import LinkWatched, Pin
from errorstack_live.event import Refused
from errorstack_live.live import frames, pinboard, rows
from errorstack_live.live.batch import (
    MAX_ROWS_PER_FRAME,
    MAX_WHOLE_BYTES,
    ROWS_PER_FRAME,
    Batch,
    Moment,
    Sighting,
)
from errorstack_live.live.frames import Counts, Frame, Gap, Snapshot
from errorstack_live.live.presence import Audience, told
from errorstack_live.live.view import View
from errorstack_live.model import Cut, Error, Issue, Level, LogMessage, Marker, Origin, Status

WIRE = Path(__file__).parent / "wire"
STACK = making.STACK
ONE, TWO = "0f1e2d3c4b5a69788796a5b4", "1f1e2d3c4b5a69788796a5b4"
FIRST = "AYJnMqGwAAAAAQ.pc0DkZ3r1vXyS0mS8lA0bP8m2nI"
SECOND = "AYJnMqGwAAAACQ.T8r0Vb2kq3l9b6y1hPzD1Wf0yZo"


def at(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)


def log_of(end: str, millis: int, text: str | None, **more: Any) -> LogMessage:
    return LogMessage("6732a1b0c4d5e6f708192a" + end, STACK, at(millis), text, **more)


LOG = log_of("01", 1731419999000, "worker 3 started")
LOG_JSON = log_of("02", 1731419999500, '{"queue": 17}', is_json=True)
LOG_FIELDS = log_of("03", 1731419999900, None, fields={"step": "deploy", "release": "2.4.1"})
TITLE = "Uncaught TypeError: café is undefined"
ROW = making.error(
    id="6732a1b0c4d5e6f708192a3b",
    at=at(1731420000123),
    issue=ONE,
    type="TypeError",
    title=TITLE,
    where="app.js:42",
    fields={
        "Msg": TITLE,
        "URL": "https://shop.test/app.js",
        "Line": "42",
        "user": {"id": 733, "plan": "pro"},
        "tags": ["a", "b"],
        "ratio": 0.5,
        "ok": True,
        "none": None,
    },
    before=(LOG, LOG_FIELDS),
)
DIED = making.error(
    id="6732a1b0c4d5e6f708192a3c",
    at=at(1731420000500),
    issue=TWO,
    level=Level.FATAL,
    title="node died",
    fields={"Msg": "node died"},
)
CHANGED = replace(
    DIED,
    id="6732a1b0c4d5e6f708192a3d",
    fields={"Msg": "x" * 40 + "…"},
    cut=Cut(body_bytes=2097152, fields=3),
    scrubbed=("password", "user.token"),
)
ISSUE = Issue(
    ONE, STACK, "1", TITLE, "TypeError", Level.ERROR, "app.js:42",
    at(1731300000000), at(1731420000123), 288, Status.OPEN,
)  # fmt: skip
BACK = replace(
    ISSUE,
    id=TWO,
    title="node died",
    type="",
    level=Level.FATAL,
    where="",
    count=3,
    regressed_at=at(1731420000500),
    users=2,
)
SILENCED = replace(
    ISSUE,
    status=Status.IGNORED,
    status_at=at(1731419000000),
    until_at=at(1731430000000),
    until_count=388,
    users=100,
    has_more_users=True,
)
MARKER = Marker(
    "6732a1b0c4d5e6f708192a4a", STACK, at(1731419990000), "deployed 2.4.1", Origin.KEY, "192.0.2.1"
)
GONE = replace(MARKER, id="6732a1b0c4d5e6f708192a4b", removed_at=at(1731420000000))
REFUSED = Refused(STACK, "rate-limited", 977, at(1731420000000))

row, died = rows.row(ROW), rows.row(DIED)
log = rows.log(LOG)


def counted(errors: int, fatal: int = 0, **folded: int) -> Counts:
    counts = Counts(folded=dict(folded))
    counts.count(Level.ERROR, errors)
    if fatal:
        counts.count(Level.FATAL, fatal)
    return counts


def after_gap(frame: Frame, dropped: Counts) -> Frame:
    gap = Gap()
    gap.add(Frame(FIRST, 0, [row], counts=dropped))
    return gap.end_with(frame)


SAID = {
    "hello": frames.hello("0.1.0", at(1731420000000), 3),
    "snapshot": Snapshot(
        [died, row],
        [log, rows.log(LOG_JSON), rows.log(LOG_FIELDS)],
        [
            (at(1731419940000), {"error": 12, "warning": 1}),
            (at(1731420000000), {"error": 1, "fatal": 1}),
        ],
        [rows.issue(BACK), rows.issue(SILENCED)],
        FIRST,
        [rows.marker(MARKER)],
    ).text(1),
    "snapshot-recovered": Snapshot([died], [], [], [], SECOND, is_recovered=True).text(7),
    "snapshot-bounded": Snapshot(
        [], [], [], [], SECOND, reached_at=at(1731400000000), is_complete=False
    ).text(3),
    "frame": Frame(
        SECOND,
        9,
        [row, rows.row(CHANGED, is_change=True)[:-1] + b',"more":true}'],
        [log],
        {TWO: rows.issue(BACK)},
        counts=counted(1),
        markers={each.id: rows.marker(each) for each in (MARKER, GONE)},
    ).text(1),
    "frame-storm": Frame(
        SECOND,
        48,
        [row],
        refused={"rate-limited": REFUSED},
        counts=counted(4213, 1, **{ONE: 4212, TWO: 1}),
    ).text(1),
    "frame-skipped": after_gap(Frame(SECOND, 12, [died], counts=counted(0, 1)), counted(120)).text(
        1
    ),
    "frame-counts-only": after_gap(Frame(SECOND, 4), counted(37)).text(1),
    "frame-heartbeat": Frame(SECOND, 0).text(1),
    "frame-whole": Frame(SECOND, 9, [rows.row(ROW, whole=True)], counts=counted(1)).text(1),
    "page": frames.page(2, [row], at(1731400000000), is_complete=False),
    "fill": frames.fill(2, (FIRST, SECOND), [died, row], [log], is_complete=True),
    "presence": frames.presence(4),
    "presence-members": frames.presence(
        **told(
            Audience(
                4,
                (("ada@example.org", 2), ("kim@example.org", 1)),
                (LinkWatched("6732a1b0c4d5e6f708192acc", "A guest", 1),),
            )
        )
    ),
    "pins": frames.pins(
        pinboard.told(
            [
                (
                    Pin(
                        "6732a1b0c4d5e6f708192a3b",
                        "look here",
                        "ada@example.org",
                        at(1731420000500),
                    ),
                    ROW,
                )
            ],
            is_guest=False,
        )
    ),
    "traps": frames.traps(["t1", "t2"]),
    "trap": frames.trap("t1", 3, row),
    "trap-wrong": frames.no_trap("t2", "A closing bracket is missing"),
    "pong": frames.pong(1731420001000),
    "problem": frames.problem(2, "A closing bracket is missing", 11),
    "bye": frames.bye(1012, 1.7),
}


@pytest.mark.parametrize("path", sorted(WIRE.glob("server-*.json")), ids=lambda path: path.stem)
def test_says_what_the_sample_holds(path: Path) -> None:
    said = orjson.loads(SAID.pop(path.stem.removeprefix("server-")))
    assert said == orjson.loads(path.read_bytes())


def test_every_message_has_a_sample() -> None:
    assert not SAID


# Rows


def loads(encoded: bytes) -> Any:
    return orjson.loads(encoded)


def test_a_long_row_is_cut_and_says_so() -> None:
    fields = {"Msg": "short", "trace": "x" * 100_000, "user": {"name": "y" * 5000}, "last": 7}
    cut = loads(rows.row(making.error(fields=fields)))
    assert cut["more"] is True
    assert cut["fields"]["trace"] == "x" * rows.MAX_VALUE_CHARS + rows.CUT_MARK
    assert cut["fields"]["user"].startswith('{"name":"yyy')
    assert (cut["fields"]["Msg"], cut["fields"]["last"]) == ("short", 7)
    assert loads(rows.row(making.error(fields=fields), whole=True))["fields"] == fields


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=2000), JSON | st.text(min_size=900), max_size=30))
def test_no_fields_are_longer_than_their_room(fields: dict[str, Any]) -> None:
    cut = loads(rows.row(making.error(fields=fields)))
    assert len(orjson.dumps(cut["fields"])) <= rows.MAX_FIELDS_BYTES
    assert cut["fields"].keys() <= {mended(name) for name in fields}
    if "more" not in cut:
        assert len(cut["fields"]) == len({mended(name) for name in fields})


def mended(name: str) -> str:
    return name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1 << 63, 1 << 63),
        (1 << 64, str(1 << 64)),
        (-(1 << 80), str(-(1 << 80))),
        ("\ud83d", "\ufffd"),
        ({"a": ["\udc00", 1 << 70]}, {"a": ["\ufffd", str(1 << 70)]}),
        (float("nan"), None),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
        (b"raw", "b'raw'"),
    ],
)
def test_one_odd_value_does_not_break_a_row(value: Any, shown: Any) -> None:
    fields = loads(rows.row(making.error(fields={"odd": value, "Msg": "ok"})))["fields"]
    assert fields == {"odd": shown, "Msg": "ok"}


def test_before_is_for_whole_rows_of_those_who_see_logs() -> None:
    assert "before" in loads(rows.row(ROW, whole=True))
    assert "before" not in loads(rows.row(ROW, whole=True, with_logs=False))
    assert "before" not in loads(rows.row(ROW))


# Batches


def moment(place: int = 99) -> Moment:
    return Moment(0.0, making.AT.timestamp(), making.position(place), 0.0, lambda text: text)


def batch_of(errors: list[tuple[Error, bool]], *, whole: bool = False) -> list[Frame]:
    batch = Batch(View(STACK, whole=whole))
    for number, (each, is_change) in enumerate(errors, 1):
        batch.add_error(Sighting(each, making.position(number), is_change=is_change))
    return batch.frames(moment())


def shown(frame: Frame) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(frame.text(1))
    return found


def test_a_storm_of_one_issue_is_counted_not_sent() -> None:
    storm = [(making.error(n, issue=ONE), False) for n in range(4000)]
    [frame] = batch_of([*storm, (making.error(5000, issue=TWO), False)])
    said = shown(frame)
    assert len(said["errors"]) == ROWS_PER_FRAME + 1
    assert said["errors"][-1]["issue"] == TWO
    assert said["counts"]["total"] == 4001
    assert said["counts"]["folded"] == {ONE: 4000 - ROWS_PER_FRAME}


def test_a_storm_of_issues_is_counted_too() -> None:
    [frame] = batch_of([(making.error(n), False) for n in range(3000)])
    said = shown(frame)
    assert len(said["errors"]) == MAX_ROWS_PER_FRAME
    assert said["counts"]["total"] == 3000
    assert sum(said["counts"]["folded"].values()) == 3000 - MAX_ROWS_PER_FRAME
    assert len(said["counts"]["folded"]) == 1001


def test_a_whole_view_gets_every_error_in_frames_of_bounded_size() -> None:
    big = {"Msg": "x" * 100_000}
    parts = batch_of(
        [(making.error(n, issue=ONE, fields=big), False) for n in range(50)], whole=True
    )
    said = [shown(frame) for frame in parts]
    assert [row["id"] for each in said for row in each["errors"]] == [
        making.an_id(n) for n in range(50)
    ]
    assert all(frame.size < MAX_WHOLE_BYTES + 200_000 for frame in parts)
    assert [each["counts"]["total"] for each in said] == [len(each["errors"]) for each in said]
    # A frame that is not the last may be the last one that arrives.
    places = [each["cursor"] for each in said]
    assert places == sorted(places)
    assert places[0] == making.position(len(said[0]["errors"]))
    assert places[-1] == making.position(99)


@pytest.mark.parametrize(
    ("steps", "rows_shown", "total"),
    [
        ([("a", False)], [("a", None)], 1),
        ([("a", False), ("a", True)], [("a", None)], 1),
        ([("a", True)], [("a", True)], 0),
        ([("a", True), ("a", True)], [("a", True)], 0),
        ([("a", False), ("b", False), ("a", True)], [("b", None), ("a", None)], 2),
    ],
)
def test_a_change_takes_the_place_of_what_it_changes(
    steps: list[tuple[str, bool]], rows_shown: list[tuple[str, bool | None]], total: int
) -> None:
    [frame] = batch_of([(making.error(id=name), is_change) for name, is_change in steps])
    said = shown(frame)
    assert [(row["id"], row.get("change")) for row in said["errors"]] == rows_shown
    assert said.get("counts", {"total": 0})["total"] == total


def test_logs_issues_and_refusals_are_sent_as_they_stand_last() -> None:
    batch = Batch(View(STACK))
    for number in range(30):
        batch.add_log(rows.log(making.message(number)))
        batch.add_issue(ONE, rows.issue(replace(ISSUE, count=number)))
        batch.add_refused(replace(REFUSED, count=2))
    [frame] = batch.frames(moment())
    said = shown(frame)
    assert [log["text"] for log in said["logs"]] == [f"log {n}" for n in range(20, 30)]
    assert [issue["count"] for issue in said["issues"]] == [29]
    assert said["refused"] == [{"reason": "rate-limited", "count": 60, "at": 1731420000000}]


def test_a_whole_view_gets_every_log_message() -> None:
    batch = Batch(View(STACK, whole=True))
    for number in range(30):
        batch.add_log(rows.log(making.message(number)))
    assert len(shown(batch.frames(moment())[0])["logs"]) == 30


def test_a_frame_lags_as_its_last_error_does() -> None:
    late = Moment(0.0, making.AT.timestamp() + 1.25, "9", 7.0, str)
    batch = Batch(View(STACK))
    assert batch.frames(late)[0].lag_ms == 7000
    batch.add_error(Sighting(making.error(1), "1", is_change=False))
    assert batch.frames(late)[0].lag_ms == 250


def test_rows_are_encoded_once_for_all_views_that_show_them_alike() -> None:
    sighting = Sighting(making.error(), "1", is_change=False)
    assert sighting.row(View(STACK)) is sighting.row(View("other", with_logs=False))
    assert sighting.row(View(STACK, whole=True)) is sighting.row(View(STACK, whole=True))


def test_a_gap_keeps_what_still_matters() -> None:
    gap = Gap()
    for number in range(20):
        gap.add(
            Frame(
                FIRST,
                0,
                [row],
                [rows.log(making.message(number))],
                {ONE: rows.issue(replace(ISSUE, count=number)), making.an_id(number): b"1"},
                {"rate-limited": REFUSED},
                counted(1, 1),
            )
        )
    end = Frame(SECOND, 3, [died], [log], {}, {"rate-limited": REFUSED}, counted(0, 1))
    said = shown(gap.end_with(end))
    assert said["skipped"] == 40
    assert said["counts"] == {"total": 41, "levels": {"error": 20, "fatal": 21}}
    assert len(said["errors"]) == 1
    assert [each["text"] for each in said["logs"]] == [
        *(f"log {n}" for n in range(11, 20)),
        LOG.text,
    ]
    assert len(said["issues"]) == 21
    assert said["refused"][0]["count"] == 21 * 977


def test_a_gap_is_bounded() -> None:
    gap = Gap()
    for number in range(1000):
        changed = {ONE: b"0", making.an_id(number): b"1"}
        gap.add(Frame(FIRST, 0, (), [log], changed, counts=counted(1)))
    said = shown(gap.end_with(Frame(SECOND, 3)))
    assert said["skipped"] == 1000
    assert len(said["logs"]) == frames.MAX_GAP_LOGS
    assert len(said["issues"]) == frames.MAX_GAP_ISSUES
    assert 0 in said["issues"]  # it changed again and again
