"""Answers without an end: a response that is written as it comes about, until its reader leaves.

Nothing is written ahead: the next piece is made when the network has taken the one before.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from functools import partial

from quart import Response, request, stream_with_context

from errorstack_live.live import frames
from errorstack_live.live.viewer import Viewer
from errorstack_live.web import entrance
from errorstack_live.web.auth import Reader
from errorstack_live.web.conversation import Conversation
from errorstack_live.web.state import now, state

EVENTS = "text/event-stream"
LINES = "application/x-ndjson"
STALL_S = 60.0
"""A piece that the network has not taken by then never will be: the answer ends."""
RETRY_MS = 3000
"""A client of events that was cut off comes back after so long."""

Pieces = AsyncGenerator[bytes, None]


def streamed(pieces: Callable[[], Pieces], media: str) -> Response:
    """A response of these pieces. When the reader leaves they end where they wait."""
    headers = {"X-Accel-Buffering": "no"}  # a proxy that gathers them would show them late
    if request.method == "HEAD":
        return Response("", content_type=media, headers=headers)
    written = stream_with_context(partial(_written, pieces))()
    response = Response(written, content_type=media, headers=headers)
    response.timeout = None
    return response


async def _written(pieces: Callable[[], Pieces]) -> Pieces:
    """The pieces, and an end when one of them is not taken in time."""
    writer = asyncio.current_task()
    assert writer is not None
    loop = asyncio.get_running_loop()
    async with aclosing(pieces()) as made:
        async for piece in made:
            stalled = loop.call_later(STALL_S, writer.cancel)
            try:
                yield piece
            finally:
                stalled.cancel()


def event(data: bytes, *, kind: str = "", id: str = "") -> bytes:  # noqa: A002 - the format's word
    """One event of a stream of events; ``data`` is one line."""
    name = f"event: {kind}\n" if kind else ""
    place = f"id: {id}\n" if id else ""
    return f"{name}{place}data: ".encode() + data + b"\n\n"


@asynccontextmanager
async def conversing(reader: Reader) -> AsyncIterator[tuple[Conversation, Viewer]]:
    """Let a reader in and talk with them: for inside the pieces, which always end."""
    live = entrance.live()
    viewer = await entrance.enter(reader)
    talk = Conversation(reader, viewer, live)
    viewer.task = asyncio.current_task()
    hub = state().hub
    viewer.mailbox.answer(frames.hello(hub.version, now(), hub.viewers(reader.stack.id)))
    try:
        yield talk, viewer
    finally:
        await talk.end()
        hub.leave(viewer)
