"""The data behind the pages, as JSON: for members below a stack, for viewers below a share link.

Both bases answer with the same handlers; what a reader may see is decided in ``history``. Times
are milliseconds since 1970. A value that cannot be used is answered 400 with the reason.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import orjson
from quart import Blueprint, Quart, Response, request

from errorstack_live.errors import Invalid
from errorstack_live.live import rows
from errorstack_live.model import Error, Issue, Share, Status
from errorstack_live.query import Query, parse
from errorstack_live.web import history, linking, parameter, sample
from errorstack_live.web.auth import Reader, reader, writer
from errorstack_live.web.history import Span
from errorstack_live.web.state import now, state

MAX_ERRORS = 1000
MAX_ISSUES = 1000
MAX_TEXT_CHARS = 200
MAX_MINUTES = timedelta(days=7)
MEMBERS = "/api/v1/stacks/<slug>"
VIEWERS = "/v/<share_id>/api"
STATUSES: dict[str, Status | None] = {"all": None, **{each.value: each for each in Status}}

Handler = Callable[..., Awaitable[Response]]

api = Blueprint("api", __name__)


def register(app: Quart) -> None:
    """Serve the data."""
    app.register_blueprint(api)


def both_bases(path: str) -> Callable[[Handler], Handler]:
    """Answer GET below a member's stack and below a share link."""

    def decorate(handler: Handler) -> Handler:
        name = handler.__name__

        async def answer(slug: str = "", share_id: str = "", **names: str) -> Response:  # noqa: ARG001
            return await handler(await reader(), **names)

        api.add_url_rule(MEMBERS + path, name, answer, methods=["GET"])
        api.add_url_rule(VIEWERS + path, f"shared_{name}", answer, methods=["GET"])
        return handler

    return decorate


@both_bases("/errors")
async def errors(who: Reader) -> Response:
    """``?query &since &until &before=<at>,<id> &issue &limit &whole=1``: newest first.

    ``complete`` is false when reading stopped at its deadline: then history was read back to
    ``reached_at``.
    """
    given = request.args
    page = await history.errors(
        who,
        _query(),
        Span(
            since=parameter.moment(given, "since"),
            until=parameter.moment(given, "until"),
            before=parameter.before(given),
            issue=_id("issue"),
        ),
        limit=parameter.integer(given, "limit", low=1, high=MAX_ERRORS, default=100),
    )
    return answer(
        {
            "errors": _rows(page.errors, who, whole=_flag("whole")),
            "reached_at": page.reached_at and rows.millis(page.reached_at),
            "complete": page.is_complete,
        }
    )


@both_bases("/errors/<error_id>")
async def error(who: Reader, error_id: str) -> Response:
    """One error with all its fields; for members also with what the door saw of its request."""
    found = await history.error(who, error_id)
    whole = orjson.loads(rows.row(found, whole=True))
    if who.can_write:
        whole |= {"request": asdict(found.request), "reserved": found.reserved or {}}
    return answer(whole)


@both_bases("/issues")
async def issues(who: Reader) -> Response:
    """``?status=open|resolved|ignored|all &text &limit``: newest last seen first."""
    found = await history.issues(
        who,
        status=parameter.choice(request.args, "status", STATUSES, "all"),
        text=request.args.get("text", "")[:MAX_TEXT_CHARS],
        limit=parameter.integer(request.args, "limit", low=1, high=MAX_ISSUES, default=100),
    )
    return answer({"issues": rows.fragments(map(rows.issue, found))})


@both_bases("/issues/<issue_id>")
async def issue(who: Reader, issue_id: str) -> Response:
    """One issue."""
    return _issue(await history.issue(who, issue_id))


@both_bases("/logs")
async def logs(who: Reader) -> Response:
    """The log messages that live now, oldest first."""
    return answer({"logs": rows.fragments(map(rows.log, await history.logs(who)))})


@both_bases("/minutes")
async def minutes(who: Reader) -> Response:
    """``?since &until &query &issue``: errors a minute by level, oldest first; at first an hour."""
    until = parameter.moment(request.args, "until") or now()
    since = parameter.moment(request.args, "since") or until - timedelta(hours=1)
    if not timedelta(0) <= until - since <= MAX_MINUTES:
        raise Invalid("since is before until, by 7 days at most")
    series, is_complete = await history.minutes(
        who, since, until, query=_query(), issue=_id("issue")
    )
    counted = [(rows.millis(at), levels) for at, levels in series]
    return answer({"minutes": counted, "complete": is_complete})


@api.patch(f"{MEMBERS}/issues/<issue_id>")
async def set_status(issue_id: str, **_: str) -> Response:
    """``{"status": "open"|"resolved"|"ignored"}``; answers the issue."""
    who = await writer()
    word = (await _body()).get("status")
    if not isinstance(word, str) or word not in set(Status):
        raise Invalid(f"status is one of: {', '.join(Status)}")
    issues = state().store.issues
    await issues.get(who.stack.id, issue_id)
    await issues.set_status(who.stack.id, [issue_id], Status(word), now())
    return _issue(await issues.get(who.stack.id, issue_id))


@api.post(f"{MEMBERS}/test")
async def send_test(**_: str) -> Response:
    """Send a test error the way every error comes; answers what its sender is told."""
    return answer(await sample.send((await writer()).stack))


@api.get(f"{MEMBERS}/shares")
async def shares(**_: str) -> Response:
    """The stack's share links, newest first; their addresses are not kept."""
    who = await writer()
    return answer({"shares": [_share(each) for each in await linking.shares(who.stack)]})


@api.post(f"{MEMBERS}/shares")
async def create_share(**_: str) -> Response:
    """``{"name", "query", "hidden": [names], "with_logs", "expires_in_s"}``, null for never.

    Answers the link with its ``url``, which is told this once.
    """
    who = await writer()
    body = await _body()
    share, url = await linking.create(who.stack, linking.wish(body))
    return answer({**_share(share), "url": url}, 201)


@api.delete(f"{MEMBERS}/shares/<share_id>")
async def revoke_share(share_id: str, **_: str) -> Response:
    """Revoke a share link; whoever watches by it is cut off."""
    who = await writer()
    await linking.revoke(who.stack, share_id)
    return Response("", 204)


def answer(value: object, status: int = 200) -> Response:
    """A JSON response."""
    return Response(rows.encode(value), status, content_type="application/json")


def _rows(found: Sequence[Error], who: Reader, *, whole: bool) -> list[orjson.Fragment]:
    return rows.fragments(rows.row(each, whole=whole, with_logs=who.with_logs) for each in found)


def _issue(found: Issue) -> Response:
    return answer(orjson.Fragment(rows.issue(found)))


def _share(share: Share) -> dict[str, Any]:
    return {
        "id": share.id,
        "name": share.name,
        "query": share.query,
        "hidden": share.hidden,
        "with_logs": share.with_logs,
        "created_at": rows.millis(share.created_at),
        "expires_at": share.expires_at and rows.millis(share.expires_at),
        "revoked_at": share.revoked_at and rows.millis(share.revoked_at),
    }


async def _body() -> dict[str, Any]:
    """The request's JSON object."""
    try:
        body = orjson.loads(await request.get_data())
    except orjson.JSONDecodeError:
        raise Invalid("The body is a JSON object") from None
    if not isinstance(body, dict):
        raise Invalid("The body is a JSON object")
    return body


def _query() -> Query:
    return parse(request.args.get("query", ""))


def _id(name: str) -> str | None:
    text = request.args.get(name)
    if text is not None and not parameter.is_id(text):
        raise Invalid(f"{name} is an id of 24 hex digits")
    return text


def _flag(name: str) -> bool:
    return request.args.get(name, "") in {"1", "true", "yes"}
