"""The pages members read: the live view, issues, one error; and where the others join."""

from typing import Any

from jinja2 import StrictUndefined
from quart import Blueprint, Quart, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live import __version__
from errorstack_live.errors import Invalid, Unauthorized
from errorstack_live.model import Status
from errorstack_live.query import EVERYTHING
from errorstack_live.web import (
    account,
    asset,
    client,
    history,
    parameter,
    reference,
    render,
    rest,
    setup,
    stack,
    stacks,
    status,
    view,
)
from errorstack_live.web.auth import form_token, member, reader, session, writer
from errorstack_live.web.history import Span
from errorstack_live.web.state import now, state

MAX_ISSUES = 200
NEWEST = 50
STATUSES: dict[str, Status | None] = {"open": Status.OPEN, "resolved": Status.RESOLVED,
                                      "ignored": Status.IGNORED, "all": None}  # fmt: skip
THEMES = {"dark", "light"}

pages = Blueprint("pages", __name__)


def register(app: Quart) -> None:
    """Serve the pages, and what they are made of."""
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True, "undefined": StrictUndefined}
    render.register(app)
    asset.register(app)
    client.register(app)
    app.context_processor(_context)
    for part in (pages, stacks.part, setup.part, status.part):
        app.register_blueprint(part)
    reference.register(app)
    rest.register(app)
    account.register(app)
    stack.register(app)


@pages.before_request
async def require_sign_in() -> None:
    """None of these pages is for strangers."""
    if await session() is None:
        raise Unauthorized("Sign in first")


async def _context() -> dict[str, Any]:
    """What every page may ask for; a handler's own values come before these."""
    theme = request.cookies.get("theme", "")
    return {
        "theme": theme if theme in THEMES else "",
        "keys_off": request.cookies.get("keys") == "off",
        "now": now(),
        "member": await member(),
        "session": await session(),
        "form_token": await form_token(),
        "version": __version__,
        "share": None,
        "note": None,
        "problem": None,
    }


@pages.get("/s/<slug>")
async def live(**_: str) -> str:
    """The live view; with its newest errors also without a script."""
    return await view.render_live(await reader())


@pages.get("/s/<slug>/wall")
async def wall(**_: str) -> str:
    """The live view as a wallboard."""
    return await view.render_live(await reader(), is_wall=True)


@pages.get("/s/<slug>/issues")
async def issues(**_: str) -> str:
    """Issues as a plain list, by state."""
    who = await reader()
    word = request.args.get("status", "open")
    status = parameter.choice({"status": word}, "status", STATUSES, "open")
    found = await history.issues(who, status=status, limit=MAX_ISSUES)
    return await render_template(
        "issues.html",
        **await view.common(who),
        issues=found,
        status=word,
        is_cut=len(found) == MAX_ISSUES,
    )


@pages.get("/s/<slug>/issues/<issue_id>")
async def issue(issue_id: str, **_: str) -> str:
    """One issue with its newest errors."""
    who = await reader()
    found = await history.issue(who, issue_id)
    page = await history.errors(who, EVERYTHING, Span(issue=issue_id), limit=NEWEST)
    return await render_template(
        "issue.html",
        **await view.common(who),
        issue=found,
        errors=page.errors,
        bars=render.spark(await view.recent_bars(who, issue_id), now()),
    )


@pages.post("/s/<slug>/issues/<issue_id>")
async def set_status(issue_id: str, **_: str) -> AnyResponse | Response:
    """Resolve, ignore or reopen an issue."""
    who = await writer()
    form = await request.form
    if form.get("status") not in set(Status):
        raise Invalid(f"status is one of: {', '.join(Status)}")
    found = state().store.issues
    await found.get(who.stack.id, issue_id)
    await found.set_status(who.stack.id, [issue_id], Status(form["status"]), now())
    place = view.place_of(who).page
    return redirect(
        f"{place}/issues" if form.get("back") == "issues" else f"{place}/issues/{issue_id}"
    )


@pages.get("/s/<slug>/e/<error_id>")
async def error(error_id: str, **_: str) -> str:
    """One error whole, printable."""
    return await view.render_error(await reader(), error_id)
