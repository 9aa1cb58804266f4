"""What a stack's senders may send, and what they do send and take, as it changes."""

from quart import Blueprint, request

from errorstack_live.errors import Invalid
from errorstack_live.storage.measure import MAX_COUNTED
from errorstack_live.web import parameter
from errorstack_live.web.auth import writer
from errorstack_live.web.stack.place import BASE, Answer, back, page
from errorstack_live.web.state import state
from errorstack_live.web.usage import measure

MAX_RATE = 1_000_000
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


async def _page(**shown: object) -> str:
    """The page; ``?part=now`` asks for what moves alone, without what is slow to measure."""
    who = await writer()
    settings = state().settings
    is_part = request.args.get("part") == "now"
    return await page(
        who,
        "limits",
        NOTES,
        usage=await measure(who.stack),
        weight=None if is_part else await state().store.measures.weight(who.stack.id),
        most_counted=MAX_COUNTED,
        limit=who.stack.rate_limit or settings.key_rate,
        usual_limit=settings.key_rate,
        burst=settings.key_burst,
        max_body_bytes=settings.max_body_bytes,
        reasons=REASONS,
        **shown,
    )
