"""Servers in trouble: what a client meets on a bad day. Its host program must not feel it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from harness.answering import Answering, Reply, answering, slow

BUSY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nGIF8"
MOVED = b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
GARBAGE = b"\x00\xff\x00 no HTTP at all\r\n\r\n"
WORTH_ANOTHER_TRY: dict[str, bytes | Reply] = {
    "slow": slow,
    "429": BUSY,
    "503": AWAY,
    "garbage": GARBAGE,
    "page": b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>",
    "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
    "endless": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000,
}
"""Answers that say neither that an error is stored nor that it never will be."""

DOWN = "down"
TROUBLES: dict[str, bytes | Reply | None] = {
    DOWN: None,
    "slow": slow,
    "429": BUSY,
    "503": AWAY,
    "garbage": GARBAGE,
    "redirect": MOVED,
}
"""By name: how each request is answered. ``slow`` says nothing for 10 seconds."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A server in trouble at ``url``; ``server`` knows what it was sent, None when it is down."""

    name: str
    url: str
    server: Answering | None


@contextmanager
def trouble_of(name: str) -> Iterator[Trouble]:
    """A server in the trouble of this name."""
    reply = TROUBLES[name]
    if reply is None:
        with socket.socket() as bound:  # bound and not listening: nobody else gets the port
            bound.bind(("127.0.0.1", 0))
            yield Trouble(name, f"http://127.0.0.1:{bound.getsockname()[1]}", None)
        return
    with answering(reply) as server:
        yield Trouble(name, server.url, server)
