"""The ingest door: raw ASGI in front of Quart, public and write-only, without cookies.

It turns HTTP into a ``Submission`` and a ``Reply`` into HTTP (PROTOCOL 1, 6, 7); what a
submission means and whether it is stored is decided behind it, in ``ingest``.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGISendCallable,
    HTTPScope,
    Scope,
)

from errorstack_live.errors import AddressTooLong, Refused
from errorstack_live.ingest import Ingest
from errorstack_live.model import Reply, Request, Submission
from errorstack_live.protocols import PROTOCOLS, Protocol
from errorstack_live.web.address import Proxies
from errorstack_live.web.body import Body, Gone, read_body
from errorstack_live.web.script import Script, scripts

MAX_URL_BYTES = 32 << 10
METHODS = (b"GET", b"HEAD", b"POST", b"OPTIONS")
PREFLIGHT_S = 86_400
JSON = b"application/json"
"""Who accepts this is also told how long storing took: the set-up page's test does."""

Headers = list[tuple[bytes, bytes]]


class Door:
    """Answers the ingest paths and hands everything else to ``app``.

    ``alias`` is a second, neutral path prefix, or empty. ``now`` is the server's clock.
    """

    def __init__(
        self,
        app: ASGIFramework,
        ingest: Ingest,
        *,
        alias: str,
        max_body_bytes: int,
        proxies: Proxies,
        now: Callable[[], datetime],
    ) -> None:
        self._app = app
        self._ingest = ingest
        self._max_body_bytes = max_body_bytes
        self._proxies = proxies
        self._now = now
        prefixes = {"", alias}
        self._protocols = {
            prefix + path + slash: protocol
            for path, protocol in PROTOCOLS.items()
            for prefix in prefixes
            for slash in ("", "/")
        }
        self._scripts = {
            prefix + path: script for path, script in scripts().items() for prefix in prefixes
        }

    async def __call__(
        self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> None:
        if scope["type"] == "http":
            path = _path(scope)
            protocol = self._protocols.get(path)
            if protocol is not None:
                await self._submit(protocol, scope, receive, send)
                return
            script = self._scripts.get(path)
            if script is not None:
                await _send_script(script, scope, send)
                return
        await self._app(scope, receive, send)

    async def _submit(
        self,
        protocol: Protocol,
        scope: HTTPScope,
        receive: ASGIReceiveCallable,
        send: ASGISendCallable,
    ) -> None:
        headers = _headers(scope)
        method = scope["method"]
        if method == "OPTIONS":
            await _send(send, 204, _preflight(headers))
            return
        if method not in {"GET", "POST", "HEAD"}:
            await _send(send, 405, [(b"allow", b", ".join(METHODS)), *_cors(headers)])
            return
        try:
            reply = await self._answer(protocol, scope, headers, receive)
        except Gone:
            return
        content = b"" if method == "HEAD" else reply.body
        await _send(send, reply.status, [*reply.headers, *_cors(headers)], content, reply.body)

    async def _answer(
        self,
        protocol: Protocol,
        scope: HTTPScope,
        headers: dict[bytes, bytes],
        receive: ASGIReceiveCallable,
    ) -> Reply:
        try:
            if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_URL_BYTES:
                raise AddressTooLong(f"An address has at most {MAX_URL_BYTES} bytes")
            body = await read_body(receive, headers, self._max_body_bytes)
        except Refused as refused:
            submission = self._submission(protocol, scope, headers, Body(b"", 0))
            return self._ingest.refuse(protocol, submission, refused)
        submission = self._submission(protocol, scope, headers, body)
        began_at = time.perf_counter()
        reply = await self._ingest.accept(protocol, submission)
        if JSON not in headers.get(b"accept", b""):
            return reply
        return _timed(reply, time.perf_counter() - began_at)

    def _submission(
        self, protocol: Protocol, scope: HTTPScope, headers: dict[bytes, bytes], body: Body
    ) -> Submission:
        client = scope["client"]
        return Submission(
            method=scope["method"],
            query=scope["query_string"],
            body=body.content,
            body_bytes=body.size,
            content_type=_text(headers, b"content-type"),
            request=Request(
                ip=self._proxies.address(client[0] if client else "", headers),
                user_agent=_text(headers, b"user-agent"),
                referer=_referer(headers),
                protocol=protocol.name,
            ),
            received_at=self._now(),
            origin=_text(headers, b"origin"),
        )


async def _send_script(script: Script, scope: HTTPScope, send: ASGISendCallable) -> None:
    if scope["method"] not in {"GET", "HEAD"}:
        await _send(send, 405, [(b"allow", b"GET, HEAD")])
        return
    status, headers, whole = script.answer(_headers(scope))
    await _send(send, status, headers, b"" if scope["method"] == "HEAD" else whole, whole)


def _path(scope: HTTPScope) -> str:
    """The path; of an absolute-form request target too (RFC 9112, 3.2.2)."""
    path = scope["path"]
    if path.startswith(("http://", "https://")):
        return "/" + path.split("/", 3)[3] if path.count("/") > 2 else "/"
    return path


def _headers(scope: HTTPScope) -> dict[bytes, bytes]:
    return dict(scope["headers"])  # their names come in lower case (ASGI)


def _text(headers: dict[bytes, bytes], name: bytes) -> str:
    value = headers.get(name, b"")
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _referer(headers: dict[bytes, bytes]) -> str:
    """Where the sender was; a collector's own address says nothing (WordPress sends it)."""
    referer = _text(headers, b"referer")
    host = _text(headers, b"host")
    _, _, rest = referer.partition("://")
    return "" if host and rest.partition("/")[0] == host else referer


def _timed(reply: Reply, seconds: float) -> Reply:
    """The reply with how long it took from the whole request to what was made of it."""
    told = (
        (b"server-timing", b"store;dur=%.1f" % (seconds * 1000)),
        (b"access-control-expose-headers", b"server-timing"),
    )
    return replace(reply, headers=(*reply.headers, *told))


def _cors(headers: dict[bytes, bytes]) -> Headers:
    """Echo the origin: ``*`` would break ``sendBeacon`` with a JSON blob (PROTOCOL 7)."""
    origin = headers.get(b"origin")
    if origin is None:
        return []
    return [
        (b"access-control-allow-origin", origin),
        (b"vary", b"Origin"),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"retry-after, x-errorstack-error"),
    ]


def _preflight(headers: dict[bytes, bytes]) -> Headers:
    return [
        *_cors(headers),
        (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
        (b"access-control-allow-headers", b"content-type"),
        (b"access-control-max-age", b"%d" % PREFLIGHT_S),
        (b"cache-control", b"no-store"),
    ]


async def _send(
    send: ASGISendCallable,
    status: int,
    headers: Headers,
    content: bytes = b"",
    whole: bytes = b"",
) -> None:
    """``whole`` is what GET would answer: HEAD sends its length and not its content."""
    if status not in {204, 304}:
        headers = [*headers, (b"content-length", b"%d" % len(whole))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
