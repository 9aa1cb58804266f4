"""Errors and log messages for the tests of storage."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from errorstack_live.model import BY_FINGERPRINT, Error, Grouping, LogMessage, Request
from errorstack_live.occurrence import derive
from errorstack_live.storage.document import new_id

NOW = datetime(2030, 5, 17, 12, 0, 30, tzinfo=UTC)
"""Of tests that need no clock: far enough away that nothing expires."""
REQUEST = Request("127.0.0.1", "curl/8", "", "beacon")


def ago(**units: float) -> datetime:
    return NOW - timedelta(**units)


def error(
    stack: str,
    fields: dict[str, Any] | None = None,
    *,
    at: datetime = NOW,
    grouping: Grouping = BY_FINGERPRINT,
    **known: Any,
) -> Error:
    """An error as ingest makes it of these fields."""
    fields = {"Msg": "boom"} if fields is None else fields
    made = derive(fields, grouping, id=new_id(), stack=stack, at=at, request=REQUEST)
    return replace(made, **known)


def as_sent(found: Iterable[Error]) -> list[Error]:
    """Stored errors without what the writer notes in them: what they were the first of."""
    return [replace(each, new=()) for each in found]


def message(stack: str, text: str | None = "hello", **known: Any) -> LogMessage:
    made: dict[str, Any] = {"id": new_id(), "stack": stack, "at": NOW, "text": text}
    return LogMessage(**(made | known))
