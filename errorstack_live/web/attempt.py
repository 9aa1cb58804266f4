"""How often a password may be guessed, so that guessing is hopeless and nobody is locked out.

Attempts on an account count for the network they come from, and further for all networks
together. Whoever knows a member's e-mail could use up what counts for all; so a browser that has
signed in to this account before carries a cookie that says so, and its attempts are counted by
themselves (OWASP's "device cookies").
"""

import hashlib
import secrets

from itsdangerous import BadSignature, URLSafeTimedSerializer
from quart import Response, request
from werkzeug.wrappers import Response as AnyResponse

from errorstack_live.limit import TokenBuckets
from errorstack_live.web.origin import is_https
from errorstack_live.web.state import state

ATTEMPTS = 10
ATTEMPT_S = 10.0
"""One network, or one known browser, takes ATTEMPTS at an account at once, then one each
ATTEMPT_S."""
ACCOUNT_ATTEMPTS = 100
ACCOUNT_ATTEMPT_S = 5.0
"""The same for all networks together: what many computers can guess of one account."""
MAX_THROTTLED = 10_000
"""Accounts, networks and browsers whose attempts are remembered; the longest unused goes first."""
DEVICE_COOKIE = "errorstack_device"
DEVICE_S = 180 * 86_400
SIGN_IN_PATH = "/login"
"""The cookie is sent there alone."""


class Attempts:
    """The attempts that this process remembers."""

    def __init__(self) -> None:
        rate = 1 / ATTEMPT_S
        self._known = TokenBuckets(rate, ATTEMPTS, MAX_THROTTLED)
        self._networks = TokenBuckets(rate, ATTEMPTS, MAX_THROTTLED)
        self._accounts = TokenBuckets(1 / ACCOUNT_ATTEMPT_S, ACCOUNT_ATTEMPTS, MAX_THROTTLED)

    def take(self, email: str, network: str, device: str, now_s: float) -> float:
        """Count an attempt at an account: 0.0, or the seconds until the next may be made.

        ``device`` names a browser or a session that is known to be the member's own, else empty.
        """
        if device:
            return self._known.take(f"{device} {email}", now_s)
        wait_s = self._networks.take(f"{network} {email}", now_s)
        return wait_s or self._accounts.take(email, now_s)


def known_device(email: str) -> str:
    """What names this browser when it has signed in to this account before, else empty."""
    try:
        marks = _signer().loads(request.cookies.get(_cookie(), ""), max_age=DEVICE_S)
    except BadSignature:
        return ""
    match marks:
        case [str(account), str(device)] if account == _digest(email):
            return device
    return ""


def remember_device(response: AnyResponse | Response, email: str) -> None:
    """Let this browser be known as one that has signed in to this account."""
    response.set_cookie(
        _cookie(),
        str(_signer().dumps([_digest(email), secrets.token_urlsafe(12)])),
        max_age=DEVICE_S,
        path=SIGN_IN_PATH,
        httponly=True,
        samesite="Strict",
        secure=is_https(),
    )


def _digest(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode("utf-8", "replace")).hexdigest()[:32]


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(state().store.secret, salt="device")


def _cookie() -> str:
    return f"__Secure-{DEVICE_COOKIE}" if is_https() else DEVICE_COOKIE
