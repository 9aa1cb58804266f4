"""A stack's share links: made, listed, revoked."""

from collections import Counter
from typing import Any

from quart import Blueprint, request

from errorstack_live.errors import Invalid, NotFound, QueryError
from errorstack_live.web import linking, section
from errorstack_live.web.auth import Reader, writer
from errorstack_live.web.section import Question, several
from errorstack_live.web.stack.place import BASE, Answer, back, page, path_of
from errorstack_live.web.state import state

EXPIRIES = (
    ("3600", "in an hour"),
    ("86400", "in a day"),
    ("604800", "in a week"),
    ("2592000", "in 30 days"),
    ("", "never, until it is revoked"),
)
NOTES = {"revoked": "The share link is revoked; whoever watched by it is cut off."}
_NEW = {"share_name": "", "query": "", "hidden": "", "expires": "604800", "with_logs": False}

part = Blueprint("stack_shares", __name__)


@part.get(f"{BASE}/shares")
async def shares(**_: str) -> Answer:
    """Every share link of a stack, and a form for another."""
    return await _page(await writer(), given={**_NEW, "query": request.args.get("q", "")})


@part.post(f"{BASE}/shares")
async def create(**_: str) -> Answer:
    """Make a share link, and show its address this once."""
    who = await writer()
    form = await request.form
    given = {**form, "with_logs": "with_logs" in form}
    try:
        wanted = linking.wish(_wish(given))
    except (Invalid, QueryError) as wrong:
        return await _page(who, problem=wrong.message, given={**_NEW, **given}), wrong.status
    share, link = await linking.create(who.stack, wanted)
    return await _page(who, new_link=link, new_name=share.name or "the new link")


@part.get(f"{BASE}/shares/<share_id>/revoke")
async def ask_to_revoke(share_id: str, **_: str) -> Answer:
    """Say who is cut off, and ask."""
    who = await writer()
    share = await state().store.shares.by_id(share_id)
    if share.stack != who.stack.id:
        raise NotFound("No such share link")
    watching = _watching(who)[share.id]
    question = Question(
        f"Revoke the link {share.name or 'without a name'}?",
        (
            "the link: it opens nothing any more, for anybody who has it",
            f"{several(watching, 'viewer')} by it now, cut off within two seconds",
        ),
        "Revoke link",
        f"{path_of(who, 'shares')}/{share.id}/revoke",
        path_of(who, "shares"),
        stays="Errors and the other links stay. A revoked link cannot be brought back.",
    )
    return await section.ask(question, who, here_path=path_of(who, "shares"))


@part.post(f"{BASE}/shares/<share_id>/revoke")
async def revoke(share_id: str, **_: str) -> Answer:
    """End a share link; its open views close."""
    who = await writer()
    await linking.revoke(who.stack, share_id)
    return back(who, "shares", "revoked")


def _watching(who: Reader) -> Counter[str]:
    """How many watch by each link, in all processes."""
    links = state().hub.presence.audience(who.stack.id).links
    return Counter({each.share: each.viewers for each in links})


def _wish(given: dict[str, Any]) -> dict[str, Any]:
    expires = str(given.get("expires", ""))
    return {
        "name": given.get("share_name", ""),
        "query": given.get("query", ""),
        "hidden": str(given.get("hidden", "")).split(","),
        "with_logs": given["with_logs"],
        "expires_in_s": int(expires) if expires in dict(EXPIRIES) and expires else None,
    }


async def _page(who: Reader, **shown: object) -> str:
    found = await linking.shares(who.stack)
    watching = _watching(who)
    return await page(
        who,
        "shares",
        NOTES,
        shares=found,
        watching=watching,
        expiries=EXPIRIES,
        **{"new_link": "", "new_name": "", "given": _NEW, **shown},
    )
