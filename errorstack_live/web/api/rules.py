"""Rules: a stack's own queries that say which errors are one issue."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field
from quart import Response

from errorstack_live import grouping
from errorstack_live.live import rows
from errorstack_live.model import Rule
from errorstack_live.query import MAX_QUERY_CHARS
from errorstack_live.web import regroup
from errorstack_live.web.api.issues import OneIssue
from errorstack_live.web.api.kind import IsComplete
from errorstack_live.web.api.route import answer, writing
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import state


@dataclass(frozen=True, slots=True)
class OneRule:
    """Errors that match `query` are the issue `group`, or one for each value of `split`."""

    query: Annotated[str, Field(max_length=MAX_QUERY_CHARS)]
    group: Annotated[str, Field(max_length=grouping.MAX_GROUP_CHARS)] = ""
    split: Annotated[list[str], Field(max_length=grouping.MAX_SPLIT)] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rules:
    """A stack's rules; of those that match an error the first holds."""

    rules: Annotated[list[OneRule], Field(max_length=grouping.MAX_RULES)]


@dataclass(frozen=True, slots=True)
class IssueNow:
    """An issue, and how many of the errors that match are of it."""

    issue: OneIssue
    errors: int


@dataclass(frozen=True, slots=True)
class IssueThen:
    """An issue as the rule would make it, by name, and how many of the errors would be of it."""

    name: str
    errors: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would have made of the newest errors that match it."""

    errors: int
    complete: IsComplete
    now: list[IssueNow]
    then: list[IssueThen]


@writing("GET", "/rules", answers=Rules)
async def rules(who: Reader) -> Response:
    """List the stack's grouping rules, in their order."""
    return _rules(who.stack.grouping.rules)


@writing("PUT", "/rules", takes=Rules, answers=Rules)
async def set_rules(who: Reader, body: Rules) -> Response:
    """Group errors that come from now on by these rules; what is stored stays where it is."""
    wanted = grouping.check_all(tuple(map(_rule, body.rules)))
    await state().store.stacks.set_rules(who.stack.id, wanted)
    return _rules(wanted)


@writing("POST", "/rules/preview", takes=OneRule, answers=Trial)
async def preview_rule(who: Reader, body: OneRule) -> Response:
    """Try a rule on the newest errors that match; nothing is changed."""
    trial = await regroup.preview(who, _rule(body))
    now = zip(rows.fragments(rows.issue(each) for each, _ in trial.now), trial.now, strict=True)
    return answer(
        {
            "errors": trial.errors,
            "complete": trial.is_complete,
            "now": [{"issue": encoded, "errors": count} for encoded, (_, count) in now],
            "then": [{"name": name, "errors": count} for name, count in trial.then],
        }
    )


def _rule(given: OneRule) -> Rule:
    names = tuple(dict.fromkeys(name.strip() for name in given.split if name.strip()))
    return Rule(given.query.strip(), " ".join(given.group.split()), names)


def _rules(found: Sequence[Rule]) -> Response:
    told: list[dict[str, Any]] = [
        {"query": each.query, "group": each.group, "split": each.split} for each in found
    ]
    return answer({"rules": told})
