"""One's own account: password, e-mail address, and how the pages look and answer to keys."""

from quart import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.access import Member
from errorstack_live.errors import Conflict, Forbidden, Invalid
from errorstack_live.web import parameter, section
from errorstack_live.web.account.answer import Answer, throttled
from errorstack_live.web.attempt import remember_device
from errorstack_live.web.auth import check_attempt, locks, session, sign_in, signed_in
from errorstack_live.web.origin import is_https
from errorstack_live.web.password import check_password
from errorstack_live.web.state import state

THEMES = {"auto": "As the system", "dark": "Dark", "light": "Light"}
YEAR_S = 31_536_000
NOTES = {
    "password": "Your password is changed. Every other session of yours has ended.",
    "email": "Your e-mail address is changed: sign in with it from now on.",
    "looks": "Saved for this browser.",
}
WRONG = "The current password is another one."

part = Blueprint("account", __name__)


@part.get("/account")
async def account() -> Answer:
    """One's own account."""
    await signed_in()
    return await _page(note=NOTES.get(request.args.get("done", "")))


@part.post("/account/password")
@throttled
async def change_password() -> Answer:
    """Change one's own password; every other session ends."""
    me = await signed_in()
    form = await request.form
    try:
        await _check_password(me, form.get("current", ""))
        password = check_password(form.get("password", ""))
    except (Forbidden, Invalid) as wrong:
        return await _page(problem=wrong.message), wrong.status
    await state().store.members.set_password(me.id, await locks().passwords.hash(password))
    await state().store.sessions.end_all(me.id)
    await sign_in(me)
    return redirect("/account?done=password")


@part.post("/account/email")
@throttled
async def change_email() -> Answer:
    """Change the address one signs in with."""
    me = await signed_in()
    form = await request.form
    try:
        await _check_password(me, form.get("current", ""))
        email = parameter.email(form.get("email", ""))
        await state().store.members.set_email(me.id, email)
    except (Forbidden, Invalid, Conflict) as wrong:
        return await _page(problem=wrong.message), wrong.status
    response = redirect("/account?done=email")
    remember_device(response, email)
    return response


@part.post("/account/looks")
async def change_looks() -> Answer:
    """Set what this browser keeps: the theme, and whether single letters are keys."""
    await signed_in()
    form = await request.form
    theme = parameter.choice(form, "theme", {each: each for each in THEMES}, "auto")
    response = redirect("/account?done=looks")
    _keep(response, "theme", "" if theme == "auto" else theme)
    _keep(response, "keys", "" if "keys" in form else "off")
    return response


async def _check_password(me: Member, password: str) -> None:
    """Raises Forbidden for a wrong one, TooMany after too many."""
    own = await session()
    await check_attempt(me.email, f"session:{own.id}" if own else "")
    if not await locks().passwords.verify(me.password_hash, password):
        raise Forbidden(WRONG)


def _keep(response: AnyResponse, name: str, word: str) -> None:
    """Set a cookie that the pages' own scripts may read and set, too; without a word it goes."""
    response.set_cookie(
        name, word, max_age=YEAR_S if word else 0, samesite="Lax", secure=is_https()
    )


async def _page(**shown: str | None) -> str:
    theme = request.cookies.get("theme", "")
    given = {"note": None, "problem": None, **shown}
    return await section.render(
        "settings/account.html",
        here_path="/account",
        themes=THEMES,
        own_theme=theme if theme in THEMES else "auto",
        with_keys=request.cookies.get("keys") != "off",
        **given,
    )
