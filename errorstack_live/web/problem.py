"""How a failure is answered: a page for people, JSON for programs. The one place that maps it."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from quart import Quart, Response, current_app, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.errors import ErrorStackError, QueryError, Refused, Unauthorized

SAID = {
    400: "This cannot be read",
    401: "Sign in first",
    403: "Not allowed",
    404: "Nothing is here",
    405: "Not that way",
    409: "Taken already",
    410: "This link no longer works",
    413: "Too large",
    426: "A live view is here",
    429: "Too many attempts",
    500: "Something broke on our side",
    503: "The database is away",
}
"""A page's heading by status."""
SHARE_LINK = "This view needs its link"
MESSAGES = {
    404: "It was removed, it never was, or the address is mistyped.",
    405: "This address exists, but not for this kind of request.",
    413: "A form or a request to the API has at most 256 KB.",
    429: "Wait a moment, then try again.",
    500: "It is in the server's log. Nothing that was stored is lost.",
}
"""What is said of a failure that carries no words of its own."""

_DATA = re.compile(r"/(v/[^/]*/)?api/")
"""Addresses of programs: they are answered in JSON, whatever they accept."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One failure as it is told: ``at`` is the place in a query's text, None for others."""

    status: int
    reason: str
    message: str
    at: int | None = None
    retry_after_s: int = 0

    @property
    def title(self) -> str:
        """The heading of its page."""
        if self.reason == "share-link":
            return SHARE_LINK
        return SAID.get(self.status) or HTTPStatus(self.status).phrase


def register(app: Quart) -> None:
    """Answer every failure of ``app`` here."""
    app.register_error_handler(ErrorStackError, _answer_ours)
    app.register_error_handler(HTTPException, _answer_http)


async def _answer_ours(error: ErrorStackError) -> AnyResponse | Response:
    if isinstance(error, Unauthorized) and error.reason == Unauthorized.reason and _wants_page():
        return redirect(_sign_in_path())
    return await _answer(
        Problem(
            error.status,
            error.reason,
            error.message,
            error.at if isinstance(error, QueryError) else None,
            error.retry_after_s if isinstance(error, Refused) else 0,
        )
    )


async def _answer_http(error: HTTPException) -> AnyResponse | Response:
    status = error.code or 500
    if status < 400:
        return await current_app.make_response(error.get_response())
    reason = HTTPStatus(status).phrase.lower().replace(" ", "-")
    message = MESSAGES.get(status) or str(error.description)
    response = await _answer(Problem(status, reason, message))
    for name in ("Allow", "Retry-After"):
        for value in (value for key, value in error.get_headers() if key == name):
            response.headers[name] = value
    return response


async def _answer(problem: Problem) -> Response:
    if _wants_page():
        # Rendered without the application's context: what failed may be the database it asks.
        page = current_app.jinja_env.get_template("problem.html")
        is_shared = request.path.startswith(("/v/", "/share/"))
        content = await page.render_async(problem=problem, is_shared=is_shared)
        response = Response(content, problem.status)
    else:
        response = await _json(problem)
    if problem.retry_after_s:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response


async def _json(problem: Problem) -> Response:
    said: dict[str, object] = {"error": problem.reason, "message": problem.message}
    if problem.at is not None:
        said["at"] = problem.at
    response = current_app.json.response(said)
    assert isinstance(response, Response)
    response.status_code = problem.status
    return response


def _wants_page() -> bool:
    has_pages = "asset" in current_app.jinja_env.globals  # a process may serve none
    if not has_pages or _DATA.match(request.path):
        return False
    kinds = ["text/html", "application/json"]
    return request.accept_mimetypes.best_match(kinds, default="text/html") == "text/html"


def _sign_in_path() -> str:
    if request.method != "GET":
        return "/login"
    return "/login?" + urlencode({"next": request.full_path.rstrip("?")})
