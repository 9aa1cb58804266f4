"""One's own sessions: where one is signed in, and ending that."""

from quart import Blueprint, redirect, request

from errorstack_live import agent
from errorstack_live.errors import NotFound
from errorstack_live.web import section
from errorstack_live.web.account.answer import Answer
from errorstack_live.web.auth import session, signed_in
from errorstack_live.web.state import state

NOTES = {
    "elsewhere": "Every other session of yours has ended.",
    "ended": "The session has ended.",
}

part = Blueprint("sessions", __name__)


@part.get("/account/sessions")
async def sessions() -> Answer:
    """Every session of one's own: the browser, the address, when it was last in use."""
    me = await signed_in()
    found = await state().store.sessions.all(me.id)
    found.sort(key=lambda each: each.seen_at or each.created_at, reverse=True)
    return await section.render(
        "settings/sessions.html",
        sessions=[(each, agent.device(each.agent) or "a browser") for each in found],
        note=NOTES.get(request.args.get("done", "")),
    )


@part.post("/account/sessions/end")
async def end() -> Answer:
    """End one of one's own sessions. Raises NotFound for another's."""
    me = await signed_in()
    wanted = (await request.form).get("session", "")
    found = await state().store.sessions.all(me.id)
    if wanted not in {each.id for each in found}:
        raise NotFound("There is no such session of yours")
    await state().store.sessions.end(wanted)
    return redirect("/account/sessions?done=ended")


@part.post("/account/sign-out-elsewhere")
async def sign_out_elsewhere() -> Answer:
    """End all sessions of this member but this one."""
    me = await signed_in()
    own = await session()
    await state().store.sessions.end_all(me.id, but=own.id if own else "")
    return redirect("/account/sessions?done=elsewhere")
