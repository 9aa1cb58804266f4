"""How long a stack keeps its errors."""

from datetime import timedelta

from quart import Blueprint, request

from errorstack_live.errors import Invalid
from errorstack_live.storage.measure import MAX_COUNTED
from errorstack_live.web import parameter, section
from errorstack_live.web.auth import Reader, writer
from errorstack_live.web.section import Question, several
from errorstack_live.web.stack.place import BASE, Answer, back, page, path_of
from errorstack_live.web.state import now, state

MAX_DAYS = 3650
NOTES = {"saved": "Saved. Errors that are stored already follow within some minutes."}

part = Blueprint("stack_retention", __name__)


@part.get(f"{BASE}/retention")
async def retention(**_: str) -> Answer:
    """How long errors are kept."""
    who = await writer()
    return await _page(who)


@part.post(f"{BASE}/retention")
async def save(**_: str) -> Answer:
    """Set it. Where that deletes errors, it is asked first: ``sure`` is how many were told."""
    who = await writer()
    form = await request.form
    try:
        days = parameter.integer(form, "retention_days", low=1, high=MAX_DAYS)
    except Invalid as wrong:
        return await _page(who, problem=wrong.message), 400
    if "sure" not in form and (goes := await _older(who, days)):
        return await section.ask(
            _question(who, days, goes), who, here_path=path_of(who, "retention")
        )
    await state().store.stacks.configure(who.stack.id, retention_days=days)
    return back(who, "retention", "saved")


async def _older(who: Reader, days: int) -> int:
    """How many errors a shorter retention deletes; 0 where it is no shorter."""
    if days >= who.stack.retention_days:
        return 0
    until = now() - timedelta(days=days)
    return await state().store.measures.errors_between(who.stack.id, None, until)


def _question(who: Reader, days: int, goes: int) -> Question:
    return Question(
        f"Keep errors for {several(days, 'day')} only?",
        (f"{several(goes, 'error', most=MAX_COUNTED)} older than that, within some minutes",),
        "Delete them",
        path_of(who, "retention"),
        path_of(who, "retention"),
        stays="Issues stay, with their counts.",
        values={"retention_days": str(days), "sure": "yes"},
    )


async def _page(who: Reader, **shown: object) -> str:
    weight = await state().store.measures.weight(who.stack.id)
    return await page(who, "retention", NOTES, weight=weight, **shown)
