"""The hub shows every viewer what their view holds, all of it, once, and nothing beside it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import making
import orjson
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from errorstack_live.access import Share
from errorstack_live.errors import Gone, TooMany, Unauthorized
from errorstack_live.event import Entry, IssueChanged, Refused, SessionEnded, ShareChanged
from errorstack_live.live import crowd, presence
from errorstack_live.live import hub as hubs
from errorstack_live.live.batch import MAX_ROWS_PER_FRAME
from errorstack_live.live.channel import LEAST_PAUSE_S, STORM_PAUSE_S, STORM_PER_S
from errorstack_live.live.cursor import Cursors
from errorstack_live.live.hub import Hub
from errorstack_live.live.mailbox import RESYNC, Close
from errorstack_live.live.replay import replay
from errorstack_live.live.ring import ENTRY_BYTES, Ring
from errorstack_live.live.view import View
from errorstack_live.live.viewer import SEND_TIMEOUT_S, START_TIMEOUT_S, Pass, Viewer
from errorstack_live.model import Level
from errorstack_live.query import parse

STACK = making.STACK
SIGN = Cursors("a secret").sign


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stream:
    """A source that still has these entries."""

    entries: list[Entry] = field(default_factory=list)
    position: str = making.position(0)
    lag_s: float = 0.0

    async def catch_up(self, after: str, until: str, limit: int) -> list[Entry] | None:
        found = [each for each in self.entries if after < each.position <= until]
        return found if self.entries and len(found) <= limit else None


class Scene:
    """A hub with a clock in hand, where frames are flushed when the test says so."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.stream = Stream()
        self.hub = Hub(version="1", clock=self.clock)
        self.hub.follow(self.stream, SIGN)

    def enter(self, stack: str = STACK, **held: Any) -> Viewer:
        viewer = self.hub.enter(View(stack), Pass(**held), "192.0.2.1")
        viewer.has_started = True
        return viewer

    def watch(self, query: str = "", base: str = "", **view: Any) -> Viewer:
        given = {"stack": STACK, **view}
        viewer = self.enter(given["stack"])
        self.hub.watch(viewer, View(query=parse(query), base=parse(base), **given), 1)
        viewer.mailbox.release()
        return viewer

    def publish(self, *entries: Entry) -> None:
        self.hub.publish(entries)

    def flush(self) -> None:
        self.clock.now += 1.0
        self.hub._flush()

    def show(self, *entries: Entry) -> None:
        self.publish(*entries)
        self.flush()

    def close(self) -> None:
        if self.hub._timer is not None:
            self.hub._timer.cancel()


@pytest_asyncio.fixture
async def scene() -> AsyncIterator[Scene]:
    made = Scene()
    yield made
    made.close()


def got(viewer: Viewer, kind: str = "frame") -> list[Any]:
    """Everything that waits for a viewer: messages of a kind, and what is no message."""
    found: list[Any] = []
    while (item := viewer.mailbox._next()) is not None:
        if isinstance(item, Close):
            return [*found, item]
        if not isinstance(item, str):
            found.append(item)
        elif (message := orjson.loads(item))["type"] == kind:
            found.append(message)
    return found


def titles(viewer: Viewer) -> list[str]:
    return [row["title"] for frame in got(viewer) for row in frame.get("errors", ())]


# What is shown to whom


async def test_errors_appear_in_the_streams_order(scene: Scene) -> None:
    viewer = scene.watch()
    scene.show(making.stored(1), making.stored(2))
    scene.show(making.stored(3, is_change=True))
    first, second = got(viewer)
    assert [row["title"] for row in first["errors"]] == ["error 1", "error 2"]
    assert first["counts"] == {"total": 2, "levels": {"error": 2}}
    assert first["cursor"] == SIGN(making.position(2))
    assert second["errors"][0]["change"] is True
    assert "counts" not in second


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["error 1", "error 2", "error 3"]),
        ("n:2", ["error 2"]),
        ("-n:2", ["error 1", "error 3"]),
        ("n>=2", ["error 2", "error 3"]),
        ('"ERROR 3"', ["error 3"]),
        ("n:7", []),
    ],
)
async def test_a_query_filters_the_stream(scene: Scene, query: str, shown: list[str]) -> None:
    viewer, other = scene.watch(query), scene.watch(stack="other")
    scene.show(*map(making.stored, (1, 2, 3)))
    assert titles(viewer) == shown
    assert titles(other) == []


async def test_every_kind_of_event_reaches_an_open_view(scene: Scene) -> None:
    viewer = scene.watch()
    scene.show(
        making.logged(1),
        making.issue_changed(2, count=7),
        making.entry(3, Refused(STACK, "rate-limited", 5, making.AT)),
    )
    [frame] = got(viewer)
    assert frame["logs"][0]["text"] == "log 1"
    assert frame["issues"][0]["count"] == 7
    assert frame["refused"][0]["count"] == 5


@pytest.mark.parametrize("limits", [{"hidden": frozenset({"user"})}, {"base": "n:1"}])
async def test_a_limited_share_sees_nothing_of_the_whole_stack(
    scene: Scene, limits: dict[str, Any]
) -> None:
    viewer = scene.watch(**limits)
    scene.show(
        making.issue_changed(1),
        making.entry(2, Refused(STACK, "rate-limited", 5, making.AT)),
    )
    assert got(viewer) == []


SECRET = {"Msg": "boom", "user": {"email": "a@b.test"}, "n": 1}


@pytest.mark.parametrize(
    ("query", "base", "is_seen"),
    [
        ("", "", True),
        ("n:1", "", True),
        ("", "user.email:a@b.test", True),  # the link's own query sees the whole error ...
        ("", "user.email:other@b.test", False),
        ("user.email:a@b.test", "", False),  # ... its viewers' queries must not guess in it
        ("user.email:*", "", False),
        ("-user.email:*", "", True),
        ("a@b.test", "", False),
        ("issue:" + making.an_id(9), "", True),
    ],
)
async def test_hidden_fields_are_gone_before_a_viewers_query(
    scene: Scene, query: str, base: str, *, is_seen: bool
) -> None:
    viewer = scene.watch(query, base, hidden=frozenset({"user"}))
    scene.show(making.stored(1, fields=SECRET, issue=making.an_id(9), search="boom\na@b.test"))
    frames = got(viewer)
    assert bool(frames) is is_seen
    assert "a@b.test" not in str(frames)
    assert all(
        row["fields"] == {"Msg": "boom", "n": 1} for each in frames for row in each["errors"]
    )


async def test_logs_are_for_those_who_may_see_them_and_redacted(scene: Scene) -> None:
    member = scene.watch()
    without = scene.watch(with_logs=False)
    hiding = scene.watch(hidden=frozenset({"token"}))
    scene.show(making.logged(1, text=None, fields={"token": "t0ken", "step": 1}))
    assert got(member)[0]["logs"][0]["fields"] == {"token": "t0ken", "step": 1}
    assert got(without) == []
    assert got(hiding)[0]["logs"][0]["fields"] == {"step": 1}


async def test_whole_views_carry_what_came_before(scene: Scene) -> None:
    before = (making.message(1, text=None, fields={"token": "t0ken", "step": 1}),)
    whole = scene.watch(whole=True)
    hiding = scene.watch(whole=True, hidden=frozenset({"token"}))
    without = scene.watch(whole=True, with_logs=False)
    scene.show(making.stored(2, before=before))
    assert got(whole)[0]["errors"][0]["before"][0]["fields"] == {"token": "t0ken", "step": 1}
    assert got(hiding)[0]["errors"][0]["before"][0]["fields"] == {"step": 1}
    assert "before" not in got(without)[0]["errors"][0]


async def test_viewers_of_one_view_share_one_encoding(scene: Scene) -> None:
    first, second = scene.watch("n>0"), scene.watch(" n>0 ")
    scene.show(making.stored(1))
    assert first.mailbox._next() is second.mailbox._next()
    assert len(scene.hub._all_channels()) == 1


async def test_a_viewer_changes_its_view_and_leaves_nothing_behind(scene: Scene) -> None:
    viewer = scene.watch("n:1")
    scene.publish(making.stored(1))
    scene.hub.watch(viewer, View(STACK, query=parse("n:2")), 2)
    viewer.mailbox.release()
    scene.show(making.stored(1), making.stored(2))
    assert [(each["epoch"], each["counts"]["total"]) for each in got(viewer)] == [(2, 1)]
    scene.hub.leave(viewer)
    scene.hub.leave(viewer)
    assert scene.hub._all_channels() == []
    assert not scene.hub._waiting
    assert scene.hub.total_viewers == 0


NUMBERS = st.integers(0, 3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["publish", "join", "flush", "read"]), NUMBERS), max_size=60)
)
async def test_from_its_snapshot_on_a_viewer_misses_nothing(steps: list[tuple[str, int]]) -> None:
    """What a viewer gets is what was published after it came, in order, each error once."""
    scene = Scene()
    published: list[int] = []
    viewers: list[tuple[Viewer, int, int, list[str], list[int]]] = []
    for action, number in steps:
        if action == "publish":
            for _ in range(number * 40 + 1):
                published.append(len(published) + 1)
                scene.publish(making.stored(published[-1], fields={"n": published[-1] % 3}))
        elif action == "join":
            viewers.append((scene.watch(f"n:{number % 3}"), number % 3, len(published), [], []))
        elif action == "flush":
            scene.flush()
        else:
            for viewer, *_, seen, totals in viewers[: number + 1]:
                take(viewer, seen, totals)
    scene.flush()
    scene.close()
    for viewer, wanted, since, seen, totals in viewers:
        take(viewer, seen, totals)
        expected = [making.an_id(each) for each in published[since:] if each % 3 == wanted]
        assert sum(totals) == len(expected)
        assert seen == [each for each in expected if each in set(seen)]
        assert len(seen) == sum(min(total, MAX_ROWS_PER_FRAME) for total in totals)


def take(viewer: Viewer, seen: list[str], totals: list[int]) -> None:
    for frame in got(viewer):
        seen += [row["id"] for row in frame.get("errors", ())]
        totals.append(frame.get("counts", {"total": 0})["total"])


# Pace


async def test_the_first_error_is_sent_at_once_and_those_behind_it_together(scene: Scene) -> None:
    viewer = scene.watch()
    scene.publish(making.stored(1))
    assert scene.hub._timer is not None
    assert scene.hub._timer.when() <= asyncio.get_running_loop().time()
    scene.hub._flush()
    for number in range(2, 50):
        scene.publish(making.stored(number))
    scene.hub._flush()
    assert len(got(viewer)) == 1  # the rest waits for its turn
    scene.clock.now += LEAST_PAUSE_S
    scene.hub._flush()
    assert [len(each["errors"]) for each in got(viewer)] == [48]


async def test_a_flush_is_paid_for_before_the_next(scene: Scene) -> None:
    viewers = [scene.watch() for _ in range(100)]
    scene.publish(making.stored(1))
    scene.hub._flush()
    assert scene.hub._next_at == pytest.approx(scene.clock.now + 100 / hubs.FRAMES_PER_S)
    viewers += [scene.watch() for _ in range(900)]
    scene.clock.now += 1.0
    scene.show(making.stored(2))
    assert scene.hub._next_at == pytest.approx(scene.clock.now + hubs.MAX_PAUSE_S)
    assert all(len(got(viewer)) >= 1 for viewer in viewers)


async def test_a_storm_slows_its_own_view_alone(scene: Scene) -> None:
    scene.watch("n>0"), scene.watch("n:0")
    stormy, calm = scene.hub._all_channels()
    scene.show(*map(making.stored, range(1, STORM_PER_S + 2)))
    scene.hub.tick()
    scene.show(making.stored(999), making.stored(1000, fields={"n": 0}))
    assert stormy.due_at == pytest.approx(scene.clock.now + STORM_PAUSE_S)
    assert calm.due_at == pytest.approx(scene.clock.now + LEAST_PAUSE_S)
    scene.hub.tick()
    scene.show(making.stored(1001))
    assert stormy.due_at == pytest.approx(scene.clock.now + LEAST_PAUSE_S)


async def test_frames_go_out_by_themselves() -> None:
    hub = Hub(version="1")
    hub.follow(Stream(), SIGN)
    viewer = hub.enter(View(STACK), Pass(), "")
    hub.watch(viewer, View(STACK), 1)
    viewer.mailbox.release()
    seen: list[str] = []
    async with asyncio.timeout(5):
        for number in range(1, 100):
            hub.publish([making.stored(number)])
            await asyncio.sleep(0)
        while len(seen) < 99:
            item = await viewer.mailbox.take()
            assert isinstance(item, str)
            seen += [row["id"] for row in orjson.loads(item).get("errors", ())]
    assert seen == [making.an_id(number) for number in range(1, 100)]


async def test_a_still_view_gets_heartbeats_that_tell_the_lag(scene: Scene) -> None:
    viewer = scene.watch()
    for _ in range(12):
        scene.clock.now += 1.0
        scene.hub.tick()
    beats = got(viewer)
    assert len(beats) == 3
    assert beats[0] == {
        "type": "frame", "epoch": 1, "cursor": SIGN(making.position(0)), "lag_ms": 0,
    }  # fmt: skip
    scene.stream.lag_s, scene.stream.position = 7.25, making.position(5)
    scene.clock.now += 5.0
    scene.hub.tick()
    [beat] = got(viewer)
    assert (beat["lag_ms"], beat["cursor"]) == (7250, SIGN(making.position(5)))


async def test_a_hidden_page_gets_its_counts_once_a_second(scene: Scene) -> None:
    hidden, shown = scene.watch(), scene.watch()
    scene.hub.show_rows(hidden, shown=False)
    for number in range(1, 6):
        scene.show(making.stored(number))
    assert got(hidden) == []
    scene.publish(making.stored(6))
    scene.hub.tick()
    [counts] = got(hidden)
    assert (counts["skipped"], counts["counts"]["total"]) == (6, 6)
    assert counts["cursor"] == SIGN(making.position(6))
    assert len(titles(shown)) == 6
    scene.hub.tick()
    assert got(hidden) == []
    scene.show(making.stored(7))
    scene.hub.show_rows(hidden, shown=True)
    assert [each["skipped"] for each in got(hidden)] == [1]
    scene.show(making.stored(8))
    assert titles(hidden) == ["error 8"]


# Coming back


async def test_a_viewer_goes_on_where_it_was(scene: Scene) -> None:
    scene.show(*map(making.stored, (1, 2, 3)))
    viewer = scene.enter()
    assert scene.hub.watch(viewer, View(STACK), 1, since=making.position(1))
    scene.show(making.stored(4))
    assert got(viewer) == []
    viewer.mailbox.release()
    assert titles(viewer) == ["error 2", "error 3", "error 4"]


async def test_what_the_ring_has_lost_is_not_taken_for_nothing(scene: Scene) -> None:
    scene.hub._ring = Ring(max_entries=2)
    scene.show(*map(making.stored, (1, 2, 3, 4)))
    viewer = scene.watch("n:1")
    view = View(STACK)
    assert not scene.hub.watch(viewer, view, 2, since=making.position(1))
    assert viewer.mailbox.epoch == 1
    assert scene.hub.watch(viewer, view, 2, since=making.position(2))
    assert scene.hub.watch(viewer, view, 3, since=making.position(4))
    assert scene.hub.watch(viewer, view, 3, since=making.position(9))  # this process is behind


async def test_recall_reads_the_ring_then_the_stream_then_gives_up(scene: Scene) -> None:
    scene.hub._ring = Ring(max_entries=2)
    entries = [making.stored(number) for number in range(1, 6)]
    scene.show(*entries)

    async def recall(after: int, until: int) -> list[Entry] | None:
        return await scene.hub.recall(making.position(after), making.position(until))

    assert await recall(3, 5) == entries[3:]
    assert await recall(3, 4) == entries[3:4]
    assert await recall(5, 5) == []
    assert await recall(1, 5) is None
    scene.stream.entries = entries
    assert await recall(1, 4) == entries[1:4]


async def test_a_lost_stream_is_told_to_every_viewer_and_never_bridged(scene: Scene) -> None:
    viewer, other = scene.watch(), scene.watch(stack="other")
    scene.show(making.stored(1))
    scene.stream.position = making.position(4)  # a new stream begins here
    scene.hub.lost()
    assert got(viewer) == [RESYNC]
    assert got(other) == [RESYNC]
    assert await scene.hub.recall(making.position(0), making.position(1)) is None

    def goes_on(since: int) -> bool:
        return scene.hub.watch(scene.enter(), View(STACK), 1, since=making.position(since))

    assert [goes_on(1), goes_on(4)] == [False, True]
    scene.show(making.stored(5))
    scene.show(making.stored(6))
    assert [goes_on(1), goes_on(5), goes_on(6)] == [False, True, True]


def test_the_ring_is_bounded_by_bytes() -> None:
    ring = Ring(max_bytes=20 * ENTRY_BYTES)
    for number in range(1, 100):
        ring.add(making.stored(number, fields={"Msg": "x" * ENTRY_BYTES}))
    assert ring._bytes <= 20 * ENTRY_BYTES
    kept = ring.since(ring.floor)
    assert kept is not None
    assert 5 <= len(kept) <= 10
    ring.add(making.stored(100, fields={"Msg": "x" * 1_000_000}))
    assert ring.since(making.position(99)) is None
    assert ring.since(making.position(100)) == []


def test_a_replay_tells_the_last_state_newest_first() -> None:
    entries = [
        making.stored(1),
        making.stored(2),
        making.logged(3),
        making.entry(4, making.stored(1, is_change=True, fields={"n": 7}).event),
        making.stored(5, is_change=True),
        making.stored(6, stack="other"),
        making.issue_changed(7),
    ]
    missed = replay(View(STACK), entries)
    rows = [orjson.loads(row) for row in missed.rows]
    assert [(row["title"], row.get("change")) for row in rows] == [
        ("error 5", True),
        ("error 1", None),
        ("error 2", None),
    ]
    assert rows[1]["fields"] == {"n": 7}
    assert len(missed.logs) == 1
    # An error that a later part took out of the view is not there either.
    assert replay(View(STACK, query=parse("n:1")), entries).rows == []


# Who may stay


SHARE = Share(
    "share1", STACK, "", "a link", "", (), with_logs=True, created_at=making.AT, expires_at=None
)


async def test_a_revoked_link_closes_its_viewers_alone(scene: Scene) -> None:
    viewer, other = scene.enter(share="share1"), scene.enter(share="share2")
    scene.publish(making.entry(1, ShareChanged(SHARE)))
    assert got(viewer) == []
    scene.publish(making.entry(2, ShareChanged(replace(SHARE, revoked_at=making.AT))))
    assert [each.code for each in got(viewer)] == [4403]
    assert got(other) == []
    with pytest.raises(Gone):
        scene.enter(share="share1")


async def test_a_session_that_ends_closes_its_viewers_alone(scene: Scene) -> None:
    viewer, other = scene.enter(session="one"), scene.enter(session="two")
    scene.publish(making.entry(1, SessionEnded("one")))
    assert [each.code for each in got(viewer)] == [4401]
    assert got(other) == []
    with pytest.raises(Unauthorized):
        scene.enter(session="one")


async def test_time_ends_what_was_given_for_a_time(scene: Scene) -> None:
    past, future = (datetime.now(UTC) + timedelta(hours=hours) for hours in (-1, 1))
    ended = scene.enter(session="one", expires_at=past), scene.enter(share="s", expires_at=past)
    holds = scene.enter(session="one", expires_at=future), scene.enter(share="t")
    scene.hub.tick()
    assert [got(viewer)[-1].code for viewer in ended] == [4401, 4403]
    assert all(isinstance(each, dict) for viewer in holds for each in got(viewer, "presence"))
    scene.publish(making.entry(1, ShareChanged(replace(SHARE, id="t", expires_at=past))))
    scene.hub.tick()
    assert got(holds[1])[-1].code == 4403


async def test_a_silent_newcomer_and_a_stuck_viewer_go(scene: Scene) -> None:
    silent = scene.hub.enter(View(STACK), Pass(), "")
    stuck = scene.watch()
    stuck.task = asyncio.create_task(asyncio.Event().wait())
    stuck.sending_since = scene.clock.now
    scene.clock.now += max(START_TIMEOUT_S, SEND_TIMEOUT_S) + 0.1
    scene.hub.tick()
    assert got(silent)[-1].code == 4400
    with pytest.raises(asyncio.CancelledError):
        await stuck.task


async def test_who_reads_too_slowly_is_let_go(scene: Scene) -> None:
    viewer = scene.watch()
    for number in range(1, 300):
        scene.show(making.stored(number))
    scene.clock.now += 31.0
    scene.hub.tick()
    assert got(viewer)[-1].code == 1013


async def test_presence_is_told_once_a_second_to_the_stack(scene: Scene) -> None:
    viewers = [scene.watch() for _ in range(3)]
    other = scene.watch(stack="other")
    scene.hub.tick()
    scene.hub.tick()
    assert [[each["viewers"] for each in got(viewer, "presence")] for viewer in viewers] == [
        [3]
    ] * 3
    assert [each["viewers"] for each in got(other, "presence")] == [1]
    scene.hub.leave(viewers.pop())
    scene.hub.tick()
    assert [[each["viewers"] for each in got(viewer, "presence")] for viewer in viewers] == [
        [2]
    ] * 2
    assert (scene.hub.viewers(STACK), scene.hub.viewers("none")) == (2, 0)
    assert scene.hub.crowd.count_at("192.0.2.1") == 3


async def test_a_large_crowd_is_told_less_often(scene: Scene) -> None:
    first, *_ = [scene.watch() for _ in range(presence.LARGE)]
    for _ in range(presence.LARGE_TICKS):
        scene.watch()
        scene.hub.tick()
    assert len(got(first, "presence")) == 1


async def test_the_end_sends_everybody_away_for_a_moment(scene: Scene) -> None:
    viewers = [scene.watch() for _ in range(3)]
    closing = asyncio.create_task(scene.hub.close())
    await asyncio.sleep(0)
    for viewer in viewers:
        [close] = got(viewer)
        assert close.code == 1012
        assert 0 < close.retry_s <= crowd.RETURN_S
    with pytest.raises(TooMany):
        scene.enter()
    for viewer in viewers:
        scene.hub.leave(viewer)
    async with asyncio.timeout(crowd.CLOSE_S / 2):
        await closing


async def test_levels_are_counted_by_their_words(scene: Scene) -> None:
    viewer = scene.watch()
    levels = [Level.FATAL, Level.ERROR, Level.DEBUG, Level.DEBUG]
    scene.show(*(making.stored(number, level=level) for number, level in enumerate(levels, 1)))
    assert got(viewer)[0]["counts"]["levels"] == {"fatal": 1, "error": 1, "debug": 2}


async def test_an_issue_is_told_as_it_stands_last(scene: Scene) -> None:
    viewer = scene.watch()
    issue = making.issue(1)
    scene.show(*(making.entry(n, IssueChanged(replace(issue, count=n))) for n in range(1, 5)))
    assert [each["count"] for each in got(viewer)[0]["issues"]] == [4]
