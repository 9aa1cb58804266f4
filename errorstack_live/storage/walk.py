"""Works back through a stack's errors in slices of time, newest first, within a deadline.

For filters that no index serves. A slice is a number of documents, not of seconds: a storm and a
quiet month then cost the same. It grows while slices are quick and shrinks when one is not done
in time, so that there is always progress to show.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from errorstack_live.storage.document import Document, RawCollection

FIRST_SLICE = 500
LEAST_SLICE = 100
LARGEST_SLICE = 200_000
SLICE_S = 0.25
"""What a slice should take: long enough to be worth its call, short enough to show progress."""
MAX_SLICE_S = 1.0
"""A slice that is not done by then is tried again with fewer documents."""


@dataclass(frozen=True, slots=True)
class Edge:
    """A place in the order of errors."""

    at: datetime
    id: Any

    def older(self) -> Document:
        """What lies behind it."""
        return {
            "at": {"$lte": self.at},
            "$or": [{"at": {"$lt": self.at}}, {"_id": {"$lt": self.id}}],
        }

    def newer(self) -> Document:
        """Itself and what lies before it."""
        return {
            "at": {"$gte": self.at},
            "$or": [{"at": {"$gt": self.at}}, {"_id": {"$gte": self.id}}],
        }


class Walk:
    """Gives the filter of one slice after the other.

    ``which`` selects the errors to walk through and is served by ``index`` alone; ``edge`` is
    where to begin, the newest where it is None. Say ``done`` or ``too_slow`` after each slice.
    """

    def __init__(
        self,
        errors: RawCollection,
        which: Document,
        index: list[tuple[str, int]],
        *,
        edge: Edge | None,
        seconds: float,
    ) -> None:
        self._errors = errors
        self._which = which
        self.index = index
        self._upper = edge
        self.is_begun = False  # whether a slice is done
        self._lower: Edge | None = None
        self._ends_at = time.monotonic() + seconds
        self._began_at = 0.0
        self._size = FIRST_SLICE

    def left_s(self, at_most: float = MAX_SLICE_S) -> float:
        """Time for one call: never quite nothing, which would mean no limit."""
        return min(at_most, max(self._ends_at - time.monotonic(), 0.001))

    @property
    def is_over(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() >= self._ends_at

    @property
    def reached_at(self) -> datetime | None:
        """Everything newer was in slices that are done; None before the first one."""
        at = self._upper.at if self._upper else None
        return at if isinstance(at, datetime) else None  # a poisoned document may have none

    @property
    def reached(self) -> tuple[datetime, str] | None:
        """Time and id of the oldest error of the slices that are done; None before the first."""
        at = self.reached_at
        return (at, str(self._upper.id)) if at is not None and self._upper else None

    @property
    def rest(self) -> Document:
        """The filter of all that is not done."""
        return {"$and": [self._which, self._upper.older()]} if self._upper else self._which

    async def next(self) -> Document:
        """The filter of the next slice."""
        self._began_at = time.monotonic()
        rest = self._errors.find(self.rest, {"at": 1}, hint=self.index)
        rest = rest.sort([("at", -1), ("_id", -1)]).skip(self._size - 1).limit(1)
        found = await rest.to_list(1)
        self._lower = Edge(found[0]["at"], found[0]["_id"]) if found else None
        return {"$and": [self.rest, self._lower.newer()]} if self._lower else self.rest

    def done(self) -> bool:
        """Move on behind the slice; False when nothing is left."""
        self.is_begun = True
        if self._lower is None:
            return False
        took = max(time.monotonic() - self._began_at, 0.001)
        growth = min(4.0, max(0.25, SLICE_S / took))
        self._size = min(LARGEST_SLICE, max(LEAST_SLICE, int(self._size * growth)))
        self._upper = self._lower
        return True

    def too_slow(self, error: PyMongoError) -> None:
        """Try a smaller slice. Raises ``error`` when it means something else than lack of time."""
        if not error.timeout or isinstance(error, ServerSelectionTimeoutError):
            raise error
        if self.is_over and not self.is_begun:  # not even a few hundred errors in all that time
            raise error
        self._size = max(LEAST_SLICE, self._size // 8)
