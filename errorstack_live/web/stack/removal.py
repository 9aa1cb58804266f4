"""Deleting a stack: what goes with it is said exactly, and its name must be typed."""

from quart import Blueprint, redirect, request

from errorstack_live.storage.measure import MAX_COUNTED
from errorstack_live.web import section
from errorstack_live.web.auth import Reader, writer
from errorstack_live.web.section import Question, several
from errorstack_live.web.stack.place import BASE, Answer, path_of
from errorstack_live.web.state import now, state

WRONG = "That is not the stack's name: nothing was deleted."

part = Blueprint("stack_removal", __name__)


@part.get(f"{BASE}/delete")
async def ask(**_: str) -> Answer:
    """Say what goes with a stack, and ask for its name."""
    who = await writer()
    return await section.ask(await _question(who), who, here_path=path_of(who))


@part.post(f"{BASE}/delete")
async def delete(**_: str) -> Answer:
    """Delete a stack with all that is in it, once its name is typed."""
    who = await writer()
    typed = " ".join((await request.form).get("typed", "").split())
    if typed != who.stack.name:
        page = await section.ask(await _question(who), who, here_path=path_of(who), problem=WRONG)
        return page, 409
    await state().store.stacks.delete(who.stack.id, now())
    return redirect("/?done=deleted")


async def _question(who: Reader) -> Question:
    held = await state().store.measures.contents(who.stack.id, now())
    keys = sum(each.revoked_at is None for each in who.stack.keys)
    watching = state().hub.viewers(who.stack.id)
    return Question(
        f"Delete {who.stack.name}?",
        (
            several(held.errors, "error", most=MAX_COUNTED),
            several(held.issues, "issue", most=MAX_COUNTED),
            several(held.logs, "log message", most=MAX_COUNTED),
            f"{several(keys, 'working key')}: whatever sends with one is refused from then on",
            f"{several(held.shares, 'working share link')}",
            f"{several(watching, 'open view')} of it now",
        ),
        "Delete stack",
        f"{path_of(who)}/delete",
        path_of(who),
        stays="Its pages are gone at once, and all that is stored in it within some minutes. "
        "Nothing brings it back.",
        typed=who.stack.name,
    )
