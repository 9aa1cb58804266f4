"""Who may read and change what, and who watches: members, sessions, tokens, share links, pins.

Frozen values like those of ``model``. Of secrets only hashes are kept.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Member:
    """Someone who signs in."""

    id: str
    email: str
    password_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in, or a terminal's short-lived access (then ``member`` is None).

    ``id`` is the SHA-256 of its token, which only the holder has. ``agent`` and ``address`` are
    the browser's and where it was at ``seen_at``, which is up to some minutes old.
    """

    id: str
    member: str | None
    created_at: datetime
    expires_at: datetime
    agent: str = ""
    address: str = ""
    seen_at: datetime | None = None


class Scope(StrEnum):
    """What a token lets a program do."""

    READ = "read"
    WRITE = "write"


ACCESS_MARK = "est_"
"""What the text of a token begins with, so that one that leaked is known for what it is."""


@dataclass(frozen=True, slots=True)
class Token:
    """A program's access to the API, until it is revoked; ``expires_at`` None is for ever.

    ``stacks`` are the ids of those it is for, None for all. ``member`` made it, None for the
    command line; when they are removed it ends. ``last_used_at`` is exact to a minute.
    """

    id: str
    name: str
    scope: Scope
    stacks: tuple[str, ...] | None
    member: str | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None

    def is_for(self, stack_id: str) -> bool:
        """Whether it reaches this stack."""
        return self.stacks is None or stack_id in self.stacks


@dataclass(frozen=True, slots=True)
class Pin:
    """An error that a member keeps at the top of the stack's live view, for everybody who may see
    it. ``by`` is the member's e-mail address, empty for a program's."""

    error: str
    note: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LinkWatched:
    """How many sockets watch by one share link; ``name`` is the link's."""

    share: str
    name: str
    viewers: int


@dataclass(frozen=True, slots=True)
class Watching:
    """Who watches one stack in one process: members by e-mail, each with their sockets, those who
    came by share links, and ``others``: terminals, and whoever is past a limit."""

    process: str
    stack: str
    members: tuple[tuple[str, int], ...] = ()
    links: tuple[LinkWatched, ...] = ()
    others: int = 0

    @property
    def viewers(self) -> int:
        """All of their sockets."""
        by_link = sum(each.viewers for each in self.links)
        return sum(count for _, count in self.members) + by_link + self.others


@dataclass(frozen=True, slots=True)
class Share:
    """A secret, read-only, live link to a view; the token itself is never kept.

    ``query`` limits what is seen, ``hidden`` names fields that are cut out before anything is
    matched or sent, ``with_logs`` adds the stack's log messages. ``initial`` is how the view looks
    when it is opened: the search part of an address, without its question mark.
    """

    id: str
    stack: str
    token_sha256: str
    name: str
    query: str
    hidden: tuple[str, ...]
    with_logs: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None
    initial: str = ""
