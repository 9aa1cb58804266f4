"""Share links: a token becomes a cookie for one view, which is read-only, live and unlisted."""

from quart import Blueprint, Quart, Response, redirect
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.errors import NotFound
from errorstack_live.web import issue as issues
from errorstack_live.web import view
from errorstack_live.web.auth import check_share, reader
from errorstack_live.web.cookie import give_share_cookie
from errorstack_live.web.linking import digest
from errorstack_live.web.state import state

share = Blueprint("share", __name__)


def register(app: Quart) -> None:
    """Serve share links."""
    app.register_blueprint(share)


@share.get("/share/<token>")
async def open_share(token: str) -> AnyResponse | Response:
    """Exchange the token for a cookie of its view alone; the address with the token is left.

    Raises NotFound for no such link, Gone for one that was revoked or has expired.
    """
    found = await state().store.shares.by_token_sha256(digest(token))
    if found is None:
        raise NotFound("There is no such share link: it was mistyped, or its stack was deleted")
    check_share(found)
    response = redirect(f"/v/{found.id}?{found.initial}".removesuffix("?"))
    give_share_cookie(response, found)
    return response


@share.get("/v/<share_id>")
async def live(**_: str) -> str:
    """The shared live view."""
    return await view.render_live(await reader())


@share.get("/v/<share_id>/wall")
async def wall(**_: str) -> str:
    """The shared live view as a wallboard."""
    return await view.render_live(await reader(), is_wall=True)


@share.get("/v/<share_id>/issues/<issue_id>")
async def issue(issue_id: str, **_: str) -> issues.Answer:
    """One issue, as far as the shared view shows it."""
    return await issues.render_issue(await reader(), issue_id)


@share.get("/v/<share_id>/e/<error_id>")
async def error(error_id: str, **_: str) -> str:
    """One error of the shared view."""
    return await view.render_error(await reader(), error_id)
