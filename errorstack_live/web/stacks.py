"""The first page: every stack with what happens in it now, and a form for another."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from quart import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.errors import Invalid
from errorstack_live.model import Issue, Stack
from errorstack_live.web import history, parameter, render
from errorstack_live.web.auth import signed_in
from errorstack_live.web.render import Bar
from errorstack_live.web.state import now, state

LATELY_MINUTES = 5
"""The rate that is shown is that of so long."""
NOTES = {"deleted": "The stack is deleted. What was stored in it goes within some minutes."}

part = Blueprint("stacks", __name__)


@dataclass(frozen=True, slots=True)
class Card:
    """A stack as the first page shows it; ``last`` is the issue seen last."""

    stack: Stack
    bars: list[Bar]
    hour_count: int
    minute_rate: float
    open_count: int
    last: Issue | None


@part.get("/")
async def stacks() -> str:
    """All stacks, and a form for another."""
    await signed_in()
    return await _page(note=NOTES.get(request.args.get("done", "")))


@part.post("/stacks")
async def create() -> AnyResponse | Response | tuple[str, int]:
    """Make a stack; its set-up page is next."""
    await signed_in()
    try:
        name = parameter.name_of((await request.form).get("name", ""))
    except Invalid as wrong:
        return await _page(problem=wrong.message), 400
    made = await state().store.stacks.create(
        name, now=now(), retention_days=state().settings.retention_days
    )
    return redirect(f"/s/{made.slug}/setup")


async def _page(**shown: str | None) -> str:
    found = await state().store.stacks.all()
    open_counts = await state().store.issues.open_counts([each.id for each in found])
    cards = [_card(each, open_counts.get(each.id, 0)) for each in found]
    given = {"note": None, "problem": None, **shown}
    return await render_template("stacks.html", cards=await asyncio.gather(*cards), **given)


async def _card(of: Stack, open_count: int) -> Card:
    until = now()
    store = state().store
    minutes = await store.minutes.series(
        of.id, history.last_hour(until), until + timedelta(minutes=1)
    )
    last = await store.issues.find(of.id, limit=1)
    return Card(
        of,
        render.spark(minutes, until),
        sum(sum(levels.values()) for _, levels in minutes),
        _lately(minutes, until),
        open_count,
        last[0] if last else None,
    )


def _lately(minutes: list[tuple[datetime, dict[str, int]]], until: datetime) -> float:
    """Errors a minute over the last few."""
    since = until - timedelta(minutes=LATELY_MINUTES)
    return sum(sum(levels.values()) for at, levels in minutes if at > since) / LATELY_MINUTES
