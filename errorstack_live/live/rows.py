"""Errors, log messages and issues as they stand in lists: JSON objects, encoded to bytes once."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson

from errorstack_live.model import JSON, Error, Fields, Issue, LogMessage, Marker
from errorstack_live.trace import Frame, library

MAX_FIELDS_BYTES = 4096
"""Of an error's fields a list's row carries this much; the panel fetches the whole by HTTP."""
MAX_VALUE_CHARS = 1024
"""In a row whose fields are over that, every text value is cut to this."""
CUT_MARK = "…"


def row(
    error: Error, *, whole: bool = False, with_logs: bool = True, is_change: bool = False
) -> bytes:
    """Encode an error. ``whole`` leaves nothing out and adds the log messages kept with it."""
    fields, is_cut = _fields(error.fields, whole=whole)
    members: dict[str, Any] = {
        "id": error.id,
        "at": millis(error.at),
        "issue": error.issue,
        "level": error.level,
        "type": error.type,
        "title": error.title,
        "where": error.where,
        "fields": orjson.Fragment(fields),
    }
    if is_cut:
        members["more"] = True
    if is_change:
        members["change"] = True
    if whole and with_logs and error.before:
        members["before"] = fragments(map(log, error.before))
    if error.cut is not None:
        members["cut"] = {name: count for name, count in asdict(error.cut).items() if count}
    if error.scrubbed:
        members["scrubbed"] = error.scrubbed
    if error.new:
        members["new"] = error.new
    return encode(members)


def frame(of: Frame) -> dict[str, Any]:
    """Return a frame of a stack trace as JSON; what it does not have is left out."""
    members = {
        "file": of.file,
        "function": of.function,
        "line": of.line,
        "column": of.column,
        "app": of.is_app,
        "library": "" if of.is_app else library(of),
        "source": of.source,
        "above": of.above,
        "below": of.below,
    }
    return {name: value for name, value in members.items() if value}


def log(message: LogMessage) -> bytes:
    """Encode a log message."""
    members: dict[str, Any] = {"id": message.id, "at": millis(message.at)}
    if message.text is not None:
        members["text"] = message.text
    else:
        members["fields"] = message.fields or {}
    if message.is_json:
        members["json"] = True
    return encode(members)


def issue(what: Issue) -> bytes:
    """Encode an issue; what was never said of it is left out."""
    members: dict[str, Any] = {
        "id": what.id,
        "title": what.title,
        "type": what.type,
        "level": what.level,
        "where": what.where,
        "first_seen_at": millis(what.first_seen_at),
        "last_seen_at": millis(what.last_seen_at),
        "count": what.count,
        "status": what.status,
        "regressed_at": what.regressed_at and millis(what.regressed_at),
    }
    said = {
        "returned_at": what.returned_at and millis(what.returned_at),
        "until_at": what.until_at and millis(what.until_at),
        "until_count": what.until_count,
        "status_at": what.status_at and millis(what.status_at),
        "users": what.users,
        "more_users": what.has_more_users,
        "into": what.into,
    }
    return encode(members | {name: value for name, value in said.items() if value})


def marker(what: Marker) -> bytes:
    """Encode a marker. Who set it is not told: viewers by share links are sent the same bytes."""
    members: dict[str, Any] = {
        "id": what.id,
        "at": millis(what.at),
        "text": what.text,
        "origin": what.origin,
    }
    if what.removed_at is not None:
        members["removed"] = True
    return encode(members)


def millis(at: datetime) -> int:
    """Milliseconds since 1970."""
    return round(at.timestamp() * 1000)


def encode(value: object) -> bytes:
    """JSON bytes. What JSON does not know becomes text, as in the database."""
    try:
        return orjson.dumps(value, default=str)
    except TypeError:
        return orjson.dumps(_mended(value), default=str)


def fragments(encoded: Iterable[bytes]) -> list[orjson.Fragment]:
    """Encoded values, to be put into a message as they are."""
    return [orjson.Fragment(each) for each in encoded]


def _fields(fields: Fields, *, whole: bool) -> tuple[bytes, bool]:
    encoded = encode(fields)
    if whole or len(encoded) <= MAX_FIELDS_BYTES:
        return encoded, False
    return _cut_fields(fields), True


def _cut_fields(fields: Fields) -> bytes:
    """Values cut short, in order, as far as there is room: a long trace hides nothing behind it."""
    members: list[bytes] = []
    room = MAX_FIELDS_BYTES - len(b"{}")
    for name, value in fields.items():
        member = encode(name) + b":" + encode(_cut_value(value)) + b","
        if len(member) <= room:
            members.append(member)
            room -= len(member)
    return b"{" + b"".join(members).removesuffix(b",") + b"}"


def _cut_value(value: JSON) -> JSON:
    if isinstance(value, (dict, list)):
        encoded = encode(value)
        if len(encoded) <= MAX_VALUE_CHARS:
            return value
        value = encoded[: 4 * MAX_VALUE_CHARS].decode(errors="ignore")
    if isinstance(value, str) and len(value) > MAX_VALUE_CHARS:
        return value[:MAX_VALUE_CHARS] + CUT_MARK
    return value


def _mended(value: object) -> object:
    """Without lone surrogates and integers beyond 64 bit, which one odd error may have."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case int() if value.bit_length() >= 64:
            return str(value)
        case dict():
            return {_mended(name): _mended(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_mended(inner) for inner in value]
        case _:
            return value
