"""Runs an ASGI application on Hypercorn: sockets, limits, TLS beside http, and a drained end.

It knows nothing of what the application does. The lifespan is driven here and not by Hypercorn,
so that a start that fails says why, and an end is bounded in time whatever a peer does.
"""

import asyncio
import gc
import logging
import resource
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config
from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveEvent,
    ASGISendEvent,
    LifespanScope,
    LifespanShutdownEvent,
    LifespanStartupEvent,
)

from errorstack_live.errors import SetupError
from errorstack_live.settings import Settings
from errorstack_live.web import guard
from errorstack_live.web.drain import Drain

COLLECT_AFTER = (100_000, 50, 100)
"""Thresholds of the garbage collector's generations, in allocations and in collections."""
BACKLOG = 1024
"""Connections the kernel holds for us: all viewers of a restarted server return at once."""
GRACE_S = 5.0
"""Requests in hand have this long to end after a stop; then their connections are cut."""
STOP_S = GRACE_S + 2
"""A server that has not ended by then is left behind, whatever still holds it."""
SHUTDOWN_S = 10.0
"""The application has this long to make durable what it accepted; a gone database takes longer."""
MAX_FILES = 65_536
HEAD_BYTES = 64 << 10
"""A request's line and headers. Hypercorn's 16 KiB would cut a URL that comes in two packets."""
UNREAD_MS = 30_000
"""A peer that acknowledges nothing for so long is cut off by the kernel: Hypercorn would wait."""
KEEP_ALIVE_S = 75.0
PING_S = 20.0
READ_TIMEOUT_S = 60
"""Longer than PING_S: a peer that answers pings is never cut, a dead one always is."""
MAX_MESSAGE_BYTES = 256 << 10
"""A websocket message from a viewer; its longest is a query."""


_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Listeners:
    """The bound sockets of one server; ``https`` is None without a certificate."""

    http: socket.socket
    https: socket.socket | None = None

    @property
    def port(self) -> int:
        """The real port for http, also where 0 was asked for."""
        return _port(self.http)

    @property
    def tls_port(self) -> int | None:
        """The real port for https."""
        return _port(self.https) if self.https else None

    def close(self) -> None:
        """Stop listening."""
        self.http.close()
        if self.https:
            self.https.close()


def listen(settings: Settings) -> Listeners:
    """Bind the addresses that ``settings`` names. Raises SetupError that says what is wrong."""
    _check_certificate(settings.certfile, settings.keyfile)
    http = _bind(settings.host, settings.port)
    if settings.certfile is None:
        return Listeners(http)
    try:
        return Listeners(http, _bind(settings.host, settings.tls_port))
    except SetupError:
        http.close()
        raise


def spare_the_collector() -> None:
    """Let the garbage collector look seldom at what lives long; call once before serving.

    What is loaded by now stays for good. With the usual thresholds a thousand viewers' frames
    cost 57 µs each, with these 41: the collector walked through all views and buffers too often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


async def run(
    app: ASGIFramework,
    settings: Settings,
    listeners: Listeners,
    *,
    stop: asyncio.Event,
    on_ready: Callable[[], object] = lambda: None,
    on_stop: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Serve ``app`` until ``stop`` is set, then drain.

    ``on_ready`` is called when requests are answered. In the end ``on_stop`` lets the application
    say goodbye, websockets that are still open are told to come back (1012), requests in hand get
    GRACE_S, and the application shuts down after them.
    """
    guard.install()
    _allow_files()
    asyncio.get_running_loop().set_exception_handler(_tell_unless_expected)
    drain = Drain(app)

    async def stopped() -> None:
        # Hypercorn first awaits this when it listens, after everything else.
        on_ready()
        await stop.wait()
        if on_stop is not None:
            await on_stop()
        await drain.close()

    async with _lifespan(app):
        serving = asyncio.create_task(
            hypercorn_serve(drain, _config(settings, listeners), shutdown_trigger=stopped)
        )
        await _until_ended(serving, stop)


async def _until_ended(serving: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Wait for the server's end.

    From Python 3.12 a closed server waits for its last connection, however long it idles, and
    Hypercorn's own timeout only starts after that: hence a deadline around the whole.
    """
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({serving}, timeout=STOP_S if stop.is_set() else None)
    finally:
        stopping.cancel()
        serving.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        if not stop.is_set():
            raise


def _allow_files() -> None:
    """Raise the limit on open files: the usual 1,024 would end at a thousand viewers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < MAX_FILES:
        most = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _tell_unless_expected(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Failed TLS handshakes and connections cut at the end are no failures of ours."""
    if not isinstance(context.get("exception"), ssl.SSLError | asyncio.CancelledError):
        loop.default_exception_handler(context)


@asynccontextmanager
async def _lifespan(app: ASGIFramework) -> AsyncGenerator[None, None]:
    """Drive the application's ASGI lifespan; a failed start is a SetupError."""
    inbox: asyncio.Queue[ASGIReceiveEvent] = asyncio.Queue()
    outbox: asyncio.Queue[ASGISendEvent] = asyncio.Queue()
    scope: LifespanScope = {
        "type": "lifespan",
        "asgi": {"spec_version": "2.0", "version": "3.0"},
        "state": {},
    }
    task = asyncio.ensure_future(app(scope, inbox.get, outbox.put))
    await _step(LifespanStartupEvent(type="lifespan.startup"), inbox, outbox, task)
    try:
        yield
    finally:
        try:
            async with asyncio.timeout(SHUTDOWN_S):
                await _step(LifespanShutdownEvent(type="lifespan.shutdown"), inbox, outbox, task)
                await task
        except TimeoutError:
            _log.error("shutdown_cut_short", after_s=SHUTDOWN_S)
            task.cancel()


async def _step(
    event: LifespanStartupEvent | LifespanShutdownEvent,
    inbox: asyncio.Queue[ASGIReceiveEvent],
    outbox: asyncio.Queue[ASGISendEvent],
    task: asyncio.Future[None],
) -> None:
    """Send one lifespan event and take its answer, or the failure of the whole application."""
    inbox.put_nowait(event)
    answer = asyncio.create_task(outbox.get())
    waited: set[asyncio.Future[ASGISendEvent] | asyncio.Future[None]] = {answer, task}
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    if not answer.done():
        answer.cancel()
        await task
        return
    message = answer.result()
    if message["type"] in {"lifespan.startup.failed", "lifespan.shutdown.failed"}:
        raise SetupError(str(message.get("message") or f"{event['type']} failed"))


def _config(settings: Settings, listeners: Listeners) -> Config:
    config = Config()
    config.errorlog = logging.getLogger("hypercorn.error")
    config.errorlog.setLevel(logging.WARNING)  # where it listens is told by whoever starts it
    config.backlog = BACKLOG
    config.graceful_timeout = GRACE_S
    config.h11_max_incomplete_size = HEAD_BYTES
    config.keep_alive_timeout = KEEP_ALIVE_S
    config.keep_alive_max_requests = 1_000_000  # a sender may stay on one connection for ever
    config.read_timeout = READ_TIMEOUT_S
    config.websocket_ping_interval = PING_S
    config.websocket_max_message_size = MAX_MESSAGE_BYTES
    config.include_server_header = False
    config.bind = [_descriptor(listeners.http)]
    if listeners.https is not None:
        config.insecure_bind = config.bind
        config.bind = [_descriptor(listeners.https)]
        config.certfile = str(settings.certfile)
        config.keyfile = str(settings.keyfile)
    return config


def _descriptor(bound: socket.socket) -> str:
    """Hypercorn takes a descriptor for its own and closes it; ours stays open."""
    return f"fd://{bound.dup().detach()}"


def _port(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise SetupError(
            f"Cannot listen on {host} port {port}: {error.strerror or error}.\n"
            "Choose another with --port (0 picks a free one) or --host."
        ) from error
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)  # inherited
    return bound


def _check_certificate(certfile: Path | None, keyfile: Path | None) -> None:
    if (certfile is None) != (keyfile is None):
        raise SetupError("https needs both --certfile and --keyfile.")
    if certfile is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certfile, keyfile)
    except (OSError, ssl.SSLError) as error:
        raise SetupError(f"The certificate or its key is not usable: {error}") from error
