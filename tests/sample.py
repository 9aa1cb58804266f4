"""The requests of real clients as files: ``samples/<client>/<case>.http`` beside their meaning."""

import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h11

from errorstack_live.model import Cut, Draft, Kind, Parsed, Request, Submission

FOLDER = Path(__file__).parent / "samples"
KEY = "0123456789abcdef0123456789abcdef"
"""Stands in every sample where its sender puts a stack key; another as long may replace it."""
RECEIVED_AT = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = Request(ip="192.0.2.1", user_agent="", referer="", protocol="beacon")


@dataclass(frozen=True, slots=True)
class Sample:
    """``content`` are the request's bytes as sent, ``expected`` what its protocol reads in them."""

    name: str
    content: bytes
    kind: Kind
    expected: Parsed


def samples() -> list[Sample]:
    """Every sample there is."""
    return [_load(path) for path in sorted(FOLDER.glob("*/*.http"))]


def submission(
    query: bytes = b"",
    body: bytes = b"",
    content_type: str = "application/x-www-form-urlencoded",
    *,
    method: str = "POST",
    body_bytes: int | None = None,
) -> Submission:
    """What the door makes of a request; ``body_bytes`` tells the true size of a cut body."""
    size = len(body) if body_bytes is None else body_bytes
    return Submission(method, query, body, size, content_type, REQUEST, RECEIVED_AT)


def read(content: bytes) -> tuple[str, Submission]:
    """The path and the submission of a whole HTTP request."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(content)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    body = b""
    while isinstance(event := connection.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    headers = dict(request.headers)
    if headers.get(b"content-encoding") == b"gzip":
        body = gzip.decompress(body)
    path, _, query = request.target.partition(b"?")
    path = b"/" + path.partition(b"://")[2].partition(b"/")[2] if b"://" in path else path
    return path.decode().rstrip("/"), submission(
        query,
        body,
        headers.get(b"content-type", b"").decode(),
        method=request.method.decode(),
    )


def _load(path: Path) -> Sample:
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return Sample(
        f"{path.parent.name}/{path.stem}",
        path.read_bytes(),
        Kind(told["kind"]),
        Parsed(told["key"], tuple(map(_draft, told["drafts"])), told["reply"]),
    )


def _draft(told: dict[str, Any]) -> Draft:
    cut = told.pop("cut", None)
    return Draft(**told, cut=Cut(**cut) if cut else None)
