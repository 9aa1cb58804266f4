"""A program with the handler of django-errorstack 0.1.0, unmodified; only the name of the old
service leads to the server of the test."""

import logging
import os
import socket
from typing import Any

from django.conf import settings

settings.configure(ERRORSTACK_STACK_KEY=os.environ["ERRORSTACK_KEY"])

_resolve = socket.getaddrinfo


def _found(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
    if host == "www.errorstack.com" and port == 80:
        host, port = "127.0.0.1", int(os.environ["ERRORSTACK_URL"].rpartition(":")[2])
    return _resolve(host, port, *rest, **more)


socket.getaddrinfo = _found

from errorstack.handlers import errorstack_handler  # type: ignore[import-not-found]  # noqa: E402

logger = logging.getLogger("errorstack")
assert errorstack_handler in logger.handlers
try:
    {}["missing"]
except KeyError:
    logger.exception("Unhandled exception in %s", "checkout & more")
