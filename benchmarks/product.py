"""The real product in its own process on a fresh database, and a trivial answer to compare with."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from errorstack_live.model import Outcome, OutcomeKind
from errorstack_live.protocols.beacon import GIF_REPLY, SUBMIT
from errorstack_live.settings import load
from errorstack_live.web.server import listen, run

_ANSWER = SUBMIT.reply(Outcome(OutcomeKind.ACCEPTED), GIF_REPLY)
_HEADERS = [*_ANSWER.headers, (b"content-length", b"%d" % len(_ANSWER.body))]


@dataclass(frozen=True, slots=True)
class Product:
    """A running ``errorstack serve`` with one stack."""

    url: str
    setup_url: str
    key: str
    slug: str
    data_dir: Path
    process: psutil.Process

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @property
    def memory_bytes(self) -> int:
        """Resident memory of the app, without the database's."""
        return int(self.process.memory_info().rss)


@contextmanager
def product(*options: str) -> Iterator[Product]:
    """Start the product on an embedded mongod, and end both."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["serve", "--json", "--port", "0", "--data-dir", folder, *options]
        with _started([sys.executable, "-m", "errorstack_live", *words]) as (process, line):
            ready = json.loads(line)
            yield Product(
                ready["url"],
                ready["setup_url"],
                ready["key"],
                ready["stack"],
                Path(folder),
                psutil.Process(process.pid),
            )


@contextmanager
def trivial() -> Iterator[int]:
    """A raw ASGI app that always gives the door's answer, on the same Hypercorn; its port."""
    with _started([sys.executable, "-m", "benchmarks.product"]) as (_, line):
        yield int(line)


@contextmanager
def _started(words: list[str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        yield process, process.stdout.readline()
    finally:
        process.terminate()
        process.wait(timeout=30)


async def _gif(scope, receive, send) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _ANSWER.body})


async def _serve_trivial() -> None:
    settings = load(port=0)
    listeners = listen(settings)
    await run(
        _gif,
        settings,
        listeners,
        stop=asyncio.Event(),
        on_ready=lambda: print(listeners.port, flush=True),
    )


if __name__ == "__main__":
    asyncio.run(_serve_trivial())
