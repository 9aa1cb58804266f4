"""A server that answers as badly as it is told, and remembers what it was sent."""

import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import parse_qsl

STORED = b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"success":true}'

Reply = Callable[[bytes], bytes]
"""From the posted form to the bytes of an answer; none: the connection is cut."""


def slow(_: bytes) -> bytes:
    """Answer nothing within 10 seconds, or until the test ends."""
    _released.wait(10)
    return b""


_released = threading.Event()


class Answering:
    """Gives each request the next of ``replies``, and the last of them for ever."""

    def __init__(self, *replies: bytes | Reply, tls: ssl.SSLContext | None = None) -> None:
        self.forms: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        """Of each request, by lower-case names."""
        self.connections = 0
        self._replies = list(replies)
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        port = self._server.server_address[1]
        self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    def answer(self, path: str, body: bytes) -> bytes:
        self.paths.append(path)
        self.forms.append(dict(parse_qsl(body.decode(), keep_blank_values=True)))
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        return reply(body) if callable(reply) else reply

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def answering(*replies: bytes | Reply, tls: ssl.SSLContext | None = None) -> Iterator[Answering]:
    _released.clear()
    server = Answering(*replies, tls=tls)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        _released.set()
        server.close()
        thread.join(10)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True


def _handler(server: Answering) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        timeout = 10

        def handle(self) -> None:
            server.connections += 1
            with suppress(ConnectionError):  # of a client that is killed
                self._serve()

        def _serve(self) -> None:
            while line := self.rfile.readline():
                headers = dict(iter(self._header, ("", "")))
                server.headers.append(headers)
                body = self.rfile.read(int(headers.get("content-length", "0")))
                reply = server.answer(line.split()[1].decode(), body)
                if not reply:
                    return
                self.wfile.write(reply)

        def _header(self) -> tuple[str, str]:
            name, _, value = self.rfile.readline().decode().strip().partition(":")
            return name.lower(), value.strip()

    return Handler
