"""What a running process holds, wired once in ``app`` and read by every page and socket."""

from dataclasses import dataclass
from datetime import UTC, datetime

from quart import current_app

from errorstack_live.ingest import Ingest
from errorstack_live.keys import StackKeys
from errorstack_live.live.hub import Hub
from errorstack_live.live.living import LivingLogs
from errorstack_live.metrics import Metrics
from errorstack_live.settings import Settings
from errorstack_live.storage.feed import DirectFeed, Feed
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.writer import Writer
from errorstack_live.web.address import Proxies

EXTENSION = "errorstack"


@dataclass(frozen=True, slots=True)
class State:
    """The parts of one process."""

    settings: Settings
    store: Store
    writer: Writer
    feed: Feed | DirectFeed
    hub: Hub
    living: LivingLogs
    keys: StackKeys
    ingest: Ingest
    metrics: Metrics
    proxies: Proxies
    began_at: datetime


def state() -> State:
    """The state of the application that serves the request or socket in hand."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, State)
    return found


def now() -> datetime:
    """The server's clock, to the millisecond that documents keep."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
