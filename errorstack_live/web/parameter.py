"""Values from outside, in an address or a form: what they must be, or Invalid says why not."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

from errorstack_live.errors import Invalid

MAX_MILLIS = 253_402_300_799_999
"""The last millisecond of the year 9999, the last that a datetime holds."""
MAX_NAME_CHARS = 80
MAX_EMAIL_CHARS = 254
MAX_NAMES = 100
"""Fields to scrub or to hide, at most."""
MAX_FIELD_NAME_CHARS = 256

_ID: Final = re.compile(r"[0-9a-f]{24}")
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f<>\"]+@[^@\s\x00-\x1f\x7f<>\"]+")
_SLUG: Final = re.compile(r"[a-z0-9](?:-?[a-z0-9]){0,59}")

T = TypeVar("T")
Given = Mapping[str, str]


def integer(given: Given, name: str, *, low: int, high: int, default: int | None = None) -> int:
    """A whole number from ``low`` to ``high``; ``default`` where it is not given."""
    text = given.get(name, "")
    if not text and default is not None:
        return default
    # Digits alone, and few: int() also takes signs, blanks and other scripts' digits.
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Invalid(f"{name} is a whole number")
    if not low <= int(text) <= high:
        raise Invalid(f"{name} is from {low} to {high}")
    return int(text)


def moment(given: Given, name: str) -> datetime | None:
    """A time in milliseconds since 1970, None where it is not given."""
    if not given.get(name):
        return None
    return at_millis(integer(given, name, low=0, high=MAX_MILLIS))


def at_millis(millis: int) -> datetime:
    """The time at these milliseconds since 1970."""
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=millis)


def before(given: Given) -> tuple[datetime, str] | None:
    """The place to go on from, ``before=<at>,<id>``: an error's time and id."""
    text = given.get("before")
    return place(text) if text else None


def place(text: str) -> tuple[datetime, str]:
    """An error's time and id, ``<at>,<id>``."""
    at, _, error_id = text.partition(",")
    if not is_id(error_id):
        raise Invalid("before is an error's time in milliseconds and its id: before=<at>,<id>")
    return at_millis(integer({"before": at}, "before", low=0, high=MAX_MILLIS)), error_id


def is_id(text: str) -> bool:
    """Whether this can be an id."""
    return _ID.fullmatch(text) is not None


def choice(given: Given, name: str, choices: Mapping[str, T], default: str) -> T:
    """One of the words of ``choices``, as what stands for it there."""
    word = given.get(name) or default
    if word not in choices:
        raise Invalid(f"{name} is one of: {', '.join(choices)}")
    return choices[word]


def name_of(text: object, what: str = "name", *, required: bool = True) -> str:
    """A name for people: one line, trimmed, of at most MAX_NAME_CHARS."""
    if not isinstance(text, str):
        raise Invalid(f"{what} is text")
    text = " ".join(text.split())
    if required and not text:
        raise Invalid(f"{what} is missing")
    if len(text) > MAX_NAME_CHARS or not text.isprintable():
        raise Invalid(f"{what} has at most {MAX_NAME_CHARS} characters, on one line")
    return text


def slug(text: str) -> str:
    """A stack's name in addresses: lower-case letters, digits and hyphens between them."""
    text = text.strip().lower()
    if not _SLUG.fullmatch(text):
        raise Invalid("An address is made of lower-case letters, digits and hyphens: checkout-prod")
    return text


def email(text: str) -> str:
    """An e-mail address, in lower case."""
    text = text.strip().lower()
    if len(text) > MAX_EMAIL_CHARS or not _EMAIL.fullmatch(text) or not text.isprintable():
        raise Invalid("This is no e-mail address")
    return text


def field_names(names: list[str]) -> tuple[str, ...]:
    """Names of fields, each once, in the order given; empty ones are left out."""
    found = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if len(found) > MAX_NAMES or any(len(name) > MAX_FIELD_NAME_CHARS for name in found):
        raise Invalid(f"At most {MAX_NAMES} names of at most {MAX_FIELD_NAME_CHARS} characters")
    return found
