"""A view as a file: every error that matches, as lines of JSON or as a table."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field
from quart import Quart, Response, current_app

from errorstack_live.errors import StorageAway, TooMany
from errorstack_live.live import rows
from errorstack_live.query import EVERYTHING, Query
from errorstack_live.storage.page import Page
from errorstack_live.table import MAX_COLUMNS, Table, all_columns
from errorstack_live.web import history
from errorstack_live.web.api.errors import Row
from errorstack_live.web.api.kind import AskedId, AskedMoment, AskedQuery
from errorstack_live.web.api.route import reading
from errorstack_live.web.auth import Reader
from errorstack_live.web.history import Span
from errorstack_live.web.parameter import field_names
from errorstack_live.web.state import now
from errorstack_live.web.streaming import LINES, Pieces, streamed

CSV = "text/csv"
PAGE = 500
"""Errors that are held at a time; of large ones fewer, as a page is bounded in bytes."""
MAX_EXPORTS = 4
"""Exports at once in one process: the database has more to do."""
RETRY_S = 10
TRIES = 3
TRY_S = 1.0
"""A page that the database does not give is asked for again after so long."""
EXPORTS = "errorstack_exports"


@dataclass(frozen=True, slots=True)
class ExportAsked:
    """Which errors, in which form."""

    format: Literal["ndjson", "csv"] = "ndjson"
    query: AskedQuery = field(default_factory=lambda: EVERYTHING)
    since: AskedMoment | None = None
    until: AskedMoment | None = None
    issue: AskedId | None = None
    columns: Annotated[
        str,
        Field(
            description=f"Of a table: names in the query language, with commas between them, at"
            f" most {MAX_COLUMNS}; without it, all fields."
        ),
    ] = ""


@dataclass(slots=True)
class Running:
    """How many exports run in this process."""

    count: int = 0


def register(app: Quart) -> None:
    """Count exports from none on."""
    app.extensions[EXPORTS] = Running()


@reading("/export", asks=ExportAsked, answers=Row, media=(LINES, CSV))
async def export(who: Reader, asked: ExportAsked) -> Response:
    """Export every error that matches, newest first, as lines of JSON or as a table (CSV).

    It streams, however much it is, and ends when you leave; an export that is cut short lacks the
    end of its chunked encoding. In a table what a spreadsheet would take for a formula begins with
    an apostrophe.
    """
    running = current_app.extensions[EXPORTS]
    if running.count >= MAX_EXPORTS:
        raise TooMany("Too many exports run already", retry_after_s=RETRY_S)
    columns = field_names(asked.columns.split(","))[:MAX_COLUMNS]
    span = Span(since=asked.since, until=asked.until or now(), issue=asked.issue)
    first = await history.errors(who, asked.query, span, limit=PAGE)

    async def pieces() -> Pieces:
        running.count += 1
        try:
            async with aclosing(_pages(who, asked.query, span, first)) as pages:
                if asked.format == "csv":
                    table = Table(columns) if columns else all_columns(first.errors)
                    yield table.head()
                    async for page in pages:
                        yield await asyncio.to_thread(table.rows, page.errors)
                else:
                    async for page in pages:
                        yield b"".join(_lines(who, page))
        finally:
            running.count -= 1

    response = streamed(pieces, f"{CSV}; charset=utf-8" if asked.format == "csv" else LINES)
    name = who.share.id if who.share else who.stack.slug
    filename = f"{name}-{now():%Y-%m-%d-%H%M}.{asked.format}"
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _lines(who: Reader, page: Page) -> Iterator[bytes]:
    for each in page.errors:
        yield rows.row(each, whole=True, with_logs=who.with_logs) + b"\n"


async def _pages(who: Reader, query: Query, span: Span, first: Page) -> AsyncGenerator[Page, None]:
    page = first
    while True:
        if page.errors:
            yield page
        place = page.next
        if place is None or place == span.before:
            return
        span = replace(span, before=place)
        page = await _page(who, query, span)


async def _page(who: Reader, query: Query, span: Span) -> Page:
    for _ in range(TRIES - 1):
        try:
            return await history.errors(who, query, span, limit=PAGE)
        except StorageAway:
            await asyncio.sleep(TRY_S)
    return await history.errors(who, query, span, limit=PAGE)
