"""Errors that are pinned at the top of a stack's live view."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from quart import Response

from errorstack_live.live.pinboard import told
from errorstack_live.storage.pin import MAX_PINS
from errorstack_live.web import pinning
from errorstack_live.web.api.errors import Row
from errorstack_live.web.api.kind import Millis
from errorstack_live.web.api.route import answer, nothing, reading, writing
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import state


@dataclass(frozen=True, slots=True)
class OnePin:
    """An error that is pinned, and when it was."""

    error: Row
    note: str
    at: Millis
    by: Annotated[str, Field(description="The member's e-mail address; told to members.")] = ""


@dataclass(frozen=True, slots=True)
class Pins:
    """What is pinned, the newest first."""

    pins: Annotated[list[OnePin], Field(max_length=MAX_PINS)]


@dataclass(frozen=True, slots=True)
class PinWish:
    """Why it is pinned."""

    note: Annotated[
        str, Field(description=f"One line of at most {pinning.MAX_NOTE_CHARS} characters.")
    ] = ""


@reading("/pins", answers=Pins)
async def pins(who: Reader) -> Response:
    """List what is pinned, the newest first."""
    return answer({"pins": told(await pinning.pins(who), is_guest=who.is_guest)})


@writing("PUT", "/pins/<error_id>", takes=PinWish)
async def pin(who: Reader, error_id: str, body: PinWish) -> Response:
    """Pin an error for everybody who may see it, or give it another note."""
    await pinning.pin(who, error_id, body.note)
    return nothing()


@writing("DELETE", "/pins/<error_id>")
async def unpin(who: Reader, error_id: str) -> Response:
    """Unpin an error."""
    await state().store.pins.remove(who.stack.id, [error_id])
    return nothing()
