"""A request's body as bytes, bounded in size and time (PROTOCOL 6)."""

import time
import zlib
from dataclasses import dataclass

from hypercorn.typing import ASGIReceiveCallable

from errorstack_live.errors import BadSubmission, Refused, TooLarge

MAX_DECLARED_BYTES = 8 << 20
"""A longer declared or decompressed body is refused; of a shorter one the start is kept."""
BODY_TIMEOUT_S = 20.0
"""A sender that is still sending its body after that is told 408 and let go."""
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Body:
    """``content`` holds at most the wanted number of bytes of the ``size`` that there were."""

    content: bytes
    size: int


class Gone(Exception):
    """The sender hung up before its body was whole."""


class TooSlow(Refused):
    """The body did not arrive in time."""

    reason = "too-slow"
    status = 408


async def read_body(
    receive: ASGIReceiveCallable, headers: dict[bytes, bytes], max_bytes: int
) -> Body:
    """Read a body, decompressed, and keep its first ``max_bytes``.

    Raises TooLarge past MAX_DECLARED_BYTES declared or decompressed, BadSubmission for an
    encoding that is unknown, broken or ambiguous, TooSlow, and Gone when the sender hung up.
    """
    length = _declared_length(headers)
    if length > MAX_DECLARED_BYTES:
        raise TooLarge(f"A submission has at most {MAX_DECLARED_BYTES} bytes")
    encoding = headers.get(b"content-encoding", b"identity").strip().lower()
    if encoding not in {b"identity", b"gzip", b"x-gzip"}:
        raise BadSubmission("Content-Encoding is gzip or none", reason="bad-encoding")
    keep = max_bytes if encoding == b"identity" else MAX_DECLARED_BYTES
    body = await _receive_all(receive, keep)
    return body if encoding == b"identity" else _gunzip(body.content, max_bytes)


def _declared_length(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length")
    if length is None:
        return 0
    if b"transfer-encoding" in headers:
        # Two lengths are how requests are smuggled past a proxy (RFC 9112, 6.1).
        raise BadSubmission("Content-Length with Transfer-Encoding", reason="bad-length")
    try:
        return int(length)
    except ValueError:
        raise BadSubmission("Content-Length is not a number", reason="bad-length") from None


async def _receive_all(receive: ASGIReceiveCallable, keep: int) -> Body:
    """Read to the end, or to MAX_DECLARED_BYTES of a body that never said how long it is.

    The clock is looked at when something comes, which costs no timer: a sender from whom nothing
    comes is cut off by the server's own read timeout.
    """
    ends_at = time.monotonic() + BODY_TIMEOUT_S
    chunks: list[bytes] = []
    size = 0
    while size <= MAX_DECLARED_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        chunk = message["body"]
        if chunk and size < keep:
            chunks.append(chunk[: keep - size])
        size += len(chunk)
        if not message.get("more_body"):
            break
        if time.monotonic() > ends_at:
            raise TooSlow("The body did not arrive in time")
    return Body(chunks[0] if len(chunks) == 1 else b"".join(chunks), size)


def _gunzip(data: bytes, max_bytes: int) -> Body:
    """Decompress one member; linear in its output, which is bounded."""
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(data, max_bytes)
        size = len(content)
        while stream.unconsumed_tail and size <= MAX_DECLARED_BYTES:
            size += len(stream.decompress(stream.unconsumed_tail, 1 << 16))
    except zlib.error:
        raise BadSubmission("The gzip body is broken", reason="bad-encoding") from None
    if size > MAX_DECLARED_BYTES:
        raise TooLarge(f"A submission has at most {MAX_DECLARED_BYTES} bytes, unpacked")
    if stream.unused_data or not stream.eof:
        raise BadSubmission("A gzip body is one whole member", reason="bad-encoding")
    return Body(content, size)
