"""Traps: what a viewer wants to be told of, whatever its list shows, also while nobody sees it.

A trap is a query. It is told of the first error that matches at once, then once a second at most,
with how many there were: a page decides what to make of that.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from errorstack_live.event import ErrorStored
from errorstack_live.live import frames, rows
from errorstack_live.live.view import View
from errorstack_live.live.viewer import Viewer
from errorstack_live.model import Error

MAX_VIEWS = 500
"""Different traps of one stack, in one process: each is asked of every error."""
TELL_S = 1.0
"""A trap is told of no more often; what matched meanwhile is counted."""


@dataclass(slots=True, eq=False)
class _Trap:
    """One viewer's trap: what matched since it was told of last."""

    viewer: Viewer
    name: str
    told_at: float
    count: int = 0
    error: Error | None = None


@dataclass(slots=True)
class _Stack:
    """A stack's traps: those that ask for the same are asked once."""

    views: dict[View, set[_Trap]] = field(default_factory=dict)


class Traps:
    """All traps of a process; what is set must be dropped when its viewer leaves."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._stacks: dict[str, _Stack] = {}
        self._set: dict[Viewer, list[tuple[View, _Trap]]] = {}
        self._waiting: set[_Trap] = set()

    def set(self, viewer: Viewer, wanted: Mapping[str, View]) -> list[str]:
        """Set a viewer's traps, by their names, instead of those it had.

        Returns the names of those that are not set, as the stack has MAX_VIEWS already.
        """
        self.drop(viewer)
        refused: list[str] = []
        held: list[tuple[View, _Trap]] = []
        for name, view in wanted.items():
            views = self._stacks[view.stack].views if view.stack in self._stacks else {}
            if view not in views and len(views) >= MAX_VIEWS:
                refused.append(name)
                continue
            trap = _Trap(viewer, name, -TELL_S)
            views = self._stacks.setdefault(view.stack, _Stack()).views
            views.setdefault(view, set()).add(trap)
            held.append((view, trap))
        if held:
            self._set[viewer] = held
        return refused

    def drop(self, viewer: Viewer) -> None:
        """Forget a viewer's traps; where there are none, that does no harm."""
        for view, trap in self._set.pop(viewer, ()):
            self._waiting.discard(trap)
            views = self._stacks[view.stack].views
            views[view].discard(trap)
            if not views[view]:
                del views[view]
            if not views:
                del self._stacks[view.stack]

    def see(self, event: ErrorStored) -> None:
        """Look whether an error is in one of them. A change of one that was seen is none."""
        stack = self._stacks.get(event.error.stack)
        if stack is None or event.is_change:
            return
        admitted: dict[tuple[str, frozenset[str]], Error | None] = {}
        for view, traps in stack.views.items():
            if view.audience not in admitted:
                admitted[view.audience] = view.admit(event.error)
            error = admitted[view.audience]
            if error is not None and view.query.matches(error):
                self._caught(error, traps)

    def tick(self) -> None:
        """Once a second: tell of what waits."""
        now = self._clock()
        for trap in [each for each in self._waiting if now - each.told_at >= TELL_S]:
            self._tell(trap, now)

    def _caught(self, error: Error, traps: Iterable[_Trap]) -> None:
        now = self._clock()
        for trap in traps:
            trap.count += 1
            trap.error = error
            if now - trap.told_at >= TELL_S:
                self._tell(trap, now)
            else:
                self._waiting.add(trap)

    def _tell(self, trap: _Trap, now: float) -> None:
        assert trap.error is not None  # nothing waits that caught nothing
        text = frames.trap(trap.name, trap.count, rows.row(trap.error))
        trap.viewer.mailbox.notify(f"trap {trap.name}", text)
        trap.told_at, trap.count, trap.error = now, 0, None
        self._waiting.discard(trap)
