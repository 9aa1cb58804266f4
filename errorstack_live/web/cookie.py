"""Cookies: of a sign-in, and of a share link. Under https they have names that keep http out."""

from datetime import timedelta

from itsdangerous import BadSignature, URLSafeSerializer
from quart_auth import QuartAuth
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.access import Share
from errorstack_live.web.origin import here, is_https
from errorstack_live.web.state import now, state

SHARE_COOKIE = "errorstack_share"
SHARE_COOKIE_DAYS = 30


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


def holds_share(share_id: str) -> bool:
    """Whether the browser that asks was given this share's cookie."""
    try:
        return bool(_share_signer().loads(here().cookies.get(_share_cookie(), "")) == share_id)
    except BadSignature:
        return False


def _share_signer() -> URLSafeSerializer:
    return URLSafeSerializer(state().store.secret, salt="share")


def _share_cookie() -> str:
    return f"__Secure-{SHARE_COOKIE}" if is_https() else SHARE_COOKIE
