"""``pipe``: what another program prints, as it prints it; that program is never held up."""

import asyncio
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import BinaryIO

import click
import httpx

from errorstack_live.cli.lines import ERROR, Lines
from errorstack_live.cli.send import url_option
from errorstack_live.cli.target import http_client
from errorstack_live.errors import SetupError

MAX_LINE_BYTES = 64 << 10
QUIET_S = 0.3
"""An error without a further line for so long is whole; log lines of so long go as one message."""
MAX_WAITING = 1000
MAX_LOG_BYTES = 16 << 10
TIMEOUT_S = 3.0
TRIES = 4
FIRST_WAIT_S = 0.5
END_S = 5.0
"""How long the end waits for what was not sent yet."""
_AGAIN = {429, 502, 503, 504}

Form = dict[str, str]


@click.command()
@click.argument("key")
@click.argument("pairs", metavar="NAME=VALUE...", nargs=-1)
@url_option
@click.option("--error-on", metavar="REGEX", help="What makes a line an error.")
@click.option("--every", is_flag=True, help="Every line is an error.")
@click.option("--quiet", is_flag=True, help="Do not pass the lines on.")
@click.option("--data-dir", metavar="DIR", help="The server's data directory.")
def pipe(
    key: str,
    pairs: tuple[str, ...],
    url: str | None,
    error_on: str | None,
    *,
    every: bool,
    quiet: bool,
    data_dir: str | None,
) -> None:
    """Send what comes through a pipe: some-job 2>&1 | errorstack pipe KEY

    Lines are passed on and sent as log messages; those that tell of an error are sent as one, with
    the lines that belong to it. The job is never held up: what cannot be sent is counted.
    """
    try:
        pattern = None if every else re.compile(error_on) if error_on else ERROR
    except re.error as error:
        raise click.BadParameter(f"{error_on!r} is no regular expression: {error}") from None
    always = dict(pair.partition("=")[::2] for pair in pairs)
    sender = Sender(key, {"host": socket.gethostname(), **always})
    asyncio.run(_follow(url, data_dir, sender, Lines(pattern), is_quiet=quiet))


@dataclass(slots=True)
class Sender:
    """Sends forms in their order; a further one than MAX_WAITING pushes out the oldest."""

    key: str
    always: Form
    lost_count: int = 0
    problem: str = ""
    _waiting: list[tuple[str, Form]] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _has_ended: bool = False

    def take(self, said: list[dict[str, str] | str]) -> None:
        """Put what was printed into the queue; texts next to each other become one message."""
        for each in said:
            if isinstance(each, str):
                self._log(each)
            else:
                form = {**each, **self.always, "_s": self.key, "_id": token_hex(16)}
                self._put("/submit", form)

    def end(self) -> None:
        self._has_ended = True
        self._news.set()

    async def run(self, client: httpx.AsyncClient) -> None:
        """Send until the end, and what waits then."""
        while True:
            while self._waiting:
                await self._send(client, *self._waiting.pop(0))
            if self._has_ended:
                return
            self._news.clear()
            await self._news.wait()
            await self._gather()

    async def _gather(self) -> None:
        """Wait a moment for more lines to go along, unless there will be none."""
        if not self._has_ended:
            await asyncio.sleep(QUIET_S / 3)

    def _log(self, line: str) -> None:
        if self._waiting and self._waiting[-1][0] == "/log":
            text = f"{self._waiting[-1][1]['_msg']}\n{line}"
            if len(text.encode()) <= MAX_LOG_BYTES:
                self._waiting[-1][1]["_msg"] = text
                return
        self._put("/log", {"_msg": line, "_s": self.key})

    def _put(self, path: str, form: Form) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.pop(0)
            self.lost_count += 1
        self._waiting.append((path, form))
        self._news.set()

    async def _send(self, client: httpx.AsyncClient, path: str, form: Form) -> None:
        if path == "/submit" and self.lost_count:
            form = {**form, "NotSent": str(self.lost_count)}
        for number in range(TRIES if path == "/submit" else 1):  # a log message has no _id
            if number:
                await asyncio.sleep(FIRST_WAIT_S * 2**number)
            self.problem, is_final = await _post(client, path, form)
            if is_final:
                break
        self.lost_count = 0 if not self.problem and path == "/submit" else self.lost_count
        self.lost_count += bool(self.problem)


async def _post(client: httpx.AsyncClient, path: str, form: Form) -> tuple[str, bool]:
    """What is wrong, "" when it is stored; and whether trying again cannot change that."""
    try:
        answer = await client.post(path, data={**form, "_r": "json"})
        if answer.status_code in _AGAIN:
            return f"the server answered {answer.status_code}", False
        said = answer.json()
        stored = isinstance(said, dict) and said.get("success") is True
        return "" if stored else str(said.get("errorMsg", "not stored")), True
    except (httpx.HTTPError, ValueError, AttributeError) as error:
        return str(error) or type(error).__name__, False


async def _follow(
    url: str | None, data_dir: str | None, sender: Sender, lines: Lines, *, is_quiet: bool
) -> None:
    from errorstack_live.cli.send import find
    from errorstack_live.settings import load

    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # it ends the job, whose last words we still pass on
    arrived = _begin(None if is_quiet else sys.stdout.buffer)
    try:
        address = url or await find(load(data_dir=data_dir))
    except SetupError:
        while await arrived.get() is not None:  # a job whose pipe breaks would die of it
            pass
        raise
    async with http_client(address) as client:
        client.timeout = httpx.Timeout(TIMEOUT_S)
        sending = asyncio.create_task(sender.run(client))
        await _gather(arrived, lines, sender)
        sender.end()
        await asyncio.wait({sending}, timeout=END_S)
        sending.cancel()
    if sender.lost_count or sender.problem:
        click.echo(f"errorstack: not all was sent: {sender.problem or 'too much'}", err=True)


def _begin(out: BinaryIO | None) -> "asyncio.Queue[str | None]":
    """Start to pass lines on; returns where they arrive, and None at their end."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[str | None] = asyncio.Queue()

    def hand(line: str | None) -> None:
        loop.call_soon_threadsafe(arrived.put_nowait, line)

    threading.Thread(target=_read, args=(sys.stdin.buffer, out, hand), daemon=True).start()
    return arrived


async def _gather(arrived: "asyncio.Queue[str | None]", lines: Lines, sender: Sender) -> None:
    """Make errors and messages of lines until the pipe ends."""
    while True:
        try:
            async with asyncio.timeout(QUIET_S if lines.is_open else None):
                line = await arrived.get()
        except TimeoutError:
            sender.take(lines.end())
            continue
        if line is None:
            sender.take(lines.end())
            return
        sender.take(lines.take(line))


def _read(source: BinaryIO, out: BinaryIO | None, hand: Callable[[str | None], None]) -> None:
    """Pass lines on and hand them over, as fast as they come."""
    while line := source.readline(MAX_LINE_BYTES):
        if out:
            try:
                out.write(line)
                out.flush()
            except BrokenPipeError:  # whoever read us has left: we go on sending
                out = None
        hand(line.decode("utf-8", "replace").rstrip("\r\n"))
    hand(None)
