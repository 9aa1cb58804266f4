"""The pages members read: the live view, issues, one error; and where the others join."""

from typing import Any

from jinja2 import StrictUndefined
from quart import Blueprint, Quart, request

from errorstack_live import __version__
from errorstack_live.errors import Unauthorized
from errorstack_live.web import (
    account,
    asset,
    client,
    issue,
    reference,
    render,
    rest,
    setup,
    stack,
    stacks,
    status,
    view,
)
from errorstack_live.web.auth import form_token, member, reader, session
from errorstack_live.web.state import now

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
    issue.register(app)


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


@pages.get("/s/<slug>/e/<error_id>")
async def error(error_id: str, **_: str) -> str:
    """One error whole, printable."""
    return await view.render_error(await reader(), error_id)
