"""One kept-alive connection to the server, and what an answer means for the sender."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import NamedTuple
from urllib.parse import urlsplit

MAX_ANSWER_BYTES = 65_536
MAX_TIMEOUT_S = 3.0
MAX_RETRY_AFTER_S = 600.0
_LATER = frozenset({408, 425, 429})  # and every 5xx


class Fate(Enum):
    """What became of a message."""

    STORED = "stored"
    REFUSED = "refused"  # and would be again
    LATER = "later"  # not taken now
    UNKNOWN = "unknown"  # sent, but no answer that can be understood


class Answer(NamedTuple):
    fate: Fate
    problem: str = ""
    retry_after_s: float = 0.0


class Transport:
    """Posts forms below ``endpoint``, ``http://host:port/prefix``. Follows no redirect.

    ValueError when the endpoint is no such address. For one thread at a time.
    """

    def __init__(
        self, endpoint: str, *, timeout_s: float, tls: ssl.SSLContext | None = None
    ) -> None:
        to = urlsplit(endpoint.strip())
        if to.scheme not in {"http", "https"} or not to.hostname:
            raise ValueError(f"the endpoint is no http or https address: {endpoint!r}")
        self._is_tls, self._host, self._port = to.scheme == "https", to.hostname, to.port
        path = to.path.rstrip("/")
        self._prefix = path[: -len("/submit")] if path.endswith("/submit") else path
        self._timeout_s = min(max(timeout_s, 0.05), MAX_TIMEOUT_S)
        self._tls = tls
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: bytes) -> Answer:
        """Send a form and wait for its answer, for ``timeout_s`` at each step."""
        is_kept = self._connection is not None
        try:
            connection = self._connected()
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.drop()
            return Answer(Fate.LATER, _told(error))
        try:
            return self._exchange(connection, path, body)
        except (OSError, ValueError, http.client.HTTPException) as error:
            self.drop()
            # A server may close a connection that it kept just when it is used again.
            if is_kept and isinstance(error, (ConnectionError, http.client.BadStatusLine)):
                return self.post(path, body)
            return Answer(Fate.UNKNOWN, _told(error))

    def drop(self) -> None:
        """Close the connection; the next message opens another."""
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = self._new()
            self._connection.connect()
        return self._connection

    def _new(self) -> http.client.HTTPConnection:
        if not self._is_tls:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        self._tls = self._tls or ssl.create_default_context()
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout_s, context=self._tls
        )

    def _exchange(self, connection: http.client.HTTPConnection, path: str, body: bytes) -> Answer:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
            "User-Agent": "errorstack-client/python",
        }
        connection.request("POST", self._prefix + path, body, headers)
        response = connection.getresponse()
        content = response.read(MAX_ANSWER_BYTES)
        if response.will_close or not response.isclosed():
            self.drop()
        return read(response, content)


def read(response: http.client.HTTPResponse, content: bytes) -> Answer:
    """Say what an answer means."""
    status = response.status
    if status in _LATER or status >= 500:
        wait_s = retry_after_s(response.getheader("Retry-After", ""), time.time())
        return Answer(Fate.LATER, f"the server answered {status}", wait_s)
    if status >= 300:
        to = response.getheader("Location", "")
        return Answer(Fate.REFUSED, f"the server answered {status}{to and ' to '}{to}")
    return _understood(content)


def retry_after_s(header: str, now_s: float) -> float:
    """Return the seconds that a Retry-After header asks for (RFC 9110, section 10.2.3), or 0."""
    try:
        wait_s = float(header) if header.strip().isdecimal() else _date_s(header) - now_s
    except (ValueError, TypeError, OverflowError, IndexError):
        return 0.0
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)


def _date_s(header: str) -> float:
    return parsedate_to_datetime(header).timestamp()


def _understood(content: bytes) -> Answer:
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or "success" not in said:
        return Answer(Fate.UNKNOWN, "the answer is not an ErrorStack server's")
    if said["success"] is True:
        return Answer(Fate.STORED)
    return Answer(Fate.REFUSED, str(said.get("errorMsg", "refused"))[:200])


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
