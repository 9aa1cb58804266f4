"""Who is asking and what they may read: sessions, share links, and where a request came from."""

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import BadSignature, Signer, URLSafeSerializer
from quart import Quart, current_app, g, request
from quart_auth import AuthUser, QuartAuth, current_user, login_user, logout_user
from quart_rate_limiter import RateLimiter
from quart_rate_limiter.store import RateLimiterStoreABC
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.errors import Forbidden, Gone, NotFound, TooMany, Unauthorized
from errorstack_live.limit import TokenBuckets
from errorstack_live.model import Member, Session, Share, Stack
from errorstack_live.query import Query, parse
from errorstack_live.web.header import secure_headers
from errorstack_live.web.origin import (
    address,
    believe_proxy,
    here,
    is_https,
    is_same_origin,
)
from errorstack_live.web.password import Passwords
from errorstack_live.web.state import EXTENSION, now, state

__all__ = ["Reader", "is_same_origin", "reader", "register", "writer"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""What an HTML form of another site can send; anything else needs that site's script, which
says where it comes from."""
MAX_FORM_BYTES = 256 << 10
SHARE_COOKIE = "errorstack_share"
SHARE_COOKIE_DAYS = 30
ATTEMPTS = 10
ATTEMPT_S = 10.0
"""One account takes ATTEMPTS sign-ins at once, then one each ATTEMPT_S, from all addresses."""
MAX_THROTTLED = 10_000
"""Accounts and addresses whose attempts are remembered; the longest unused goes first."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone who may read one stack: a member, a terminal (neither member nor share), a share."""

    stack: Stack
    member: Member | None
    share: Share | None
    session_id: str

    @property
    def hidden(self) -> frozenset[str]:
        """Names of fields this reader must never learn of."""
        return frozenset(self.share.hidden if self.share else ())

    @property
    def base_query(self) -> Query:
        """What limits this reader whatever they ask for."""
        return parse(self.share.query if self.share else "")

    @property
    def with_logs(self) -> bool:
        """Whether they see the stack's log messages."""
        return self.share is None or self.share.with_logs

    @property
    def can_write(self) -> bool:
        """Whether they may change anything."""
        return self.share is None


class SessionCookie(QuartAuth):
    """The session's cookie, which is Secure and has the ``__Host-`` prefix over https.

    Both schemes are served at once; under one name a browser would not let http replace what
    https has set, and a sign-in would go round in circles.
    """

    @property
    def cookie_name(self) -> str:
        return "__Host-errorstack" if is_https() else "errorstack"

    @cookie_name.setter
    def cookie_name(self, _: str | None) -> None: ...

    @property
    def cookie_secure(self) -> bool:
        return is_https()

    @cookie_secure.setter
    def cookie_secure(self, _: bool | None) -> None: ...


class _Arrivals(RateLimiterStoreABC):
    """When each address may come again: the rate limiter's store, bounded."""

    def __init__(self) -> None:
        self._arrivals: OrderedDict[str, datetime] = OrderedDict()

    async def get(self, key: str, default: datetime) -> datetime:
        return self._arrivals.get(key, default)

    async def set(self, key: str, tat: datetime) -> None:
        self._arrivals[key] = tat
        self._arrivals.move_to_end(key)
        if len(self._arrivals) > MAX_THROTTLED:
            self._arrivals.popitem(last=False)

    async def before_serving(self) -> None: ...

    async def after_serving(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Locks:
    """What guards sign-in in this process: password hashing and the attempts on each account."""

    passwords: Passwords
    attempts: TokenBuckets


def register(app: Quart) -> None:
    """Put headers, sessions, throttling and the check of every changing request before ``app``."""
    parts = app.extensions[EXTENSION]
    app.secret_key = parts.store.secret
    app.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES
    app.extensions["errorstack_locks"] = Locks(
        Passwords(), TokenBuckets(rate=1 / ATTEMPT_S, burst=ATTEMPTS, max_keys=MAX_THROTTLED)
    )
    app.before_request(believe_proxy)
    app.before_websocket(believe_proxy)
    app.before_request(_refuse_foreign)
    app.after_request(secure_headers)
    SessionCookie(app, duration=parts.settings.session_days * 86_400, cookie_samesite="Lax")
    RateLimiter(app, key_function=address, store=_Arrivals())


def locks() -> Locks:
    """What guards sign-in in this process."""
    found = current_app.extensions["errorstack_locks"]
    assert isinstance(found, Locks)
    return found


async def _refuse_foreign() -> None:
    """Let nothing change at the wish of another site's page (the one place that checks it).

    A bearer token is not sent by a browser of itself, so it needs no more proof.
    """
    if request.method in SAFE_METHODS or _bearer() is not None:
        return
    if not is_same_origin():
        raise Forbidden("This request came from another site", reason="foreign-request")
    if (request.mimetype or "") in FORM_TYPES:
        token = (await request.form).get("form_token", "")
        if not await _is_own_form(token):
            raise Forbidden("This form is out of date: go back, reload it and send it again")


async def form_token() -> str:
    """What a form carries to prove that this server made it for this session."""
    return Signer(state().store.secret, salt="form").get_signature(await _form_id()).decode()


async def _is_own_form(token: str) -> bool:
    signer = Signer(state().store.secret, salt="form")
    return signer.verify_signature(await _form_id(), token)


async def _form_id() -> str:
    found = await session()
    return found.id if found else "signed-out"


def check_attempt(email: str) -> None:
    """Count an attempt to sign in to this account; raises TooMany past its share of them."""
    wait_s = locks().attempts.take(email, time.monotonic())
    if wait_s > 0:
        retry_after_s = math.ceil(wait_s)
        raise TooMany(
            f"Too many attempts for this account: try again in {retry_after_s} s",
            retry_after_s=retry_after_s,
        )


# Sessions


async def session() -> Session | None:
    """The session of whoever asks: a bearer token's where there is one, else the cookie's."""
    if not hasattr(g, "session"):
        bearer = _bearer()
        token = bearer if bearer is not None else current_user.auth_id
        g.session = await state().store.sessions.by_token(token, now()) if token else None
    found: Session | None = g.session
    return found


async def member() -> Member | None:
    """The signed-in member, if anybody is signed in."""
    found = await session()
    if found is None or found.member is None:
        return None
    if not hasattr(g, "member"):
        try:
            g.member = await state().store.members.by_id(found.member)
        except NotFound:
            g.member = None
    signed_in: Member | None = g.member
    return signed_in


async def signed_in() -> Member:
    """The signed-in member; raises Unauthorized when there is none."""
    found = await member()
    if found is None:
        raise Unauthorized("Sign in first")
    return found


async def sign_in(who: Member) -> None:
    """Begin a session of this member in this browser; one it had here ends."""
    await sign_out()
    at = now()
    ends_at = at + timedelta(days=state().settings.session_days)
    token = await state().store.sessions.create(who.id, now=at, expires_at=ends_at)
    login_user(AuthUser(token), remember=True)


async def sign_out() -> None:
    """End the session in hand: its cookie goes, its sockets close."""
    found = await session()
    if found is not None:
        await state().store.sessions.end(found.id)
    logout_user()
    g.pop("session", None)
    g.pop("member", None)


def _bearer() -> str | None:
    scheme, _, token = here().headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


# Readers


async def reader() -> Reader:
    """Who reads the stack that the request's or socket's path names, by ``slug`` or ``share_id``.

    Raises Unauthorized without a valid session or share cookie, NotFound for no such stack, and
    Gone for a share link that was revoked or has expired.
    """
    names = here().view_args or {}
    if "slug" not in names:
        return await _share_reader(names["share_id"])
    found = await session()
    who = await member()
    if found is None or (found.member is not None and who is None):
        raise Unauthorized("Sign in first")
    return Reader(await state().store.stacks.by_slug(names["slug"]), who, None, found.id)


async def writer() -> Reader:
    """A reader who may change things; raises Forbidden for a share's."""
    found = await reader()
    if not found.can_write:
        raise Forbidden("A share link is for reading only")
    return found


async def _share_reader(share_id: str) -> Reader:
    if not _holds_share(share_id):
        raise Unauthorized("Open the share link again", reason="share-link")
    share = check_share(await state().store.shares.by_id(share_id))
    return Reader(await state().store.stacks.by_id(share.stack), None, share, "")


def check_share(share: Share) -> Share:
    """The share itself; raises Gone when it was revoked or has expired."""
    if share.revoked_at is not None:
        raise Gone("This share link was revoked")
    if share.expires_at is not None and share.expires_at <= now():
        raise Gone("This share link has expired")
    return share


def give_share_cookie(response: AnyResponse, share: Share) -> None:
    """Let this browser read one share's view, and nothing beside it."""
    longest = timedelta(days=SHARE_COOKIE_DAYS)
    left = min(longest, share.expires_at - now()) if share.expires_at else longest
    response.set_cookie(
        _share_cookie(),
        _share_signer().dumps(share.id),
        max_age=int(left.total_seconds()),
        path=f"/v/{share.id}",
        httponly=True,
        samesite="Lax",
        secure=is_https(),
    )


def _holds_share(share_id: str) -> bool:
    try:
        return bool(_share_signer().loads(here().cookies.get(_share_cookie(), "")) == share_id)
    except BadSignature:
        return False


def _share_signer() -> URLSafeSerializer:
    return URLSafeSerializer(state().store.secret, salt="share")


def _share_cookie() -> str:
    return f"__Secure-{SHARE_COOKIE}" if is_https() else SHARE_COOKIE


def local_path(text: str) -> str:
    """``text`` when it is a path of this site to go to next, else the first page."""
    is_path = text.startswith("/") and not text.startswith("//") and text.isprintable()
    return text if is_path and "\\" not in text else "/"
