"""The live view's websocket: who may open it, and from where. What is said: ``conversation``.

Everything is checked before the handshake is accepted, so that a refusal is an HTTP answer.
"""

from quart import Blueprint, Quart, Response, current_app, websocket

from errorstack_live.errors import ErrorStackError, Forbidden, TooMany
from errorstack_live.limit import neighbours
from errorstack_live.live import frames
from errorstack_live.live.cursor import Cursors
from errorstack_live.live.rows import encode
from errorstack_live.live.viewer import Pass
from errorstack_live.web import auth
from errorstack_live.web.auth import Reader
from errorstack_live.web.conversation import Conversation, Live
from errorstack_live.web.prompt import PromptConnection, PromptWebsocket
from errorstack_live.web.snapshot import Snapshots
from errorstack_live.web.state import EXTENSION, State, now, state

LIVE = "errorstack_live"
RETRY_S = 5

sockets = Blueprint("live", __name__)


def register(app: Quart) -> None:
    """Serve the live views, and let the hub follow the feed."""
    here = app.extensions[EXTENSION]
    assert isinstance(here, State)  # set by create_app, nowhere else
    cursors = Cursors(here.store.secret)
    here.hub.follow(here.feed, cursors.sign)
    app.websocket_class = PromptWebsocket
    app.asgi_websocket_class = PromptConnection
    app.extensions[LIVE] = Live(here.hub, cursors, Snapshots(here.hub))
    app.register_blueprint(sockets)


@sockets.websocket("/api/v1/stacks/<slug>/live")
@sockets.websocket("/v/<share_id>/api/live")
async def watch(**_: str) -> Response | None:
    """Let someone watch a stack: a member, a terminal, or whoever holds a share link."""
    live = current_app.extensions[LIVE]
    assert isinstance(live, Live)  # set by register, nowhere else
    hub = live.hub
    try:
        reader = await _reader()
        viewer = hub.enter(reader.stack.id, await _pass(reader), _address())
    except ErrorStackError as error:
        return _refusal(error)
    try:
        await websocket.accept()
        viewer.mailbox.answer(frames.hello(hub.version, now(), hub.viewers(reader.stack.id)))
        await Conversation(websocket, reader, viewer, live).run()
    finally:
        hub.leave(viewer)
    return None


async def _reader() -> Reader:
    """Who asks, if this is from a page of ours or from a program, and there is room."""
    if not auth.is_same_origin():
        raise Forbidden("This socket was opened by another site")
    reader = await auth.reader()
    headers = websocket.headers
    if reader.share is None and "Origin" not in headers and "Authorization" not in headers:
        raise Forbidden("A session cookie is for browsers, which send an Origin")
    _check_room()
    return reader


def _check_room() -> None:
    here = state()
    crowd = here.hub.crowd
    if len(crowd) >= here.settings.max_viewers:
        raise TooMany("Too many watch already", retry_after_s=RETRY_S)
    if crowd.count_at(_address()) >= here.settings.max_viewers_per_address:
        raise TooMany("Too many watch from this address", retry_after_s=RETRY_S)


async def _pass(reader: Reader) -> Pass:
    if reader.share is not None:
        share = reader.share
        return Pass(share=share.id, expires_at=share.expires_at, name=share.name)
    held = await auth.caller()
    return Pass(session=held.id, expires_at=held.expires_at, name=held.name)


def _address() -> str:
    return neighbours(websocket.remote_addr or "")


def _refusal(error: ErrorStackError) -> Response:
    said = encode({"error": error.reason, "message": error.message})
    response = Response(said, error.status, content_type="application/json")
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response
