"""Who is asking and what they may read: sessions, share links, and where a request came from."""

import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from itsdangerous import Signer
from quart import Quart, current_app, g, has_websocket_context, request
from quart_auth import AuthUser, current_user, login_user, logout_user
from quart_rate_limiter import RateLimiter

from errorstack_live.access import ACCESS_MARK, Member, Scope, Session, Share, Token
from errorstack_live.errors import Forbidden, Gone, NotFound, TooMany, Unauthorized
from errorstack_live.limit import TokenBuckets
from errorstack_live.model import Stack
from errorstack_live.query import Query, parse
from errorstack_live.web.attempt import MAX_THROTTLED, Attempts
from errorstack_live.web.cookie import SessionCookie, holds_share
from errorstack_live.web.header import secure_headers
from errorstack_live.web.origin import (
    address,
    believe_proxy,
    here,
    is_same_origin,
)
from errorstack_live.web.password import Passwords
from errorstack_live.web.state import EXTENSION, now, state
from errorstack_live.web.throttle import Arrivals

__all__ = ["Caller", "Reader", "caller", "is_same_origin", "reader", "register", "writer"]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_TYPES = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
"""What an HTML form of another site can send; anything else needs that site's script, which
says where it comes from."""
MAX_FORM_BYTES = 256 << 10
SEEN_S = 300.0
"""When a session was last in use is written at most so often."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone who may read one stack: a member, a program or terminal (no member), a share.

    ``session_id`` is of the session or the token that they hold, empty for a share.
    """

    stack: Stack
    member: Member | None
    share: Share | None
    session_id: str
    scope: Scope = Scope.WRITE

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
        return self.share is None and self.scope is Scope.WRITE

    @property
    def is_guest(self) -> bool:
        """Whether they came by a share link, and see what it shows and nothing else."""
        return self.share is not None


@dataclass(frozen=True, slots=True)
class Locks:
    """What guards readers in this process: password hashing, the attempts on each account, and how
    often each share link's readers ask."""

    passwords: Passwords
    attempts: Attempts
    shares: TokenBuckets


def register(app: Quart) -> None:
    """Put headers, sessions, throttling and the check of every changing request before ``app``."""
    parts = app.extensions[EXTENSION]
    app.secret_key = parts.store.secret
    app.config["MAX_CONTENT_LENGTH"] = MAX_FORM_BYTES
    app.extensions["errorstack_locks"] = Locks(
        Passwords(),
        Attempts(),
        TokenBuckets(parts.settings.share_rate, parts.settings.share_burst, MAX_THROTTLED),
    )
    app.before_request(believe_proxy)
    app.before_websocket(believe_proxy)
    app.before_request(_refuse_foreign)
    app.after_request(secure_headers)
    SessionCookie(app, duration=parts.settings.session_days * 86_400, cookie_samesite="Lax")
    RateLimiter(app, key_function=address, store=Arrivals(MAX_THROTTLED))


def locks() -> Locks:
    """What guards readers in this process."""
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


async def check_attempt(email: str, device: str) -> None:
    """Count an attempt at this account's password; raises TooMany past its share of them.

    ``device`` names a browser or session that is known to be the member's own, else empty.
    """
    wait_s = locks().attempts.take(email, await address(), device, time.monotonic())
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
        await _note_use(g.session)
    found: Session | None = g.session
    return found


async def _note_use(found: Session | None) -> None:
    """Let a member see later when this session was last in use."""
    if found is None or found.member is None:
        return
    if (now() - (found.seen_at or found.created_at)).total_seconds() > SEEN_S:
        await state().store.sessions.see(found.id, here().remote_addr or "", now())


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
    """The signed-in member; raises Unauthorized when there is none, Forbidden for a token."""
    if (_bearer() or "").startswith(ACCESS_MARK):
        raise Forbidden("A token cannot do this: it takes a member who is signed in")
    found = await member()
    if found is None:
        raise Unauthorized("Sign in first")
    return found


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks, by a sign-in, a terminal's access or a token; ``id`` is of what they hold."""

    id: str
    expires_at: datetime | None
    member: Member | None = None
    token: Token | None = None

    @property
    def scope(self) -> Scope:
        """What they may do at most."""
        return self.token.scope if self.token else Scope.WRITE

    @property
    def name(self) -> str:
        """What they are called where it is told who watches; empty for a terminal."""
        if self.token is not None:
            return self.token.name
        return self.member.email if self.member else ""

    def reaches(self, stack: Stack) -> bool:
        """Whether they may see a stack at all."""
        return self.token is None or self.token.is_for(stack.id)


async def caller() -> Caller:
    """Whoever asks; raises Unauthorized for nobody."""
    text = _bearer() or ""
    if text.startswith(ACCESS_MARK):
        token = await state().store.tokens.by_text(text, now())
        if token is None:
            raise Unauthorized("This token was revoked, has expired or never was")
        return Caller(token.id, token.expires_at, token=token)
    found, who = await session(), await member()
    if found is None or (found.member is not None and who is None):
        raise Unauthorized("Sign in first")
    return Caller(found.id, found.expires_at, member=who)


async def sign_in(who: Member) -> None:
    """Begin a session of this member in this browser; one it had here ends."""
    await sign_out()
    at = now()
    ends_at = at + timedelta(days=state().settings.session_days)
    token = await state().store.sessions.create(
        who.id,
        now=at,
        expires_at=ends_at,
        agent=here().headers.get("User-Agent", ""),
        address=here().remote_addr or "",
    )
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
    held = await caller()
    stack = await state().store.stacks.by_slug(names["slug"])
    if not held.reaches(stack):
        raise NotFound("There is no such stack")
    return Reader(stack, held.member, None, held.id, held.scope)


async def writer() -> Reader:
    """A reader who may change things; raises Forbidden for others."""
    found = await reader()
    if found.is_guest:
        raise Forbidden("A share link is for reading only")
    if not found.can_write:
        raise Forbidden("This token is for reading only")
    return found


async def _share_reader(share_id: str) -> Reader:
    if not holds_share(share_id):
        raise Unauthorized("Open the share link again", reason="share-link")
    await _check_share_rate(share_id)
    share = check_share(await state().store.shares.by_id(share_id))
    return Reader(await state().store.stacks.by_id(share.stack), None, share, "")


async def _check_share_rate(share_id: str) -> None:
    """Count a request of a share link's reader; raises TooMany past their rate.

    Anybody may have a link, and what it asks is searched for. Sockets are bounded by number.
    """
    if has_websocket_context():
        return
    wait_s = locks().shares.take(f"{share_id} {await address()}", time.monotonic())
    if wait_s > 0:
        retry_after_s = math.ceil(wait_s)
        raise TooMany("Too many requests by this link", retry_after_s=retry_after_s)


def check_share(share: Share) -> Share:
    """The share itself; raises Gone when it was revoked or has expired."""
    if share.revoked_at is not None:
        raise Gone("This share link was revoked")
    if share.expires_at is not None and share.expires_at <= now():
        raise Gone("This share link has expired")
    return share


def local_path(text: str) -> str:
    """``text`` when it is a path of this site to go to next, else the first page."""
    is_path = text.startswith("/") and not text.startswith("//") and text.isprintable()
    return text if is_path and "\\" not in text else "/"
