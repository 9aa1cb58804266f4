"""What has happened in one view since its last frame."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from errorstack_live.event import Refused
from errorstack_live.live import rows
from errorstack_live.live.frames import MAX_GAP_LOGS, Counts, Frame, merge_refused
from errorstack_live.live.view import View
from errorstack_live.model import Error

ROWS_PER_FRAME = 100
"""Past it an error is counted, not sent, when the frame shows one of its issue already."""
MAX_ROWS_PER_FRAME = 200
"""Past it no further row is sent."""
MAX_FOLDED_ISSUES = 1000
"""Past it folded errors of further issues are counted together, under the empty id."""
MAX_ISSUES = 500
"""Changed issues in one frame; a further one waits for its next change."""
MAX_MARKERS = 50
"""Markers in one frame; further ones come with the next snapshot."""
MAX_WHOLE_BYTES = 512 << 10
"""Of rows in a frame of a whole view, where nothing is folded: further frames take the rest."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When frames are made: the hub's clock, the time since 1970, and the place in the stream."""

    now: float
    now_s: float
    position: str
    lag_s: float
    sign: Callable[[str], str]

    def heartbeat(self) -> Frame:
        """A frame of a view in which nothing happened."""
        return Frame(self.sign(self.position), max(0, round(self.lag_s * 1000)))


class Sighting:
    """An error at its place in the stream, encoded once for all views that show it alike."""

    __slots__ = ("_row", "_whole", "error", "is_change", "position")

    def __init__(self, error: Error, position: str, *, is_change: bool) -> None:
        self.error = error
        self.position = position
        self.is_change = is_change
        self._row: bytes | None = None
        self._whole: bytes | None = None

    def row(self, view: View) -> bytes:
        """Its bytes in this view's lists."""
        if view.whole:
            return self._whole_row(with_logs=view.with_logs)
        if self._row is None:
            self._row = rows.row(self.error, is_change=self.is_change)
        return self._row

    def _whole_row(self, *, with_logs: bool) -> bytes:
        if not with_logs:
            return rows.row(self.error, whole=True, with_logs=False, is_change=self.is_change)
        if self._whole is None:
            self._whole = rows.row(self.error, whole=True, is_change=self.is_change)
        return self._whole


class Batch:
    """Gathers what a view's next frame says. Errors are encoded only when frames are made."""

    __slots__ = (
        "_counts",
        "_issues",
        "_logs",
        "_markers",
        "_refused",
        "_shown",
        "_sightings",
        "_view",
    )

    def __init__(self, view: View) -> None:
        self._view = view
        self._sightings: dict[str, Sighting] = {}
        self._shown: set[str] = set()
        self._logs: deque[bytes] = deque(maxlen=None if view.whole else MAX_GAP_LOGS)
        self._issues: dict[str, bytes] = {}
        self._refused: dict[str, Refused] = {}
        self._markers: dict[str, bytes] = {}
        self._counts = Counts()

    @property
    def error_count(self) -> int:
        """How many errors came new into the view, sent or not."""
        return self._counts.total

    def add_error(self, sighting: Sighting) -> None:
        """Add an error that the view shows.

        A change is not counted, as the error was when it came. A change of an error that is
        still here takes its place, and is no change to viewers who never saw it otherwise.
        """
        error = sighting.error
        known = self._sightings.pop(error.id, None)
        if known is not None and not known.is_change:
            sighting = Sighting(error, sighting.position, is_change=False)
        elif not sighting.is_change:
            self._counts.count(error.level)
        if known is None and self._is_full_for(sighting):
            self._fold(sighting)
            return
        self._sightings[error.id] = sighting
        self._shown.add(error.issue)

    def add_log(self, log: bytes) -> None:
        """Add a log message."""
        self._logs.append(log)

    def add_issue(self, issue_id: str, issue: bytes) -> None:
        """Add a changed issue; only its last state is sent."""
        if issue_id in self._issues or len(self._issues) < MAX_ISSUES:
            self._issues[issue_id] = issue

    def add_marker(self, marker_id: str, marker: bytes) -> None:
        """Add a marker that was set or removed; only its last state is sent."""
        if marker_id in self._markers or len(self._markers) < MAX_MARKERS:
            self._markers[marker_id] = marker

    def add_refused(self, refused: Refused) -> None:
        """Add refusals."""
        merge_refused(self._refused, refused)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was gathered."""
        beside = self._logs or self._issues or self._refused or self._markers
        return not (self._sightings or self._counts.total or beside)

    def frames(self, moment: Moment) -> list[Frame]:
        """Make frames, mostly one, of all that was gathered up to the moment's position.

        They lag as their last error does, without errors as the feed does.
        """
        *parts, last = self._parts()
        frames = [
            Frame(
                # Nothing but errors comes before the last frame: a viewer that is cut off there
                # must not come back with a position that is past the rest.
                moment.sign(part[-1].position),
                _lag_ms(part, moment),
                [sighting.row(self._view) for sighting in part],
                counts=_count(part),
            )
            for part in parts
        ]
        end = Frame(
            moment.sign(moment.position),
            _lag_ms(last, moment),
            [sighting.row(self._view) for sighting in last],
            tuple(self._logs),
            self._issues,
            self._refused,
            _count(last) if parts else self._counts,
            markers=self._markers,
        )
        return [*frames, end]

    def _is_full_for(self, sighting: Sighting) -> bool:
        count = len(self._sightings)
        if self._view.whole or count < ROWS_PER_FRAME:
            return False
        is_shown = sighting.error.issue in self._shown and not sighting.is_change
        return is_shown or count >= MAX_ROWS_PER_FRAME

    def _fold(self, sighting: Sighting) -> None:
        """Count what the frame has no room for; a changed error is shown so when it is opened."""
        if sighting.is_change:
            return
        folded = self._counts.folded
        issue_id = sighting.error.issue
        is_known = issue_id in folded or len(folded) < MAX_FOLDED_ISSUES
        self._counts.fold(issue_id if is_known else "")

    def _parts(self) -> Iterator[list[Sighting]]:
        """Its errors in runs, one for each frame; the last run may be empty."""
        part: list[Sighting] = []
        size = 0
        for sighting in self._sightings.values():
            if self._view.whole:
                size += len(sighting.row(self._view))
                if part and size > MAX_WHOLE_BYTES:
                    yield part
                    part, size = [], 0
            part.append(sighting)
        yield part


def _count(sightings: list[Sighting]) -> Counts:
    counts = Counts()
    for sighting in sightings:
        if not sighting.is_change:
            counts.count(sighting.error.level)
    return counts


def _lag_ms(sightings: list[Sighting], moment: Moment) -> int:
    if not sightings:
        return moment.heartbeat().lag_ms
    return max(0, round((moment.now_s - sightings[-1].error.at.timestamp()) * 1000))
