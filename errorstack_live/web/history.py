"""What a reader may see of a stack's past: errors, issues, log messages, minutes.

The one place that keeps a share link's limits on what is read: its query, its hidden fields,
its log messages. Where a link is limited, whatever tells of the whole stack (issues, counters)
is made from the errors that it shows.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from errorstack_live.errors import NotFound
from errorstack_live.facet import Counted
from errorstack_live.live.view import View
from errorstack_live.model import Error, Issue, LogMessage, Marker, Status
from errorstack_live.query import EVERYTHING, Query, both
from errorstack_live.share import redact
from errorstack_live.storage.group import Group
from errorstack_live.storage.issue import SORTS
from errorstack_live.storage.page import Count, Page
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import now, state

READ_AT_ONCE = 500
READ_S = 2.0
"""Reading for a limited link stops after this long, and says how far back it came."""
MAX_COUNTED = 2000
"""Where errors must be read to count them, the newest of them."""

COUNTED_AT_ONCE = 100
MINUTE = timedelta(minutes=1)
_EPOCH = datetime.fromtimestamp(0, UTC)

Minutes = list[tuple[datetime, dict[str, int]]]


def last_hour(until: datetime) -> datetime:
    """Where the hour begins that lists draw."""
    return until - timedelta(hours=1)


def view_of(reader: Reader, query: Query = EVERYTHING) -> View:
    """What this reader sees of their stack through ``query``."""
    return View(
        reader.stack.id,
        query,
        base=reader.base_query,
        hidden=reader.hidden,
        with_logs=reader.with_logs,
    )


@dataclass(frozen=True, slots=True)
class Span:
    """Which of the errors that match are wanted: the newest ones, from ``before`` on back."""

    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, str] | None = None
    issue: str | None = None


WHOLE = Span()


async def errors(
    reader: Reader, query: Query = EVERYTHING, span: Span = WHOLE, *, limit: int = 100
) -> Page:
    """The newest errors that match; see ``storage.page`` for Page."""
    view = view_of(reader, query)
    if view.hidden:
        page = await _read_redacted(view, span, limit)
    else:
        page = await _read(view, both(view.base, query), span, limit)
    return page if view.with_logs else replace(page, errors=_without_logs(page.errors))


async def error(reader: Reader, error_id: str) -> Error:
    """One error, whole; raises NotFound also for one that this reader may not see."""
    seen = view_of(reader).see(await state().store.errors.get(reader.stack.id, error_id))
    if seen is None:
        raise NotFound("No such error")
    return seen if reader.with_logs else replace(seen, before=())


async def count(reader: Reader, query: Query = EVERYTHING, span: Span = WHOLE) -> Count:
    """How many errors match; where errors must be read for it, MAX_COUNTED of them at most."""
    view = view_of(reader, query)
    if view.hidden:
        page = await _read_redacted(view, span, MAX_COUNTED)
        return Count(len(page.errors), page.reached_at, page.is_complete)
    return await state().store.errors.count(
        view.stack,
        both(view.base, query),
        since=span.since,
        until=span.until,
        issue=span.issue,
    )


async def issues(
    reader: Reader,
    *,
    status: Status | None = None,
    text: str = "",
    limit: int = 100,
    sort: str = "last_seen",
) -> list[Issue]:
    """Issues by when they were last or first seen, newest first, or by their count."""
    if view_of(reader).is_open:
        return await state().store.issues.find(
            reader.stack.id, status=status, limit=limit, query=text, sort=sort
        )
    found = (await grouped(reader)).issues
    return chosen(found, status=status, text=text, limit=limit, sort=sort)


def chosen(
    found: Iterable[Issue], *, status: Status | None, text: str, limit: int, sort: str
) -> list[Issue]:
    """Of issues that were gathered those that are wanted, in order."""
    wanted = text.casefold()
    kept = [
        each
        for each in found
        if (status is None or each.status is status) and wanted in each.title.casefold()
    ]
    return sorted(kept, key=attrgetter(SORTS[sort]), reverse=True)[:limit]


@dataclass(frozen=True, slots=True)
class Grouped:
    """Issues, and whether every error that matches was counted for them."""

    issues: list[Issue]
    reached_at: datetime | None = None
    is_complete: bool = True


async def grouped(reader: Reader, query: Query = EVERYTHING, span: Span = WHOLE) -> Grouped:
    """The issues of the errors that match, as far as these errors tell: first, last and count.

    All of them are counted, for as long as a read may take; where fields are hidden, the newest
    MAX_COUNTED are.
    """
    view = view_of(reader, query)
    if view.hidden:
        page = await errors(reader, query, span, limit=MAX_COUNTED)
        found = await _with_status(gather(page.errors))
        return Grouped(found, page.reached_at, page.is_complete)
    groups = await state().store.errors.group(
        view.stack, both(view.base, query), since=span.since, until=span.until
    )
    told = await _with_status([_issue_from(reader.stack.id, each) for each in groups.groups])
    return Grouped(told, groups.reached_at, groups.is_complete)


def _issue_from(stack_id: str, group: Group) -> Issue:
    return Issue(
        id=group.issue,
        stack=stack_id,
        fingerprint="",
        title=group.title,
        type=group.type,
        level=group.level,
        where=group.where,
        first_seen_at=group.first_at,
        last_seen_at=group.last_at,
        count=group.count,
        status=Status.OPEN,
    )


async def issue(reader: Reader, issue_id: str) -> Issue:
    """One issue; raises NotFound also for one that this reader may not see."""
    if view_of(reader).is_open:
        return await state().store.issues.get(reader.stack.id, issue_id)
    page = await errors(reader, EVERYTHING, Span(issue=issue_id), limit=MAX_COUNTED)
    if not page.errors:
        raise NotFound("No such issue")
    return (await _with_status(gather(page.errors)))[0]


async def markers(reader: Reader, *, limit: int = 100) -> list[Marker]:
    """What was done, newest first: of the whole stack, so nothing where a link is limited."""
    if not view_of(reader).is_open:
        return []
    found = await state().store.markers.newest(reader.stack.id, limit)
    return [replace(each, by="") for each in found] if reader.is_guest else found


async def logs(reader: Reader) -> list[LogMessage]:
    """The log messages that live now, oldest first."""
    view = view_of(reader)
    if not view.with_logs:
        return []
    alive = await state().store.logs.alive(reader.stack.id, now())
    return [seen for message in alive if (seen := view.see_log(message)) is not None]


async def minutes(
    reader: Reader,
    since: datetime,
    until: datetime,
    *,
    query: Query = EVERYTHING,
    issue: str | None = None,
) -> tuple[Minutes, bool]:
    """Errors a minute by level, oldest first, and whether that is all of them."""
    found = await bins(reader, since, until, MINUTE, query=query, issue=issue)
    return found.counts, found.is_complete


@dataclass(frozen=True, slots=True)
class Bins:
    """Errors by level in each stretch of ``step`` that has any, oldest first."""

    counts: Minutes
    step: timedelta
    is_complete: bool = True
    reached: tuple[datetime, str] | None = None
    """Where counting stopped, if it did: what is older is counted from ``before`` this on."""


async def bins(
    reader: Reader,
    since: datetime,
    until: datetime,
    step: timedelta,
    *,
    query: Query = EVERYTHING,
    issue: str | None = None,
    before: tuple[datetime, str] | None = None,
) -> Bins:
    """Errors over time; only what is older than ``before``, where that is given.

    Without a query minutes are counted already, and they are what a stack too large for finer
    steps gets. With one they are counted now, for as long as a read may take; where fields are
    hidden the newest MAX_COUNTED are read.
    """
    view = view_of(reader)
    if view.hidden:
        span = Span(since, until, before, issue)
        page = await errors(reader, query, span, limit=MAX_COUNTED)
        last = page.errors[-1] if page.errors and not page.is_complete else None
        reached = (last.at, last.id) if last else None
        return Bins(_by_step(page.errors, step), step, page.is_complete, reached)
    is_counted = view.is_open and query.is_empty
    if not is_counted or step % MINUTE or before:
        found = await state().store.errors.tally(
            view.stack,
            both(view.base, query),
            since=since,
            until=until,
            step=step,
            issue=issue,
            before=before,
        )
        if found.is_complete or before or not is_counted:
            return Bins(list(found.bins), step, found.is_complete, found.reached)
        step = MINUTE
    ends_at = until + MINUTE  # the running minute too
    counted = state().store.minutes
    return Bins(await counted.series(view.stack, since, ends_at, issue=issue, step=step), step)


async def facets(
    reader: Reader, query: Query = EVERYTHING, span: Span = WHOLE
) -> tuple[Counted, bool]:
    """What the fields of the newest MAX_COUNTED errors hold, and whether that is all of them."""
    async with state().store.errors.counting:
        page = await errors(reader, query, span, limit=MAX_COUNTED)
        counted = Counted()
        for start in range(0, len(page.errors), COUNTED_AT_ONCE):
            counted.add(page.errors[start : start + COUNTED_AT_ONCE])
            await asyncio.sleep(0)  # counting takes a while, and the stream must not wait for it
    return counted, page.is_complete


async def minutes_of(
    reader: Reader, issue_ids: Sequence[str], since: datetime, until: datetime
) -> dict[str, Minutes]:
    """The same of several issues, by issue; an hour at most."""
    if view_of(reader).is_open:
        ends_at = until + timedelta(minutes=1)
        return await state().store.minutes.series_of(reader.stack.id, issue_ids, since, ends_at)
    page = await errors(reader, EVERYTHING, Span(since=since, until=until), limit=MAX_COUNTED)
    found: dict[str, list[Error]] = {}
    for each in page.errors:
        found.setdefault(each.issue, []).append(each)
    return {one: _by_step(found[one], MINUTE) for one in issue_ids if one in found}


def gather(newest_first: Iterable[Error]) -> list[Issue]:
    """The issues of these errors, as far as these errors tell, newest first."""
    found: dict[str, Issue] = {}
    for each in newest_first:
        if not each.issue:  # an error that could not be read
            continue
        known = found.get(each.issue)
        found[each.issue] = (
            replace(known, first_seen_at=each.at, count=known.count + 1)
            if known
            else _issue_of(each)
        )
    return list(found.values())


def _issue_of(seen: Error) -> Issue:
    return Issue(
        id=seen.issue,
        stack=seen.stack,
        fingerprint="",
        title=seen.title,
        type=seen.type,
        level=seen.level,
        where=seen.where,
        first_seen_at=seen.at,
        last_seen_at=seen.at,
        count=1,
        status=Status.OPEN,
    )


async def _with_status(found: Sequence[Issue]) -> list[Issue]:
    """Issues that were gathered, with what members said of them."""
    known = await state().store.issues.by_ids([each.id for each in found])
    status = {each.id: each.status for each in known}
    return [replace(each, status=status.get(each.id, each.status)) for each in found]


async def _read(view: View, query: Query, span: Span, limit: int) -> Page:
    return await state().store.errors.find(
        view.stack,
        query,
        since=span.since,
        until=span.until,
        before=span.before,
        issue=span.issue,
        limit=limit,
    )


async def _read_redacted(view: View, span: Span, limit: int) -> Page:
    """Match what is left of each error, so that no filter can tell what was hidden."""
    query = both(view.base, view.query.relaxed(view.hidden))
    found: list[Error] = []
    ends_at = time.monotonic() + READ_S
    while True:
        page = await _read(view, query, span, READ_AT_ONCE)
        left = (view.see_redacted(redact(each, view.hidden)) for each in page.errors)
        found += [each for each in left if each is not None]
        if len(found) > limit or (len(found) == limit and not page.is_complete):
            return Page(tuple(found[:limit]), found[limit - 1].at, is_complete=False)
        is_out_of_time = len(page.errors) < READ_AT_ONCE or time.monotonic() > ends_at
        if page.is_complete or is_out_of_time:
            return replace(page, errors=tuple(found))
        last = page.errors[-1]
        span = replace(span, before=(last.at, last.id))


def _without_logs(found: Iterable[Error]) -> tuple[Error, ...]:
    return tuple(replace(each, before=()) for each in found)


def _by_step(found: Iterable[Error], step: timedelta) -> Minutes:
    counts: dict[datetime, Counter[str]] = {}
    for each in found:
        begin = each.at - (each.at - _EPOCH) % step
        counts.setdefault(begin, Counter())[each.level] += 1
    return [(begin, dict(counts[begin])) for begin in sorted(counts)]
