"""The live wire without a websocket, for where a proxy lets none through.

What a server says comes as a stream of events, one message each; what a client says is in the
address of that stream, or asked beside it, so that any process may answer. ``docs/wire.md``.
"""

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from pydantic import Field
from quart import Response, request

from errorstack_live.errors import Invalid, UpgradeRequired
from errorstack_live.live import asking, frames
from errorstack_live.live.asking import MAX_LIMIT, MAX_NUMBER, Fill, More, Ping
from errorstack_live.live.mailbox import Close
from errorstack_live.query import parse
from errorstack_live.web import entrance, lookup
from errorstack_live.web.api.route import JSON, reading
from errorstack_live.web.auth import Reader
from errorstack_live.web.streaming import EVENTS, RETRY_MS, Pieces, conversing, event, streamed

DEFAULT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class LiveAsked:
    """What a `start` says."""

    query: str = ""
    epoch: Annotated[int, Field(ge=0, le=MAX_NUMBER)] = 1
    limit: Annotated[int, Field(ge=0, le=MAX_LIMIT)] = DEFAULT_LIMIT
    since: Annotated[str, Field(description="The cursor where an earlier stream ended.")] = ""
    counts_only: Annotated[bool, Field(description="Nobody sees it: counts are enough.")] = False
    traps: Annotated[str, Field(description="The list of a `traps` message, as JSON.")] = ""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of the live wire."""

    type: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A message that is answered by itself: `more`, `fill` or `ping`."""

    ask: Annotated[dict[str, Any], Field(description="The message, as a websocket carries it.")]
    query: Annotated[str, Field(description="The query of the stream that it is about.")] = ""
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT


@reading("/live", asks=LiveAsked, answers=Message, media=(EVENTS,))
async def live(who: Reader, asked: LiveAsked) -> Response:
    """Follow the live wire as events, where a proxy lets no websocket through.

    The same address as the websocket's. Each event is one of its messages, from `hello` to `bye`.
    """
    if EVENTS not in request.headers.get("Accept", ""):
        raise UpgradeRequired(f"This is a websocket, or, for who accepts {EVENTS}, a stream")
    entrance.check_room()
    start = {"type": "start", "query": asked.query, "epoch": asked.epoch, "limit": asked.limit}
    said: list[dict[str, Any]] = [{**start, "since": asked.since} if asked.since else start]
    if asked.counts_only:
        said.append({"type": "mode", "counts_only": True})
    if asked.traps:
        said.append({"type": "traps", "traps": _json(asked.traps)})
    return streamed(lambda: _events(who, said), EVENTS)


@reading("/live", method="POST", takes=Beside, answers=Message)
async def beside(who: Reader, body: Beside) -> Response:
    """Answer a message beside the stream of events: `more`, `fill` or `ping`."""
    view = lookup.view_of(who, parse(body.query), whole=False)
    match asking.read(orjson.dumps(body.ask).decode()):
        case More() as more:
            said = await lookup.more(who, view, more, body.limit)
        case Fill() as fill:
            said = await lookup.fill(entrance.live(), view, fill)
        case Ping(at):
            said = frames.pong(at)
        case _:
            raise Invalid("ask is a message of the type more, fill or ping")
    return Response(said, content_type=JSON)


def _json(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Invalid("traps: a list, as JSON") from None


async def _events(who: Reader, opening: list[dict[str, Any]]) -> Pieces:
    hub = entrance.live().hub
    async with conversing(who) as (talk, viewer):
        for message in opening:
            talk.hear(orjson.dumps(message).decode())
        yield f"retry: {RETRY_MS}\n\n".encode()
        while not isinstance(said := await talk.next(), Close):
            viewer.sending_since = hub.now()
            yield event(said.encode())
            viewer.sending_since = None
        yield event(frames.bye(said.code, said.retry_s).encode())
