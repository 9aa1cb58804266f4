"""Errors: the newest that match, page by page, and each of them whole."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
from pydantic import Field
from quart import Response, request

from errorstack_live import meaning
from errorstack_live.live import rows
from errorstack_live.model import Error, Level
from errorstack_live.query import EVERYTHING
from errorstack_live.web import history
from errorstack_live.web.api.kind import (
    AskedId,
    AskedMoment,
    AskedQuery,
    Id,
    IsComplete,
    Millis,
    Place,
)  # fmt: skip
from errorstack_live.web.api.logs import LogMessage
from errorstack_live.web.api.route import answer, nothing, reading, writing
from errorstack_live.web.auth import Reader
from errorstack_live.web.history import Span
from errorstack_live.web.state import state

MAX_ERRORS = 1000


@dataclass(frozen=True, slots=True)
class ErrorsAsked:
    """Which errors are wanted."""

    query: AskedQuery = field(default_factory=lambda: EVERYTHING)
    since: AskedMoment | None = None
    until: AskedMoment | None = None
    before: Place | None = None
    issue: AskedId | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_ERRORS)] = 100
    whole: Annotated[
        bool, Field(description="All fields, and the log messages kept with each.")
    ] = False


@dataclass(frozen=True, slots=True)
class Row:
    """An error. In lists its fields are cut to 4 KB, and `more` says so."""

    id: Id
    at: Millis
    issue: Id
    level: Level
    type: str
    title: str
    where: str
    fields: Annotated[dict[str, Any], Field(description="The sender's own, as they were sent.")]
    more: bool = False
    before: Annotated[
        list[LogMessage], Field(description="The log messages alive when it came.")
    ] = field(default_factory=list)
    cut: Annotated[
        dict[str, int], Field(description="What was over a limit and is not stored.")
    ] = field(default_factory=dict)
    scrubbed: Annotated[
        list[str], Field(description="Names of fields in which secrets were redacted.")
    ] = field(default_factory=list)
    new: Annotated[
        list[str],
        Field(description="What it was the first in its stack to have, as `_new` finds it."),
    ] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """Errors, newest first."""

    errors: list[Row]
    next: Annotated[str | None, Field(description="What to give as `before` for older ones.")]
    reached_at: Annotated[
        int | None, Field(description="How far back was searched, where reading stopped early.")
    ]
    complete: IsComplete


@dataclass(frozen=True, slots=True)
class Door:
    """What the ingest door saw of the request."""

    ip: str
    user_agent: str
    referer: str
    protocol: str


@dataclass(frozen=True, slots=True)
class TraceFrame:
    """One call of a stack trace. What is not known is left out."""

    app: Annotated[bool, Field(description="Whether it is the program's own code.")] = False
    library: str | None = None
    file: str | None = None
    function: str | None = None
    line: int | None = None
    column: int | None = None
    source: Annotated[str | None, Field(description="Its line of code, where it was sent.")] = None
    above: list[str] | None = None
    below: list[str] | None = None


@dataclass(frozen=True, slots=True)
class StackTrace:
    """The stack trace among the fields, as it was understood."""

    field: Annotated[str, Field(description="Which field it was read from.")]
    frames: Annotated[list[TraceFrame], Field(description="The place of the throw first.")]


@dataclass(frozen=True, slots=True)
class WholeError(Row):
    """An error whole; for members also what the door saw of its request."""

    trace: StackTrace | None = None
    request: Door | None = None
    reserved: dict[str, Any] | None = None


@reading("/errors", asks=ErrorsAsked, answers=ErrorPage)
async def errors(who: Reader, asked: ErrorsAsked) -> Response:
    """List errors, newest first.

    A page that is not the last has `next`, and a `Link` header with `rel="next"`. Reading stops at
    a deadline: `complete` is false then, and history was searched back to `reached_at`.
    """
    span = Span(since=asked.since, until=asked.until, before=asked.before, issue=asked.issue)
    page = await history.errors(who, asked.query, span, limit=asked.limit)
    place = page.next
    further = place and f"{rows.millis(place[0])},{place[1]}"
    response = answer(
        {
            "errors": _rows(page.errors, who, whole=asked.whole),
            "next": further,
            "reached_at": page.reached_at and rows.millis(page.reached_at),
            "complete": page.is_complete,
        }
    )
    if further:
        there = urlencode({**request.args, "before": further})
        response.headers["Link"] = f'<{request.path}?{there}>; rel="next"'
    return response


@reading("/errors/<error_id>", answers=WholeError)
async def error(who: Reader, error_id: str) -> Response:
    """Get one error with all its fields; for members also with what the door saw of its request."""
    found = await history.error(who, error_id)
    whole = orjson.loads(rows.row(found, whole=True)) | {"trace": _trace(found)}
    if not who.is_guest:
        whole |= {"request": asdict(found.request), "reserved": found.reserved or {}}
    return answer(whole)


@writing("DELETE", "/errors/<error_id>")
async def delete_error(who: Reader, error_id: str) -> Response:
    """Delete one error for good, as when it holds what should never have been sent.

    It is taken off the counts of its issue and its minute. Pages that show it keep it until they
    are loaded again.
    """
    await state().writer.remove(await state().store.errors.get(who.stack.id, error_id))
    return nothing()


def _rows(found: Sequence[Error], who: Reader, *, whole: bool) -> list[orjson.Fragment]:
    return rows.fragments(rows.row(each, whole=whole, with_logs=who.with_logs) for each in found)


def _trace(of: Error) -> dict[str, Any] | None:
    found = meaning.trace_of(of.fields)
    if found is None:
        return None
    name, trace = found
    return {"field": name, "frames": [rows.frame(each) for each in trace.frames]}
