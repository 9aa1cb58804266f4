"""How the API says that something failed, as ``web/problem.py`` answers it."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

FAILURES = {
    400: "A value cannot be used; `message` says which and why.",
    401: "Nobody is signed in, or the session or token has ended.",
    403: "This reader may not do it.",
    404: "There is no such thing, or none that this reader may see.",
    409: "It is at odds with what there is.",
    410: "The share link was revoked or has expired.",
    413: "The body is over 256 KB.",
    429: "Too many requests: come back after `Retry-After` seconds.",
    503: "The database is away: come back after `Retry-After` seconds.",
}
"""What any operation may be answered with."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why it was not done."""

    error: Annotated[str, Field(description="A machine word, as `not-found`.")]
    message: Annotated[str, Field(description="Words for a person.")]
    at: Annotated[
        int | None, Field(description="Of a query that has no meaning: the place in its text.")
    ] = None
