"""A real websocket that watches a stack, as the page of someone who looks at it does."""

import asyncio
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from typing import Any

import orjson
from serving import eventually
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from errorstack_live.cli.target import StackPlace, Target
from errorstack_live.follow import Follower
from errorstack_live.settings import load
from harness.stack import DEADLINE_S, Stack

MAX_MESSAGE_BYTES = 64 << 20


class Live:
    """What the socket told, in its order; connected before this is made."""

    def __init__(self, stack: Stack) -> None:
        self.lags_ms: list[float] = []
        """For each error or log message: from its arrival at the server to the socket."""
        self._told: list[dict[str, Any]] = []
        self._follower = Follower("")
        self._started: Future[ClientConnection] = Future()
        self._thread = threading.Thread(target=self._watch, args=(_target(stack),), daemon=True)
        self._thread.start()
        self._socket = self._started.result(DEADLINE_S)

    def errors(self, count: int) -> list[dict[str, Any]]:
        """The errors told so far, each with ``title`` and ``fields``, when they are ``count``."""
        return self._of("error", count)

    def logs(self, count: int) -> list[dict[str, Any]]:
        """The log messages told so far, when they are ``count``."""
        return self._of("log", count)

    def close(self) -> None:
        self._socket.close()
        self._thread.join(DEADLINE_S)

    def _of(self, kind: str, count: int) -> list[dict[str, Any]]:
        def told() -> list[dict[str, Any]] | None:
            found = [each for each in list(self._told) if each["kind"] == kind]
            return found if len(found) >= count else None

        found: list[dict[str, Any]] = eventually(told, DEADLINE_S)
        return found

    def _watch(self, target: Target) -> None:
        opening = connect(
            target.url,
            additional_headers=target.headers,
            max_size=MAX_MESSAGE_BYTES,
            compression=None,
            proxy=None,
        )
        try:
            with opening as socket, suppress(ConnectionClosed):
                self._listen(socket)
        except Exception as failure:  # noqa: BLE001 - whoever waits for the start is told
            if not self._started.done():
                self._started.set_exception(failure)

    def _listen(self, socket: ClientConnection) -> None:
        socket.send(orjson.dumps(self._follower.start()).decode())
        for message in socket:
            self._take(socket, orjson.loads(message))
            for request in self._follower.requests:
                socket.send(orjson.dumps(request).decode())
            self._follower.requests.clear()

    def _take(self, socket: ClientConnection, message: dict[str, Any]) -> None:
        now_ms = time.time() * 1000
        for record in self._follower.receive(message):
            if record["kind"] == "live":
                self._started.set_result(socket)
                continue
            self._told.append(record)
            self.lags_ms.append(now_ms - _ms(record["at"]))


def _target(stack: Stack) -> Target:
    """Where the socket is and what opens it; asked for in a thread, for a test may have a loop."""
    place = StackPlace(stack.slug, load(data_dir=stack.server.data_dir))
    found: Future[Target] = Future()
    threading.Thread(target=lambda: found.set_result(asyncio.run(place.find()))).start()
    return found.result(DEADLINE_S)


def _ms(at: str) -> float:
    return datetime.fromisoformat(at).timestamp() * 1000
