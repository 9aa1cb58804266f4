"""Following a stack with a program that speaks HTTP alone: ``curl -N``, or a browser's EventSource.

The hub is followed as a websocket does; ``errorstack_live.follow`` makes records of what it says:
each once, in order, and where something is missing a record that says so.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from pydantic import Field
from quart import Response, request

from errorstack_live.follow import Follower
from errorstack_live.live.mailbox import Close
from errorstack_live.query import EVERYTHING
from errorstack_live.record import Record
from errorstack_live.web import entrance
from errorstack_live.web.api.kind import AskedMoment, AskedQuery
from errorstack_live.web.api.route import reading
from errorstack_live.web.auth import Reader
from errorstack_live.web.streaming import (
    EVENTS,
    LINES,
    RETRY_MS,
    Pieces,
    conversing,
    event,
    streamed,
)  # fmt: skip
from errorstack_live.when import to_ms

HEARTBEAT_S = 10.0
"""Where nothing happens something is written this often: proxies end what is silent."""
_MARK = "~"
"""Between the two halves of an event's id: a cursor, and the time of the newest record."""


@dataclass(frozen=True, slots=True)
class TailAsked:
    """What to follow, and from when on."""

    query: AskedQuery = field(default_factory=lambda: EVERYTHING)
    since: AskedMoment | None = None


@dataclass(frozen=True, slots=True)
class TailRecord:
    """One line, or one event: an error, a log message, or word of the stream itself.

    `kind` is `live` (from here on it is), `error`, `log`, `gap` (since `since` some may be missing)
    or `end` (`code` and `reason`; `retry_s` is 0 where it is of no use to come back).
    """

    kind: str
    id: str | None = None
    at: Annotated[str | None, Field(description="ISO 8601, in UTC.")] = None
    title: str | None = None
    level: str | None = None
    type: str | None = None
    where: str | None = None
    issue: str | None = None
    fields: dict[str, Any] | None = None
    text: str | None = None
    before: list[dict[str, Any]] | None = None
    change: Annotated[bool, Field(description="A later part changed it.")] = False
    since: str | None = None
    code: int | None = None
    reason: str | None = None
    retry_s: float | None = None


@reading("/tail", asks=TailAsked, answers=TailRecord, media=(LINES, EVENTS))
async def tail(who: Reader, asked: TailAsked) -> Response:
    """Follow a stack live: a line of JSON for each error and log message, without end.

    For who accepts `text/event-stream` they are events, with ids: `Last-Event-ID` goes on where an
    earlier stream ended. What cannot be told any more is announced as a `gap`, after which up to
    10 s may come twice. `since` tells history first. An empty line, or a comment, every 10 s says
    that the stream lives.
    """
    entrance.check_room()
    wants_events = EVENTS in request.headers.get("Accept", "")
    follower = _resumed(asked.query.text, request.headers.get("Last-Event-ID", ""))
    if follower is None:
        follower = Follower(asked.query.text, to_ms(asked.since) if asked.since else None)
    form: _Form = _Events(follower) if wants_events else _Lines()
    return streamed(lambda: _records(who, follower, form), EVENTS if wants_events else LINES)


def _resumed(query: str, place: str) -> Follower | None:
    cursor, _, last_ms = place.partition(_MARK)
    if not cursor or not (last_ms.isascii() and last_ms.isdigit() and len(last_ms) <= 15):
        return None
    return Follower(query, is_live=True, cursor=cursor, last_ms=int(last_ms))


class _Lines:
    """Records as lines of JSON."""

    opening = b""
    heartbeat = b"\n"

    def pieces(self, records: Sequence[Record]) -> list[bytes]:
        return [_encoded(record) + b"\n" for record in records]


class _Events:
    """Records as events. The last of a batch has the id: who goes on from there lacks nothing."""

    opening = f"retry: {RETRY_MS}\n\n".encode()
    heartbeat = b": alive\n\n"

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def pieces(self, records: Sequence[Record]) -> list[bytes]:
        place = f"{self._follower.cursor}{_MARK}{self._follower.last_ms}"
        last = len(records) - 1
        return [
            event(_encoded(record), kind=record["kind"], id=place if at == last else "")
            for at, record in enumerate(records)
        ]


_Form = _Lines | _Events


async def _records(who: Reader, follower: Follower, form: _Form) -> Pieces:
    hub = entrance.live().hub
    written_at = time.monotonic()
    async with conversing(who) as (talk, viewer):
        talk.hear(orjson.dumps(follower.start()).decode())
        if form.opening:
            yield form.opening
        while not isinstance(said := await talk.next(), Close):
            pieces = form.pieces(follower.receive(orjson.loads(said)))
            for asked in follower.requests:
                talk.hear(orjson.dumps(asked).decode())
            follower.requests.clear()
            if not pieces and time.monotonic() - written_at >= HEARTBEAT_S:
                pieces = [form.heartbeat]
            for piece in pieces:
                viewer.sending_since = hub.now()  # the hub cuts it off in the end
                yield piece
                viewer.sending_since = None
                written_at = time.monotonic()
        end = {"kind": "end", "code": said.code, "reason": said.reason, "retry_s": said.retry_s}
        for piece in form.pieces([end]):
            yield piece


def _encoded(record: Record) -> bytes:
    return orjson.dumps(record)
