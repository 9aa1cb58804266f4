"""What there is to know of an issue beside its errors."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field
from quart import Response

from errorstack_live.errors import Invalid
from errorstack_live.live import rows
from errorstack_live.web import history, insight, parameter
from errorstack_live.web.api.issues import Issues
from errorstack_live.web.api.kind import Id, IsComplete, Millis
from errorstack_live.web.api.markers import OneMarker
from errorstack_live.web.api.route import answer, reading
from errorstack_live.web.auth import Reader

MAX_NAMES = 8


@dataclass(frozen=True, slots=True)
class OneRate:
    """So many errors in so many seconds."""

    count: int
    seconds: float
    complete: IsComplete


@dataclass(frozen=True, slots=True)
class FixSaid:
    """An issue before and after the newest marker. All null without a marker."""

    marker: OneMarker | None
    before: Annotated[OneRate | None, Field(description="The hour before it, or what there was.")]
    after: Annotated[OneRate | None, Field(description="The time since.")]
    last_seen_at: Millis
    at: Annotated[int, Field(description="The server's clock.")]


@dataclass(frozen=True, slots=True)
class OnePart:
    """One field: its most common values, and how many errors have others, or none."""

    name: str
    values: list[tuple[str, int]]
    others: int
    missing: int


@dataclass(frozen=True, slots=True)
class BreakdownAsked:
    """Which fields are wanted."""

    names: Annotated[
        str, Field(description=f"Names with commas between, {MAX_NAMES} at most; else our choice.")
    ] = ""


@dataclass(frozen=True, slots=True)
class BreakdownSaid:
    """What the newest errors of an issue have in common."""

    fields: list[OnePart]
    errors: Annotated[int, Field(description="So many were looked at, the newest.")]


@dataclass(frozen=True, slots=True)
class TrendsAsked:
    """Of which issues."""

    issues: Annotated[
        str, Field(description=f"Ids with commas between, {insight.MAX_TRENDS} at most.")
    ]


@dataclass(frozen=True, slots=True)
class TrendsSaid:
    """How many errors each issue had in the last hour, in steps, oldest first."""

    since: Millis
    step_s: int
    trends: dict[Id, list[int]]


@reading("/issues/<issue_id>/fix", answers=FixSaid)
async def fix(who: Reader, issue_id: str) -> Response:
    """Did that fix it: compare the time before the newest marker with the time since."""
    said = await insight.fix(who, await history.issue(who, issue_id))
    return answer(encoded(said))


@reading("/issues/<issue_id>/similar", answers=Issues)
async def similar(who: Reader, issue_id: str) -> Response:
    """List issues of the same type, or with nearly the same title."""
    found = await insight.similar(who, await history.issue(who, issue_id))
    return answer({"issues": rows.fragments(map(rows.issue, found))})


@reading("/issues/<issue_id>/breakdown", asks=BreakdownAsked, answers=BreakdownSaid)
async def breakdown(who: Reader, asked: BreakdownAsked, issue_id: str) -> Response:
    """Break an issue's errors down by fields."""
    await history.issue(who, issue_id)
    names = [name for name in asked.names.split(",") if name][:MAX_NAMES]
    parts, count = await insight.breakdown(who, issue_id, names)
    fields = [
        {"name": one.name, "values": one.values, "others": one.others, "missing": one.missing}
        for one in parts
    ]
    return answer({"fields": fields, "errors": count})


@reading("/trends", asks=TrendsAsked, answers=TrendsSaid)
async def trends(who: Reader, asked: TrendsAsked) -> Response:
    """Tell how issues went in the last hour; those without any error are left out."""
    ids = asked.issues.split(",")
    if len(ids) > insight.MAX_TRENDS or not all(map(parameter.is_id, ids)):
        raise Invalid(f"issues: at most {insight.MAX_TRENDS} ids with commas between")
    since, found = await insight.trends(who, ids)
    step_s = int(insight.TREND_STEP.total_seconds())
    return answer({"since": rows.millis(since), "step_s": step_s, "trends": found})


def encoded(said: insight.Fix) -> dict[str, Any]:
    """Before and after, as JSON values."""
    return {
        "marker": said.marker and rows.fragments([rows.marker(said.marker)])[0],
        "before": _rate(said.before),
        "after": _rate(said.after),
        "last_seen_at": rows.millis(said.last_seen_at),
        "at": rows.millis(said.at),
    }


def _rate(rate: insight.Rate | None) -> dict[str, Any] | None:
    if rate is None:
        return None
    return {"count": rate.count, "seconds": rate.seconds, "complete": rate.is_complete}
