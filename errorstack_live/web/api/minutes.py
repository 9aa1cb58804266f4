"""Minutes: how many errors there were in each."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated

from pydantic import Field
from quart import Response

from errorstack_live.errors import Invalid
from errorstack_live.live import rows
from errorstack_live.query import EVERYTHING
from errorstack_live.web import history
from errorstack_live.web.api.kind import AskedId, AskedMoment, AskedQuery, IsComplete, Minute, Place
from errorstack_live.web.api.route import answer, reading
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import now

MAX_TIME = timedelta(days=92)
"""The longest time that is counted at once."""
MAX_BINS = 12_000
"""The most stretches it is divided into: a week has some ten thousand minutes."""
MAX_STEP_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class MinutesAsked:
    """Which time is wanted, and in which steps: at first the last hour's minutes."""

    since: AskedMoment | None = None
    until: AskedMoment | None = None
    query: AskedQuery = field(default_factory=lambda: EVERYTHING)
    issue: AskedId | None = None
    before: Place | None = None
    step_s: Annotated[int, Field(ge=1, le=MAX_STEP_S, description="Seconds in a step.")] = 60


@dataclass(frozen=True, slots=True)
class Minutes:
    """Errors in each step of time, oldest first; steps without any are left out."""

    minutes: list[Minute]
    step_s: Annotated[int, Field(description="The step used: 60 where a finer one takes too long.")]
    complete: IsComplete
    next: Annotated[str | None, Field(description="What to give as `before` to count the rest.")]


@reading("/minutes", asks=MinutesAsked, answers=Minutes)
async def minutes(who: Reader, asked: MinutesAsked) -> Response:
    """Count errors by minute, or by any other step, and level.

    Without a query the counters are read, which know minutes; everything else is counted when
    asked for, the newest first, and `complete` is false where time was up before all were: then
    ask again with `before`, and add up.
    """
    until = asked.until or now()
    since = asked.since or until - timedelta(hours=1)
    step = timedelta(seconds=asked.step_s)
    if not timedelta(0) <= until - since <= min(MAX_TIME, MAX_BINS * step):
        raise Invalid("since is before until, by 92 days and 12,000 steps at most")
    found = await history.bins(
        who, since, until, step, query=asked.query, issue=asked.issue, before=asked.before
    )
    return answer(
        {
            "minutes": [(rows.millis(at), levels) for at, levels in found.counts],
            "step_s": int(found.step.total_seconds()),
            "complete": found.is_complete,
            "next": found.reached and f"{rows.millis(found.reached[0])},{found.reached[1]}",
        }
    )
