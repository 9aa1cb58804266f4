"""Several server processes on the same sockets: started, watched, restarted, ended together.

The parent holds no application. A worker reads its settings from its standard input, says
``ready`` on its standard output, and drains when its standard input ends: so it never outlives
its parent, however that ends. Run as a module this is the worker.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from socket import socket
from typing import Any

import orjson
import structlog
from pydantic import SecretStr

from errorstack_live import diagnostics
from errorstack_live.errors import SetupError
from errorstack_live.settings import Settings
from errorstack_live.storage.mongo import Store
from errorstack_live.web.app import create_app
from errorstack_live.web.server import STOP_S, Listeners, run, spare_the_collector

RESTART_S = 1.0
"""A worker that died is replaced after this long, so that one that cannot live costs little."""
END_S = STOP_S + 5
"""A worker that has not drained and flushed by then is killed."""
_READY = b"ready\n"

_log = structlog.get_logger(__name__)


async def supervise(
    settings: Settings,
    listeners: Listeners,
    *,
    stop: asyncio.Event,
    on_ready: Callable[[], object] = lambda: None,
) -> None:
    """Serve with ``settings.workers`` processes until ``stop`` is set, then drain them all.

    ``on_ready`` is called when all of them serve. A worker that dies later is replaced; one that
    cannot start at first is a SetupError.
    """
    workers = [_Worker(settings, listeners) for _ in range(settings.workers)]
    try:
        await asyncio.gather(*(worker.start() for worker in workers))
        on_ready()
        await asyncio.gather(*(worker.keep(stop) for worker in workers))
    finally:
        await asyncio.gather(*(worker.end() for worker in workers))


class _Worker:
    """One slot: a process and, when that dies, the next."""

    def __init__(self, settings: Settings, listeners: Listeners) -> None:
        self._order = _Order.of(settings, listeners)
        self._process: Process | None = None

    async def start(self) -> None:
        """Start a process and wait until it serves. Raises SetupError when it ends instead."""
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__),
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=self._order.descriptors,
            start_new_session=True,  # a Ctrl-C is the parent's; it drains its workers in order
        )
        assert process.stdin
        assert process.stdout
        with suppress(ConnectionError):
            process.stdin.write(self._order.encode())
            await process.stdin.drain()
        if await process.stdout.readline() != _READY:
            raise SetupError("A worker process could not start; its own message says why.")

    async def keep(self, stop: asyncio.Event) -> None:
        """Replace the process whenever it ends, until ``stop`` is set."""
        while not stop.is_set():
            assert self._process
            if not await _first(stop.wait(), self._process.wait()):
                break
            _log.error("worker_died", pid=self._process.pid, code=self._process.returncode)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RESTART_S)
                break
            with suppress(SetupError):
                await self.start()

    async def end(self) -> None:
        """Let the process drain; kill it after END_S."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        assert process.stdin
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_S)
        except TimeoutError:
            _log.exception("worker_killed", pid=process.pid)
            process.kill()
            await process.wait()


async def _first(*waits: Awaitable[object]) -> int:
    """The index of the wait that ends first; the others are cancelled."""
    tasks = [asyncio.ensure_future(each) for each in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(index for index, task in enumerate(tasks) if task.done())
    finally:
        for task in tasks:
            task.cancel()


@dataclass(frozen=True, slots=True)
class _Order:
    """What a worker is told: one line of JSON."""

    settings: dict[str, Any]
    descriptors: tuple[int, ...]

    @classmethod
    def of(cls, settings: Settings, listeners: Listeners) -> "_Order":
        sockets = (listeners.http, listeners.https)
        values = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in settings
        }
        return cls(values, tuple(each.fileno() for each in sockets if each))

    def encode(self) -> bytes:
        order = {"settings": self.settings, "descriptors": self.descriptors}
        return orjson.dumps(order, default=str) + b"\n"

    @classmethod
    def read(cls, line: bytes) -> "_Order":
        order = orjson.loads(line)
        return cls(order["settings"], tuple(order["descriptors"]))


async def _work(settings: Settings, listeners: Listeners) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    parent = asyncio.create_task(_watch_parent(stop))
    assert settings.mongodb_uri
    store = await Store.open(
        settings.mongodb_uri.get_secret_value(), settings.database, logs_bytes=settings.logs_bytes
    )
    try:
        app = create_app(settings, store)
        await run(app, settings, listeners, stop=stop, on_ready=_say_ready, on_stop=app.drain)
    finally:
        parent.cancel()
        await store.close()
    # All is done. The driver's calls may still wait, for 20 s, for a database that is gone.
    os._exit(0)


async def _watch_parent(stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    await reader.read()
    stop.set()


def _say_ready() -> None:
    os.write(sys.stdout.fileno(), _READY)


def _sockets(descriptors: Sequence[int]) -> Listeners:
    return Listeners(*(socket(fileno=each) for each in descriptors))


def main() -> None:
    """Be one worker."""
    order = _Order.read(sys.stdin.buffer.readline())
    settings = Settings(**order.settings)
    diagnostics.configure(settings.log_level, settings.log_format)
    spare_the_collector()
    try:
        asyncio.run(_work(settings, _sockets(order.descriptors)))
    except SetupError as error:
        sys.exit(error.message)


if __name__ == "__main__":
    main()
