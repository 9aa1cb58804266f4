"""Who may sign in: members, and those who are invited."""

from quart import Blueprint, redirect, request

from errorstack_live.access import Member
from errorstack_live.errors import Conflict
from errorstack_live.web import section
from errorstack_live.web.account.answer import Answer
from errorstack_live.web.auth import signed_in
from errorstack_live.web.password import INVITE_DAYS, is_invite
from errorstack_live.web.section import Question, several
from errorstack_live.web.state import state

NOTES = {
    "removed": "The member is removed; their sessions have ended.",
    "taken-back": "The invitation is taken back; its link no longer works.",
}

part = Blueprint("members", __name__)


@part.get("/members")
async def members() -> Answer:
    """Who may sign in."""
    await signed_in()
    return await members_page(note=NOTES.get(request.args.get("done", "")))


@part.get("/members/<member_id>/remove")
async def ask_to_remove(member_id: str) -> Answer:
    """Say what goes with a member, and ask."""
    return await section.ask(await _question(await _other(member_id)), here_path="/members")


@part.post("/members/<member_id>/remove")
async def remove(member_id: str) -> Answer:
    """Remove another member, or take an invitation back; their sessions end."""
    who = await _other(member_id)
    await state().store.members.remove(who.id)
    done = "taken-back" if is_invite(who.password_hash) else "removed"
    return redirect(f"/members?done={done}")


async def _other(member_id: str) -> Member:
    me = await signed_in()
    if member_id == me.id:
        raise Conflict("You cannot remove yourself: ask another member")
    return await state().store.members.by_id(member_id)


async def _question(who: Member) -> Question:
    path = f"/members/{who.id}/remove"
    if is_invite(who.password_hash):
        return Question(
            f"Take back the invitation of {who.email}?",
            ("the link that was sent to them, which no longer works",),
            "Take it back",
            path,
            "/members",
        )
    sessions = await state().store.sessions.all(who.id)
    tokens = [each for each in await state().store.tokens.all() if each.member == who.id]
    return Question(
        f"Remove {who.email}?",
        (
            "their account and password",
            f"{several(len(sessions), 'session')}: they are signed out everywhere, at once",
            f"{several(len(tokens), 'API token')} that they made",
        ),
        "Remove member",
        path,
        "/members",
        stays="Stacks, errors and share links stay as they are.",
    )


async def members_page(**shown: str | None) -> str:
    """The page of members, with what is ``shown`` on it beside them."""
    given = {"invite_link": "", "invited": "", "note": None, "problem": None, **shown}
    return await section.render(
        "settings/members.html",
        members=await state().store.members.all(),
        invite_days=INVITE_DAYS,
        here_path="/members",
        **given,
    )
