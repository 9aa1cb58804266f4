"""One stack's settings: its name, how long it keeps, what it scrubs, its keys and share links."""

from typing import Any

from quart import Blueprint, Quart, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.errors import Conflict, Invalid, QueryError
from errorstack_live.web import linking, parameter, view
from errorstack_live.web.auth import Reader, writer
from errorstack_live.web.state import now, state

MAX_RETENTION_DAYS = 3650
EXPIRIES = (
    ("3600", "in an hour"),
    ("86400", "in a day"),
    ("604800", "in a week"),
    ("2592000", "in 30 days"),
    ("", "never, until it is revoked"),
)
NOTES = {
    "saved": "Saved.",
    "key-added": "The new key works.",
    "key-revoked": "The key is revoked.",
    "share-revoked": "The share link is revoked; whoever watched by it is cut off.",
}
_NEW_SHARE = {
    "share_name": "", "query": "", "hidden": "", "expires": "604800", "with_logs": True
}  # fmt: skip

stack = Blueprint("stack", __name__)

Answer = AnyResponse | Response | str | tuple[str, int]


def register(app: Quart) -> None:
    """Serve stacks' settings."""
    app.register_blueprint(stack)


@stack.get("/s/<slug>/settings")
async def settings(**_: str) -> Answer:
    """All settings of a stack."""
    who = await writer()
    given = {**_NEW_SHARE, "query": request.args.get("q", "")}
    return await _page(who, note=NOTES.get(request.args.get("done", "")), given=given)


@stack.post("/s/<slug>/settings")
async def save(**_: str) -> Answer:
    """Rename, and set how long errors are kept and which fields are scrubbed."""
    who = await writer()
    form = await request.form
    try:
        name = parameter.name_of(form.get("name", ""))
        days = parameter.integer(form, "retention_days", low=1, high=MAX_RETENTION_DAYS)
        scrub = parameter.field_names(form.get("scrub", "").splitlines())
    except Invalid as wrong:
        return await _page(who, problem=wrong.message), 400
    stacks = state().store.stacks
    await stacks.rename(who.stack.id, name)
    await stacks.configure(who.stack.id, retention_days=days, scrub=scrub)
    return _back(who, "saved")


@stack.post("/s/<slug>/keys")
async def add_key(**_: str) -> Answer:
    """Make a further key."""
    who = await writer()
    await state().store.stacks.add_key(who.stack.id, now())
    return _back(who, "key-added")


@stack.post("/s/<slug>/keys/revoke")
async def revoke_key(**_: str) -> Answer:
    """End a key for good."""
    who = await writer()
    await state().store.stacks.revoke_key(who.stack.id, (await request.form).get("key", ""), now())
    return _back(who, "key-revoked")


@stack.post("/s/<slug>/shares")
async def create_share(**_: str) -> Answer:
    """Make a share link, and show its address this once."""
    who = await writer()
    form = await request.form
    given = {**form, "with_logs": "with_logs" in form}
    try:
        wanted = linking.wish(_wish(given))
    except (Invalid, QueryError) as wrong:
        page = await _page(who, problem=wrong.message, given={**_NEW_SHARE, **given})
        return page, wrong.status
    share, link = await linking.create(who.stack, wanted)
    return await _page(who, new_link=link, new_name=share.name or "the new link")


@stack.post("/s/<slug>/shares/<share_id>/revoke")
async def revoke_share(share_id: str, **_: str) -> Answer:
    """End a share link; its open views close."""
    who = await writer()
    await linking.revoke(who.stack, share_id)
    return _back(who, "share-revoked")


@stack.post("/s/<slug>/delete")
async def delete(**_: str) -> Answer:
    """Delete a stack with all that is in it, once its name is typed."""
    who = await writer()
    typed = " ".join((await request.form).get("confirm", "").split())
    if typed != who.stack.name:
        problem = Conflict("That is not the stack's name: nothing was deleted.")
        return await _page(who, problem=problem.message), problem.status
    await state().store.stacks.delete(who.stack.id)
    return redirect("/")


def _wish(given: dict[str, Any]) -> dict[str, Any]:
    expires = str(given.get("expires", ""))
    return {
        "name": given.get("share_name", ""),
        "query": given.get("query", ""),
        "hidden": str(given.get("hidden", "")).split(","),
        "with_logs": given["with_logs"],
        "expires_in_s": int(expires) if expires in dict(EXPIRIES) and expires else None,
    }


def _back(who: Reader, done: str) -> AnyResponse:
    response: AnyResponse = redirect(f"{view.place_of(who).page}/settings?done={done}")
    return response


async def _page(who: Reader, **shown: object) -> str:
    content = {
        "note": None,
        "problem": None,
        "new_link": "",
        "new_name": "",
        "given": _NEW_SHARE,
        **shown,
    }
    return await render_template(
        "settings.html",
        **await view.common(who),
        shares=await linking.shares(who.stack),
        expiries=EXPIRIES,
        **content,
    )
