"""A mailbox is bounded whatever is put into it, and what it drops it counts."""

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from errorstack_live.live import mailbox as mailboxes
from errorstack_live.live.frames import Counts, Frame
from errorstack_live.live.mailbox import RESYNC, TOO_SLOW, Close, Item, Mailbox, Tally
from errorstack_live.model import Level


def frame(number: int, *, errors: int = 1, padding: int = 0) -> Frame:
    counts = Counts()
    if errors:
        counts.count(Level.ERROR, errors)
    rows = [orjson.dumps({"id": f"{number}.{n}", "pad": "x" * padding}) for n in range(errors)]
    return Frame(f"{number:08}", 0, rows, counts=counts)


def opened(epoch: int = 1) -> Mailbox:
    mailbox = Mailbox(Tally())
    mailbox.begin(epoch)
    mailbox.release()
    return mailbox


def taken(mailbox: Mailbox) -> list[Any]:
    """Everything that waits, messages read."""
    found: list[Any] = []
    while (item := mailbox._next()) is not None:
        if isinstance(item, Close):
            return [*found, item]
        found.append(orjson.loads(item) if isinstance(item, str) else item)
    return found


class MailboxMachine(RuleBasedStateMachine):
    """Puts frames of any size at any pace, and takes them at any other."""

    def __init__(self) -> None:
        super().__init__()
        self.tally = Tally()
        self.mailbox = Mailbox(self.tally)
        self.mailbox.begin(1)
        self.mailbox.release()
        self.now = 0.0
        self.number = 0
        self.put_errors = 0
        self.got_errors = 0
        self.last_cursor = ""

    @rule(errors=st.integers(0, 50), padding=st.sampled_from([0, 1000, 60_000]))
    def put(self, errors: int, padding: int) -> None:
        self.now += 0.05
        self.number += 1
        self.put_errors += errors
        self.mailbox.put(frame(self.number, errors=errors, padding=padding), self.now)

    @rule(times=st.integers(100, 400))
    def put_many(self, times: int) -> None:
        for _ in range(times):
            self.put(errors=1, padding=0)

    @rule()
    def put_giant(self) -> None:
        self.put(errors=1, padding=2 * mailboxes.MAX_BYTES)

    @rule(hidden=st.booleans())
    def hide(self, *, hidden: bool) -> None:
        self.mailbox.counts_only = hidden

    @rule(times=st.integers(1, 200))
    def take(self, times: int) -> None:
        for _ in range(times):
            item = self.mailbox._next()
            if item is None:
                return
            assert isinstance(item, str)
            message = orjson.loads(item)
            counts = message.get("counts", {"total": 0, "levels": {}})
            sent = len(message.get("errors", ()))
            assert counts["total"] == sent + message.get("skipped", 0)
            assert sum(counts["levels"].values()) == counts["total"]
            assert message["cursor"] > self.last_cursor
            self.last_cursor = message["cursor"]
            self.got_errors += counts["total"]

    @precondition(lambda self: self.number > 0)
    @rule()
    def catch_up(self) -> None:
        """After everything was taken, and a last frame put, every error was counted once."""
        self.mailbox.counts_only = False
        self.put(errors=1, padding=0)
        self.take(times=10_000)
        assert self.got_errors == self.put_errors

    @invariant()
    def is_bounded(self) -> None:
        frames = self.mailbox._frames
        assert len(frames) <= mailboxes.MAX_FRAMES
        assert self.mailbox._bytes == sum(each.size for each in frames)
        assert self.mailbox._bytes <= mailboxes.MAX_BYTES or len(frames) == 1

    @invariant()
    def counts_what_waits(self) -> None:
        gap = self.mailbox._gap.counts.total if self.mailbox._gap else 0
        waiting = sum(each.counts.total for each in self.mailbox._frames)
        assert self.got_errors + gap + waiting == self.put_errors


TestMailbox = MailboxMachine.TestCase
TestMailbox.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)


def test_frames_are_held_until_their_snapshot_is_there() -> None:
    mailbox = Mailbox(Tally())
    mailbox.begin(3)
    mailbox.put(frame(1), 0.0)
    mailbox.answer('{"type":"snapshot"}')
    assert [each["type"] for each in taken(mailbox)] == ["snapshot"]
    mailbox.release()
    [sent] = taken(mailbox)
    assert (sent["type"], sent["epoch"], sent["cursor"]) == ("frame", 3, "00000001")


def test_a_new_epoch_forgets_the_frames_of_the_old() -> None:
    mailbox = opened()
    mailbox.put(frame(1), 0.0)
    mailbox.begin(2)
    mailbox.put(frame(2), 0.0)
    mailbox.release()
    [sent] = taken(mailbox)
    assert (sent["epoch"], sent["cursor"], "skipped" in sent) == (2, "00000002", False)


def test_a_renumbered_epoch_loses_nothing() -> None:
    mailbox = opened()
    mailbox.put(frame(1), 0.0)
    mailbox.renumber(2)
    mailbox.put(frame(2), 0.0)
    assert [(each["epoch"], each["cursor"]) for each in taken(mailbox)] == [
        (2, "00000001"),
        (2, "00000002"),
    ]


def test_an_overflow_is_one_frame_that_says_how_much_is_missing() -> None:
    mailbox = opened()
    for number in range(mailboxes.MAX_FRAMES + 1):
        mailbox.put(frame(number, errors=2), 0.0)
    [sent] = taken(mailbox)
    assert sent["skipped"] == 2 * mailboxes.MAX_FRAMES
    assert sent["counts"]["total"] == 2 * mailboxes.MAX_FRAMES + 2
    assert len(sent["errors"]) == 2
    assert mailbox._tally.frames_dropped == mailboxes.MAX_FRAMES
    assert mailbox._tally.errors_skipped == 2 * mailboxes.MAX_FRAMES


@pytest.mark.parametrize("reads", [True, False])
def test_who_does_not_catch_up_for_half_a_minute_is_behind(*, reads: bool) -> None:
    mailbox = opened()
    for number in range(mailboxes.MAX_FRAMES + 1):
        mailbox.put(frame(number), 0.0)
    assert not mailbox.is_behind(29.9)
    if reads:
        taken(mailbox)
    assert mailbox.is_behind(30.0) is not reads


def test_taking_some_is_not_catching_up() -> None:
    mailbox = opened()
    for number in range(mailboxes.MAX_FRAMES + 2):
        mailbox.put(frame(number), 0.0)
    assert isinstance(mailbox._next(), str)
    assert mailbox.is_behind(30.0)


def test_a_hidden_page_gets_counts_with_the_heartbeat() -> None:
    mailbox = opened()
    mailbox.counts_only = True
    mailbox.put(frame(1, errors=3), 0.0)
    mailbox.put(frame(2, errors=4), 0.0)
    assert taken(mailbox) == []
    assert mailbox.owes_counts
    mailbox.put(Frame("00000003", 5), 0.0)
    [sent] = taken(mailbox)
    assert (sent["skipped"], sent["counts"]["total"], "errors" in sent) == (7, 7, False)
    assert not mailbox.owes_counts


def test_answers_come_first_and_notices_are_the_last_of_their_kind() -> None:
    mailbox = opened()
    mailbox.put(frame(1), 0.0)
    for viewers in range(1000):
        mailbox.notify("presence", orjson.dumps({"type": "presence", "viewers": viewers}).decode())
    mailbox.answer('{"type":"page"}')
    kinds = [each["type"] for each in taken(mailbox)]
    assert kinds == ["page", "presence", "frame"]


def test_too_many_answers_end_it() -> None:
    mailbox = opened()
    for _ in range(mailboxes.MAX_ANSWERS + 1):
        mailbox.answer("{}")
    assert taken(mailbox) == [TOO_SLOW]


def test_a_close_is_all_there_is_from_then_on_and_the_first_stays() -> None:
    mailbox = opened()
    mailbox.put(frame(1), 0.0)
    mailbox.answer("{}")
    first = Close(4401, "sign in")
    mailbox.close(first)
    mailbox.close(TOO_SLOW)
    mailbox.put(frame(2), 0.0)
    assert mailbox._next() is first
    assert mailbox._next() is first
    assert not mailbox._frames


def test_a_resync_comes_before_frames_that_are_held_for_it() -> None:
    mailbox = opened()
    mailbox.put(frame(1), 0.0)
    mailbox.resync()
    mailbox.put(frame(2), 0.0)
    assert taken(mailbox) == [RESYNC]
    mailbox.release()
    assert [each["cursor"] for each in taken(mailbox)] == ["00000002"]


async def test_take_waits_for_whatever_comes_first() -> None:
    mailbox = opened()

    async def after(put: Any, *given: Any) -> Item:
        taking = asyncio.create_task(mailbox.take())
        await asyncio.sleep(0)
        assert not taking.done()
        put(*given)
        async with asyncio.timeout(1):
            return await taking

    assert "00000001" in str(await after(mailbox.put, frame(1), 0.0))
    assert await after(mailbox.answer, "{}") == "{}"
    assert await after(mailbox.notify, "pong", "[]") == "[]"
    assert await after(mailbox.resync) is RESYNC
    assert await after(mailbox.close, TOO_SLOW) is TOO_SLOW


async def test_a_cancelled_take_loses_nothing() -> None:
    mailbox = opened()
    taking = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    mailbox.put(frame(1), 0.0)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert "00000001" in str(await mailbox.take())
