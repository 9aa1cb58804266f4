"""Issues: all errors with one fingerprint, and what members say of them."""

from dataclasses import dataclass
from typing import Annotated

import orjson
from pydantic import Field
from quart import Response

from errorstack_live.live import rows
from errorstack_live.model import Issue, Level, Status
from errorstack_live.web import history, parameter
from errorstack_live.web.api.kind import Id, Millis
from errorstack_live.web.api.route import answer, reading, writing
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import now, state

MAX_ISSUES = 1000
MAX_TEXT_CHARS = 200
STATUSES: dict[str, Status | None] = {"all": None, **{each.value: each for each in Status}}


@dataclass(frozen=True, slots=True)
class IssuesAsked:
    """Which issues are wanted."""

    status: Annotated[str, Field(json_schema_extra={"enum": list(STATUSES)})] = "all"
    text: Annotated[
        str, Field(description=f"In its title; of more than {MAX_TEXT_CHARS} characters the first.")
    ] = ""
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


@dataclass(frozen=True, slots=True)
class IssueChange:
    """What a member says of an issue."""

    status: Status


@reading("/issues", asks=IssuesAsked, answers=Issues)
async def issues(who: Reader, asked: IssuesAsked) -> Response:
    """List issues, newest last seen first."""
    found = await history.issues(
        who,
        status=parameter.choice({"status": asked.status}, "status", STATUSES, "all"),
        text=asked.text[:MAX_TEXT_CHARS],
        limit=asked.limit,
    )
    return answer({"issues": rows.fragments(map(rows.issue, found))})


@reading("/issues/<issue_id>", answers=OneIssue)
async def issue(who: Reader, issue_id: str) -> Response:
    """Get one issue."""
    return _issue(await history.issue(who, issue_id))


@writing("PATCH", "/issues/<issue_id>", takes=IssueChange, answers=OneIssue)
async def set_status(who: Reader, body: IssueChange, issue_id: str) -> Response:
    """Resolve, ignore or reopen an issue."""
    issues = state().store.issues
    await issues.get(who.stack.id, issue_id)
    await issues.set_status(who.stack.id, [issue_id], body.status, now())
    return _issue(await issues.get(who.stack.id, issue_id))


def _issue(found: Issue) -> Response:
    return answer(orjson.Fragment(rows.issue(found)))
