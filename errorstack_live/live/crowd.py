"""Everyone who watches in this process: who may, how many there are, and when they must go."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from random import SystemRandom

from errorstack_live.access import Share
from errorstack_live.errors import Gone, TooMany, Unauthorized
from errorstack_live.live.mailbox import Close, Mailbox, Tally
from errorstack_live.live.view import View
from errorstack_live.live.viewer import STACK_DELETED, Pass, Viewer

MAX_ENDED = 1000
"""Sessions and share links that ended lately are remembered: a viewer may enter just then."""
CLOSE_S = 2.0
RETURN_S = 5.0
"""Viewers of a server that stops are asked to come back spread over this time."""

_random = SystemRandom()


class Crowd:
    """Viewers from handshake to end, whether or not they watch a view already."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.tally = Tally()
        self._clock = clock
        self._viewers: set[Viewer] = set()
        self._by_stack: dict[str, set[Viewer]] = {}
        self._by_address: Counter[str] = Counter()
        self._changed: set[str] = set()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._is_closing = False
        self._empty = asyncio.Event()

    def __len__(self) -> int:
        return len(self._viewers)

    def count(self, stack_id: str) -> int:
        """How many watch a stack."""
        return len(self._by_stack.get(stack_id, ()))

    def of(self, stack_id: str) -> Collection[Viewer]:
        """Those who watch a stack."""
        return self._by_stack.get(stack_id, ())

    def take_changed(self) -> set[str]:
        """The stacks that others watch than when this was asked last."""
        changed, self._changed = self._changed, set()
        return changed

    def count_at(self, address: str) -> int:
        """How many watch from a network address."""
        return self._by_address[address]

    def enter(self, sees: View, held: Pass, address: str) -> Viewer:
        """Let someone in who may see so much of a stack.

        Raises Unauthorized or Gone when what they hold has ended meanwhile.
        """
        if self._is_closing:
            raise TooMany("This server is about to restart", retry_after_s=1)
        if held.session in self._ended:
            raise Unauthorized("Sign in first")
        if held.share in self._ended:
            raise Gone("This share link was revoked")
        stack_id = sees.stack
        viewer = Viewer(stack_id, address, held, Mailbox(self.tally), self._clock(), sees)
        self._viewers.add(viewer)
        self._by_stack.setdefault(stack_id, set()).add(viewer)
        self._by_address[address] += 1
        self._changed.add(stack_id)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer; more than once does no harm."""
        if viewer not in self._viewers:
            return
        self._viewers.remove(viewer)
        self._by_stack[viewer.stack].remove(viewer)
        if not self._by_stack[viewer.stack]:
            del self._by_stack[viewer.stack]
        self._by_address[viewer.address] -= 1
        if not self._by_address[viewer.address]:
            del self._by_address[viewer.address]
        self._changed.add(viewer.stack)
        if not self._viewers:
            self._empty.set()

    def resync(self) -> None:
        """Let every viewer take a new snapshot."""
        for viewer in self._viewers:
            viewer.mailbox.resync()

    def end_session(self, session_id: str) -> None:
        """Close what was opened with a session."""
        self._end(session_id, [each for each in self._viewers if each.held.session == session_id])

    def keep_stacks(self, stack_ids: Collection[str]) -> None:
        """Close the views of stacks that are not among these: they were deleted."""
        for viewer in self._viewers:
            if viewer.stack not in stack_ids:
                viewer.mailbox.close(STACK_DELETED)

    def change_share(self, share: Share) -> None:
        """Close what was opened with a share link that was revoked, or ends earlier now."""
        viewers = [each for each in self._viewers if each.held.share == share.id]
        if share.revoked_at is not None:
            self._end(share.id, viewers)
        for viewer in viewers:
            viewer.held = replace(viewer.held, expires_at=share.expires_at)

    def _end(self, held_id: str, viewers: list[Viewer]) -> None:
        self._ended[held_id] = None
        if len(self._ended) > MAX_ENDED:
            self._ended.popitem(last=False)
        for viewer in viewers:
            viewer.mailbox.close(viewer.held.ended)

    def tick(self, now: float, at: datetime) -> None:
        """Once a second: see whose time is over."""
        for viewer in self._viewers:
            viewer.check(now, at)

    async def close(self) -> None:
        """Tell every viewer to come back a little later, and wait CLOSE_S at most for their end."""
        self._is_closing = True
        self._empty.clear()
        for viewer in self._viewers:
            wait_s = _random.uniform(0.2, RETURN_S)
            viewer.mailbox.close(Close(1012, "restart", retry_s=wait_s))
        if self._viewers:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), CLOSE_S)
