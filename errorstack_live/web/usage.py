"""What a stack gets and takes now, for the page of its limits and the API."""

from dataclasses import dataclass
from datetime import timedelta

from errorstack_live.model import Stack
from errorstack_live.web.state import now, state

MEASURED = timedelta(seconds=10)
"""The rate of now is that of so long."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a stack gets now: ``rate`` is in errors a second over the last ten."""

    rate: float
    minute_count: int
    hour_count: int
    peak_rate: float
    refused: dict[str, int]

    @property
    def refused_count(self) -> int:
        """Submissions of the last hour that were refused, for whatever reason."""
        return sum(self.refused.values())


async def measure(stack: Stack) -> Usage:
    """What a stack gets now."""
    until = now()
    store = state().store
    minutes = [
        sum(levels.values())
        for _, levels in await store.minutes.series(
            stack.id, until - HOUR, until + timedelta(minutes=1)
        )
    ]
    recent = await store.measures.errors_between(stack.id, until - MEASURED, until)
    last_minute = await store.measures.errors_between(stack.id, until - timedelta(minutes=1), until)
    return Usage(
        rate=recent / MEASURED.total_seconds(),
        minute_count=last_minute,
        hour_count=sum(minutes),
        peak_rate=max(minutes, default=0) / 60,
        refused=await store.refusals.counts(stack.id, until - HOUR),
    )
