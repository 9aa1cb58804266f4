"""Builds the live view and one error's page, for members and for share links alike."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from quart import render_template, request

from errorstack_live import __version__, meaning
from errorstack_live.errors import NotFound, QueryError
from errorstack_live.live import rows
from errorstack_live.model import Error, Issue, Stack
from errorstack_live.query import EVERYTHING, Query, parse
from errorstack_live.web import history, parameter, pinning
from errorstack_live.web.auth import Reader
from errorstack_live.web.client import Filled, shelf
from errorstack_live.web.history import Span
from errorstack_live.web.origin import public_url
from errorstack_live.web.state import state

FIRST_ROWS = 100
"""Errors that the live view shows without a script."""
MAX_JSON_BYTES = 2 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader's pages and data are: below ``page`` and ``data``."""

    page: str
    data: str


def place_of(reader: Reader) -> Place:
    """The paths of this reader's stack."""
    if reader.share is not None:
        return Place(f"/v/{reader.share.id}", f"/v/{reader.share.id}/api")
    return Place(f"/s/{reader.stack.slug}", f"/api/v1/stacks/{reader.stack.slug}")


def living_key(stack: Stack) -> str:
    """The newest key that works, empty when all are revoked."""
    living = [each.key for each in stack.keys if each.revoked_at is None]
    return living[-1] if living else ""


async def common(reader: Reader) -> dict[str, Any]:
    """What every page of a stack shows around its content."""
    stack_id = reader.stack.id
    counts = await state().store.issues.open_counts([stack_id]) if reader.can_write else {}
    return {
        "stack": reader.stack,
        "share": reader.share,
        "page_path": place_of(reader).page,
        "open_count": counts.get(stack_id, 0),
    }


async def render_live(reader: Reader, *, is_wall: bool = False) -> str:
    """The live view with its newest errors, whole without a script; ``?q=`` filters them.

    As a wallboard, which ``?wall=1`` asks for as well, it fills the screen.
    """
    is_wall = is_wall or request.args.get("wall") == "1"
    text = request.args.get("q", "")
    query, wrong = _read_query(text)
    span = Span(before=parameter.before(request.args))
    page = await history.errors(reader, query, span, limit=FIRST_ROWS) if query else None
    found = page.errors if page else ()
    snippets = _snippets(reader)
    return await render_template(
        "live.html",
        **await common(reader),
        query=text,
        query_problem=wrong,
        errors=found,
        is_complete=page is None or page.is_complete,
        older=_older(text, found) if page and found and not page.is_complete else "",
        pins=await pinning.pins(reader),
        messages=await history.logs(reader),
        snippet=snippets[0] if snippets else None,
        is_wall=is_wall,
        boot={**_boot(reader, text, snippets), "wall": is_wall},
    )


async def render_error(reader: Reader, error_id: str) -> str:
    """One error whole, on a page that can be printed."""
    error = await history.error(reader, error_id)
    return await render_template(
        "error.html",
        **await common(reader),
        error=error,
        issue=await _issue_of(reader, error),
        trace=meaning.read(error.fields).trace,
        frames=found[1].frames if (found := meaning.trace_of(error.fields)) else (),
        json=_json(error),
    )


async def _issue_of(reader: Reader, error: Error) -> Issue | None:
    """The issue of an error, for members alone; it may have been merged away or bounded."""
    if not reader.can_write or not error.issue:
        return None
    try:
        return await history.issue(reader, error.issue)
    except NotFound:
        return None


def _read_query(text: str) -> tuple[Query | None, QueryError | None]:
    try:
        return (parse(text) if text.strip() else EVERYTHING), None
    except QueryError as error:
        return None, error


def _older(text: str, found: tuple[Error, ...]) -> str:
    last = found[-1]
    return urlencode({"q": text, "before": f"{rows.millis(last.at)},{last.id}"})


def _snippets(reader: Reader) -> list[Filled]:
    key = living_key(reader.stack)
    return shelf().quick(public_url(), key) if reader.can_write and key else []


def _boot(reader: Reader, text: str, snippets: list[Filled]) -> dict[str, Any]:
    """What the page's script starts with; a share's viewers are told no key and no hidden name."""
    place = place_of(reader)
    share = reader.share
    return {
        "version": __version__,
        "base": place.data,
        "page": place.page,
        "stack": {
            "slug": share.id if share else reader.stack.slug,
            "name": reader.stack.name,
        },
        "share": share and {"name": share.name, "with_logs": share.with_logs},
        "member": reader.member and {"email": reader.member.email},
        "readonly": not reader.can_write,
        "query": text,
        "key": (living_key(reader.stack) or None) if reader.can_write else None,
        "submit_url": f"{public_url()}/submit",
        "snippets": [
            {"name": each.name, "label": each.label, "text": each.text} for each in snippets
        ],
    }


def _json(error: Error) -> str:
    whole = orjson.loads(rows.row(error, whole=True))
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode()[:MAX_JSON_BYTES]
