"""A change in the database as an entry of the feed."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import structlog
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from errorstack_live.event import (
    Entry,
    ErrorStored,
    Event,
    IssueChanged,
    LogStored,
    MarkerChanged,
    PinsChanged,
    Refused,
    SessionEnded,
    ShareChanged,
    StackChanged,
    WatchingChanged,
)
from errorstack_live.storage import error, issue, log, marker, pin, share, watching
from errorstack_live.storage.document import Document, decode

_log = structlog.get_logger(__name__)


def _error(change: Document) -> Event:
    is_change = change["operationType"] == "replace"
    return ErrorStored(error.from_document(change["fullDocument"]), is_change=is_change)


def _refused(change: Document) -> Event:
    found = change["fullDocument"]
    return Refused(str(found["stack"]), found["reason"], found["count"], found["at"])


def _watching(change: Document) -> Event:
    if change["operationType"] == "delete":
        return WatchingChanged(watching.gone(change["documentKey"]["_id"]))
    return WatchingChanged(watching.from_document(change["fullDocument"]))


def _pins(change: Document) -> Event:
    found = change["fullDocument"] if change["operationType"] != "delete" else {}
    return PinsChanged(str(change["documentKey"]["_id"]), pin.from_document(found))


WANTED: dict[str, tuple[tuple[str, ...], Callable[[Document], Event]]] = {
    # An update of an error is no news: its retention changed.
    "errors": (("insert", "replace"), _error),
    "logs": (("insert",), lambda change: LogStored(log.from_document(change["fullDocument"]))),
    "issues": (
        ("insert", "replace", "update"),
        lambda change: IssueChanged(issue.from_document(change["fullDocument"])),
    ),
    "markers": (
        ("insert", "update"),
        lambda change: MarkerChanged(marker.from_document(change["fullDocument"])),
    ),
    "refused": (("insert",), _refused),
    "stacks": (
        ("insert", "replace", "update", "delete"),
        lambda change: StackChanged(str(change["documentKey"]["_id"])),
    ),
    "shares": (
        ("insert", "replace", "update"),
        lambda change: ShareChanged(share.from_document(change["fullDocument"])),
    ),
    # An update only says that a process lives.
    "watching": (("insert", "replace", "delete"), _watching),
    "pins": (("insert", "replace", "update", "delete"), _pins),
    "sessions": (("delete",), lambda change: SessionEnded(str(change["documentKey"]["_id"]))),
    "tokens": (("delete",), lambda change: SessionEnded(str(change["documentKey"]["_id"]))),
}
"""Which changes of which collections are told of, and as what."""

MATCH = {
    "$or": [
        {"ns.coll": name, "operationType": {"$in": list(kinds)}}
        for name, (kinds, _) in WANTED.items()
    ]
}


def entries_of(changes: Iterable[RawBSONDocument]) -> list[Entry]:
    """Read changes, in order; one that cannot be read is left out: history shows it as such."""
    return [entry for each in changes if (entry := _entry_of(each)) is not None]


def _entry_of(raw: RawBSONDocument) -> Entry | None:
    try:
        change = decode(raw)
        if change.get("fullDocument", "") is None:  # it was deleted before it was looked up
            return None
        _, event = WANTED[change["ns"]["coll"]]
        return Entry(change["_id"]["_data"], event(change))
    except (BSONError, KeyError, TypeError, ValueError, AttributeError) as problem:
        _log.warning("change_unreadable", problem=type(problem).__name__)
        return None


def came_at(entries: Iterable[Entry]) -> datetime | None:
    """When the newest error or log message of these was taken in; None where there is none."""
    times: list[Any] = [
        entry.event.error.at if isinstance(entry.event, ErrorStored) else entry.event.message.at
        for entry in entries
        if isinstance(entry.event, LogStored)
        or (isinstance(entry.event, ErrorStored) and not entry.event.is_change)
    ]
    return max(times, default=None)
