"""The live view's websocket: who may open it, and from where. What is said: ``conversation``.

Everything is checked before the handshake is accepted, so that a refusal is an HTTP answer.
"""

import asyncio
from contextlib import suppress

from quart import Blueprint, Quart, Response, websocket

from errorstack_live.errors import ErrorStackError, Forbidden, TooMany
from errorstack_live.live import frames
from errorstack_live.live.cursor import Cursors
from errorstack_live.live.hub import Hub
from errorstack_live.live.mailbox import TOO_SLOW, Close
from errorstack_live.live.rows import encode
from errorstack_live.live.viewer import Viewer
from errorstack_live.web import auth, entrance
from errorstack_live.web.auth import Reader
from errorstack_live.web.conversation import Conversation
from errorstack_live.web.lookup import Live
from errorstack_live.web.prompt import PromptConnection, PromptWebsocket
from errorstack_live.web.snapshot import Snapshots
from errorstack_live.web.state import EXTENSION, State, now

GOODBYE_S = 2.0

sockets = Blueprint("live", __name__)


def register(app: Quart) -> None:
    """Serve the live views, and let the hub follow the feed."""
    here = app.extensions[EXTENSION]
    assert isinstance(here, State)  # set by create_app, nowhere else
    cursors = Cursors(here.store.secret)
    here.hub.follow(here.feed, cursors.sign)
    app.websocket_class = PromptWebsocket
    app.asgi_websocket_class = PromptConnection
    app.extensions[entrance.LIVE] = Live(here.hub, cursors, Snapshots(here.hub))
    app.register_blueprint(sockets)


@sockets.websocket("/api/v1/stacks/<slug>/live")
@sockets.websocket("/v/<share_id>/api/live")
async def watch(**_: str) -> Response | None:
    """Let someone watch a stack: a member, a program, or whoever holds a share link."""
    live = entrance.live()
    hub = live.hub
    try:
        reader = await _reader()
        viewer = await entrance.enter(reader)
    except ErrorStackError as error:
        return _refusal(error)
    try:
        await websocket.accept()
        viewer.mailbox.answer(frames.hello(hub.version, now(), hub.viewers(reader.stack.id)))
        await _Line(viewer, hub).run(Conversation(reader, viewer, live))
    finally:
        hub.leave(viewer)
    return None


class _Line:
    """The websocket in hand, as what carries a conversation."""

    def __init__(self, viewer: Viewer, hub: Hub) -> None:
        self._viewer = viewer
        self._hub = hub

    async def run(self, talk: Conversation) -> None:
        """Return when the conversation is over; raises CancelledError when the viewer is gone."""
        self._viewer.task = asyncio.current_task()
        reading = asyncio.create_task(self._read(talk))
        try:
            while not isinstance(said := await talk.next(), Close):
                await self._send(said)
            await self._close(said)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await talk.end()

    async def _read(self, talk: Conversation) -> None:
        """Take every message at once."""
        while talk.hear(await websocket.receive()):
            pass

    async def _send(self, text: str) -> None:
        self._viewer.sending_since = self._hub.now()  # the hub cuts it off in the end
        await websocket.send(text)
        self._viewer.sending_since = None

    async def _close(self, close: Close) -> None:
        if close is not TOO_SLOW:  # who does not read will not read a farewell
            await self._send(frames.bye(close.code, close.retry_s))
        self._viewer.sending_since = self._hub.now()
        await websocket.close(close.code, close.reason)
        await self._drain()

    async def _drain(self) -> None:
        """Take what is still coming until the viewer has answered, which ends this by force.

        To close a connection on unread messages would destroy the close code on its way, and
        Hypercorn waits for ever to hand over messages that nobody takes.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                while True:
                    await websocket.receive()


async def _reader() -> Reader:
    """Who asks, if this is from a page of ours or from a program, and there is room."""
    if not auth.is_same_origin():
        raise Forbidden("This socket was opened by another site")
    reader = await auth.reader()
    headers = websocket.headers
    if reader.share is None and "Origin" not in headers and "Authorization" not in headers:
        raise Forbidden("A session cookie is for browsers, which send an Origin")
    entrance.check_room()
    return reader


def _refusal(error: ErrorStackError) -> Response:
    said = encode({"error": error.reason, "message": error.message})
    response = Response(said, error.status, content_type="application/json")
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response
