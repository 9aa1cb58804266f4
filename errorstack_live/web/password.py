"""Passwords and invitations: hashed with argon2 off the event loop, never kept as typed."""

import asyncio
import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from errorstack_live.errors import Invalid

MIN_PASSWORD_CHARS = 10
MAX_PASSWORD_CHARS = 1024
MAX_HASHES = 2
"""Hashes computed at once: each takes 64 MiB and a core for about a twentieth of a second."""
INVITE_DAYS = 7
_INVITE = "invited"


def check_password(password: str) -> str:
    """The password itself; raises Invalid when it is too short or absurdly long."""
    if len(password) < MIN_PASSWORD_CHARS:
        raise Invalid(f"A password has at least {MIN_PASSWORD_CHARS} characters")
    if len(password) > MAX_PASSWORD_CHARS:
        raise Invalid(f"A password has at most {MAX_PASSWORD_CHARS} characters")
    return password


class Passwords:
    """Hashes and verifies, at most MAX_HASHES at once; further callers wait."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(MAX_HASHES)

    async def hash(self, password: str) -> str:
        """A salted argon2id hash."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one that was hashed.

        None, for an unknown member, is checked against a password nobody has: the answer takes as
        long, so that it does not tell which addresses have an account.
        """
        if len(password) > MAX_PASSWORD_CHARS:
            return False
        async with self._slots:
            return await asyncio.to_thread(self._verify, password_hash, password)

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether today's parameters are stronger than those of this hash."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        known = password_hash if password_hash and not is_invite(password_hash) else self._nobody
        try:
            self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return False
        return known is password_hash

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_urlsafe())


def new_invite(now: datetime) -> tuple[str, str]:
    """A one-time token for someone invited, and what stands for their password until it is used.

    Taking the token sets a password, which replaces what stood for it: so it works once, and
    removing the member takes the invitation back.
    """
    token = secrets.token_urlsafe(24)
    ends_at = int((now + timedelta(days=INVITE_DAYS)).timestamp())
    return token, f"{_INVITE}:{ends_at}:{_digest(token)}"


def is_invite(password_hash: str) -> bool:
    """Whether this member was invited and has not set a password."""
    return password_hash.startswith(f"{_INVITE}:")


def invite_ends_at(password_hash: str) -> datetime | None:
    """When this member's invitation ends; None for one who has set a password."""
    if not is_invite(password_hash):
        return None
    return datetime.fromtimestamp(int(password_hash.split(":")[1]), UTC)


def opens(password_hash: str, token: str, now: datetime) -> bool:
    """Whether ``token`` is this member's invitation and has not expired."""
    if not is_invite(password_hash):
        return False
    _, ends_at, digest = password_hash.split(":")
    return now.timestamp() < int(ends_at) and hmac.compare_digest(digest, _digest(token))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
