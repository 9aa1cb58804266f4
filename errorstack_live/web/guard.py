"""What Hypercorn lacks: bounds on what a peer can make the server hold, and patience.

Its read timeout also ends a response that is still being written, as soon as the peer, who has
nothing more to say, was silent for so long: a stream of events or an export would end after it.

Of its websockets, ``websocket_max_message_size`` alone bounds nothing: a message past it is still
gathered to its end (a single frame of 300 MB was read whole), because the check comes after the
write and the connection stays open. Pings keep a connection's tasks alive until their next turn,
long after it closed. Compression is not offered: it costs about 150 KB for every viewer.
"""

import asyncio
from dataclasses import replace

from hypercorn.asyncio import run
from hypercorn.asyncio.tcp_server import MAX_RECV, TCPServer
from hypercorn.events import Closed, RawData
from hypercorn.protocol import ProtocolWrapper, h2, h11
from hypercorn.protocol.events import Event, Request, StreamClosed
from hypercorn.protocol.http_stream import ASGIHTTPState, HTTPStream
from hypercorn.protocol.ws_stream import FrameTooLargeError, WebsocketBuffer, WSStream
from wsproto.events import Message, Ping


class BoundedBuffer(WebsocketBuffer):
    """Gathers one message; from the piece that is past ``max_length`` on it holds nothing."""

    is_over = False

    def extend(self, event: "Message[str] | Message[bytes | bytearray]") -> None:
        """Add a piece. Raises FrameTooLargeError, also for every piece after that."""
        self.is_over |= self.length + len(event.data) > self.max_length
        if self.is_over:
            self.clear()
            raise FrameTooLargeError
        super().extend(event)


class GuardedStream(WSStream):
    """A websocket that ends (1009) with a message that is too long."""

    buffer: BoundedBuffer
    _gone: asyncio.Event

    async def handle(self, event: Event) -> None:
        """Take one event of the connection, of which a ``Request`` is the first."""
        if isinstance(event, Request):
            self.buffer = BoundedBuffer(self.config.websocket_max_message_size)
            self._gone = asyncio.Event()
            event = _without_extensions(event)
        elif isinstance(event, StreamClosed):
            self._gone.set()
        await super().handle(event)
        if self.buffer.is_over and not self.closed:
            await self.send(StreamClosed(stream_id=self.stream_id))

    async def _send_pings(self) -> None:
        while not self._gone.is_set():
            await self._send_wsproto_event(Ping())
            try:
                await asyncio.wait_for(self._gone.wait(), self.config.websocket_ping_interval)
            except TimeoutError:
                continue


class PatientServer(TCPServer):
    """A connection whose peer may be silent for as long as a response is written to it.

    That it is still there is seen by its taking what is written: the kernel ends it else.
    """

    async def _read_data(self) -> None:
        timeout_s = self.config.read_timeout
        while not self.reader.at_eof():
            try:
                data = await asyncio.wait_for(self.reader.read(MAX_RECV), timeout_s)
            except TimeoutError:
                if not _is_answering(self.protocol):
                    break
            except OSError:
                break
            else:
                await self.protocol.handle(RawData(data))
        await self.protocol.handle(Closed())


def _is_answering(wrapper: ProtocolWrapper) -> bool:
    """Whether a response has begun and not ended."""
    protocol = wrapper.protocol
    streams = (
        [protocol.stream] if isinstance(protocol, h11.H11Protocol) else protocol.streams.values()
    )
    return any(
        isinstance(each, HTTPStream) and each.state is ASGIHTTPState.RESPONSE for each in streams
    )


def install() -> None:
    """Guard every server of this process."""
    run.TCPServer = PatientServer  # type: ignore[attr-defined]
    h11.WSStream = GuardedStream  # type: ignore[attr-defined]
    h2.WSStream = GuardedStream  # type: ignore[attr-defined]


def _without_extensions(request: Request) -> Request:
    headers = [each for each in request.headers if each[0].lower() != b"sec-websocket-extensions"]
    return replace(request, headers=headers)
