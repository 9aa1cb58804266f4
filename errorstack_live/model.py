"""The vocabulary as frozen values: what a submission becomes on its way to a viewer.

Nothing here acts; time and ids come in from outside. Ids are 24 lower-case hex digits
(a MongoDB ObjectId), times are aware UTC datetimes with millisecond precision.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
"""A JSON value, as a sender may give it for a field."""

Fields: TypeAlias = Mapping[str, JSON]
"""A sender's own fields: in the order sent, names as sent; a name given twice holds a list."""


class Kind(StrEnum):
    """What a submission asks to store."""

    ERROR = "error"
    LOG = "log"
    MARKER = "marker"


class Level(StrEnum):
    """How bad an error is, most severe first; whatever word a sender used becomes one of these."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


class Status(StrEnum):
    """What a member said of an issue."""

    OPEN = "open"
    RESOLVED = "resolved"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class StackKey:
    """A public, write-only key; ``label`` says what it is for. ``revoked_at`` is None while it
    works.
    """

    key: str
    created_at: datetime
    revoked_at: datetime | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Which errors are one issue, said by members: those that match ``query`` are the issue that
    is named ``group``, or, where it is empty, one issue for each value of the fields ``split``."""

    query: str
    group: str = ""
    split: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Merge:
    """Errors of ``fingerprint`` go to another issue, by its id."""

    fingerprint: str
    into: str


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """What members changed of how a stack's errors become issues: the first rule that matches
    holds, then the merges. Compared by identity, which is what its compiled form is kept by."""

    rules: tuple[Rule, ...] = ()
    merges: tuple[Merge, ...] = ()


BY_FINGERPRINT = Grouping()
"""Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Stack:
    """What errors are sent to.

    ``slug`` is its name in addresses. ``scrub`` holds names of fields to redact beside the
    built-in ones. ``rate_limit`` is in submissions per second and key, None for the setting's.
    """

    id: str
    name: str
    slug: str
    keys: tuple[StackKey, ...]
    retention_days: int
    created_at: datetime
    scrub: tuple[str, ...] = ()
    rate_limit: int | None = None
    grouping: Grouping = BY_FINGERPRINT


@dataclass(frozen=True, slots=True)
class Request:
    """What the ingest door saw of the request beside its fields. Empty text where unknown."""

    ip: str
    user_agent: str
    referer: str
    protocol: str


@dataclass(frozen=True, slots=True)
class Submission:
    """One HTTP request at the ingest door, as bytes.

    ``query`` is the raw query string, ``body`` the decompressed body up to the limit and
    ``body_bytes`` its true size, which is larger when the body was cut. ``origin`` is the site
    whose page sent it, as its browser says, or empty; it is not stored with the error.
    """

    method: str
    query: bytes
    body: bytes
    body_bytes: int
    content_type: str
    request: Request
    received_at: datetime
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """What of a submission was over a limit (PROTOCOL 6) and is not stored.

    ``body_bytes`` is the true size of a body that was cut, else 0; ``fields`` counts dropped
    fields, ``names`` shortened names.
    """

    body_bytes: int = 0
    fields: int = 0
    names: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """One error or log message as a protocol read it, before anything is known about it.

    ``part`` is the sender's ``_id`` (PROTOCOL 5). A log draft has ``text`` (with ``is_json``
    when the sender asked for pretty JSON), or, where it is None, its ``fields``.
    ``reserved`` holds unknown names that begin with an underscore: kept, hidden from lists.
    """

    fields: Fields
    part: str | None = None
    cut: Cut | None = None
    text: str | None = None
    is_json: bool = False
    reserved: Fields | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """A submission's content: the stack key it names and the drafts it holds, in order.

    ``reply`` is the form of answer its sender wants, a word of its protocol.
    """

    key: str
    drafts: tuple[Draft, ...]
    reply: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error's fields say (PROTOCOL 9): the words for lists, never required.

    ``title`` is one line of at most 300 characters and never empty; ``message`` may be long.
    ``where`` is ``file:line``, a page or a logger, or empty. ``trace`` is the raw stack trace.
    """

    title: str
    type: str
    level: Level
    where: str
    message: str
    trace: str


@dataclass(frozen=True, slots=True)
class LogMessage:
    """A log message: ``text``, or, where it is None, ``fields``."""

    id: str
    stack: str
    at: datetime
    text: str | None
    is_json: bool = False
    fields: Fields | None = None
    cut: Cut | None = None


@dataclass(frozen=True, slots=True)
class Error:
    """One occurrence.

    ``issue`` is the id of its issue, derived from stack and fingerprint unless that was merged
    into another; ``group`` is the name of an issue that a rule made, else empty. ``before`` are
    the log messages alive in its stack when it arrived, oldest first. ``scrubbed`` names the
    fields in which secrets were redacted. ``new`` says what it was the first in its stack to have,
    in the words of ``first``.
    """

    id: str
    stack: str
    at: datetime
    issue: str
    fingerprint: str
    title: str
    type: str
    level: Level
    where: str
    fields: Fields
    request: Request
    before: tuple[LogMessage, ...] = ()
    part: str | None = None
    cut: Cut | None = None
    scrubbed: tuple[str, ...] = ()
    reserved: Fields | None = None
    search: str = ""
    group: str = ""
    new: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Issue:
    """All errors of a stack with one fingerprint.

    ``regressed_at`` is when it came back after it was resolved, ``returned_at`` when its time of
    being ignored was over: that ends at ``until_at`` or when ``count`` reaches ``until_count``,
    whichever is set and comes first. ``status_at`` is when a member last said something of it.
    ``users`` different users were seen, or, with ``has_more_users``, more than so many. ``into``
    is the issue that it was merged into.
    """

    id: str
    stack: str
    fingerprint: str
    title: str
    type: str
    level: Level
    where: str
    first_seen_at: datetime
    last_seen_at: datetime
    count: int
    status: Status
    regressed_at: datetime | None = None
    returned_at: datetime | None = None
    until_at: datetime | None = None
    until_count: int | None = None
    status_at: datetime | None = None
    users: int = 0
    has_more_users: bool = False
    into: str | None = None


class Origin(StrEnum):
    """Who set a marker: a member, a program with a token, or anybody with the stack key."""

    MEMBER = "member"
    TOKEN = "token"  # noqa: S105  a word, no secret
    KEY = "key"


@dataclass(frozen=True, slots=True)
class Marker:
    """Something that was done, at a place in the stream: "deployed 2.4.1".

    ``by`` says more of who did it, for members alone: an e-mail or a network address.
    """

    id: str
    stack: str
    at: datetime
    text: str
    origin: Origin
    by: str
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A durable error or log message, with what its sender could not know.

    ``is_new``: the first error of its issue. ``is_repeat``: this part or retry was stored before.
    ``count`` is the issue's count as this process knows it, 0 for a log message.
    """

    id: str
    issue: str | None = None
    is_new: bool = False
    is_repeat: bool = False
    count: int = 0


class OutcomeKind(StrEnum):
    """How a submission ended."""

    ACCEPTED = "accepted"
    FILTERED = "filtered"
    RATE_LIMITED = "rate_limited"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a submission ended, for its reply: what was stored, or why not.

    ``reason`` is a machine word (``unknown-key``), ``message`` the words for a person, ``status``
    the HTTP status. ``retry_after_s`` is 0 where a retry is of no use.
    """

    kind: OutcomeKind
    status: int = 200
    stored: tuple[Stored, ...] = ()
    viewers: int = 0
    reason: str = ""
    message: str = ""
    retry_after_s: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """A protocol's answer to one submission."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
