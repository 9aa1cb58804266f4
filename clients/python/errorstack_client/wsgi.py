"""Exceptions that leave a WSGI application (PEP 3333), also while its answer is read."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, Iterator
from wsgiref.util import request_uri

from errorstack_client.client import Client
from errorstack_client.watch import Watch

Application = Callable[[Dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ErrorStackMiddleware:
    """Submits what an application raises, with the request's method and address, and lets it pass.

    Errors that are logged during the request have these fields too.
    """

    def __init__(self, app: Application, client: Client) -> None:
        self._app = app
        self._client = client

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        watch = self._client.watch(**_fields(environ))
        with watch:
            answer = self._app(environ, start_response)
        wrapper = environ.get("wsgi.file_wrapper")
        # A list raises nothing; the server sends a file of its own faster than through us.
        is_ready = isinstance(answer, (list, tuple))
        if is_ready or (isinstance(wrapper, type) and isinstance(answer, wrapper)):
            return answer
        return _Answer(answer, watch)


class _Answer:
    """An answer in pieces, each of them made under watch."""

    def __init__(self, pieces: Iterable[bytes], watch: Watch) -> None:
        self._pieces = pieces
        self._watch = watch
        with watch:
            self._iterator = iter(pieces)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._watch:
            return next(self._iterator)

    def close(self) -> None:
        close = getattr(self._pieces, "close", None)
        if close:
            with self._watch:
                close()


def _fields(environ: dict[str, Any]) -> dict[str, Any]:
    try:
        address = request_uri(environ)
    except KeyError:  # a server that leaves out what it must give
        address = environ.get("PATH_INFO", "")
    return {
        "PageURL": address,
        "method": environ.get("REQUEST_METHOD"),
        "UserAgent": environ.get("HTTP_USER_AGENT"),
    }
