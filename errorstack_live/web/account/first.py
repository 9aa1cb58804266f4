"""The first member: made by whoever has the link that the server prints when it starts."""

from quart import Blueprint, redirect, render_template, request

from errorstack_live.errors import Forbidden, Invalid
from errorstack_live.query import EVERYTHING
from errorstack_live.web import parameter
from errorstack_live.web.account.answer import Answer, throttled
from errorstack_live.web.attempt import remember_device
from errorstack_live.web.auth import locks, sign_in
from errorstack_live.web.password import check_password
from errorstack_live.web.state import now, state

part = Blueprint("first_member", __name__)


@part.get("/setup")
async def setup() -> Answer:
    """The form for the first member, for whoever has the link printed at start."""
    if await state().store.members.count():
        return redirect("/login")
    return await _form(request.args.get("token", ""))


@part.post("/setup")
@throttled
async def make_first_member() -> Answer:
    """Take the token, which works once, and make the first member."""
    form = await request.form
    secret = form.get("token", "")
    if await state().store.members.count():
        raise Forbidden("There are members already: ask one of them for an invitation")
    try:
        email = parameter.email(form.get("email", ""))
        password = check_password(form.get("password", ""))
    except Invalid as wrong:
        return await _form(secret, form.get("email", ""), wrong.message), 400
    password_hash = await locks().passwords.hash(password)
    if not await state().store.meta.take_setup_token(secret, now()):
        return await _form("", "", "This link was used already or is not the newest one."), 403
    await sign_in(await state().store.members.add(email, password_hash, now()))
    response = redirect(await _first_steps())
    remember_device(response, email)
    return response


async def _first_steps() -> str:
    """Where a newcomer goes: to the only stack's set-up page while it waits for its first error."""
    stacks = await state().store.stacks.all()
    if len(stacks) != 1:
        return "/"
    found = await state().store.errors.find(stacks[0].id, EVERYTHING, limit=1)
    return "/" if found.errors else f"/s/{stacks[0].slug}/setup"


async def _form(secret: str, email: str = "", problem: str = "") -> str:
    lead = (
        "You are the first one here. Choose how you will sign in."
        if secret
        else "Open the link that the server printed when it started. It works once."
    )
    return await render_template(
        "setup.html",
        heading="Welcome to ErrorStack Live",
        lead=lead,
        path="/setup" if secret else "",
        secret=secret,
        email=email,
        is_email_fixed=False,
        button="Create account",
        problem=problem,
    )
