"""Wiring: one process's parts, their lifetimes, and the two doors put together."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

import structlog
from hypercorn.typing import ASGIFramework, ASGIReceiveCallable, ASGISendCallable, Scope
from quart import Quart

from errorstack_live import __version__
from errorstack_live.errors import ErrorStackError, StorageAway
from errorstack_live.event import Entry, Event, IssueChanged, LogStored, StackChanged
from errorstack_live.ingest import Ingest
from errorstack_live.keys import StackKeys
from errorstack_live.limit import TokenBuckets
from errorstack_live.live.hub import Hub
from errorstack_live.live.living import LivingLogs
from errorstack_live.metrics import Metrics
from errorstack_live.settings import Settings
from errorstack_live.storage.document import new_id
from errorstack_live.storage.feed import DirectFeed, Feed
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.writer import Writer
from errorstack_live.web import api, auth, pages, pinning, problem, share, socket
from errorstack_live.web.address import Proxies
from errorstack_live.web.door import Door
from errorstack_live.web.health import health
from errorstack_live.web.state import EXTENSION, State, now

MAX_ADDRESSES = 50_000
"""Token buckets kept for network addresses; the one unused for longest goes first."""
MAX_KEYS = 10_000
PRESENCE_S = 1.0
"""Who watches here is written down at most so often."""
RESTART_S = 1.0
"""A part of the process that failed is started again after this long."""

_log = structlog.get_logger(__name__)


def create_app(settings: Settings, store: Store) -> "App":
    """The ASGI application of one process, with the doors that ``settings.role`` names.

    Its parts start and end with the ASGI lifespan; the store stays the caller's to close.
    """
    return App(settings, store)


class App:
    """One process: its parts (``state``), the doors in front, and what runs beside requests."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._hub = Hub(version=__version__, process_id=new_id())
        self._living = LivingLogs()
        self._keys = StackKeys(store.stacks.by_key, clock=time.monotonic)
        self._stacks_changed = asyncio.Event()
        metrics = Metrics()
        feed = self._feed(store)
        writer = Writer(
            store,
            on_committed=feed.committed if isinstance(feed, DirectFeed) else None,
            on_batch=metrics.batch,
            min_free_bytes=settings.min_free_bytes,
        )
        ingest = Ingest(
            keys=self._keys,
            writer=writer,
            living=self._living,
            address_limit=TokenBuckets(
                settings.address_rate, settings.address_burst, max_keys=MAX_ADDRESSES
            ),
            key_limit=TokenBuckets(settings.key_rate, settings.key_burst, max_keys=MAX_KEYS),
            clock=time.monotonic,
            new_id=new_id,
            viewers=self._hub.viewers,
            count=metrics.count,
            note_use=store.uses.note,
        )
        self.state = State(
            settings=settings,
            store=store,
            writer=writer,
            feed=feed,
            hub=self._hub,
            living=self._living,
            keys=self._keys,
            ingest=ingest,
            metrics=metrics,
            proxies=Proxies(settings.trusted_proxies),
            began_at=now(),
        )
        _watch(self.state)
        self._asgi = self._doors()

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        await self._asgi(scope, receive, send)

    async def drain(self) -> None:
        """Ask the viewers to come back a little later, each at a time of its own."""
        await self._hub.close()

    def _doors(self) -> ASGIFramework:
        dashboard = self._dashboard()
        settings = self.state.settings
        if settings.role == "dashboard":
            return dashboard
        return Door(
            dashboard,
            self.state.ingest,
            alias=settings.ingest_alias,
            max_body_bytes=settings.max_body_bytes,
            proxies=self.state.proxies,
            now=now,
        )

    def _dashboard(self) -> Quart:
        """The pages, the API and the sockets; of the ingest role its health alone."""
        app = Quart(__name__, static_folder=None)
        app.extensions[EXTENSION] = self.state
        app.register_blueprint(health)
        problem.register(app)
        if self.state.settings.role != "ingest":
            for part in (auth, pages, share, api, socket):
                part.register(app)
        app.while_serving(self._run)
        return app

    def _feed(self, store: Store) -> Feed | DirectFeed:
        if store.is_replica_set:
            return Feed(store, publish=self.publish, lost=self._hub.lost)
        _log.warning("standalone_database", consequence="a process shows its own errors alone")
        return DirectFeed(publish=self.publish)

    def publish(self, entries: Sequence[Entry]) -> None:
        """Tell the parts of this process what the stream says. Never waits."""
        for entry in entries:
            self._note(entry.event)
        self._hub.publish(entries)

    def _note(self, event: Event) -> None:
        match event:
            case LogStored(message):
                self._living.add(message)
            case IssueChanged(issue):
                self.state.writer.see_issue(issue)
            case StackChanged():
                self._stacks_changed.set()

    async def _run(self) -> AsyncGenerator[None, None]:
        """Everything that runs beside requests, from start to a drained end."""
        here = self.state
        self._keys.replace(await here.store.stacks.all())
        await here.writer.start()
        tasks = _keep_running(
            ("feed", here.feed.run),
            ("hub", self._hub.run),
            ("keys", self._refresh_keys),
            ("presence", self._write_presence),
            ("pins", lambda: self._hub.pinboard.run(partial(pinning.board, here.store))),
        )
        await here.feed.ready()
        for message in await here.store.logs.all_alive(now()):
            self._living.add(message)
        try:
            yield
        finally:
            await self.drain()
            await here.writer.close()
            with suppress(ErrorStackError):  # the others see in time that it is gone
                await self._hub.presence.leave(here.store.watchings)
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    async def _write_presence(self) -> None:
        while True:
            with suppress(StorageAway):  # it is written as soon as that is possible
                await self._hub.presence.write(self.state.store.watchings)
            await asyncio.sleep(PRESENCE_S)

    async def _refresh_keys(self) -> None:
        while True:
            await self._stacks_changed.wait()
            self._stacks_changed.clear()
            stacks = await self.state.store.stacks.all()
            self._keys.replace(stacks)
            self._hub.crowd.keep_stacks({each.id for each in stacks})


def _keep_running(
    *parts: tuple[str, Callable[[], Awaitable[None]]],
) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(_keep(name, run), name=name) for name, run in parts]


async def _keep(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Run a part for ever: a failure of ours is told and mended, never silent."""
    while True:
        try:
            await run()
        except Exception:  # noqa: BLE001 - whatever it was, the part must run again
            _log.exception("part_failed", part=name)
        await asyncio.sleep(RESTART_S)


def _watch(here: State) -> None:
    """The figures that the parts keep themselves."""
    gauge, total = here.metrics.gauge, here.metrics.total
    tally = here.hub.tally
    gauge("viewers", "Open websockets of live views.", lambda: here.hub.total_viewers)
    gauge("feed_lag_seconds", "How far behind the feed is.", lambda: here.feed.lag_s)
    gauge("feed_live", "1 while the feed follows the database.", lambda: here.feed.is_live)
    gauge("queued_documents", "Documents that wait for a batch.", lambda: here.writer.queued)
    gauge("has_space", "0 when the disk is nearly full.", lambda: here.writer.has_space)
    total("frames_sent", "Frames sent to viewers.", lambda: tally.frames_sent)
    total("frames_dropped", "Frames a slow viewer lost.", lambda: tally.frames_dropped)
    total("errors_skipped", "Errors a slow viewer got as a count.", lambda: tally.errors_skipped)
