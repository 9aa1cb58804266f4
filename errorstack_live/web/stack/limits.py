"""What a stack's senders may send, and what they do send and take, as it changes."""

from dataclasses import dataclass
from datetime import timedelta

from quart import Blueprint, request

from errorstack_live.errors import Invalid
from errorstack_live.model import Stack
from errorstack_live.storage.measure import Weight
from errorstack_live.web import parameter
from errorstack_live.web.auth import writer
from errorstack_live.web.stack.place import BASE, Answer, back, page
from errorstack_live.web.state import now, state

MAX_RATE = 1_000_000
MEASURED = timedelta(seconds=10)
HOUR = timedelta(hours=1)
NOTES = {"saved": "Saved. It holds within a second."}
REASONS = {
    "rate-limited": "sent faster than the limit",
    "unknown-key": "sent with a revoked key",
    "storage-away": "the database was away",
    "disk-full": "the disk was nearly full",
    "too-large": "larger than 8 MB",
    "address-too-long": "an address longer than 32 KB",
    "bad-submission": "could not be read",
}
"""What a reason of refusal is for people; another one is shown as it is."""

part = Blueprint("stack_limits", __name__)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a stack gets now: ``rate`` is in errors a second over the last ten."""

    rate: float
    minute_count: int
    hour_count: int
    peak_rate: float
    refused: dict[str, int]
    weight: Weight

    @property
    def refused_count(self) -> int:
        """Submissions of the last hour that were refused, for whatever reason."""
        return sum(self.refused.values())


@part.get(f"{BASE}/limits")
async def limits(**_: str) -> Answer:
    """The limit and the meter."""
    return await _page()


@part.post(f"{BASE}/limits")
async def save(**_: str) -> Answer:
    """Set how fast each key may send; without a figure the server's setting holds."""
    who = await writer()
    form = await request.form
    try:
        text = form.get("rate_limit", "").strip()
        rate = (
            parameter.integer({"rate_limit": text}, "rate_limit", low=1, high=MAX_RATE)
            if text
            else None
        )
    except Invalid as wrong:
        return await _page(problem=wrong.message), 400
    await state().store.stacks.configure(who.stack.id, rate_limit=rate)
    return back(who, "limits", "saved")


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
        weight=await store.measures.weight(stack.id),
    )


async def _page(**shown: object) -> str:
    who = await writer()
    settings = state().settings
    return await page(
        who,
        "limits",
        NOTES,
        usage=await measure(who.stack),
        limit=who.stack.rate_limit or settings.key_rate,
        usual_limit=settings.key_rate,
        burst=settings.key_burst,
        max_body_bytes=settings.max_body_bytes,
        reasons=REASONS,
        **shown,
    )
