"""What a server says on the live wire: frames, shared by all viewers of a view, and answers.

``docs/wire.md`` describes them, ``tests/wire`` holds a sample of each.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from errorstack_live.event import Refused
from errorstack_live.live.rows import encode, fragments, millis
from errorstack_live.model import Level

MAX_GAP_LOGS = 10
"""A stack shows no more (PROTOCOL 8)."""
MAX_GAP_ISSUES = 200
"""Past it the longest unchanged of a gap's issues are forgotten, until they change again."""
MAX_GAP_MARKERS = 50
"""Past it a gap's oldest are left out, until the next snapshot."""

Minutes = Sequence[tuple[datetime, Mapping[str, int]]]


@dataclass(slots=True)
class Counts:
    """How many errors came new into a view, sent or not; ``folded`` counts, by issue, those that
    the frame does not carry because the issue is in it already."""

    total: int = 0
    levels: dict[Level, int] = field(default_factory=dict)
    folded: dict[str, int] = field(default_factory=dict)

    def count(self, level: Level, by: int = 1) -> None:
        """Count errors of one level."""
        self.total += by
        self.levels[level] = self.levels.get(level, 0) + by

    def fold(self, issue_id: str) -> None:
        """Note that an error, counted already, is not carried."""
        self.folded[issue_id] = self.folded.get(issue_id, 0) + 1

    def plus(self, levels: Mapping[Level, int]) -> "Counts":
        """These counts and those of errors that other frames carried."""
        summed = Counts(self.total, dict(self.levels), self.folded)
        for level, count in levels.items():
            summed.count(level, count)
        return summed


@dataclass(slots=True)
class Frame:
    """What happened in a view since its last frame; encoded once, for all its viewers.

    ``issues`` and ``markers`` are by id, ``refused`` by reason: the latest of each. ``skipped``
    errors are counted but neither carried nor folded. With nothing but cursor and lag it is a
    heartbeat.
    """

    cursor: str
    lag_ms: int
    rows: Sequence[bytes] = ()
    logs: Sequence[bytes] = ()
    issues: Mapping[str, bytes] = field(default_factory=dict)
    refused: Mapping[str, Refused] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    skipped: int = 0
    markers: Mapping[str, bytes] = field(default_factory=dict)
    _body: bytes = field(default=b"", init=False)
    _texts: dict[int, str] = field(default_factory=dict, init=False)

    @property
    def is_heartbeat(self) -> bool:
        """Whether it says nothing but that the stream lives, and where it is."""
        beside = self.logs or self.issues or self.refused or self.markers
        return not (self.rows or self.counts.total or beside)

    @property
    def size(self) -> int:
        """Its bytes on the wire, but for type and epoch."""
        if not self._body:
            self._body = encode(self._members())
        return len(self._body)

    def text(self, epoch: int) -> str:
        """The message for viewers in this epoch, which for most is their first: shared as well."""
        text = self._texts.get(epoch)
        if text is None and self.size:
            text = self._texts[epoch] = _with_epoch("frame", epoch, self._body)
        return text or ""

    def _members(self) -> dict[str, Any]:
        members = {
            "skipped": self.skipped,
            "errors": fragments(self.rows),
            "logs": fragments(self.logs),
            "issues": fragments(self.issues.values()),
            "markers": fragments(self.markers.values()),
            "counts": _counts(self.counts),
            "refused": [_refused(each) for each in self.refused.values()],
        }
        present = {name: value for name, value in members.items() if value}
        return {**present, "cursor": self.cursor, "lag_ms": self.lag_ms}


@dataclass(slots=True)
class Gap:
    """Frames that a viewer is not sent, because it reads too slowly or its page is hidden.

    The errors in them are counted, and the viewer can ask for them; log messages, issues, markers
    and refusals are kept, as far as they still matter, for the frame that ends the gap.
    """

    counts: Counts = field(default_factory=Counts)
    logs: deque[bytes] = field(default_factory=lambda: deque(maxlen=MAX_GAP_LOGS))
    issues: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, Refused] = field(default_factory=dict)
    markers: dict[str, bytes] = field(default_factory=dict)

    def add(self, frame: Frame) -> None:
        """Take in a frame that is not sent."""
        for level, count in frame.counts.levels.items():
            self.counts.count(level, count)
        self.logs.extend(frame.logs)
        for issue_id, issue in frame.issues.items():
            self.issues.pop(issue_id, None)
            self.issues[issue_id] = issue
        while len(self.issues) > MAX_GAP_ISSUES:
            del self.issues[next(iter(self.issues))]
        self.markers.update(frame.markers)
        while len(self.markers) > MAX_GAP_MARKERS:
            del self.markers[next(iter(self.markers))]
        for refused in frame.refused.values():
            merge_refused(self.refused, refused)

    def end_with(self, frame: Frame) -> Frame:
        """The frame after the gap, with what the gap left to say."""
        refused = dict(self.refused)
        for each in frame.refused.values():
            merge_refused(refused, each)
        return replace(
            frame,
            logs=[*self.logs, *frame.logs][-MAX_GAP_LOGS:],
            issues={**self.issues, **frame.issues},
            refused=refused,
            markers={**self.markers, **frame.markers},
            counts=frame.counts.plus(self.counts.levels),
            skipped=frame.skipped + self.counts.total,
        )


def merge_refused(into: dict[str, Refused], refused: Refused) -> None:
    """Count refusals of one reason together, at the time of the last."""
    known = into.get(refused.reason)
    count = refused.count + (known.count if known else 0)
    into[refused.reason] = replace(refused, count=count)


@dataclass(slots=True)
class Snapshot:
    """What a view shows when it is opened, or, ``recovered``, what was missed since a cursor.

    ``rows``, ``issues`` and ``markers`` are newest first, ``logs`` oldest first. History was read
    back to ``reached_at`` where ``is_complete`` is false.
    """

    rows: Sequence[bytes]
    logs: Sequence[bytes]
    minutes: Minutes
    issues: Sequence[bytes]
    cursor: str
    markers: Sequence[bytes] = ()
    is_recovered: bool = False
    reached_at: datetime | None = None
    is_complete: bool = True

    def text(self, epoch: int) -> str:
        """The message for a viewer in this epoch."""
        members = {
            "errors": fragments(self.rows),
            "logs": fragments(self.logs),
            "minutes": [(millis(at), levels) for at, levels in self.minutes],
            "issues": fragments(self.issues),
            "markers": fragments(self.markers),
            "cursor": self.cursor,
            "recovered": self.is_recovered,
            "reached_at": self.reached_at and millis(self.reached_at),
            "complete": self.is_complete,
        }
        return _with_epoch("snapshot", epoch, encode(members))


def hello(version: str, server_time: datetime, viewers: int) -> str:
    """The first message: a page of another version reloads itself."""
    return _text("hello", version=version, server_time=millis(server_time), viewers=viewers)


def page(
    epoch: int, rows: Iterable[bytes], reached_at: datetime | None, *, is_complete: bool
) -> str:
    """The answer to ``more``: older errors, newest first."""
    return _text(
        "page",
        epoch=epoch,
        errors=fragments(rows),
        reached_at=reached_at and millis(reached_at),
        complete=is_complete,
    )


def fill(
    epoch: int,
    gap: tuple[str, str],
    rows: Iterable[bytes],
    logs: Iterable[bytes],
    *,
    is_complete: bool,
) -> str:
    """The answer to ``fill``: what lies between two cursors, errors newest first."""
    start, end = gap
    return _text(
        "fill",
        epoch=epoch,
        **{"from": start},
        to=end,
        errors=fragments(rows),
        logs=fragments(logs),
        complete=is_complete,
    )


def presence(viewers: object, **who: object) -> str:
    """How many watch the stack now, in all processes; for members also who (``presence.told``)."""
    return _text("presence", viewers=viewers, **{name: each for name, each in who.items() if each})


def pins(told: Sequence[Mapping[str, Any]]) -> str:
    """What is pinned, the newest first (``pinboard.told``)."""
    return _text("pins", pins=told)


def trap(name: str, count: int, row: bytes) -> str:
    """A trap caught ``count`` errors since it was told of last; ``row`` is the newest of them."""
    return _text("trap", id=name, count=count, error=orjson.Fragment(row))


def no_trap(name: str, message: str) -> str:
    """The query of a trap has no meaning."""
    return _text("trap", id=name, count=0, message=message)


def traps(names: Sequence[str]) -> str:
    """These traps are set, and what each caught since its ``since`` has been told."""
    return _text("traps", ids=names)


def pong(at: int) -> str:
    """The answer to ``ping``, with the time it gave."""
    return _text("pong", at=at)


def problem(epoch: int, message: str, at: int) -> str:
    """A query's text has no meaning; ``at`` is the place in it. The query before it stays."""
    return _text("problem", epoch=epoch, message=message, at=at)


def bye(code: int, retry_s: float) -> str:
    """The last message: why the socket closes, and after how long to come back, 0 for never."""
    return _text("bye", code=code, retry_s=round(retry_s, 1))


def _text(kind: str, **members: object) -> str:
    return encode({"type": kind, **members}).decode()


def _with_epoch(kind: str, epoch: int, body: bytes) -> str:
    """A message whose body, a JSON object, was encoded before its epoch was known."""
    return f'{{"type":"{kind}","epoch":{epoch},{body[1:].decode()}'


def _counts(counts: Counts) -> dict[str, Any] | None:
    if not counts.total:
        return None
    members = {"total": counts.total, "levels": counts.levels}
    return {**members, "folded": counts.folded} if counts.folded else members


def _refused(refused: Refused) -> dict[str, Any]:
    return {"reason": refused.reason, "count": refused.count, "at": millis(refused.at)}
