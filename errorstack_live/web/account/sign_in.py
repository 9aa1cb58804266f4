"""Signing in and out."""

from quart import Blueprint, Response, redirect, render_template, request

from errorstack_live.access import Member
from errorstack_live.errors import TooMany
from errorstack_live.web import parameter
from errorstack_live.web.account.answer import Answer, throttled
from errorstack_live.web.attempt import known_device, remember_device
from errorstack_live.web.auth import check_attempt, local_path, locks, sign_in, sign_out
from errorstack_live.web.state import state

WRONG = "This e-mail and password do not belong together."

part = Blueprint("sign_in", __name__)


@part.get("/login")
async def login() -> Answer:
    """The form to sign in; ``next`` is where to go then."""
    if not await state().store.members.count():
        return redirect("/setup")
    return await _form(request.args.get("next", "/"))


@part.post("/login")
@throttled
async def check_login() -> Answer:
    """Sign in. The answer tells neither by words nor by time whether the e-mail is known."""
    form = await request.form
    email = form.get("email", "").strip().lower()[: parameter.MAX_EMAIL_CHARS]
    password = form.get("password", "")
    try:
        await check_attempt(email, known_device(email))
    except TooMany as wait:
        page = await _form(form.get("next", "/"), email, wait.message)
        return Response(page, 429, {"Retry-After": str(wait.retry_after_s)})
    who = await state().store.members.by_email(email)
    if not await locks().passwords.verify(who.password_hash if who else None, password) or not who:
        return await _form(form.get("next", "/"), email, WRONG), 403
    await _renew_hash(who, password)
    await sign_in(who)
    response = redirect(local_path(form.get("next", "/")))
    remember_device(response, email)
    return response


@part.post("/logout")
async def logout() -> Answer:
    """Sign out here."""
    await sign_out()
    return redirect("/login")


async def _form(next_path: str, email: str = "", problem: str = "") -> str:
    return await render_template(
        "login.html", next=local_path(next_path), email=email, problem=problem
    )


async def _renew_hash(who: Member, password: str) -> None:
    """Hash anew where today's parameters are stronger than those of the hash kept."""
    passwords = locks().passwords
    if passwords.needs_rehash(who.password_hash):
        await state().store.members.set_password(who.id, await passwords.hash(password))
