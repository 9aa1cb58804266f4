"""Issues as pages: their list, and each on a page of its own that lives; whole without a script."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from quart import Blueprint, Quart, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.errors import Invalid, NotFound
from errorstack_live.live import rows
from errorstack_live.model import Error, Issue, Status
from errorstack_live.query import EVERYTHING
from errorstack_live.query.node import Equals, Node, Term, all_of, canonical
from errorstack_live.web import history, insight, parameter, render, view
from errorstack_live.web.auth import Reader, reader, writer
from errorstack_live.web.history import Span
from errorstack_live.web.render import Column
from errorstack_live.web.state import now, state

MAX_ISSUES = 200
NEWEST = 30
STATUSES: dict[str, Status | None] = {"open": Status.OPEN, "resolved": Status.RESOLVED,
                                      "ignored": Status.IGNORED, "all": None}  # fmt: skip
SORTS = {"last_seen": "Last seen", "count": "Count", "first_seen": "First seen"}
WAYS: dict[str, tuple[str, timedelta | None, int | None]] = {
    "hour": ("for an hour", timedelta(hours=1), None),
    "day": ("for a day", timedelta(days=1), None),
    "week": ("for a week", timedelta(days=7), None),
    "10": ("until 10 more", None, 10),
    "100": ("until 100 more", None, 100),
    "1000": ("until 1,000 more", None, 1000),
    "ever": ("for ever", None, None),
}
"""How long an issue is ignored: words, and a time or a number of further errors."""
DONE = {
    "resolved": "Resolved. It opens again, as regressed, when it returns.",
    "ignored": "Ignored.",
    "open": "Open again.",
    "merged": "They are one issue now; their errors follow within moments.",
    "unmerged": "It stands alone again; its errors follow within moments.",
    "undone": "Taken back.",
}
MAX_BULK = 500


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back a trend goes, in steps."""

    label: str
    span: timedelta
    step: timedelta


REACHES = {
    "day": Reach("24 hours", timedelta(days=1), timedelta(minutes=15)),
    "week": Reach("7 days", timedelta(days=7), timedelta(hours=2)),
}

part = Blueprint("issue", __name__)

Answer = AnyResponse | Response | str


def register(app: Quart) -> None:
    """Serve issues."""
    app.register_blueprint(part)


@part.get("/s/<slug>/issues")
async def issues(**_: str) -> str:
    """Issues as a plain list, by state and order."""
    who = await reader()
    word, sort = request.args.get("status", "open"), request.args.get("sort", "last_seen")
    text = request.args.get("text", "").strip()[:200]
    status = parameter.choice({"status": word}, "status", STATUSES, "open")
    parameter.choice({"sort": sort}, "sort", SORTS, "last_seen")
    found = await history.issues(who, status=status, limit=MAX_ISSUES, sort=sort, text=text)
    since, trends = await insight.trends(who, [each.id for each in found])
    return await render_template(
        "issues.html",
        **await view.common(who),
        issues=found,
        trends={one: render.columns(steps, since, insight.TREND_STEP)
                for one, steps in trends.items()},
        status=word,
        sort=sort,
        sorts=SORTS,
        text=text,
        ways=WAYS,
        can_write=who.can_write,
        note=DONE.get(request.args.get("done", "")),
        undo=_undo_of(request.args),
        is_cut=len(found) == MAX_ISSUES,
    )  # fmt: skip


@part.post("/s/<slug>/issues")
async def speak_of_many(**_: str) -> AnyResponse:
    """Say something of the issues that are ticked, or make one of them."""
    who = await writer()
    form = await request.form
    ids = [each for each in form.getlist("ids") if parameter.is_id(each)][:MAX_BULK]
    place = f"{view.place_of(who).page}/issues"
    if not ids:
        return redirect(place)
    if form.get("do") == "merge":
        found = await state().store.issues.by_ids(ids)
        into = max(found, key=lambda each: each.count, default=None)
        if into is not None:
            await state().store.merges.merge(who.stack.id, ids, into.id, now())
        return redirect(f"{place}?done=merged")
    return await _say(who, ids, form.get("do", ""), form.get("way", "ever"), place)


@part.get("/s/<slug>/issues/<issue_id>")
async def issue(issue_id: str, **_: str) -> Answer:
    """One issue."""
    return await render_issue(await reader(), issue_id)


@part.post("/s/<slug>/issues/<issue_id>")
async def speak_of_one(issue_id: str, **_: str) -> AnyResponse:
    """Resolve, ignore or reopen an issue; or take it out of the one it was merged into."""
    who = await writer()
    form = await request.form
    place = view.place_of(who).page
    if form.get("do") == "unmerge":
        await state().store.merges.unmerge(who.stack.id, issue_id, now())
        return redirect(f"{place}/issues/{issue_id}?done=unmerged")
    await state().store.issues.get(who.stack.id, issue_id)
    back = "" if form.get("back") == "issues" else f"/{issue_id}"
    word = form.get("do") or form.get("status", "")
    return await _say(who, [issue_id], word, form.get("way", "ever"), f"{place}/issues{back}")


@part.post("/s/<slug>/undo")
async def undo(**_: str) -> AnyResponse:
    """Take back what was said of issues at a moment."""
    who = await writer()
    form = await request.form
    ids = [each for each in form.get("ids", "").split(",") if parameter.is_id(each)][:MAX_BULK]
    at = parameter.moment(form, "done_at")
    if at is not None:
        await state().store.issues.undo(who.stack.id, ids, at)
    back = f"/{ids[0]}" if len(ids) == 1 and form.get("back") != "issues" else ""
    return redirect(f"{view.place_of(who).page}/issues{back}?done=undone")


async def render_issue(who: Reader, issue_id: str) -> Answer:
    """One issue: how it goes, what its errors have in common, what is like it."""
    found = await history.issue(who, issue_id)
    place = view.place_of(who).page
    if found.into is not None:
        return redirect(f"{place}/issues/{found.into}")
    reach = parameter.choice(request.args, "reach", REACHES, "day")
    (
        newest,
        fixed,
        (parts, looked_at),
        alike,
        (since, columns, markers),
        merged,
    ) = await asyncio.gather(
        _newest(who, issue_id),
        insight.fix(who, found),
        insight.breakdown(who, issue_id),
        insight.similar(who, found),
        _trend(who, issue_id, reach),
        _merged(who, issue_id),
    )
    return await render_template(
        "issue.html",
        **await view.common(who),
        issue=found,
        errors=newest,
        fix=fixed,
        parts=parts,
        looked_at=looked_at,
        alike=alike,
        merged=merged,
        asked=partial(_asked, issue_id),
        columns=columns,
        markers=markers,
        since=since,
        reach=reach,
        reaches=REACHES,
        ways=WAYS,
        can_write=who.can_write,
        note=DONE.get(request.args.get("done", "")),
        undo=_undo_of(request.args),
        boot=_boot(who, found, reach),
    )


def _asked(issue_id: str, name: str, value: str) -> str:
    """The query for an issue's errors that have this value."""
    terms: list[Node] = [Term("issue", (Equals(issue_id),)), Term(name, (Equals(value),))]
    return canonical(all_of(terms))


async def _newest(who: Reader, issue_id: str) -> Sequence[Error]:
    return (await history.errors(who, EVERYTHING, Span(issue=issue_id), limit=NEWEST)).errors


async def _merged(who: Reader, issue_id: str) -> list[Issue]:
    if not who.can_write:
        return []
    return await state().store.issues.merged_into(who.stack.id, issue_id)


async def _trend(
    who: Reader, issue_id: str, reach: Reach
) -> tuple[datetime, list[Column], list[tuple[float, str]]]:
    """When it begins, its columns, and the markers as places from 0 to 100 with their words."""
    until = now()
    since = until - reach.span
    bins = await history.bins(who, since, until, reach.step, issue=issue_id)
    step_s = reach.step.total_seconds()
    count = int(reach.span / reach.step)
    first = until.timestamp() // step_s * step_s - (count - 1) * step_s
    steps = [0] * count
    for at, levels in bins.counts:
        place = int((at.timestamp() - first) // step_s)
        if 0 <= place < count:
            steps[place] += sum(levels.values())
    began_at = datetime.fromtimestamp(first, until.tzinfo)
    markers = [
        ((each.at.timestamp() - first) / (count * step_s) * 100, each.text)
        for each in await history.markers(who)
        if each.at >= began_at
    ]
    return began_at, render.columns(steps, began_at, reach.step), markers


async def _say(who: Reader, ids: list[str], word: str, way: str, place: str) -> AnyResponse:
    """Say it, and go back with the way to take it back in the address."""
    if word not in set(Status):
        raise Invalid(f"status is one of: {', '.join(Status)}")
    _, span, more = parameter.choice({"way": way}, "way", WAYS, "ever")
    at = now()
    changed = await state().store.issues.set_status(
        who.stack.id, ids, Status(word), at, until_at=at + span if span else None, more=more
    )
    if not changed:
        raise NotFound("There is no such issue")
    told = {"done": word, "at": rows.millis(at)}
    if len(changed) <= 50:  # a longer address is no use
        told["ids"] = ",".join(each.id for each in changed)
    return redirect(f"{place}?{urlencode(told)}")


def _undo_of(args: Mapping[str, str]) -> dict[str, str] | None:
    """The form's values that take back what was said just now."""
    ids, at = args.get("ids", ""), args.get("at", "")
    if not at.isdigit() or not all(map(parameter.is_id, ids.split(","))):
        return None
    return {"ids": ids, "done_at": at}


def _boot(who: Reader, found: Issue, reach: Reach) -> dict[str, Any]:
    """What the page's script starts with."""
    place = view.place_of(who)
    return {
        "base": place.data,
        "page": place.page,
        "issue": found.id,
        "readonly": not who.can_write,
        "reach": {
            "label": reach.label,
            "span_ms": int(reach.span.total_seconds()) * 1000,
            "step_ms": int(reach.step.total_seconds()) * 1000,
        },
    }
