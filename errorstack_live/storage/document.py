"""Documents to and from bytes: whatever a sender made up is stored, and one odd one reads back.

Each document is encoded by itself before anything is sent, so that an odd one is its own sender's
trouble, and decoded by itself, so that a poisoned one never breaks a page.
"""

import itertools
import json
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar, cast

import bson
import structlog
from bson import ObjectId
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError, InvalidId
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase

from errorstack_live.errors import NotFound, TooLarge
from errorstack_live.model import JSON, Fields

MAX_DOCUMENT_BYTES = (16 << 20) - (16 << 10)
"""MongoDB takes 16 MiB; the rest is left for what an update adds."""
MAX_DEPTH = 32
MAX_INT64 = (1 << 63) - 1
MAX_DECIMAL_BITS = 10_000
"""A longer integer becomes hexadecimal text: decimal takes time that grows with its square."""

Document = dict[str, Any]
Database = AsyncIOMotorDatabase[Document]
Collection = AsyncIOMotorCollection[Document]
RawCollection = AsyncIOMotorCollection[RawBSONDocument]
T = TypeVar("T")

OPTIONS: CodecOptions[Document] = CodecOptions(
    tz_aware=True,
    tzinfo=UTC,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",
)
RAW: CodecOptions[RawBSONDocument] = OPTIONS.with_options(document_class=RawBSONDocument)

_ENCODE_FAILURES = (BSONError, OverflowError, UnicodeError, RecursionError)
_PROCESS = secrets.token_hex(5)
_numbers = itertools.count(secrets.randbits(24))
_PLAIN = frozenset({str, int, float, bool, type(None)})
_SURROGATES = re.compile("[\ud800-\udfff]")
_DBREF_MARK = b"\x02$ref\x00"
_log = structlog.get_logger(__name__)


def raw_collection(database: Database, name: str) -> RawCollection:
    """A collection whose documents come as bytes, to be decoded one by one."""
    return cast("RawCollection", database.get_collection(name, codec_options=RAW))


def new_id() -> str:
    """Make an id: 24 lower-case hex digits that begin with the time, as any ObjectId.

    Made here as text: the driver's own asks the kernel for the process every time.
    """
    return f"{int(time.time()):08x}{_PROCESS}{next(_numbers) & 0xFFFFFF:06x}"


@lru_cache(maxsize=4096)
def object_id(text: str) -> ObjectId:
    """Read an id from outside; raises NotFound where nothing can have it."""
    try:
        return ObjectId(text)
    except (InvalidId, TypeError):
        raise NotFound("There is nothing with this id") from None


def encode(document: Document) -> RawBSONDocument:
    """Encode a document as it is, or, where BSON has no place for it, with the least change.

    An integer beyond 64 bit becomes text, a lone surrogate U+FFFD, a NUL in a name U+2400, what
    is deeper than MAX_DEPTH its JSON text (PROTOCOL 3). Raises TooLarge.
    """
    try:
        content = bson.encode(document)
    except _ENCODE_FAILURES:
        content = bson.encode({name: _mended(value, 1) for name, value in document.items()})
    if len(content) > MAX_DOCUMENT_BYTES:
        raise TooLarge(f"This takes {len(content)} bytes, the database {MAX_DOCUMENT_BYTES}")
    return RawBSONDocument(content)


def decode(content: RawBSONDocument | bytes) -> Document:
    """Decode a document exactly: what looks like a DBRef to the driver stays as it was sent."""
    raw = content if isinstance(content, bytes) else content.raw
    if _DBREF_MARK not in raw:
        return bson.decode(raw, OPTIONS)
    return cast("Document", _inflated(RawBSONDocument(raw, RAW)))


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A document that somebody else wrote, or another version, in a shape unknown here."""

    id: Any
    problem: str


def decode_each(
    found: Iterable[RawBSONDocument], read: Callable[[Document], T]
) -> list[T | Unreadable]:
    """Read documents one by one; one that is not what ``read`` expects becomes Unreadable."""
    return [_read(raw, read) for raw in found]


def _read(raw: RawBSONDocument, read: Callable[[Document], T]) -> T | Unreadable:
    try:
        return read(decode(raw))
    except (BSONError, KeyError, TypeError, ValueError, AttributeError) as error:
        found = Unreadable(raw.get("_id"), type(error).__name__)
        _log.warning("document_unreadable", id=str(found.id), problem=found.problem)
        return found


def checked(value: object, kind: type[T]) -> T:
    """The value, when it is of this kind. Raises TypeError."""
    if not isinstance(value, kind):
        raise TypeError(f"{kind.__name__} expected, not {type(value).__name__}")
    return value


def plain(fields: dict[str, Any]) -> Fields:
    """A sender's fields with nothing in them but JSON: what else was found there is text."""
    for value in fields.values():
        if type(value) not in _PLAIN:
            return {name: _plain(each) for name, each in fields.items()}
    return fields


def _plain(value: object) -> JSON:
    match value:
        case None | bool() | str() | float():
            return value
        case int():  # the driver's own 64-bit integers, too
            return int(value)
        case dict():
            return {str(name): _plain(each) for name, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case _:
            return str(value)


def _mended(value: object, depth: int) -> object:
    match value:
        case str():
            return _text(value)
        case int() if not -MAX_INT64 - 1 <= value <= MAX_INT64:
            return str(value) if value.bit_length() < MAX_DECIMAL_BITS else hex(value)
        case Mapping() | list() | tuple() if depth > MAX_DEPTH:
            return _deep_text(value)
        case Mapping():
            return {
                _text(str(name)).replace("\0", "\u2400"): _mended(inner, depth + 1)
                for name, inner in value.items()
            }
        case list() | tuple():
            return [_mended(inner, depth + 1) for inner in value]
    return value


def _text(value: str) -> str:
    return _SURROGATES.sub("\ufffd", value)


def _deep_text(value: object) -> str:
    try:
        return _text(json.dumps(value, default=str, ensure_ascii=False))
    except (RecursionError, ValueError, TypeError):
        return "(nested too deep)"


def _inflated(value: object) -> Any:  # noqa: ANN401  whatever is in the document
    if isinstance(value, RawBSONDocument):
        return {name: _inflated(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_inflated(inner) for inner in value]
    return value


def without_empty(document: Document) -> Document:
    """Leave out what says nothing: None and empty text, lists and documents."""
    return {name: value for name, value in document.items() if value not in (None, "", [], {}, ())}


def utc(at: datetime) -> datetime:
    """A time as the database gives it back: UTC, whole milliseconds."""
    return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)
