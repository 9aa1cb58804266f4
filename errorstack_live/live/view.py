"""What a viewer asked to see of one stack, and what may be shown to them of it."""

from dataclasses import dataclass

from errorstack_live.model import Error, LogMessage
from errorstack_live.query import EVERYTHING, Query
from errorstack_live.share import redact, redact_log


@dataclass(frozen=True, slots=True)
class View:
    """A stack through a query. Equal views are gathered and encoded once, for all their viewers.

    ``base`` and ``hidden`` are a share link's. ``base`` limits what exists for its viewers and is
    matched on the whole error; ``query`` is their own and is matched on what is left of it when
    the ``hidden`` fields are gone, else guesses would find them out. A ``whole`` view (a
    terminal's) has every error with every field: nothing is cut, or counted instead of sent.
    """

    stack: str
    query: Query = EVERYTHING
    base: Query = EVERYTHING
    hidden: frozenset[str] = frozenset()
    with_logs: bool = True
    whole: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the stack's issues, counters and refusals may be shown beside its errors.

        They tell of errors and fields that a limited share link keeps to itself.
        """
        return not self.hidden and self.base.is_empty

    @property
    def audience(self) -> tuple[str, frozenset[str]]:
        """What is equal for views that may be shown the same things of an error."""
        return self.base.text, self.hidden

    def admit(self, error: Error) -> Error | None:
        """Return what may be shown of an error to this view's audience, None for nothing."""
        return redact(error, self.hidden) if self.base.matches(error) else None

    def see_redacted(self, error: Error) -> Error | None:
        """Return an error that was admitted when it is in the view, else None."""
        return error if self.query.matches(error) else None

    def see(self, error: Error) -> Error | None:
        """Return what this view shows of an error, None when it is not in the view."""
        admitted = self.admit(error)
        return None if admitted is None else self.see_redacted(admitted)

    def see_log(self, message: LogMessage) -> LogMessage | None:
        """Return what this view shows of a log message, None for nothing."""
        return redact_log(message, self.hidden) if self.with_logs else None
