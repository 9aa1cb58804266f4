"""One view and those who watch it: gathers what happens and tells all of them at once."""

from errorstack_live.live.batch import Batch, Moment
from errorstack_live.live.view import View
from errorstack_live.live.viewer import Viewer

LEAST_PAUSE_S = 0.01
"""Nobody is sent more than a hundred frames a second."""
STORM_PAUSE_S = 0.1
STORM_PER_S = 200
"""Past so many errors a second nobody reads them: ten frames a second are enough."""
HEARTBEAT_S = 4.0
"""Viewers are promised a frame every 5 s; this is looked at once a second."""


class Channel:
    """``due_at`` is when the view may have its next frame, by the hub's clock."""

    __slots__ = ("_matched_count", "_pause_s", "_sent_at", "batch", "due_at", "view", "viewers")

    def __init__(self, view: View, now: float) -> None:
        self.view = view
        self.viewers: set[Viewer] = set()
        self.batch = Batch(view)
        self.due_at = now
        self._sent_at = now
        self._pause_s = LEAST_PAUSE_S
        self._matched_count = 0

    def send(self, moment: Moment) -> int:
        """Tell every viewer what was gathered, or that nothing was; return how many messages."""
        batch, self.batch = self.batch, Batch(self.view)
        self._matched_count += batch.error_count
        self._sent_at = moment.now
        self.due_at = moment.now + self._pause_s
        frames = batch.frames(moment)
        for viewer in self.viewers:
            for frame in frames:
                viewer.mailbox.put(frame, moment.now)
        return len(frames) * len(self.viewers)

    def tick(self, moment: Moment) -> None:
        """Once a second: choose the pace, keep still views alive, tell hidden pages counts."""
        is_storm = self._matched_count > STORM_PER_S
        self._pause_s = STORM_PAUSE_S if is_storm else LEAST_PAUSE_S
        self._matched_count = 0
        if moment.now - self._sent_at >= HEARTBEAT_S:
            self.send(moment)
        for viewer in self.viewers:
            if viewer.mailbox.owes_counts:
                self.end_gap(viewer, moment)

    def end_gap(self, viewer: Viewer, moment: Moment) -> None:
        """Tell one viewer what happened that it was not sent."""
        if not self.batch.is_empty:
            self.send(moment)  # the moment's position is past it
        viewer.mailbox.put(moment.heartbeat(), moment.now)
