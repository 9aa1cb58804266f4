"""A stack's name and its name in addresses."""

from quart import Blueprint, request

from errorstack_live.errors import Conflict, Invalid
from errorstack_live.web import parameter
from errorstack_live.web.auth import writer
from errorstack_live.web.stack.place import BASE, Answer, back, page
from errorstack_live.web.state import state

NOTES = {"saved": "Saved.", "moved": "Saved. The address before goes on leading here."}

part = Blueprint("stack_general", __name__)


@part.get(BASE)
async def general(**_: str) -> Answer:
    """The first section."""
    return await page(await writer(), "", NOTES)


@part.post(BASE)
async def save(**_: str) -> Answer:
    """Rename a stack; its former address goes on working."""
    who = await writer()
    form = await request.form
    stacks = state().store.stacks
    try:
        name = parameter.name_of(form.get("name", ""))
        slug = parameter.slug(form.get("slug", who.stack.slug))
        if slug != who.stack.slug:
            await stacks.move(who.stack.id, slug)
    except (Invalid, Conflict) as wrong:
        return await page(who, "", NOTES, problem=wrong.message), wrong.status
    await stacks.rename(who.stack.id, name)
    moved = await state().store.stacks.by_id(who.stack.id)
    here = type(who)(moved, who.member, who.share, who.session_id)
    return back(here, "", "moved" if slug != who.stack.slug else "saved")
