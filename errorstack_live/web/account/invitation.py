"""Invitations: a link that works once and for some days; its token is kept as a hash alone."""

from quart import Blueprint, redirect, render_template, request

from errorstack_live.access import Member
from errorstack_live.errors import Conflict, Gone, Invalid, NotFound
from errorstack_live.web import parameter
from errorstack_live.web.account.answer import Answer, throttled
from errorstack_live.web.account.members import members_page
from errorstack_live.web.attempt import remember_device
from errorstack_live.web.auth import locks, sign_in, signed_in
from errorstack_live.web.origin import public_url
from errorstack_live.web.password import check_password, is_invite, new_invite, opens
from errorstack_live.web.state import now, state

part = Blueprint("invitation", __name__)


@part.post("/members")
async def invite() -> Answer:
    """Make a link for another member; it is shown once."""
    await signed_in()
    token, marker = new_invite(now())
    try:
        email = parameter.email((await request.form).get("email", ""))
        invited = await state().store.members.add(email, marker, now())
    except (Invalid, Conflict) as wrong:
        return await members_page(problem=wrong.message), wrong.status
    return await members_page(invite_link=_link(invited, token), invited=email)


@part.post("/members/<member_id>/invite")
async def invite_again(member_id: str) -> Answer:
    """Make another link for someone who was invited; the one before it ends."""
    await signed_in()
    who = await state().store.members.by_id(member_id)
    if not is_invite(who.password_hash):
        raise Conflict("This member has joined already")
    token, marker = new_invite(now())
    await state().store.members.set_password(who.id, marker)
    return await members_page(invite_link=_link(who, token), invited=who.email)


@part.get("/invite/<member_id>/<token>")
async def accept_form(member_id: str, token: str) -> Answer:
    """The form in which someone invited chooses a password."""
    return await _form(await _invited(member_id, token), token)


@part.post("/invite/<member_id>/<token>")
@throttled
async def accept(member_id: str, token: str) -> Answer:
    """Take the invitation, which works once."""
    who = await _invited(member_id, token)
    try:
        password = check_password((await request.form).get("password", ""))
    except Invalid as wrong:
        return await _form(who, token, wrong.message), 400
    await state().store.members.set_password(who.id, await locks().passwords.hash(password))
    await sign_in(who)
    response = redirect("/")
    remember_device(response, who.email)
    return response


def _link(who: Member, token: str) -> str:
    return f"{public_url()}/invite/{who.id}/{token}"


async def _invited(member_id: str, token: str) -> Member:
    try:
        who = await state().store.members.by_id(member_id)
    except NotFound:
        who = None
    if who is None or not opens(who.password_hash, token, now()):
        raise Gone("This invitation was used already, was taken back or has expired")
    return who


async def _form(who: Member, token: str, problem: str = "") -> str:
    return await render_template(
        "setup.html",
        heading="Join ErrorStack Live",
        lead="You were invited. Choose a password.",
        path=f"/invite/{who.id}/{token}",
        secret="",
        email=who.email,
        is_email_fixed=True,
        button="Join",
        problem=problem,
    )
