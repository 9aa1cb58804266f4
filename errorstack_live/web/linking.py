"""Making and revoking share links: what a member may wish for, and the token that is told once."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

from errorstack_live.access import Share
from errorstack_live.errors import Invalid, NotFound
from errorstack_live.model import Stack
from errorstack_live.query import parse
from errorstack_live.web import parameter
from errorstack_live.web.auth import Reader
from errorstack_live.web.origin import public_url
from errorstack_live.web.state import now, state

MAX_SHARE_S = 10 * 365 * 86_400
TOKEN_BYTES = 24
MAX_INITIAL_CHARS = 1000
MAX_INITIAL = 20
"""Names and values in the search part of an address."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A share link as a member asks for it; ``lasts`` None is for ever."""

    name: str
    query: str = ""
    hidden: tuple[str, ...] = ()
    with_logs: bool = False
    lasts: timedelta | None = None
    initial: str = ""


def wish(given: Mapping[str, object]) -> Wish:
    """Read a wish from outside. Raises Invalid, and QueryError for its query."""
    query, hidden = given.get("query", ""), given.get("hidden", [])
    if not isinstance(query, str):
        raise Invalid("query is text")
    if not isinstance(hidden, list) or not all(isinstance(name, str) for name in hidden):
        raise Invalid("hidden is a list of field names")
    with_logs = given.get("with_logs", False)
    if not isinstance(with_logs, bool):
        raise Invalid("with_logs is true or false")
    return Wish(
        name=parameter.name_of(given.get("name", ""), required=False),
        query=parse(query).text,
        hidden=parameter.field_names(hidden),
        with_logs=with_logs,
        lasts=_lasts(given.get("expires_in_s")),
        initial=initial_view(given.get("initial", "")),
    )


def initial_view(text: object) -> str:
    """How a view looks when it is opened, as the search part of an address. Raises Invalid.

    Its own filter (``q``) is not part of it: what a link shows is the link's.
    """
    if not isinstance(text, str) or len(text) > MAX_INITIAL_CHARS:
        raise Invalid(f"initial is text of at most {MAX_INITIAL_CHARS} characters")
    try:
        given = parse_qsl(text.lstrip("?"), keep_blank_values=True, max_num_fields=MAX_INITIAL)
    except ValueError:
        raise Invalid(f"initial names at most {MAX_INITIAL} things") from None
    return urlencode([(name, value) for name, value in given if name != "q"])


def _lasts(seconds: object) -> timedelta | None:
    if seconds is None:
        return None
    if not isinstance(seconds, int) or not 0 < seconds <= MAX_SHARE_S:
        raise Invalid(f"expires_in_s is a whole number of seconds, at most {MAX_SHARE_S}, or null")
    return timedelta(seconds=seconds)


async def create(stack: Stack, wanted: Wish) -> tuple[Share, str]:
    """Make a link; its address is returned here and kept nowhere."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    at = now()
    share = await state().store.shares.create(
        stack.id,
        token_sha256=digest(token),
        name=wanted.name,
        query=wanted.query,
        hidden=wanted.hidden,
        with_logs=wanted.with_logs,
        now=at,
        expires_at=at + wanted.lasts if wanted.lasts else None,
        initial=wanted.initial,
    )
    return share, f"{public_url()}/share/{token}"


def viewer_of(stack: Stack, wanted: Wish) -> Reader:
    """Who would read the stack by such a link: to show a member what that would be."""
    share = Share(
        id="",
        stack=stack.id,
        token_sha256="",
        name=wanted.name,
        query=wanted.query,
        hidden=wanted.hidden,
        with_logs=wanted.with_logs,
        created_at=now(),
        expires_at=None,
    )
    return Reader(stack, None, share, "")


async def shares(stack: Stack) -> list[Share]:
    """The links of a stack, newest first."""
    return await state().store.shares.all(stack.id)


def watched(stack: Stack) -> Counter[str]:
    """How many watch by each of the links of a stack now, in all processes, by the link's id."""
    links = state().hub.presence.audience(stack.id).links
    return Counter({each.share: each.viewers for each in links})


async def revoke(stack: Stack, share_id: str) -> None:
    """End a link of this stack. Raises NotFound."""
    share = await state().store.shares.by_id(share_id)
    if share.stack != stack.id:
        raise NotFound("No such share link")
    await state().store.shares.revoke(share.id, now())


def digest(token: str) -> str:
    """What is kept of a link's token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
