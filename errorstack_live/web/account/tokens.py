"""API tokens: access for programs, made, listed and revoked; the text of one is shown once."""

from datetime import timedelta

from quart import Blueprint, redirect, request
from werkzeug.datastructures import MultiDict

from errorstack_live.access import Scope, Token
from errorstack_live.errors import Invalid, NotFound
from errorstack_live.web import parameter, section
from errorstack_live.web.account.answer import Answer
from errorstack_live.web.auth import signed_in
from errorstack_live.web.origin import public_url
from errorstack_live.web.render import ago
from errorstack_live.web.section import Question
from errorstack_live.web.state import now, state

PATH = "/account/tokens"
EXPIRIES = (
    ("604800", "in a week"),
    ("2592000", "in 30 days"),
    ("31536000", "in a year"),
    ("", "never, until it is revoked"),
)
SCOPES = {Scope.READ: "read", Scope.WRITE: "read and change"}
NOTES = {"revoked": "The token is revoked: what uses it is refused and cut off."}

part = Blueprint("tokens", __name__)


@part.get(PATH)
async def tokens() -> Answer:
    """Every token, and a form for another."""
    await signed_in()
    return await _page(note=NOTES.get(request.args.get("done", "")))


@part.post(PATH)
async def create() -> Answer:
    """Make a token, and show its text this once."""
    me = await signed_in()
    form = await request.form
    at = now()
    try:
        name = parameter.name_of(form.get("name", ""))
        scope = parameter.choice(form, "scope", {each.value: each for each in SCOPES}, Scope.READ)
        lasts = parameter.choice(form, "expires", {word: word for word, _ in EXPIRIES}, "")
        stacks = await _stacks(form)
    except Invalid as wrong:
        return await _page(problem=wrong.message), 400
    made, text = await state().store.tokens.create(
        name=name,
        scope=scope,
        stacks=stacks,
        member_id=me.id,
        now=at,
        expires_at=at + timedelta(seconds=int(lasts)) if lasts else None,
    )
    return await _page(new_token=text, new_name=made.name)


@part.get(f"{PATH}/<token_id>/revoke")
async def ask_to_revoke(token_id: str) -> Answer:
    """Say what ends with a token, and ask."""
    await signed_in()
    token = await _token(token_id)
    used = ago(token.last_used_at, now()) if token.last_used_at else "never"
    question = Question(
        f"Revoke the token {token.name}?",
        (
            f"its access: it may {SCOPES[token.scope]}, last used {used}",
            "whatever follows a stack with it now, cut off at once",
        ),
        "Revoke token",
        f"{PATH}/{token.id}/revoke",
        PATH,
        stays="What was done with it stays. A revoked token cannot be brought back.",
    )
    return await section.ask(question, here_path=PATH)


@part.post(f"{PATH}/<token_id>/revoke")
async def revoke(token_id: str) -> Answer:
    """End a token for good."""
    await signed_in()
    await state().store.tokens.revoke(token_id)
    return redirect(f"{PATH}?done=revoked")


async def _token(token_id: str) -> Token:
    for each in await state().store.tokens.all():
        if each.id == token_id:
            return each
    raise NotFound("There is no such token")


async def _stacks(form: MultiDict[str, str]) -> list[str] | None:
    """The stacks that were ticked; None, which is all of them and later ones, without any."""
    wanted = form.getlist("stack")
    known = {each.slug: each.id for each in await state().store.stacks.all()}
    if any(each not in known for each in wanted):
        raise Invalid("There is no such stack")
    return [known[each] for each in wanted] or None


async def _page(**shown: str | None) -> str:
    store = state().store
    given = {"note": None, "problem": None, "new_token": "", "new_name": "", **shown}
    found = await store.stacks.all()
    return await section.render(
        "settings/tokens.html",
        here_path=PATH,
        tokens=await store.tokens.all(),
        stacks=found,
        slugs={each.id: each.slug for each in found},
        emails={each.id: each.email for each in await store.members.all()},
        scopes=SCOPES,
        expiries=EXPIRIES,
        url=public_url(),
        **given,
    )
