"""What a viewer says on the live wire: text to one of a few frozen values, or Invalid."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from errorstack_live.errors import Invalid

MAX_MESSAGE_CHARS = 16 << 10
MAX_LIMIT = 1000
"""Errors in a snapshot."""
MAX_TRAPS = 8
"""Of one viewer: each is asked of every error of the stack."""
MAX_TRAP_NAME_CHARS = 40
MAX_CURSOR_CHARS = 1024
MAX_NUMBER = 253_402_300_799_999
"""The last millisecond of the year 9999; all numbers are below it."""


@dataclass(frozen=True, slots=True)
class Start:
    """The first message: what to see. ``since`` is the cursor where an earlier socket ended."""

    query: str
    epoch: int
    limit: int
    since: str | None
    whole: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """See another query from now on (``query`` on the wire)."""

    query: str
    epoch: int


@dataclass(frozen=True, slots=True)
class More:
    """Send older errors than the one at ``at`` (milliseconds since 1970) with this id."""

    at: int
    error_id: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Fill:
    """Send what lies between two cursors."""

    start: str
    end: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Mode:
    """A page that nobody sees needs counts only."""

    counts_only: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """Answer with a pong that says ``at`` again."""

    at: int


@dataclass(frozen=True, slots=True)
class Trap:
    """Tell of errors that match ``query``. ``since`` (milliseconds since 1970) is when the viewer
    was told last: what came after it is told, too."""

    name: str
    query: str
    since: int | None


@dataclass(frozen=True, slots=True)
class Traps:
    """Set these traps instead of those that were set."""

    traps: tuple[Trap, ...]


Asking = Start | Filter | More | Fill | Mode | Ping | Traps


def read(text: str | bytes | None) -> Asking:
    """Read one message. Raises Invalid for whatever no client of ours sends."""
    if not isinstance(text, str) or len(text) > MAX_MESSAGE_CHARS:
        raise Invalid("not a text message, or too long")
    try:
        members = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid("not JSON") from error
    if not isinstance(members, dict):
        raise Invalid("not an object")
    kind = members.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise Invalid("unknown type")
    return reader(members)


Members = dict[str, Any]


def _start(members: Members) -> Start:
    limit = min(_integer(members, "limit", 200), MAX_LIMIT)
    return Start(
        _text(members, "query", MAX_MESSAGE_CHARS),
        _integer(members, "epoch"),
        limit,
        _text(members, "since", MAX_CURSOR_CHARS) if members.get("since") else None,
        _flag(members, "whole"),
    )


def _filter(members: Members) -> Filter:
    return Filter(_text(members, "query", MAX_MESSAGE_CHARS), _integer(members, "epoch"))


def _more(members: Members) -> More:
    match members.get("before"):
        case [at, str(error_id)] if len(error_id) == 24 and _is_hex(error_id):
            return More(_integer({"at": at}, "at"), error_id, _integer(members, "epoch"))
    raise Invalid("before is [at, id]")


def _fill(members: Members) -> Fill:
    start = _text(members, "from", MAX_CURSOR_CHARS)
    end = _text(members, "to", MAX_CURSOR_CHARS)
    return Fill(start, end, _integer(members, "epoch"))


def _mode(members: Members) -> Mode:
    return Mode(_flag(members, "counts_only"))


def _traps(members: Members) -> Traps:
    given = members.get("traps")
    if not isinstance(given, list) or len(given) > MAX_TRAPS:
        raise Invalid(f"traps is a list of at most {MAX_TRAPS}")
    return Traps(tuple(map(_trap, given)))


def _trap(given: object) -> Trap:
    if not isinstance(given, dict):
        raise Invalid("a trap is an object")
    since = None if given.get("since") is None else _integer(given, "since")
    name = _text(given, "id", MAX_TRAP_NAME_CHARS)
    return Trap(name, _text(given, "query", MAX_MESSAGE_CHARS), since)


def _ping(members: Members) -> Ping:
    return Ping(_integer(members, "at"))


_READERS: dict[str, Callable[[Members], Asking]] = {
    "start": _start,
    "query": _filter,
    "more": _more,
    "fill": _fill,
    "mode": _mode,
    "ping": _ping,
    "traps": _traps,
}


def _text(members: Members, name: str, max_chars: int) -> str:
    value = members.get(name)
    if not isinstance(value, str) or len(value) > max_chars:
        raise Invalid(f"{name} is text")
    return value


def _integer(members: Members, name: str, default: int | None = None) -> int:
    value = members.get(name, default)
    if type(value) is not int or not 0 <= value <= MAX_NUMBER:
        raise Invalid(f"{name} is a whole number")
    return value


def _flag(members: Members, name: str) -> bool:
    value = members.get(name, False)
    if not isinstance(value, bool):
        raise Invalid(f"{name} is true or false")
    return value


def _is_hex(text: str) -> bool:
    return all(digit in "0123456789abcdef" for digit in text)
