"""Issues: all errors with one fingerprint, and what members say of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field
from quart import Response

from errorstack_live.errors import Invalid
from errorstack_live.live import rows
from errorstack_live.model import Issue, Level, Status
from errorstack_live.query import EVERYTHING
from errorstack_live.storage import merge
from errorstack_live.web import history, parameter
from errorstack_live.web.api.kind import AskedMoment, AskedQuery, Id, IsComplete, Millis
from errorstack_live.web.api.route import answer, reading, writing
from errorstack_live.web.auth import Reader
from errorstack_live.web.history import Span
from errorstack_live.web.state import now, state

MAX_ISSUES = 1000
MAX_TEXT_CHARS = 200
MAX_AT_ONCE = 500
"""Issues that one request says something of."""
MAX_IGNORED_S = 10 * 365 * 86_400
MAX_MORE = 1_000_000_000
STATUSES: dict[str, Status | None] = {"all": None, **{each.value: each for each in Status}}


@dataclass(frozen=True, slots=True)
class IssuesAsked:
    """Which issues are wanted."""

    status: Annotated[str, Field(json_schema_extra={"enum": list(STATUSES)})] = "all"
    text: Annotated[
        str, Field(description=f"In its title; of more than {MAX_TEXT_CHARS} characters the first.")
    ] = ""
    query: Annotated[
        AskedQuery | None,
        Field(description="Only issues of errors that match: these errors make their counts."),
    ] = None
    since: AskedMoment | None = None
    until: AskedMoment | None = None
    sort: Annotated[
        Literal["last_seen", "first_seen", "count"],
        Field(description="The latest first, or the most."),
    ] = "last_seen"
    limit: Annotated[int, Field(ge=1, le=MAX_ISSUES)] = 100


@dataclass(frozen=True, slots=True)
class OneIssue:
    """An issue."""

    id: Id
    title: str
    type: str
    level: Level
    where: str
    first_seen_at: Millis
    last_seen_at: Millis
    count: int
    status: Status
    regressed_at: Annotated[int | None, Field(description="When it came back, once resolved.")]
    returned_at: Annotated[
        int | None, Field(description="When its time of being ignored was over.")
    ] = None
    until_at: Annotated[int | None, Field(description="It is ignored until then, ...")] = None
    until_count: Annotated[int | None, Field(description="... or until it counts so many.")] = None
    status_at: Annotated[
        int | None, Field(description="When a member last said something of it.")
    ] = None
    users: Annotated[int, Field(description="Different users, where errors name them.")] = 0
    more_users: Annotated[bool, Field(description="There are more users than that.")] = False
    into: Annotated[str | None, Field(description="The issue it was merged into.")] = None


@dataclass(frozen=True, slots=True)
class Issues:
    """Issues, newest last seen first."""

    issues: list[OneIssue]
    reached_at: Annotated[
        int | None, Field(description="How far back errors were counted, where that ended early.")
    ] = None
    complete: IsComplete = True


@dataclass(frozen=True, slots=True)
class IssueChange:
    """What a member says of an issue."""

    status: Status
    for_s: Annotated[
        int | None, Field(ge=1, le=MAX_IGNORED_S, description="Ignore it for so many seconds, ...")
    ] = None
    more: Annotated[
        int | None,
        Field(ge=1, le=MAX_MORE, description="... or until so many more came; else for ever."),
    ] = None


@dataclass(frozen=True, slots=True)
class IssuesChange(IssueChange):
    """The same of several issues."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_AT_ONCE)] = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed, and the moment by which it can be taken back."""

    issues: list[OneIssue]
    done_at: Millis


@dataclass(frozen=True, slots=True)
class Undoing:
    """What is taken back: what was said of these issues at that moment."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_AT_ONCE)]
    done_at: Annotated[int, Field(ge=0, le=parameter.MAX_MILLIS)]


@dataclass(frozen=True, slots=True)
class Merging:
    """Issues, and the one they become a part of."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=merge.MAX_AT_ONCE)]
    into: Id


@reading("/issues", asks=IssuesAsked, answers=Issues)
async def issues(who: Reader, asked: IssuesAsked) -> Response:
    """List issues, newest last seen first.

    With a query or a time those of the errors that match, with how many of them each has, and when
    the first and the last came. `complete` is false where counting stopped at its deadline.
    """
    status = parameter.choice({"status": asked.status}, "status", STATUSES, "all")
    text = asked.text[:MAX_TEXT_CHARS]
    wish: dict[str, Any] = {
        "status": status,
        "text": text,
        "limit": asked.limit,
        "sort": asked.sort,
    }
    if asked.query is None and asked.since is None and asked.until is None:
        found = await history.issues(who, **wish)
        return answer({"issues": _encoded(found), "complete": True})
    span = Span(since=asked.since, until=asked.until)
    grouped = await history.grouped(who, asked.query or EVERYTHING, span)
    return answer(
        {
            "issues": rows.fragments(map(rows.issue, history.chosen(grouped.issues, **wish))),
            "reached_at": grouped.reached_at and rows.millis(grouped.reached_at),
            "complete": grouped.is_complete,
        }
    )


@reading("/issues/<issue_id>", answers=OneIssue)
async def issue(who: Reader, issue_id: str) -> Response:
    """Get one issue."""
    return _issue(await history.issue(who, issue_id))


@writing("PATCH", "/issues/<issue_id>", takes=IssueChange, answers=OneIssue)
async def set_status(who: Reader, body: IssueChange, issue_id: str) -> Response:
    """Resolve, ignore or reopen an issue."""
    await state().store.issues.get(who.stack.id, issue_id)
    (changed,) = await _set(who, [issue_id], body, now())
    return _issue(changed)


@writing("POST", "/issues/status", takes=IssuesChange, answers=Changed)
async def set_statuses(who: Reader, body: IssuesChange) -> Response:
    """Resolve, ignore or reopen several issues at once; those that are not there are left out."""
    at = now()
    changed = await _set(who, body.ids, body, at)
    return answer({"issues": _encoded(changed), "done_at": rows.millis(at)})


@writing("POST", "/issues/undo", takes=Undoing, answers=Issues)
async def undo(who: Reader, body: Undoing) -> Response:
    """Take back what was said at `done_at`, where nothing was said or happened since."""
    at = parameter.at_millis(body.done_at)
    return _issues(await state().store.issues.undo(who.stack.id, body.ids, at))


@writing("POST", "/issues/merge", takes=Merging, answers=Issues)
async def merge_issues(who: Reader, body: Merging) -> Response:
    """Make issues a part of another: their errors, past and to come, are its own.

    Answers the target and then the others. Stored errors follow within moments.
    """
    return _issues(await state().store.merges.merge(who.stack.id, body.ids, body.into, now()))


@writing("POST", "/issues/<issue_id>/unmerge", answers=Issues)
async def unmerge_issue(who: Reader, issue_id: str) -> Response:
    """Take an issue out of the one it was merged into. Answers both."""
    return _issues(await state().store.merges.unmerge(who.stack.id, issue_id, now()))


async def _set(who: Reader, ids: list[str], change: IssueChange, at: datetime) -> list[Issue]:
    if (change.for_s or change.more) and change.status is not Status.IGNORED:
        raise Invalid("for_s and more say how long an issue is ignored")
    until_at = at + timedelta(seconds=change.for_s) if change.for_s else None
    return await state().store.issues.set_status(
        who.stack.id, ids, change.status, at, until_at=until_at, more=change.more
    )


def _issue(found: Issue) -> Response:
    return answer(orjson.Fragment(rows.issue(found)))


def _issues(found: Iterable[Issue]) -> Response:
    return answer({"issues": _encoded(found)})


def _encoded(found: Iterable[Issue]) -> list[orjson.Fragment]:
    return rows.fragments(map(rows.issue, found))
