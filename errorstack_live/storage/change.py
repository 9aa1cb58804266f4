"""Tells of changes made through the store where no change stream would (a standalone server)."""

from collections.abc import Callable, Sequence

from errorstack_live.event import Event


class Changes:
    """Passes events on to ``to``; with a change stream nobody asks for them and it is None."""

    def __init__(self) -> None:
        self.to: Callable[[Sequence[Event]], None] | None = None

    def tell(self, *events: Event) -> None:
        """Tell of changes that are durable."""
        if self.to is not None and events:
            self.to(events)
