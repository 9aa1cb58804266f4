"""Share links of a stack."""

from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from pydantic import Field
from quart import Response

from errorstack_live.access import Share
from errorstack_live.live import rows
from errorstack_live.web import history, linking
from errorstack_live.web.api.errors import Row
from errorstack_live.web.api.kind import Id, IsComplete, Millis
from errorstack_live.web.api.logs import LogMessage
from errorstack_live.web.api.route import answer, nothing, writing
from errorstack_live.web.auth import Reader

PREVIEWED = 5
"""Errors that a preview shows."""


@dataclass(frozen=True, slots=True)
class ShareWish:
    """A share link as it is asked for."""

    name: str = ""
    query: Annotated[str, Field(description="What it shows: errors that match.")] = ""
    hidden: Annotated[
        list[str], Field(description="Names of fields that are cut out of everything.")
    ] = field(default_factory=list)
    with_logs: Annotated[bool, Field(description="Whether log messages are shown, too.")] = False
    expires_in_s: Annotated[int | None, Field(description="Null for never.")] = None
    initial: Annotated[
        str,
        Field(description="How it looks when it is opened: the search part of a view's address."),
    ] = ""


@dataclass(frozen=True, slots=True)
class OneShare:
    """A share link. Its address is told once, when it is made, and not kept."""

    id: Id
    name: str
    query: str
    hidden: list[str]
    with_logs: bool
    initial: str
    created_at: Millis
    expires_at: int | None
    revoked_at: int | None
    viewers: Annotated[int, Field(description="How many watch by it now, in all processes.")]


@dataclass(frozen=True, slots=True)
class NewShare(OneShare):
    """A share link with its address, which is told this once."""

    url: str


@dataclass(frozen=True, slots=True)
class Shares:
    """A stack's share links, newest first."""

    shares: list[OneShare]


@writing("GET", "/shares", answers=Shares)
async def shares(who: Reader) -> Response:
    """List the stack's share links, newest first."""
    watched = linking.watched(who.stack)
    found = await linking.shares(who.stack)
    return answer({"shares": [_share(each, watched[each.id]) for each in found]})


@writing("POST", "/shares", takes=ShareWish, answers=NewShare, status=201)
async def create_share(who: Reader, body: ShareWish) -> Response:
    """Make a share link. Its `url` is told this once."""
    share, url = await linking.create(who.stack, linking.wish(asdict(body)))
    return answer({**_share(share), "url": url}, 201)


@dataclass(frozen=True, slots=True)
class SharePreview:
    """What a link would show now."""

    errors: Annotated[list[Row], Field(description=f"The newest, {PREVIEWED} at most.")]
    logs: Annotated[list[LogMessage], Field(description="The log messages that live now.")]
    complete: IsComplete


@writing("POST", "/shares/preview", takes=ShareWish, answers=SharePreview)
async def preview_share(who: Reader, body: ShareWish) -> Response:
    """Show what a link would show, without making it."""
    viewer = linking.viewer_of(who.stack, linking.wish(asdict(body)))
    page = await history.errors(viewer, limit=PREVIEWED)
    return answer(
        {
            "errors": rows.fragments(map(rows.row, page.errors)),
            "logs": rows.fragments(map(rows.log, await history.logs(viewer))),
            "complete": page.is_complete,
        }
    )


@writing("DELETE", "/shares/<share_id>")
async def revoke_share(who: Reader, share_id: str) -> Response:
    """Revoke a share link; whoever watches by it is cut off."""
    await linking.revoke(who.stack, share_id)
    return nothing()


def _share(share: Share, viewers: int = 0) -> dict[str, Any]:
    return {
        "id": share.id,
        "name": share.name,
        "query": share.query,
        "hidden": share.hidden,
        "with_logs": share.with_logs,
        "initial": share.initial,
        "created_at": rows.millis(share.created_at),
        "expires_at": share.expires_at and rows.millis(share.expires_at),
        "revoked_at": share.revoked_at and rows.millis(share.revoked_at),
        "viewers": viewers,
    }
