"""The server around an application: its limits, its start, and its end, on a real Hypercorn."""

import asyncio
import resource
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest
from hypercorn.protocol.ws_stream import FrameTooLargeError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from wsproto.events import TextMessage

from errorstack_live.errors import SetupError
from errorstack_live.settings import load
from errorstack_live.web import server
from errorstack_live.web.drain import Drain
from errorstack_live.web.guard import BoundedBuffer

Receive = Callable[[], Any]
Send = Callable[[Any], Any]


class Echo:
    """Answers requests with the length of their query, and websockets with what they said."""

    def __init__(self, startup: str = "lifespan.startup.complete") -> None:
        self.startup = startup
        self.steps: list[str] = []
        self.release = asyncio.Event()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        await {"lifespan": self.live, "websocket": self.talk, "http": self.answer}[scope["type"]](
            scope, receive, send
        )

    async def live(self, _: Any, receive: Receive, send: Send) -> None:
        self.steps.append((await receive())["type"])
        await send({"type": self.startup, "message": "no luck"})
        self.steps.append((await receive())["type"])
        await send({"type": "lifespan.shutdown.complete"})

    async def talk(self, _: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})

    async def answer(self, scope: Any, _: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            self.steps.append("slow")
            await self.release.wait()
        length = b"%d" % len(scope["query_string"])
        headers = [(b"content-length", b"%d" % len(length))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": length, "more_body": False})


class Running:
    def __init__(self, app: Any) -> None:
        self.listeners = server.listen(load(port=0, host="127.0.0.1"))
        self.stop = asyncio.Event()
        self.ready = asyncio.Event()
        settings = load(port=0)
        self.task = asyncio.create_task(
            server.run(app, settings, self.listeners, stop=self.stop, on_ready=self.ready.set)
        )
        self.address = f"127.0.0.1:{self.listeners.port}"


@asynccontextmanager
async def running(app: Any) -> AsyncGenerator[Running, None]:
    here = Running(app)
    try:
        async with asyncio.timeout(30):
            await here.ready.wait()
            yield here
            here.stop.set()
            await here.task
    finally:
        here.listeners.close()


async def test_it_starts_serves_and_ends_in_order() -> None:
    app = Echo()
    async with running(app) as here, httpx.AsyncClient() as client:
        assert (await client.get(f"http://{here.address}/?abc")).text == "3"
        assert app.steps == ["lifespan.startup"]
    assert app.steps == ["lifespan.startup", "lifespan.shutdown"]


async def test_a_start_that_fails_says_why() -> None:
    here = Running(Echo("lifespan.startup.failed"))
    with pytest.raises(SetupError, match="no luck"):
        await here.task
    here.listeners.close()


async def test_an_application_that_breaks_at_start_is_not_hidden() -> None:
    async def broken(scope: Any, _: Receive, __: Send) -> None:
        raise ZeroDivisionError(scope["type"])

    here = Running(broken)
    with pytest.raises(ZeroDivisionError, match="lifespan"):
        await here.task
    here.listeners.close()


async def test_a_thousand_viewers_are_not_too_many_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
        async with running(Echo()):
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] in {hard, server.MAX_FILES}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_long_address_may_come_in_two_packets() -> None:
    async with running(Echo()) as here:
        reader, writer = await asyncio.open_connection(*here.address.split(":"))
        request = b"GET /?" + b"x" * 30_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        for half in (request[:17_000], request[17_000:]):
            writer.write(half)
            await writer.drain()
            await asyncio.sleep(0)
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200")
        assert answer.endswith(b"30000")


async def test_a_message_that_is_too_long_ends_its_websocket_alone() -> None:
    async with running(Echo()) as here, connect(f"ws://{here.address}/") as other:
        async with connect(f"ws://{here.address}/", compression=None) as socket:
            with suppress(ConnectionClosed):
                await socket.send("x" * (4 * server.MAX_MESSAGE_BYTES))
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1009
        await other.send("still here")
        assert await other.recv() == "still here"
        assert "sec-websocket-extensions" not in other.response.headers  # type: ignore[union-attr]


def test_nothing_of_a_message_that_is_too_long_is_held() -> None:
    buffer = BoundedBuffer(10)
    buffer.extend(TextMessage(data="x" * 10))
    for _ in range(3):
        with pytest.raises(FrameTooLargeError):
            buffer.extend(TextMessage(data="y"))
        assert buffer.value is None


async def test_a_stop_sends_viewers_away_to_come_back() -> None:
    async with running(Echo()) as here:
        async with connect(f"ws://{here.address}/") as socket:
            here.stop.set()
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1012


async def test_nobody_holds_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "GRACE_S", 0.2)
    monkeypatch.setattr(server, "STOP_S", 0.4)
    app = Echo()
    async with running(app) as here:
        _, writer = await asyncio.open_connection(*here.address.split(":"))
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        while "slow" not in app.steps:
            await asyncio.sleep(0.01)
        here.stop.set()
        await here.task
        writer.close()
    assert app.steps[-1] == "lifespan.shutdown"


async def test_an_application_that_does_not_end_is_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "SHUTDOWN_S", 0.1)

    async def app(_: Any, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await asyncio.Event().wait()

    async with running(app):
        pass


async def test_while_it_ends_no_websocket_is_accepted() -> None:
    app = Echo()
    drain = Drain(app)
    async with running(drain) as here:
        await drain.close()
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://{here.address}/")
        assert refused.value.response.status_code == 503


@pytest.mark.parametrize("is_accepted", [True, False])
async def test_what_an_application_sends_after_the_close_is_dropped(*, is_accepted: bool) -> None:
    sent: list[str] = []

    async def send(event: Any) -> None:
        sent.append(event["type"])

    async def app(_: Any, __: Receive, send: Send) -> None:
        if is_accepted:
            await send({"type": "websocket.accept"})
        await drain.close()
        await drain.close()
        await send({"type": "websocket.send", "text": "too late"})

    drain = Drain(app)
    await drain({"type": "websocket"}, None, send)  # type: ignore[arg-type]
    response = ["websocket.http.response.start", "websocket.http.response.body"]
    assert sent == (["websocket.accept", "websocket.close"] if is_accepted else response)
