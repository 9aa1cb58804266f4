"""A grouping rule tried on errors that are stored already: what it would have made of them."""

from collections import Counter
from dataclasses import dataclass

from errorstack_live import grouping
from errorstack_live.model import Grouping, Issue, Rule
from errorstack_live.occurrence import derive
from errorstack_live.query import parse
from errorstack_live.web import history
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import state

TRIED = 500
"""Errors that a rule is tried on: the newest that match."""
MAX_TOLD = 20


@dataclass(frozen=True, slots=True)
class Trial:
    """So many of the newest errors match; the issues they are of, and those they would be of."""

    errors: int
    is_complete: bool
    now: tuple[tuple[Issue, int], ...]
    then: tuple[tuple[str, int], ...]


async def preview(reader: Reader, rule: Rule) -> Trial:
    """Try a rule, as if it were the only one. Raises Invalid or QueryError for none."""
    by = Grouping((grouping.check(rule),))
    page = await history.errors(reader, parse(rule.query), limit=TRIED)
    issues = Counter(error.issue for error in page.errors if error.issue)
    named: Counter[str] = Counter()
    for each in page.errors:
        made = derive(
            each.fields, by, id=each.id, stack=each.stack, at=each.at, request=each.request
        )
        named[made.group or made.title] += 1
    known = await state().store.issues.by_ids([one for one, _ in issues.most_common(MAX_TOLD)])
    return Trial(
        len(page.errors),
        page.is_complete,
        tuple(sorted(((each, issues[each.id]) for each in known), key=lambda one: -one[1])),
        tuple(named.most_common(MAX_TOLD)),
    )
