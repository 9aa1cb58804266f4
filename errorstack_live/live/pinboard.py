"""Pinned errors at the top of a stack's live views: to each viewer those that it may see."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import orjson

from errorstack_live.access import Pin
from errorstack_live.event import ErrorStored
from errorstack_live.live import frames, rows
from errorstack_live.live.crowd import Crowd
from errorstack_live.live.viewer import Viewer
from errorstack_live.model import Error

REFRESH_TICKS = 60
"""So often, once a second each, what is pinned is read again: errors go when their time is over."""

Board = Sequence[tuple[Pin, Error]]
Load = Callable[[str], Awaitable[Board]]
"""Reads what is pinned in a stack, the newest first, without errors that are gone."""


class Pinboard:
    """What is pinned in the stacks that are watched here; read when it changes, not by viewers."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._boards: dict[str, Board] = {}
        self._wanted: set[str] = set()
        self._wake = asyncio.Event()
        self._ticks = 0

    def greet(self, viewer: Viewer) -> None:
        """Tell a viewer that has come what is pinned, as soon as that is known."""
        board = self._boards.get(viewer.stack)
        if board is None:
            self.changed(viewer.stack)
        else:
            _tell(board, [viewer])

    def changed(self, stack_id: str) -> None:
        """Read anew what is pinned in a stack, and tell who watches it."""
        self._wanted.add(stack_id)
        self._wake.set()

    def see(self, event: ErrorStored) -> None:
        """Take note of an error that may be pinned and became another."""
        board = self._boards.get(event.error.stack) if event.is_change else None
        if board and any(error.id == event.error.id for _, error in board):
            self.changed(event.error.stack)

    def tick(self) -> None:
        """Once a second: forget what nobody watches, and now and again look at the rest."""
        self._ticks += 1
        if self._ticks % REFRESH_TICKS:
            return
        for stack_id, board in list(self._boards.items()):
            if not self._crowd.of(stack_id):
                del self._boards[stack_id]
            elif board:
                self.changed(stack_id)

    async def run(self, load: Load) -> None:
        """Read and tell what is wanted, until cancelled. What fails is wanted again."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._wanted:
                stack_id = self._wanted.pop()
                if not self._crowd.of(stack_id):
                    self._boards.pop(stack_id, None)
                    continue
                try:
                    self._boards[stack_id] = board = await load(stack_id)
                except Exception:
                    self.changed(stack_id)
                    raise
                _tell(board, self._crowd.of(stack_id))


def _tell(board: Board, viewers: Iterable[Viewer]) -> None:
    """Encode once for all who may see the same."""
    texts: dict[tuple[str, frozenset[str], bool], str] = {}
    for viewer in viewers:
        is_guest = bool(viewer.held.share)
        key = (*viewer.sees.audience, is_guest)
        if key not in texts:
            seen = ((pin, viewer.sees.see(error)) for pin, error in board)
            shown = [(pin, error) for pin, error in seen if error is not None]
            texts[key] = frames.pins(told(shown, is_guest=is_guest))
        viewer.mailbox.notify("pins", texts[key])


def told(shown: Board, *, is_guest: bool) -> list[dict[str, Any]]:
    """Pins as they are told; who pinned them is told to members alone."""
    pins = []
    for pin, error in shown:
        said: dict[str, Any] = {"note": pin.note, "at": rows.millis(pin.at)}
        if pin.by and not is_guest:
            said["by"] = pin.by
        pins.append({**said, "error": orjson.Fragment(rows.row(error))})
    return pins
