"""The exception tree: every failure a caller can meet, with its reason word and HTTP status.

ErrorStackError
├── Refused                 a submission is not stored; the sender is told why
│   ├── UnknownKey          200  unknown-key   (PROTOCOL 7: what a sender cannot fix is 200)
│   ├── BadSubmission       400  bad-encoding, ...
│   ├── TooLarge            413  too-large
│   ├── AddressTooLong      414  address-too-long
│   ├── TooMany             429  rate-limited
│   └── StorageAway         503  storage-away, disk-full
├── QueryError              400  bad-query, with the place in the text
├── Invalid                 400  invalid       (a value from outside that cannot be used)
├── Unauthorized            401  sign-in
├── Forbidden               403  forbidden
├── NotFound                404  not-found
├── Conflict                409  conflict
├── Gone                    410  gone          (a share link that was revoked or has expired)
├── UpgradeRequired         426  websocket     (a plain request where a websocket is served)
└── SetupError              the program cannot start; printed, exit code 1
"""


class ErrorStackError(Exception):
    """Root of the tree. ``reason`` is a stable machine word, ``status`` the HTTP status."""

    reason = "error"
    status = 500

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        if reason is not None:
            self.reason = reason

    @property
    def message(self) -> str:
        """The words for a person."""
        return str(self.args[0])


class Refused(ErrorStackError):
    """A submission is not stored. ``retry_after_s`` is 0 where a retry is of no use."""

    retry_after_s = 0


class UnknownKey(Refused):
    """The stack key is missing, unknown or revoked."""

    reason = "unknown-key"
    status = 200

    def __init__(self) -> None:
        super().__init__("Unknown stack key")


class BadSubmission(Refused):
    """The request cannot be read at all, which a broken body alone never causes."""

    reason = "bad-submission"
    status = 400


class TooLarge(Refused):
    """A declared or decompressed length is over its limit."""

    reason = "too-large"
    status = 413


class AddressTooLong(Refused):
    """The URL is over its limit."""

    reason = "address-too-long"
    status = 414


class TooMany(Refused):
    """A key or an address is over its rate."""

    reason = "rate-limited"
    status = 429

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageAway(Refused):
    """Nothing can be made durable now: the database is away or the disk is nearly full."""

    reason = "storage-away"
    status = 503
    retry_after_s = 2


class QueryError(ErrorStackError):
    """A query's text has no meaning; ``at`` is the offset of the first character that is wrong."""

    reason = "bad-query"
    status = 400

    def __init__(self, message: str, *, at: int) -> None:
        super().__init__(message)
        self.at = at


class Invalid(ErrorStackError):
    """A value from outside that a page or the API cannot use; the message says which and why."""

    reason = "invalid"
    status = 400


class Unauthorized(ErrorStackError):
    """Nobody is signed in, or the session has ended."""

    reason = "sign-in"
    status = 401


class NotFound(ErrorStackError):
    """No such stack, error, issue, member or share link, or none this reader may see."""

    reason = "not-found"
    status = 404


class Conflict(ErrorStackError):
    """The name or address is taken already."""

    reason = "conflict"
    status = 409


class Gone(ErrorStackError):
    """The share link was revoked or has expired."""

    reason = "gone"
    status = 410


class UpgradeRequired(ErrorStackError):
    """A websocket is served here, and the request asks for none: a proxy may have eaten it."""

    reason = "websocket"
    status = 426


class Forbidden(ErrorStackError):
    """The reader may not do this."""

    reason = "forbidden"
    status = 403


class SetupError(ErrorStackError):
    """The program cannot start; the message says what to do about it."""

    reason = "setup"
