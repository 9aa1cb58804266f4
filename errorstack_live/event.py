"""What the feed tells the rest of a process: the stream's events, in the stream's order."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from errorstack_live.access import Pin, Share, Watching
from errorstack_live.model import Error, Issue, LogMessage, Marker


@dataclass(frozen=True, slots=True)
class ErrorStored:
    """An error is durable; ``is_change`` when a later part changed one that was already seen."""

    error: Error
    is_change: bool = False


@dataclass(frozen=True, slots=True)
class LogStored:
    """A log message is durable."""

    message: LogMessage


@dataclass(frozen=True, slots=True)
class IssueChanged:
    """An issue is new, its counters were flushed, or a member changed its status."""

    issue: Issue


@dataclass(frozen=True, slots=True)
class MarkerChanged:
    """A marker was set, or removed."""

    marker: Marker


@dataclass(frozen=True, slots=True)
class Refused:
    """``count`` submissions to a stack were refused for one reason in one second."""

    stack: str
    reason: str
    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class StackChanged:
    """A stack was created, changed or deleted: cached keys of it are stale."""

    stack: str


@dataclass(frozen=True, slots=True)
class ShareChanged:
    """A share link was created, changed or revoked."""

    share: Share


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """A sign-in or a token has ended: the sockets that were opened with it must close."""

    session: str


@dataclass(frozen=True, slots=True)
class WatchingChanged:
    """Others watch a stack in one process now; nobody any more when it has no viewers."""

    watching: Watching


@dataclass(frozen=True, slots=True)
class PinsChanged:
    """Other errors are pinned in a stack now: all that are."""

    stack: str
    pins: tuple[Pin, ...]


Event: TypeAlias = (
    ErrorStored
    | LogStored
    | IssueChanged
    | MarkerChanged
    | Refused
    | StackChanged
    | ShareChanged
    | SessionEnded
    | WatchingChanged
    | PinsChanged
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One event with its position in the stream.

    ``position`` is a resume token's text: opaque, but later positions compare greater.
    """

    position: str
    event: Event
