"""A web site of another origin: its pages carry what a client is given to watch."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Content = tuple[bytes, dict[str, str]]


class Pages:
    """Serves what is put, on ``url``, and 404 else."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._contents: dict[str, Content] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._contents))
        self.url = f"http{'s' if tls else ''}://localhost:{self._server.server_address[1]}"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    def put(self, content: str, path: str = "/", kind: str = "text/html", **headers: str) -> str:
        """Serve content with these headers (``_`` for ``-``); returns its address."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        if kind == "text/html":
            content = f"<!doctype html><meta charset=utf-8>{content}"
        self._contents[path] = content.encode(), {"Content-Type": f"{kind}; charset=utf-8", **told}
        return self.url + path

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def site(tls: ssl.SSLContext | None = None) -> Iterator[Pages]:
    pages = Pages(tls)
    thread = threading.Thread(target=pages.serve, daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        pages.close()
        thread.join(10)


def _handler(contents: dict[str, Content]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            content, headers = contents.get(self.path.partition("?")[0], (b"", {}))
            self.send_response(200 if headers else 404)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
