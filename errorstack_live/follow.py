"""What a terminal makes of the live wire: each record once, in order, without gaps.

A pure protocol: messages in, records out, requests to send back. It does no I/O.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from zlib import crc32

import orjson

from errorstack_live.errors import QueryError
from errorstack_live.record import Record, in_order, of_row, of_wire_log
from errorstack_live.when import from_ms, iso, to_ms

Message: TypeAlias = Mapping[str, Any]

MAX_SEEN = 50_000
"""Records remembered, so that none is told twice; far more than any reconnect repeats."""
OVERLAP_MS = 10_000
"""Where the stream cannot be resumed, history is read back to this long before the last record:
records of one moment become durable in another order than they arrived."""
PAGE = 200


@dataclass(slots=True)
class _Reading:
    """History that is being read back, page by page, down to ``floor_ms``."""

    floor_ms: int
    cursor: str
    records: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Follower:
    """Follows one view over any number of connections.

    ``since_ms``: history from then on is told first. Without it only what comes after the first
    snapshot is. Nothing is told twice; an error that a later part changed is told again.
    ``cursor`` is where the stream is resumed, ``last_ms`` when the newest record came.
    """

    query: str
    since_ms: int | None = None
    is_live: bool = False
    requests: list[dict[str, Any]] = field(default_factory=list)
    cursor: str = ""
    last_ms: int = 0
    _seen: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _reading: _Reading | None = None
    _filling: bool = False
    _held: list[Message] = field(default_factory=list)

    def start(self) -> dict[str, Any]:
        """Begin a connection: the first message to send. What the last one left open is void."""
        self._reset()
        start = {"type": "start", "query": self.query, "epoch": 1, "limit": PAGE, "whole": True}
        return {**start, "since": self.cursor} if self.cursor else start

    def receive(self, message: Message) -> list[Record]:
        """Take one message; returns what it tells, oldest first. ``requests`` are to be sent.

        Raises QueryError when the server does not understand the query.
        """
        match message.get("type"):
            case "hello":
                self.last_ms = self.last_ms or int(message.get("server_time", 0))
            case "snapshot":
                return self._snapshot(message)
            case "page" if self._reading:
                return self._page(message)
            case "frame":
                return self._frame(message)
            case "fill" if self._filling:
                return self._filled(message)
            case "problem":
                raise QueryError(str(message["message"]), at=int(message.get("at", 0)))
        return []

    def _snapshot(self, message: Message) -> list[Record]:
        self._reset()
        records = _records(message)
        if self.is_live and message.get("recovered"):
            return self._tell(records, message["cursor"])
        told: list[Record] = [] if self.is_live else [{"kind": "live"}]
        if self.is_live:
            told.append({"kind": "gap", "since": iso(from_ms(self.last_ms))})
        floor_ms = self.last_ms - OVERLAP_MS if self.is_live else self.since_ms
        self.is_live = True
        if floor_ms is None:
            self._tell(records, message["cursor"])
            return told
        logs = [of_wire_log(log) for log in message.get("logs", ()) if log["at"] >= floor_ms]
        self._reading = _Reading(floor_ms, message["cursor"], logs)
        return told + self._page(message)

    def _page(self, message: Message) -> list[Record]:
        """Add a page of history, newest first, and ask for the next where there may be one."""
        assert self._reading
        rows = message.get("errors", ())
        floor_ms = self._reading.floor_ms
        self._reading.records += [of_row(row) for row in rows if row["at"] >= floor_ms]
        before = _next_before(rows, message)
        if before is not None and before[0] >= floor_ms:
            self._ask(type="more", before=before)
            return []
        records, cursor = self._reading.records, self._reading.cursor
        self._reading = None
        return self._tell(records, cursor) + self._release()

    def _frame(self, message: Message) -> list[Record]:
        if self._reading or self._filling:
            self._held.append(message)
            return []
        if message.get("skipped"):
            self._filling = True
            self._held.insert(0, message)
            self._ask(type="fill", **{"from": self.cursor, "to": message["cursor"]})
            return []
        return self._tell(_records(message), message["cursor"])

    def _filled(self, message: Message) -> list[Record]:
        """Tell a frame that was sent with less than it held, and what was left out of it."""
        self._filling = False
        frame = self._held.pop(0)
        gap: list[Record] = []
        if not message.get("complete", True):
            gap = [{"kind": "gap", "since": iso(from_ms(self.last_ms))}]
        records = _records(frame) + _records(message)
        return gap + self._tell(records, frame["cursor"]) + self._release()

    def _release(self) -> list[Record]:
        """Take the frames that waited; one of them may make the rest wait again."""
        held, self._held = self._held, []
        return [record for message in held for record in self._frame(message)]

    def _reset(self) -> None:
        self._reading, self._filling = None, False
        self._held.clear()
        self.requests.clear()

    def _ask(self, **request: object) -> None:
        self.requests.append({**request, "epoch": 1})

    def _tell(self, records: Sequence[Record], cursor: str) -> list[Record]:
        """The records that are new, in order; from now on the stream is resumed at ``cursor``."""
        told = [record for record in in_order(records) if self._is_new(record)]
        self.cursor = cursor or self.cursor
        if told:
            self.last_ms = max(self.last_ms, to_ms(datetime.fromisoformat(told[-1]["at"])))
        return told

    def _is_new(self, record: Record) -> bool:
        content = crc32(orjson.dumps(record.get("fields")))
        known = self._seen.get(record["id"])
        if known == content:
            return False
        if known is not None:
            record["change"] = True
        self._seen[record["id"]] = content
        if len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)
        return True


def _records(message: Message) -> list[Record]:
    return [of_row(row) for row in message.get("errors", ())] + [
        of_wire_log(log) for log in message.get("logs", ())
    ]


def _next_before(rows: Sequence[Message], message: Message) -> tuple[int, str] | None:
    """Where the next page of history begins; None when nothing older matches."""
    if message.get("complete", True):
        return None
    if rows:
        return rows[-1]["at"], rows[-1]["id"]
    reached_at = message.get("reached_at")
    return None if reached_at is None else (reached_at, "0" * 24)
