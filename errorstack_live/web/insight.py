"""What the pages and the API tell of one issue beside its errors: did the last deploy fix it,
what do its errors have in common, what is like it, how it went.

All of it is made of what ``history`` lets a reader see.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from errorstack_live import breakdown as breakdowns
from errorstack_live import similar as similarity
from errorstack_live.breakdown import Part
from errorstack_live.model import Issue, Marker
from errorstack_live.query import EVERYTHING
from errorstack_live.web import history
from errorstack_live.web.auth import Reader
from errorstack_live.web.history import Span
from errorstack_live.web.state import now

BEFORE = timedelta(hours=1)
"""Of the time before a marker so much is compared, or since the issue was first seen."""
MAX_SIMILAR_TO = 500
"""Issues that one is compared with: those seen last."""
MAX_BROKEN_DOWN = 1000
"""Errors that are broken down: the newest."""
TREND = timedelta(hours=1)
TREND_STEP = timedelta(minutes=2)
MAX_TRENDS = 300


@dataclass(frozen=True, slots=True)
class Rate:
    """So many errors in so many seconds; not ``is_complete``: at least so many."""

    count: int
    seconds: float
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Fix:
    """An issue before and after the newest marker; without a marker there is nothing to compare."""

    marker: Marker | None
    before: Rate | None
    after: Rate | None
    last_seen_at: datetime
    at: datetime


async def fix(reader: Reader, issue: Issue) -> Fix:
    """Compare the time before the newest marker with the time since."""
    at = now()
    markers = await history.markers(reader, limit=1)
    if not markers:
        return Fix(None, None, None, issue.last_seen_at, at)
    marker = markers[0]
    since = max(marker.at - BEFORE, issue.first_seen_at)
    before = await _rate(reader, issue.id, since, marker.at) if since < marker.at else None
    after = await _rate(reader, issue.id, marker.at, at)
    return Fix(marker, before, after, issue.last_seen_at, at)


async def _rate(reader: Reader, issue_id: str, since: datetime, until: datetime) -> Rate:
    found = await history.count(reader, EVERYTHING, Span(since=since, until=until, issue=issue_id))
    return Rate(found.count, (until - since).total_seconds(), found.is_complete)


async def similar(reader: Reader, issue: Issue) -> list[Issue]:
    """Issues of the same type or with nearly the same title."""
    among = await history.issues(reader, limit=MAX_SIMILAR_TO)
    return similarity.similar(issue, among)


async def breakdown(
    reader: Reader, issue_id: str, names: Sequence[str] = ()
) -> tuple[list[Part], int]:
    """What an issue's newest errors have in common, and how many of them were looked at."""
    page = await history.errors(reader, EVERYTHING, Span(issue=issue_id), limit=MAX_BROKEN_DOWN)
    return breakdowns.breakdown(page.errors, names), len(page.errors)


async def trends(reader: Reader, issue_ids: Sequence[str]) -> tuple[datetime, dict[str, list[int]]]:
    """Errors of each issue in steps of the last hour, oldest first, and when the first step began.

    An issue without any is left out.
    """
    step = TREND_STEP.total_seconds()
    last = now().timestamp() // step * step
    count = int(TREND / TREND_STEP)
    first = last - (count - 1) * step
    began_at = datetime.fromtimestamp(first, now().tzinfo)
    found: dict[str, list[int]] = {}
    series = await history.minutes_of(reader, issue_ids[:MAX_TRENDS], began_at, now())
    for issue_id, minutes in series.items():
        steps = found.setdefault(issue_id, [0] * count)
        for at, levels in minutes:
            place = int((at.timestamp() - first) // step)
            if 0 <= place < count:
                steps[place] += sum(levels.values())
    return began_at, found
