"""A server's whole life: database, sockets, doors, what a newcomer needs to know, a clean end."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

import click
import structlog
from pydantic import SecretStr

from errorstack_live import diagnostics
from errorstack_live.cli.access import now
from errorstack_live.cli.show import echo
from errorstack_live.errors import ErrorStackError, SetupError
from errorstack_live.settings import Settings
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import Mongod
from errorstack_live.web import server, workers
from errorstack_live.web.app import create_app
from errorstack_live.web.server import Listeners

BEAT_S = 5.0
"""A server tells the database this often that it lives; commands find it there."""
FIRST_STACK = "first"

_log = structlog.get_logger(__name__)


async def run(settings: Settings, *, as_json: bool) -> None:
    """Serve until a signal says stop. Raises SetupError for what keeps it from starting."""
    diagnostics.configure(settings.log_level, settings.log_format)
    server.spare_the_collector()
    stop = _stop_on_signals()
    async with _database(settings) as (store, settings_here), _listening(settings) as listeners:
        _check_standalone(store, settings)
        welcome = await _welcome(store, settings, listeners)
        async with _beating(store, welcome.url, settings.role):
            await _serve(store, settings_here, listeners, stop, welcome, as_json=as_json)


def _check_standalone(store: Store, settings: Settings) -> None:
    if store.is_replica_set:
        return
    if settings.workers > 1:
        raise SetupError(
            "Several workers need a MongoDB replica set: on a standalone server each of them"
            " would only see its own errors. Use --workers 1, or a replica set of one node."
        )
    _log.warning("standalone_mongodb", only="one process sees what it stores itself")


async def _serve(
    store: Store,
    settings: Settings,
    listeners: Listeners,
    stop: asyncio.Event,
    welcome: "Welcome",
    *,
    as_json: bool,
) -> None:
    def tell() -> None:
        if as_json:
            echo(welcome.record())
        else:
            click.echo(welcome.text())

    if settings.workers == 1:
        app = create_app(settings, store)
        await server.run(app, settings, listeners, stop=stop, on_ready=tell, on_stop=app.drain)
    else:
        await workers.supervise(settings, listeners, stop=stop, on_ready=tell)
    _log.info("stopped")


@asynccontextmanager
async def _database(settings: Settings) -> AsyncGenerator[tuple[Store, Settings], None]:
    """Open the database, an embedded one where none is named; with settings that name it."""
    async with _mongod(settings) as here:
        assert here.mongodb_uri
        uri = here.mongodb_uri.get_secret_value()
        store = await Store.open(uri, here.database, logs_bytes=here.logs_bytes)
        try:
            yield store, here
        finally:
            await store.close()


@asynccontextmanager
async def _mongod(settings: Settings) -> AsyncGenerator[Settings, None]:
    if settings.mongodb_uri is not None:
        yield settings
        return
    mongod = Mongod(settings)
    uri = await mongod.start()
    try:
        yield settings.model_copy(update={"mongodb_uri": SecretStr(uri)})
    finally:
        await mongod.stop()


@asynccontextmanager
async def _listening(settings: Settings) -> AsyncGenerator[Listeners, None]:
    listeners = server.listen(settings)
    try:
        yield listeners
    finally:
        listeners.close()


@asynccontextmanager
async def _beating(store: Store, url: str, role: str) -> AsyncGenerator[None, None]:
    """Tell the database that this server lives, until the block ends."""
    process_id = uuid4().hex
    await store.processes.beat(process_id, url, role, now())
    task = asyncio.create_task(_beat(store, process_id, url, role))
    try:
        yield
    finally:
        task.cancel()
        with suppress(ErrorStackError):
            await store.processes.leave(process_id)


async def _beat(store: Store, process_id: str, url: str, role: str) -> None:
    while True:
        await asyncio.sleep(BEAT_S)
        with suppress(ErrorStackError):  # the next one tells; readiness is told by /readyz
            await store.processes.beat(process_id, url, role, now())


def _stop_on_signals() -> asyncio.Event:
    """An event that the first Ctrl-C or SIGTERM sets; the second one ends without draining."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        stop.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return stop


@dataclass(frozen=True, slots=True)
class Welcome:
    """What is told when the server serves. ``setup_url`` is None once there is a member."""

    url: str
    tls_url: str | None
    setup_url: str | None
    slug: str
    key: str

    def record(self) -> dict[str, object]:
        """For programs."""
        return {
            "ready": True,
            "url": self.url,
            "tls_url": self.tls_url,
            "setup_url": self.setup_url,
            "stack": self.slug,
            "key": self.key,
        }

    def text(self) -> str:
        """For people."""
        tls = f" and {self.tls_url}" if self.tls_url else ""
        return f"""
ErrorStack Live serves {self.url}{tls}

  {"Make your account" if self.setup_url else "Sign in          "}  {self.setup_url or self.url}
  Send an error      curl '{self.url}/submit?_s={self.key}&_r=json&Msg=Hello'
  Watch a web page   <script src="{self.url}/beacon.js" data-stack="{self.key}" async></script>

  {self.key} is a key of the stack "{self.slug}". Ctrl-C stops the server.
"""


async def _welcome(store: Store, settings: Settings, listeners: Listeners) -> Welcome:
    """What to tell; on the first start this makes a first stack and a one-time set-up link."""
    url = settings.public_url.rstrip("/") or _url("http", settings.host, listeners.port)
    stacks = await store.stacks.all()
    if not stacks:
        days = settings.retention_days
        stacks = [await store.stacks.create(FIRST_STACK, now=now(), retention_days=days)]
    first = min(stacks, key=lambda stack: stack.created_at)
    return Welcome(
        url=url,
        tls_url=_url("https", settings.host, listeners.tls_port) if listeners.tls_port else None,
        setup_url=await _setup_url(store, url) if settings.role != "ingest" else None,
        slug=first.slug,
        key=next((each.key for each in first.keys if each.revoked_at is None), ""),
    )


async def _setup_url(store: Store, url: str) -> str | None:
    if await store.members.count():
        return None
    return f"{url}/setup?token={await store.meta.new_setup_token(now())}"


def _url(scheme: str, host: str, port: int) -> str:
    """The address for a client on this machine."""
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a name, not a bind
    return f"{scheme}://{f'[{here}]' if ':' in here else here}:{port}"
