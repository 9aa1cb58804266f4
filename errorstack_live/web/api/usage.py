"""What a stack gets and takes now."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from quart import Response

from errorstack_live.live import rows
from errorstack_live.web.api.route import answer, writing
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import state
from errorstack_live.web.usage import measure


@dataclass(frozen=True, slots=True)
class Usage:
    """What a stack gets and takes now. Of what is counted, 250,000 means that or more."""

    rate: Annotated[float, Field(description="Errors a second over the last ten.")]
    limit: Annotated[int, Field(description="Submissions a second that each key may send.")]
    last_minute: Annotated[int, Field(description="Errors of the last 60 s.")]
    last_hour: Annotated[int, Field(description="Errors of the last hour.")]
    refused: Annotated[dict[str, int], Field(description="Of the last hour, by reason.")]
    errors: Annotated[int, Field(description="Errors stored.")]
    error_bytes: Annotated[int, Field(description="What they take, about.")]
    disk_bytes: Annotated[int, Field(description="The same on disk, packed, with indexes.")]
    oldest_at: Annotated[int | None, Field(description="The time of the oldest error.")]


@writing("GET", "/usage", answers=Usage)
async def usage(who: Reader) -> Response:
    """Tell what a stack gets, what was refused, and what it takes."""
    found = await measure(who.stack)
    weight = await state().store.measures.weight(who.stack.id)
    return answer(
        {
            "rate": found.rate,
            "limit": who.stack.rate_limit or state().settings.key_rate,
            "last_minute": found.minute_count,
            "last_hour": found.hour_count,
            "refused": found.refused,
            "errors": weight.errors,
            "error_bytes": weight.error_bytes,
            "disk_bytes": weight.disk_bytes,
            "oldest_at": weight.oldest_at and rows.millis(weight.oldest_at),
        }
    )
