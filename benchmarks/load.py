"""A light HTTP load: keep-alive connections that send one request after the other's answer."""

import asyncio
import time
from dataclasses import dataclass, field

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(slots=True)
class Tally:
    """What one load saw: answers by status, and each answer's seconds."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    latencies_s: list[float] = field(default_factory=list)

    @property
    def ok_count(self) -> int:
        return self.statuses.get(200, 0)

    @property
    def per_second(self) -> float:
        return self.ok_count / self.seconds

    def quantile_ms(self, q: float) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))] * 1000


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, until: float, tally: Tally) -> None:
        self._request = request
        self._until = until
        self._tally = tally
        self._buffer = b""
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_end = self._buffer.find(_END)
        if head_end < 0:
            return
        head = self._buffer[:head_end].lower()
        start = head.find(_LENGTH) + len(_LENGTH)
        length = int(head[start:].split(b"\r\n", 1)[0])
        if len(self._buffer) < head_end + len(_END) + length:
            return
        status = int(head[9:12])
        self._tally.statuses[status] = self._tally.statuses.get(status, 0) + 1
        self._tally.latencies_s.append(time.perf_counter() - self._sent_at)
        self._buffer = b""
        if time.perf_counter() < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        if not self.closed.done():
            self.closed.set_result(None)

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._request)


def post(path: str, body: bytes) -> bytes:
    """One form submission's bytes."""
    return (
        b"POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"User-Agent: errorstack-bench\r\nContent-Length: %d\r\n\r\n%s"
        % (path.encode(), len(body), body)
    )


async def load(port: int, request: bytes, *, connections: int, seconds: float) -> Tally:
    """Send ``request`` over ``connections`` to a loopback port for ``seconds``."""
    loop = asyncio.get_running_loop()
    tally = Tally()
    started = time.perf_counter()
    until = started + seconds
    made = [
        (
            await loop.create_connection(
                lambda: _Connection(request, until, tally), "127.0.0.1", port
            )
        )[1]
        for _ in range(connections)
    ]
    async with asyncio.timeout(seconds + 30):
        await asyncio.gather(*(each.closed for each in made))
    tally.seconds = time.perf_counter() - started
    return tally
