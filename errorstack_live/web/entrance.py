"""Who may watch a stack live, by a websocket or by a stream of events, and how many."""

from quart import current_app

from errorstack_live.errors import TooMany
from errorstack_live.limit import neighbours
from errorstack_live.live.viewer import Pass, Viewer
from errorstack_live.web import auth, history
from errorstack_live.web.auth import Reader
from errorstack_live.web.lookup import Live
from errorstack_live.web.origin import here
from errorstack_live.web.state import state

LIVE = "errorstack_live"
RETRY_S = 5


def live() -> Live:
    """What all conversations of this process share."""
    found = current_app.extensions[LIVE]
    assert isinstance(found, Live)  # set by ``socket.register``, nowhere else
    return found


def check_room() -> None:
    """Raises TooMany when as many watch as may, here or from the address that asks."""
    parts = state()
    crowd = parts.hub.crowd
    if len(crowd) >= parts.settings.max_viewers:
        raise TooMany("Too many watch already", retry_after_s=RETRY_S)
    if crowd.count_at(_address()) >= parts.settings.max_viewers_per_address:
        raise TooMany("Too many watch from this address", retry_after_s=RETRY_S)


async def enter(reader: Reader) -> Viewer:
    """Let a reader in; see ``Crowd.enter``. Whoever enters must leave the hub."""
    return state().hub.enter(history.view_of(reader), await _pass(reader), _address())


async def _pass(reader: Reader) -> Pass:
    if reader.share is not None:
        share = reader.share
        return Pass(share=share.id, expires_at=share.expires_at, name=share.name)
    held = await auth.caller()
    return Pass(session=held.id, expires_at=held.expires_at, name=held.name)


def _address() -> str:
    return neighbours(here().remote_addr or "")
