"""Members: who may sign in."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import Field
from quart import Response

from errorstack_live.access import Member
from errorstack_live.errors import Conflict
from errorstack_live.live import rows
from errorstack_live.web import parameter
from errorstack_live.web.api.kind import Id, Millis
from errorstack_live.web.api.route import answer, nothing, signed_in
from errorstack_live.web.origin import public_url
from errorstack_live.web.password import INVITE_DAYS, is_invite, new_invite
from errorstack_live.web.state import now, state


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


@dataclass(frozen=True, slots=True)
class InvitationWish:
    """Who is invited."""

    email: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation, with its link."""

    id: Id
    email: str
    url: str
    expires_at: Millis


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


@signed_in("POST", "/members", takes=InvitationWish, answers=Invitation, status=201)
async def invite(_: Member, body: InvitationWish) -> Response:
    """Invite someone. The link, `url`, is told this once; it works once, and for some days."""
    email = parameter.email(body.email)
    token, marker = new_invite(now())
    invited = await state().store.members.add(email, marker, now())
    return _invitation(invited, token)


@signed_in("POST", "/members/<member_id>/invite", answers=Invitation, status=201)
async def invite_again(_: Member, member_id: str) -> Response:
    """Make another link for someone who was invited; the one before it ends."""
    who = await state().store.members.by_id(member_id)
    if not is_invite(who.password_hash):
        raise Conflict("This member has joined already")
    token, marker = new_invite(now())
    await state().store.members.set_password(who.id, marker)
    return _invitation(who, token)


@signed_in("DELETE", "/members/<member_id>")
async def remove_member(me: Member, member_id: str) -> Response:
    """Remove another member: their sessions and the tokens they made end."""
    if member_id == me.id:
        raise Conflict("You cannot remove yourself: ask another member")
    await state().store.members.remove(member_id)
    return nothing()


def _invitation(invited: Member, token: str) -> Response:
    told = {
        "id": invited.id,
        "email": invited.email,
        "url": f"{public_url()}/invite/{invited.id}/{token}",
        "expires_at": rows.millis(now() + timedelta(days=INVITE_DAYS)),
    }
    return answer(told, 201)
