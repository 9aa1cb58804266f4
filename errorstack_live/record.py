"""What the command line prints for programs: one JSON object a line, one shape for all commands.

``{"kind": "error", "id", "at", "title", "level", "type", "where", "issue", "fields", "before"}``
and ``{"kind": "log", "id", "at", "text" | "fields"}``; ``at`` is ISO 8601 in UTC. A multi-part
error that changed is printed again with ``"change": true``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import orjson

from errorstack_live.model import Error, Issue, LogMessage
from errorstack_live.when import from_ms, iso

Record: TypeAlias = dict[str, Any]

_ROW_NAMES = ("title", "level", "type", "where", "issue", "fields")
_HARMFUL = {
    code: f"\\u{code:04x}"
    for code in (
        *range(0x7F, 0xA0),  # C1: a terminal may take 0x9b for the start of a command
        *range(0x200B, 0x2010),
        *range(0x2028, 0x202F),
        *range(0x2060, 0x2070),
        0x061C,
        0xFEFF,
    )
}


def encode(record: Mapping[str, Any]) -> str:
    """One line of JSON, safe in a terminal: controls and direction marks are escaped."""
    return orjson.dumps(record).decode().translate(_HARMFUL)


def of_error(error: Error) -> Record:
    """The record of an error as storage gives it."""
    return {
        "kind": "error",
        "id": error.id,
        "at": iso(error.at),
        "title": error.title,
        "level": error.level,
        "type": error.type,
        "where": error.where,
        "issue": error.issue,
        "fields": error.fields,
        "before": [_log(message) for message in error.before],
    }


def of_log(message: LogMessage) -> Record:
    """The record of a log message as storage gives it."""
    return {"kind": "log", **_log(message)}


def of_issue(issue: Issue) -> Record:
    """The record of an issue; what was never said of it is left out."""
    times = {
        "regressed_at": issue.regressed_at,
        "returned_at": issue.returned_at,
        "until_at": issue.until_at,
    }
    return {
        "kind": "issue",
        "id": issue.id,
        "title": issue.title,
        "type": issue.type,
        "level": issue.level,
        "where": issue.where,
        "status": issue.status,
        "count": issue.count,
        "users": issue.users,
        **({"more_users": True} if issue.has_more_users else {}),
        "first_seen_at": iso(issue.first_seen_at),
        "last_seen_at": iso(issue.last_seen_at),
        **{name: iso(at) for name, at in times.items() if at is not None},
        **({"until_count": issue.until_count} if issue.until_count else {}),
        **({"into": issue.into} if issue.into else {}),
    }


def of_row(row: Mapping[str, Any]) -> Record:
    """The record of an error as the wire gives it."""
    return {
        "kind": "error",
        "id": row["id"],
        "at": iso(from_ms(row["at"])),
        **{name: row[name] for name in _ROW_NAMES if name in row},
        "before": [_wire_log(message) for message in row.get("before", ())],
        **({"change": True} if row.get("change") else {}),
    }


def of_wire_log(message: Mapping[str, Any]) -> Record:
    """The record of a log message as the wire gives it."""
    return {"kind": "log", **_wire_log(message)}


def in_order(records: Iterable[Record]) -> list[Record]:
    """Oldest first; what happened in one millisecond, by id."""
    return sorted(records, key=lambda record: (record["at"], record["id"]))


def _log(message: LogMessage) -> Record:
    said: Record = {"fields": message.fields} if message.text is None else {"text": message.text}
    return {"id": message.id, "at": iso(message.at), **said, **_json_mark(message.is_json)}


def _wire_log(message: Mapping[str, Any]) -> Record:
    said = {name: message[name] for name in ("text", "fields") if name in message}
    at = iso(from_ms(message["at"]))
    return {"id": message["id"], "at": at, **said, **_json_mark(bool(message.get("json")))}


def _json_mark(is_json: bool) -> Record:
    return {"json": True} if is_json else {}
