"""Kinds of values that several resources take or answer: how each is read, and described."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

from errorstack_live.errors import Invalid
from errorstack_live.query import Query, parse
from errorstack_live.web import parameter
from errorstack_live.web.state import now
from errorstack_live.when import parse_moment


def _text(read: Callable[[str], Any]) -> PlainValidator:
    """Read by a function of ours; what it says of a bad value is said with the value's name."""

    def validate(given: object) -> object:
        try:
            return read(str(given))
        except Invalid as wrong:
            raise ValueError(wrong.message) from None

    return PlainValidator(validate)


def _moment(text: str) -> datetime:
    if text.isascii() and text.isdigit():
        return parameter.at_millis(
            parameter.integer({"it": text}, "it", low=0, high=parameter.MAX_MILLIS)
        )
    return parse_moment(text, now())


def _id(text: str) -> str:
    if not parameter.is_id(text):
        raise Invalid("an id of 24 hex digits")
    return text


def _schema(description: str, **more: object) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "description": description, **more})


_ID = "^[0-9a-f]{24}$"

AskedQuery = Annotated[
    Query, _text(parse), _schema("What to see, in the query language. Everything, without it.")
]
AskedMoment = Annotated[
    datetime,
    _text(_moment),
    _schema("A time: so long ago (`15m`, `2h`, `7d`), ISO 8601, or milliseconds since 1970."),
]
AskedId = Annotated[str, _text(_id), _schema("An id.", pattern=_ID)]
Place = Annotated[
    tuple[datetime, str],
    _text(parameter.place),
    _schema("The `next` of the page before: go on from there.", pattern="^[0-9]+,[0-9a-f]{24}$"),
]

Id = Annotated[str, Field(pattern=_ID)]
Millis = Annotated[int, Field(description="Milliseconds since 1970.")]
Levels = Annotated[dict[str, int], Field(description="How many, by level.")]
Minute = Annotated[tuple[Millis, Levels], Field(description="When it began, and what it counts.")]
IsComplete = Annotated[
    bool,
    Field(description="Whether that is all; false where reading stopped at its limit or deadline."),
]
