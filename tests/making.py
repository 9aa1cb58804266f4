"""Values for tests: an error, a log message, an issue, and the entries that tell of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from errorstack_live.event import Entry, ErrorStored, Event, IssueChanged, LogStored
from errorstack_live.model import Error, Issue, Level, LogMessage, Request, Status

STACK = "6732a1b0c4d5e6f708192a00"
AT = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = Request(ip="192.0.2.1", user_agent="", referer="", protocol="beacon")


def an_id(number: int) -> str:
    """An id that only this number has."""
    return f"{number:024x}"


def position(number: int) -> str:
    """A place in the stream: later ones compare greater."""
    return f"{number:016X}"


def error(number: int = 1, **changed: Any) -> Error:
    """Error ``number``, a second after the one before it; each is of an issue of its own."""
    given: dict[str, Any] = {
        "id": an_id(number),
        "stack": STACK,
        "at": AT + timedelta(seconds=number),
        "issue": an_id(number + 1_000_000),
        "fingerprint": "1",
        "title": f"error {number}",
        "type": "",
        "level": Level.ERROR,
        "where": "",
        "fields": {"Msg": f"error {number}", "n": number},
        "request": REQUEST,
        "search": f"error {number}",
    }
    return Error(**{**given, **changed})


def message(number: int = 1, **changed: Any) -> LogMessage:
    """Log message ``number``, a second after the one before it."""
    given: dict[str, Any] = {
        "id": an_id(number),
        "stack": STACK,
        "at": AT + timedelta(seconds=number),
        "text": f"log {number}",
    }
    return LogMessage(**{**given, **changed})


def issue(number: int = 1, **changed: Any) -> Issue:
    """Issue ``number``."""
    given: dict[str, Any] = {
        "id": an_id(number),
        "stack": STACK,
        "fingerprint": "1",
        "title": f"issue {number}",
        "type": "",
        "level": Level.ERROR,
        "where": "",
        "first_seen_at": AT,
        "last_seen_at": AT,
        "count": 1,
        "status": Status.OPEN,
    }
    return Issue(**{**given, **changed})


def entry(at: int, event: Event) -> Entry:
    """An event at a place in the stream."""
    return Entry(position(at), event)


def stored(number: int, *, is_change: bool = False, **changed: Any) -> Entry:
    """Error ``number`` at place ``number``."""
    return entry(number, ErrorStored(error(number, **changed), is_change))


def logged(number: int, **changed: Any) -> Entry:
    """Log message ``number`` at place ``number``."""
    return entry(number, LogStored(message(number, **changed)))


def issue_changed(number: int, **changed: Any) -> Entry:
    """Issue ``number`` at place ``number``."""
    return entry(number, IssueChanged(issue(number, **changed)))
