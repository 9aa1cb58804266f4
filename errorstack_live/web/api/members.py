"""Members: who may sign in."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field
from quart import Response

from errorstack_live.errors import Conflict
from errorstack_live.live import rows
from errorstack_live.model import Member
from errorstack_live.web.api.kind import Id, Millis
from errorstack_live.web.api.route import answer, nothing, signed_in
from errorstack_live.web.password import is_invite
from errorstack_live.web.state import state


@dataclass(frozen=True, slots=True)
class OneMember:
    """A member."""

    id: Id
    email: str
    created_at: Millis
    invited: Annotated[bool, Field(description="Whether they have not chosen a password yet.")]
    you: Annotated[bool, Field(description="Whether it is who asks.")]


@dataclass(frozen=True, slots=True)
class Members:
    """Every member, by e-mail."""

    members: list[OneMember]


@signed_in("GET", "/members", answers=Members)
async def members(me: Member) -> Response:
    """List the members, by e-mail."""
    told = [
        {
            "id": each.id,
            "email": each.email,
            "created_at": rows.millis(each.created_at),
            "invited": is_invite(each.password_hash),
            "you": each.id == me.id,
        }
        for each in await state().store.members.all()
    ]
    return answer({"members": told})


@signed_in("DELETE", "/members/<member_id>")
async def remove_member(me: Member, member_id: str) -> Response:
    """Remove another member: their sessions and the tokens they made end."""
    if member_id == me.id:
        raise Conflict("You cannot remove yourself: ask another member")
    await state().store.members.remove(member_id)
    return nothing()
