"""Fields: which there are, and which values they take, in the newest errors."""

from dataclasses import asdict, dataclass, field
from typing import Annotated

from pydantic import Field
from quart import Response

from errorstack_live.query import EVERYTHING
from errorstack_live.web import history
from errorstack_live.web.api.kind import AskedMoment, AskedQuery, IsComplete
from errorstack_live.web.api.route import answer, reading
from errorstack_live.web.auth import Reader
from errorstack_live.web.history import Span


@dataclass(frozen=True, slots=True)
class FieldsAsked:
    """Of which errors."""

    query: AskedQuery = field(default_factory=lambda: EVERYTHING)
    since: AskedMoment | None = None
    until: AskedMoment | None = None


@dataclass(frozen=True, slots=True)
class Facet:
    """One field. Nested ones are named by their path; `level` and `type` are the errors' own."""

    name: str
    rows: Annotated[int, Field(description="Errors that have it.")]
    distinct: Annotated[int, Field(description="Different values.")]
    values: Annotated[list[tuple[str, int]], Field(description="The most frequent, with counts.")]


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of the newest errors that match, 2,000 at most."""

    fields: list[Facet]
    rows: Annotated[int, Field(description="Errors that were counted.")]
    complete: IsComplete


@reading("/fields", asks=FieldsAsked, answers=Fields)
async def fields(who: Reader, asked: FieldsAsked) -> Response:
    """Tell the fields of the newest errors that match, and their most frequent values.

    A share link's reader is told of what the link shows and nothing else.
    """
    span = Span(since=asked.since, until=asked.until)
    counted, is_complete = await history.facets(who, asked.query, span)
    found = [asdict(each) for each in counted.facets()]
    return answer({"fields": found, "rows": counted.rows, "complete": is_complete})
