"""Ends websockets before the server does: Hypercorn leaves them open until it cuts them."""

import asyncio

from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    Scope,
)

RESTART = 1012
"""The close code that says: the service restarts, come back (RFC 6455 registry)."""
CLOSE_S = 1.0
"""A peer that reads nothing keeps a close from being sent; the server's end cuts it."""


class Drain:
    """Passes requests to ``app`` and remembers its open websockets.

    After ``close`` no websocket is accepted: its request is answered 503. The application's
    lifespan is not its matter: it answers the server's own for it.
    """

    def __init__(self, app: ASGIFramework) -> None:
        self._app = app
        self._open: set[_Socket] = set()
        self._is_closing = False

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] == "lifespan":
            await _answer_lifespan(receive, send)
        elif scope["type"] == "http":
            await self._app(scope, receive, send)
        elif self._is_closing:
            await _refuse(send)
        else:
            await self._hold(scope, receive, send)

    async def close(self) -> None:
        """Tell every viewer to come back, and wait CLOSE_S at most."""
        self._is_closing = True
        closing = [asyncio.create_task(socket.close()) for socket in self._open]
        if closing:
            await asyncio.wait(closing, timeout=CLOSE_S)

    async def _hold(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        socket = _Socket(send)
        self._open.add(socket)
        try:
            await self._app(scope, receive, socket.send)
        finally:
            self._open.discard(socket)


class _Socket:
    """One websocket's way out; after ``close`` what the application still sends is dropped."""

    def __init__(self, send: ASGISendCallable) -> None:
        self._send = send
        self._is_accepted = False
        self._is_closed = False

    async def send(self, event: ASGISendEvent) -> None:
        if self._is_closed:
            return
        self._is_accepted |= event["type"] == "websocket.accept"
        self._is_closed |= event["type"] == "websocket.close"
        await self._send(event)

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._is_accepted:
            await self._send({"type": "websocket.close", "code": RESTART, "reason": "restart"})
        else:
            await _refuse(self._send)


async def _answer_lifespan(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def _refuse(send: ASGISendCallable) -> None:
    headers = [(b"retry-after", b"1"), (b"content-length", b"0")]
    await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b"", "more_body": False})
