"""How an operation of the API is declared: its path, who may use it, what it takes and answers.

What comes in is read into a dataclass, and a value that cannot be used is answered 400 with the
reason. What goes out is encoded by the handler, whole rows at a time; its dataclass describes it
and is held to it by the tests, not on every answer.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from quart import Blueprint, Response, request
from quart_schema import (
    document_querystring,
    document_request,
    document_response,
    security_scheme,
    tag,
)

from errorstack_live.errors import Invalid
from errorstack_live.live import rows
from errorstack_live.web import auth
from errorstack_live.web.auth import caller, reader, writer

V1 = "/api/v1"
STACKS = f"{V1}/stacks/<slug>"
"""Below it a member finds a stack."""
SHARES = "/v/<share_id>/api"
"""Below it whoever holds a share link finds what it shows."""
_BASES = {STACKS: "slug", SHARES: "share_id"}
"""A base's own name in the path: it says who reads, and is no handler's."""
JSON: Final = "application/json"
MEDIA = "_errorstack_media"
"""Where a view keeps the content types of its answer, for ``openapi``."""

Given = TypeVar("Given")
Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Response]])

api = Blueprint("api", __name__)


def reading(
    path: str,
    *,
    method: str = "GET",
    asks: type | None = None,
    takes: type | None = None,
    answers: type,
    media: tuple[str, ...] = (JSON,),
    is_shared: bool = True,
) -> Callable[[Handler], Handler]:
    """What changes nothing, below a member's stack and below a share link, by one handler for both.

    ``handler(who, asked, body, **ids)``: ``asked`` is the query string as an ``asks``, ``body`` the
    JSON object as a ``takes``, where there is one. ``media`` are the content types it answers in,
    if not JSON alone. What ``is_shared`` is not is there for members and tokens alone.
    """

    def decorate(handler: Handler) -> Handler:
        about = _About(handler, asks=asks, takes=takes, answers=answers, media=media)
        about.add(method, STACKS, path, reader)
        if is_shared:
            about.add(method, SHARES, path, reader, prefix="shared_")
        return handler

    return decorate


def writing(
    method: str,
    path: str,
    *,
    asks: type | None = None,
    takes: type | None = None,
    answers: type | None = None,
    status: int = 200,
) -> Callable[[Handler], Handler]:
    """What only those may who may change the stack: ``handler(who, asked, body, **ids)``.

    ``body`` is the request's JSON object as a ``takes``, where there is one. Without ``answers``
    there is no content, and the status is 204.
    """

    def decorate(handler: Handler) -> Handler:
        about = _About(handler, asks=asks, takes=takes, answers=answers, status=status)
        about.add(method, STACKS, path, writer)
        return handler

    return decorate


def calling(
    method: str,
    path: str,
    *,
    takes: type | None = None,
    answers: type | None = None,
    status: int = 200,
) -> Callable[[Handler], Handler]:
    """What belongs to no one stack, for members and tokens: ``handler(who, body, **ids)``."""

    def decorate(handler: Handler) -> Handler:
        about = _About(handler, takes=takes, answers=answers, status=status)
        about.add(method, V1, path, caller)
        return handler

    return decorate


def signed_in(
    method: str,
    path: str,
    *,
    takes: type | None = None,
    answers: type | None = None,
    status: int = 200,
) -> Callable[[Handler], Handler]:
    """What takes a member, and no token: ``handler(me, body, **ids)``."""

    def decorate(handler: Handler) -> Handler:
        about = _About(handler, takes=takes, answers=answers, status=status)
        about.add(method, V1, path, auth.signed_in)
        return handler

    return decorate


def answer(value: object, status: int = 200) -> Response:
    """A JSON response."""
    return Response(rows.encode(value), status, content_type=JSON)


def nothing() -> Response:
    """The answer where there is nothing to say."""
    return Response("", 204)


class _About:
    """One handler with what it takes and answers, to be put at its addresses."""

    def __init__(
        self,
        handler: Callable[..., Awaitable[Response]],
        *,
        asks: type | None = None,
        takes: type | None = None,
        answers: type | None = None,
        status: int = 200,
        media: tuple[str, ...] = (JSON,),
    ) -> None:
        self._handler = handler
        self._asks = asks
        self._takes = takes
        self._answers = answers
        self._status = status
        self._media = media
        self._resource = handler.__module__.rpartition(".")[2]
        self._asked: TypeAdapter[Any] | None = TypeAdapter(asks) if asks else None
        self._taken: TypeAdapter[Any] | None = TypeAdapter(takes) if takes else None

    def add(
        self,
        method: str,
        base: str,
        path: str,
        admit: Callable[[], Awaitable[object]],
        *,
        prefix: str = "",
    ) -> None:
        """Answer ``method`` at ``path`` below ``base``, for those whom ``admit`` lets in."""

        async def view(**names: str) -> Response:
            names.pop(_BASES.get(base, ""), None)
            return await self._handler(await admit(), **await self._given(), **names)

        view.__name__ = f"{prefix}{self._handler.__name__}"
        view.__doc__ = self._handler.__doc__
        self._describe(view)
        if base == SHARES:
            security_scheme([{"share": []}])(view)
        elif admit is auth.signed_in:
            security_scheme([{"session": []}])(view)
        endpoint = f"{prefix}{self._resource}_{self._handler.__name__}"
        api.add_url_rule(base + path, endpoint, view, methods=[method])

    async def _given(self) -> dict[str, Any]:
        given: dict[str, Any] = {}
        if self._asked is not None:
            given["asked"] = read_asked(self._asked, request.args)
        if self._taken is not None:
            given["body"] = read_body(self._taken, cast("bytes", await request.get_data()))
        return given

    def _describe(self, view: Callable[..., Awaitable[Response]]) -> None:
        """Attach what ``openapi`` tells; the library's own validation is not used.

        It builds a validator for each request (217 µs against 0.7 µs), and Quart's JSON, which it
        reads by, answers 100,000 brackets with a 500.
        """
        tag({self._resource})(view)
        if self._asks is not None:
            document_querystring(cast("Any", self._asks))(view)
        if self._takes is not None:
            document_request(cast("Any", self._takes))(view)
        if self._answers is not None:
            document_response(cast("Any", self._answers), self._status)(view)
        setattr(view, MEDIA, self._media)


def read_asked(adapter: TypeAdapter[Given], args: Mapping[str, str]) -> Given:
    """A query string's values; an empty one is the same as none. Raises Invalid."""
    given = {name: text for name, text in args.items() if text}
    try:
        return adapter.validate_strings(given)
    except ValidationError as wrong:
        raise Invalid(_said(wrong)) from None


def read_body(adapter: TypeAdapter[Given], body: bytes) -> Given:
    """A JSON object; a value of another type is not made to fit. Raises Invalid."""
    try:
        return adapter.validate_json(body, strict=True, extra="forbid")
    except ValidationError as wrong:
        raise Invalid(_said(wrong)) from None


def _said(wrong: ValidationError) -> str:
    """The first thing that is wrong, in words for a person."""
    first = wrong.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    if not where:
        return "The body is a JSON object"
    shape = SAID.get(first["type"])
    if shape is None:  # the library's own words, which may hold braces
        return f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    return f"{where}: {shape.format(**first.get('ctx', {}))}"


SAID = {
    "missing": "it is missing",
    "unexpected_keyword_argument": "there is nothing of this name",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "bool_parsing": "1 or 0, true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "literal_error": "one of {expected}",
    "enum": "one of {expected}",
    "string_too_long": "at most {max_length} characters",
    "too_long": "at most {max_length} of them",
}
"""What a value must be, by the way in which it is not."""
