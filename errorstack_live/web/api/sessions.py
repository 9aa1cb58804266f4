"""Sessions: where the member who asks is signed in."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from quart import Response

from errorstack_live.access import Member
from errorstack_live.errors import NotFound
from errorstack_live.live import rows
from errorstack_live.web import auth
from errorstack_live.web.api.kind import Millis
from errorstack_live.web.api.route import answer, nothing, signed_in
from errorstack_live.web.state import state


@dataclass(frozen=True, slots=True)
class OneSession:
    """One sign-in."""

    id: str
    created_at: Millis
    expires_at: Millis
    agent: Annotated[str, Field(description="The browser's own words for itself.")]
    address: Annotated[str, Field(description="Where it was when it was last in use.")]
    seen_at: Annotated[int | None, Field(description="When that was, exact to five minutes.")]
    current: Annotated[bool, Field(description="Whether it is the one that asks.")]


@dataclass(frozen=True, slots=True)
class Sessions:
    """The caller's own sessions, newest first."""

    sessions: list[OneSession]


@signed_in("GET", "/sessions", answers=Sessions)
async def sessions(me: Member) -> Response:
    """List where you are signed in, newest first."""
    here = await auth.session()
    told = [
        {
            "id": each.id,
            "created_at": rows.millis(each.created_at),
            "expires_at": rows.millis(each.expires_at),
            "agent": each.agent,
            "address": each.address,
            "seen_at": each.seen_at and rows.millis(each.seen_at),
            "current": here is not None and each.id == here.id,
        }
        for each in await state().store.sessions.all(me.id)
    ]
    return answer({"sessions": told})


@signed_in("DELETE", "/sessions/<session_id>")
async def end_session(me: Member, session_id: str) -> Response:
    """Sign out somewhere; its open views close."""
    mine = {each.id for each in await state().store.sessions.all(me.id)}
    if session_id not in mine:
        raise NotFound("There is no such session")
    await state().store.sessions.end(session_id)
    return nothing()
