"""How soon, and how completely, errors reach many viewers over real websockets.

Viewers live in processes of their own, where they do little but read; what is measured is from
the moment a sender sends an error to the moment a viewer has read it.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import orjson

from benchmarks.load import post
from benchmarks.product import Product, product
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import running

SENDERS = 16
PATIENCE_S = 15.0
"""What has not arrived so long after the last error was sent is missing."""
LOOK_S = 0.1
SCENES = ((50, 100, 10.0), (1000, 100, 10.0))
"""Viewers, errors a second, seconds."""

_HANDSHAKE = (
    "GET /api/v1/stacks/{slug}/live HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {token}\r\n\r\n"
)
_START = b'{"type":"start","query":"","epoch":1,"limit":1}'


def main() -> dict[str, float]:
    """Play every scene on a server of its own."""
    found: dict[str, float] = {}
    for viewers, rate, seconds in SCENES:
        played = play(viewers, rate, seconds)
        found |= {f"{viewers} viewers, {rate}/s: {name}": n for name, n in played.items()}
    return found


def play(viewers: int, rate: int, seconds: float, processes: int = 2) -> dict[str, float]:
    """Let so many viewers watch while errors come at a steady rate."""
    with product() as ours:
        token = asyncio.run(_token(ours))
        idle_bytes = ours.memory_bytes
        share = viewers // processes
        started = time.monotonic()
        sizes = [share] * (processes - 1) + [viewers - share * (processes - 1)]
        with _crowds(ours, token, sizes) as crowds:
            for crowd in crowds:
                assert crowd.stdout
                assert crowd.stdout.readline() == "ready\n"
            opened_s = time.monotonic() - started
            watched_bytes = ours.memory_bytes
            before = ours.process.cpu_times()
            sent = asyncio.run(_send(ours, rate, seconds))
            after = ours.process.cpu_times()
            peak_bytes = ours.memory_bytes
            seen = [_result(crowd, sent) for crowd in crowds]
    return {
        "sent": sent,
        "missed": sum(each.missed for each in seen),
        "doubled": sum(each.doubled for each in seen),
        **_quantiles(sum((each.millis for each in seen), Counter())),
        "opened in s": opened_s,
        "frames/s": sum(each.frames for each in seen) / seconds,
        "server cores": (after.user + after.system - before.user - before.system) / seconds,
        "MB idle": idle_bytes / 1e6,
        "MB with viewers": watched_bytes / 1e6,
        "MB after load": peak_bytes / 1e6,
    }


@dataclass(slots=True)
class Seen:
    """What a crowd saw: milliseconds from send to read, how often each."""

    millis: Counter[int] = field(default_factory=Counter)
    frames: int = 0
    missed: int = 0
    doubled: int = 0


def _quantiles(millis: Counter[int]) -> dict[str, float]:
    total, passed, found = millis.total(), 0, {}
    wanted = [(0.5, "p50 ms"), (0.99, "p99 ms"), (1.0, "slowest ms")]
    for each in sorted(millis):
        passed += millis[each]
        while wanted and passed >= wanted[0][0] * total:
            found[wanted.pop(0)[1]] = float(each)
    return found


@contextmanager
def _crowds(ours: Product, token: str, sizes: list[int]) -> Iterator[list[subprocess.Popen[str]]]:
    words = [f"--port={ours.port}", f"--slug={ours.slug}", f"--token={token}"]
    crowds = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.viewers", f"--crowd={size}", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for size in sizes
    ]
    try:
        yield crowds
    finally:
        for crowd in crowds:
            crowd.kill()
            crowd.wait()


def _result(crowd: subprocess.Popen[str], sent: int) -> Seen:
    out, _ = crowd.communicate(f"{sent}\n", timeout=PATIENCE_S + 30)
    said = json.loads(out)
    millis = Counter({int(key): count for key, count in said.pop("millis").items()})
    return Seen(millis=millis, **said)


async def _token(ours: Product) -> str:
    uri = await running(ours.data_dir)
    assert uri
    store = await Store.open(uri, "errorstack")
    try:
        now = datetime.now(UTC)
        return await store.sessions.create(None, now=now, expires_at=now + timedelta(hours=1))
    finally:
        await store.close()


async def _send(ours: Product, rate: int, seconds: float) -> int:
    """Send an error every 1/rate seconds, whether or not those before were answered."""
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(SENDERS):
        free.put_nowait(await asyncio.open_connection("127.0.0.1", ours.port))

    async def submit(number: int) -> None:
        reader, writer = await free.get()
        fields = f"_s={ours.key}&Msg=TypeError+in+cart&n={number}&t={time.time()}&user=1902"
        writer.write(post("/submit", fields.encode()))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        free.put_nowait((reader, writer))

    count = int(rate * seconds)
    started = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, started + number / rate - time.monotonic()))
            group.create_task(submit(number))
    while not free.empty():
        free.get_nowait()[1].close()
    return count


# One process of viewers


class Viewer(asyncio.Protocol):
    """Reads one live view, with as little as it takes."""

    def __init__(self, hello: bytes, seen: Seen, opened: asyncio.Semaphore) -> None:
        self._hello = hello
        self._seen = seen
        self._opened = opened
        self._buffer = bytearray()
        self._is_open = False
        self.numbers = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._hello)

    def data_received(self, data: bytes) -> None:
        """Take what frames are complete."""
        self._buffer += data
        if not self._is_open:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            assert self._buffer.startswith(b"HTTP/1.1 101"), bytes(self._buffer)
            del self._buffer[: end + 4]
            self._is_open = True
            self._transport.write(b"\x81" + bytes([0x80 | len(_START)]) + bytes(4) + _START)
        while (frame := self._next()) is not None:
            opcode, payload = frame
            if opcode == 9:
                self._transport.write(b"\x8a\x80" + bytes(4))
            elif opcode == 1:
                self._read(payload)

    def _next(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, start = buffer[1], 2
        if length >= 126:
            start = 4 if length == 126 else 10
            length = int.from_bytes(buffer[2:start])
        if len(buffer) < start + length:
            return None
        opcode, payload = buffer[0] & 15, bytes(buffer[start : start + length])
        del buffer[: start + length]
        return opcode, payload

    def _read(self, payload: bytes) -> None:
        now = time.time()
        message = orjson.loads(payload)
        if message["type"] == "snapshot":
            self._opened.release()
        elif message["type"] == "frame":
            self._seen.frames += 1
            for row in message.get("errors", ()):
                self._note(int(row["fields"]["n"]), now - float(row["fields"]["t"]))

    def _note(self, number: int, took_s: float) -> None:
        if number >= len(self.numbers):
            self.numbers.extend(bytes(number + 1000 - len(self.numbers)))
        self._seen.doubled += self.numbers[number]
        self.numbers[number] = 1
        self._seen.millis[round(took_s * 1000)] += 1


async def _watch(size: int, port: int, slug: str, token: str) -> None:
    seen, opened = Seen(), asyncio.Semaphore(0)
    hello = _HANDSHAKE.format(slug=slug, token=token).encode()
    loop = asyncio.get_running_loop()
    viewers: list[Viewer] = []
    for _ in range(size):
        _, viewer = await loop.create_connection(
            lambda: Viewer(hello, seen, opened), "127.0.0.1", port
        )
        viewers.append(viewer)
    for _ in viewers:
        await opened.acquire()
    print("ready", flush=True)
    expected = int(await asyncio.to_thread(sys.stdin.readline))
    for _ in range(int(PATIENCE_S / LOOK_S)):
        if all(sum(viewer.numbers) == expected for viewer in viewers):
            break
        await asyncio.sleep(LOOK_S)
    seen.missed = sum(expected - sum(viewer.numbers) for viewer in viewers)
    said = {"millis": seen.millis, "frames": seen.frames, "missed": seen.missed}
    print(json.dumps({**said, "doubled": seen.doubled}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=10.0)
    for name in ("--crowd", "--port"):
        parser.add_argument(name, type=int, default=0, help=argparse.SUPPRESS)
    for name in ("--slug", "--token"):
        parser.add_argument(name, default="", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    given = _arguments()
    if given.crowd:
        asyncio.run(_watch(given.crowd, given.port, given.slug, given.token))
    else:
        for name, value in play(given.viewers, given.rate, given.seconds).items():
            print(f"{name:20} {value:10.2f}")
