"""Exceptions that leave an ASGI application: requests, websockets, start and end."""

from __future__ import annotations

from typing import Any, Awaitable, Callable, MutableMapping

from errorstack_client.client import Client

Scope = MutableMapping[str, Any]
Channel = Callable[..., Awaitable[Any]]
Application = Callable[[Scope, Channel, Channel], Awaitable[None]]


class ErrorStackMiddleware:
    """Submits what an application raises, with the request's method and address, and lets it pass.

    Errors that are logged during the request have these fields too.
    """

    def __init__(self, app: Application, client: Client) -> None:
        self._app = app
        self._client = client

    async def __call__(self, scope: Scope, receive: Channel, send: Channel) -> None:
        with self._client.watch(**_fields(scope)):
            await self._app(scope, receive, send)


def _fields(scope: Scope) -> dict[str, Any]:
    if scope.get("type") not in {"http", "websocket"}:
        return {"method": scope.get("type")}
    headers = {bytes(name).lower(): value for name, value in scope.get("headers") or ()}
    query = bytes(scope.get("query_string") or b"")
    host = headers.get(b"host", b"")
    address = f"{scope.get('scheme', 'http')}://{_text(host)}{scope.get('path', '')}"
    return {
        "PageURL": f"{address}?{_text(query)}" if query else address,
        "method": scope.get("method", scope.get("type")),
        "UserAgent": _text(headers.get(b"user-agent", b"")),
    }


def _text(raw: bytes) -> str:
    return bytes(raw).decode("latin-1")
