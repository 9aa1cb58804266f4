"""Markers: what was done, at its place in the stream."""

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import Field
from quart import Response

from errorstack_live.errors import Invalid
from errorstack_live.live import rows
from errorstack_live.model import Marker, Origin
from errorstack_live.protocols.mark import MAX_TEXT_CHARS, one_line
from errorstack_live.scrub import scrub_text
from errorstack_live.storage.document import new_id
from errorstack_live.web import history
from errorstack_live.web.api.kind import Id, Millis
from errorstack_live.web.api.route import answer, nothing, reading, writing
from errorstack_live.web.auth import Reader
from errorstack_live.web.state import now, state

MAX_MARKERS = 500


@dataclass(frozen=True, slots=True)
class OneMarker:
    """Something that was done."""

    id: Id
    at: Millis
    text: str
    origin: Annotated[
        Origin, Field(description="Who set it: `key` is anybody with the public stack key.")
    ]
    by: Annotated[str, Field(description="For members: an e-mail, or a network address.")] = ""


@dataclass(frozen=True, slots=True)
class Markers:
    """Markers, newest first."""

    markers: list[OneMarker]


@dataclass(frozen=True, slots=True)
class MarkersAsked:
    """How many markers are wanted."""

    limit: Annotated[int, Field(ge=1, le=MAX_MARKERS)] = 100


@dataclass(frozen=True, slots=True)
class NewMarker:
    """A marker to be set, now."""

    text: Annotated[str, Field(max_length=MAX_TEXT_CHARS)]


@reading("/markers", asks=MarkersAsked, answers=Markers)
async def markers(who: Reader, asked: MarkersAsked) -> Response:
    """List markers, newest first. A limited share link shows none."""
    found = await history.markers(who, limit=asked.limit)
    return answer({"markers": [_told(each) for each in found]})


@writing("POST", "/markers", takes=NewMarker, answers=OneMarker, status=201)
async def set_marker(who: Reader, body: NewMarker) -> Response:
    """Set a marker at this moment: every view shows it at once."""
    text = scrub_text(one_line(body.text))
    if not text:
        raise Invalid("text is missing")
    marker = Marker(
        id=new_id(),
        stack=who.stack.id,
        at=now(),
        text=text,
        origin=Origin.MEMBER if who.member else Origin.TOKEN,
        by=who.member.email if who.member else "",
    )
    return answer(_told(await state().store.markers.add(marker)), 201)


@writing("DELETE", "/markers/<marker_id>")
async def remove_marker(who: Reader, marker_id: str) -> Response:
    """Take a marker away, whoever set it."""
    await state().store.markers.remove(who.stack.id, marker_id, now())
    return nothing()


def _told(marker: Marker) -> dict[str, Any]:
    whole: dict[str, Any] = orjson.loads(rows.marker(marker))
    return whole | {"by": marker.by} if marker.by else whole
