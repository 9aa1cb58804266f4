"""Members: the first one's set-up, signing in and out, invitations, passwords."""

from datetime import timedelta

from quart import Blueprint, Quart, Response, redirect, render_template, request
from quart_rate_limiter import rate_limit
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.errors import Conflict, Forbidden, Gone, Invalid, NotFound, TooMany
from errorstack_live.model import Member
from errorstack_live.web import parameter
from errorstack_live.web.auth import (
    check_attempt,
    local_path,
    locks,
    sign_in,
    sign_out,
    signed_in,
)
from errorstack_live.web.origin import public_url
from errorstack_live.web.password import (
    INVITE_DAYS,
    MIN_PASSWORD_CHARS,
    check_password,
    is_invite,
    new_invite,
    opens,
)
from errorstack_live.web.state import now, state

ATTEMPTS_PER_MINUTE = 20
"""Forms that take a password or a token, from one address; each of them by itself."""
NOTES = {
    "password": "Your password is changed. Every other session of yours has ended.",
    "elsewhere": "Every other session of yours has ended.",
    "removed": "The member is removed.",
}
WRONG = "This e-mail and password do not belong together."

account = Blueprint("account", __name__)
throttled = rate_limit(ATTEMPTS_PER_MINUTE, timedelta(minutes=1))

Answer = AnyResponse | Response | str | tuple[str, int]


def register(app: Quart) -> None:
    """Serve the pages of members' accounts."""
    app.jinja_env.filters["is_invite"] = is_invite
    app.jinja_env.globals["min_password_chars"] = MIN_PASSWORD_CHARS
    app.register_blueprint(account)


# The first member


@account.get("/setup")
async def setup() -> Answer:
    """The form for the first member, for whoever has the link printed at start."""
    if await state().store.members.count():
        return redirect("/login")
    return await _setup_form(request.args.get("token", ""))


@account.post("/setup")
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
        return await _setup_form(secret, form.get("email", ""), wrong.message), 400
    password_hash = await locks().passwords.hash(password)
    if not await state().store.meta.take_setup_token(secret, now()):
        return await _setup_form(
            "", "", "This link was used already or is not the newest one."
        ), 403
    await sign_in(await state().store.members.add(email, password_hash, now()))
    return redirect("/")


async def _setup_form(secret: str, email: str = "", problem: str = "") -> str:
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


# Signing in and out


@account.get("/login")
async def login() -> Answer:
    """The form to sign in; ``next`` is where to go then."""
    if not await state().store.members.count():
        return redirect("/setup")
    return await _login_form(request.args.get("next", "/"))


@account.post("/login")
@throttled
async def check_login() -> Answer:
    """Sign in. The answer tells neither by words nor by time whether the e-mail is known."""
    form = await request.form
    email = form.get("email", "").strip().lower()[: parameter.MAX_EMAIL_CHARS]
    password = form.get("password", "")
    try:
        check_attempt(email)
    except TooMany as wait:
        page = await _login_form(form.get("next", "/"), email, wait.message)
        return Response(page, 429, {"Retry-After": str(wait.retry_after_s)})
    who = await state().store.members.by_email(email)
    if not await locks().passwords.verify(who.password_hash if who else None, password) or not who:
        return await _login_form(form.get("next", "/"), email, WRONG), 403
    await _renew_hash(who, password)
    await sign_in(who)
    return redirect(local_path(form.get("next", "/")))


@account.post("/logout")
async def logout() -> Answer:
    """Sign out here."""
    await sign_out()
    return redirect("/login")


async def _login_form(next_path: str, email: str = "", problem: str = "") -> str:
    return await render_template(
        "login.html", next=local_path(next_path), email=email, problem=problem
    )


async def _renew_hash(who: Member, password: str) -> None:
    """Hash anew where today's parameters are stronger than those of the hash kept."""
    passwords = locks().passwords
    if passwords.needs_rehash(who.password_hash):
        await state().store.members.set_password(who.id, await passwords.hash(password))


# Invitations


@account.post("/members")
async def invite() -> Answer:
    """Make a one-time link for another member; it is shown once."""
    await signed_in()
    token, marker = new_invite(now())
    try:
        email = parameter.email((await request.form).get("email", ""))
        invited = await state().store.members.add(email, marker, now())
    except (Invalid, Conflict) as wrong:
        return await _members_page(problem=wrong.message), wrong.status
    link = f"{public_url()}/invite/{invited.id}/{token}"
    return await _members_page(invite_link=link, invited=email)


@account.get("/invite/<member_id>/<token>")
async def accept_form(member_id: str, token: str) -> Answer:
    """The form in which someone invited chooses a password."""
    return await _invite_form(await _invited(member_id, token), token)


@account.post("/invite/<member_id>/<token>")
@throttled
async def accept(member_id: str, token: str) -> Answer:
    """Take the invitation, which works once."""
    who = await _invited(member_id, token)
    try:
        password = check_password((await request.form).get("password", ""))
    except Invalid as wrong:
        return await _invite_form(who, token, wrong.message), 400
    await state().store.members.set_password(who.id, await locks().passwords.hash(password))
    await sign_in(who)
    return redirect("/")


async def _invited(member_id: str, token: str) -> Member:
    try:
        who = await state().store.members.by_id(member_id)
    except NotFound:
        who = None
    if who is None or not opens(who.password_hash, token, now()):
        raise Gone("This invitation was used already, was taken back or has expired")
    return who


async def _invite_form(who: Member, token: str, problem: str = "") -> str:
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


# Members, and one's own account


@account.get("/members")
async def members() -> Answer:
    """Who may sign in, and one's own password and sessions."""
    await signed_in()
    return await _members_page(note=NOTES.get(request.args.get("done", "")))


@account.post("/members/<member_id>/remove")
async def remove(member_id: str) -> Answer:
    """Remove another member; their sessions end."""
    me = await signed_in()
    if member_id == me.id:
        raise Conflict("You cannot remove yourself: ask another member")
    await state().store.members.by_id(member_id)
    await state().store.members.remove(member_id)
    return redirect("/members?done=removed")


@account.post("/account/password")
@throttled
async def change_password() -> Answer:
    """Change one's own password; every other session ends."""
    me = await signed_in()
    form = await request.form
    check_attempt(me.email)
    if not await locks().passwords.verify(me.password_hash, form.get("current", "")):
        return await _members_page(problem="The current password is another one."), 403
    try:
        password = check_password(form.get("password", ""))
    except Invalid as wrong:
        return await _members_page(problem=wrong.message), 400
    await state().store.members.set_password(me.id, await locks().passwords.hash(password))
    await _end_other_sessions(me)
    return redirect("/members?done=password")


@account.post("/account/sign-out-elsewhere")
async def sign_out_elsewhere() -> Answer:
    """End all sessions of this member but this one, which begins anew."""
    await _end_other_sessions(await signed_in())
    return redirect("/members?done=elsewhere")


async def _end_other_sessions(me: Member) -> None:
    await state().store.sessions.end_all(me.id)
    await sign_in(me)


async def _members_page(**shown: object) -> str:
    given = {"invite_link": "", "invited": "", "note": None, "problem": None, **shown}
    return await render_template(
        "members.html",
        members=await state().store.members.all(),
        invite_days=INVITE_DAYS,
        **given,
    )
