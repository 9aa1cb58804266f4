"""Minutes: how many errors there were in each."""

from dataclasses import dataclass, field
from datetime import timedelta

from quart import Response

from errorstack_live.errors import Invalid
from errorstack_live.live import rows
from errorstack_live.query import EVERYTHING
from errorstack_live.web import history
from errorstack_live.web.api.kind import AskedId, AskedMoment, AskedQuery, IsComplete, Minute
from errorstack_live.web.api.route import answer, reading
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import now

MAX_MINUTES = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class MinutesAsked:
    """Which minutes are wanted: the last hour's, at first; those of 7 days at most."""

    since: AskedMoment | None = None
    until: AskedMoment | None = None
    query: AskedQuery = field(default_factory=lambda: EVERYTHING)
    issue: AskedId | None = None


@dataclass(frozen=True, slots=True)
class Minutes:
    """Errors a minute, oldest first; minutes without any are left out."""

    minutes: list[Minute]
    complete: IsComplete


@reading("/minutes", asks=MinutesAsked, answers=Minutes)
async def minutes(who: Reader, asked: MinutesAsked) -> Response:
    """Count errors by minute and level.

    Without a query the counters are read; with one the newest errors that match are, and
    `complete` is false where there are more of them.
    """
    until = asked.until or now()
    since = asked.since or until - timedelta(hours=1)
    if not timedelta(0) <= until - since <= MAX_MINUTES:
        raise Invalid("since is before until, by 7 days at most")
    series, is_complete = await history.minutes(
        who, since, until, query=asked.query, issue=asked.issue
    )
    counted = [(rows.millis(at), levels) for at, levels in series]
    return answer({"minutes": counted, "complete": is_complete})
