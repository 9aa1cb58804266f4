"""What a program calls: every way to say that something happened."""

from __future__ import annotations

import atexit
import contextlib
import os
import platform
import socket
import ssl
import sys
import time
import weakref
from typing import Any, Callable, Mapping

from errorstack_client import guard
from errorstack_client.field import Texts, texts
from errorstack_client.gate import Gate, Losses
from errorstack_client.message import LOG, SUBMIT, Message, Scrub
from errorstack_client.outbox import Outbox
from errorstack_client.sender import Problems, Sender
from errorstack_client.trace import Trace, message, name
from errorstack_client.transport import Transport
from errorstack_client.watch import Watch, watched

EXIT_TIMEOUT_S = 2.0
_MARK = "__errorstack_sent__"


class Client:
    """Sends to one stack of one server, in the background.

    ``key`` and ``endpoint`` ("https://errors.example.com") name the stack; without either, or with
    an endpoint that is no address, the client says so once in the log and sends nothing. ``fields``
    go with every error. ``scrub`` gets an error's or log message's fields before they leave the
    process and returns those to send, or None to send nothing; when it fails, nothing is sent.

    At most ``max_queue`` messages wait; a further one pushes out the oldest. Of errors and of log
    messages ``per_minute`` each are let in, and the same error once in ``dedupe_s`` seconds. The
    next error that is sent tells in fields ``dropped_…`` how many were not. ``timeout_s`` is at
    most 3.

    Nothing here raises or waits, except that ``flush`` and ``close`` wait as long as they are told.
    """

    def __init__(
        self,
        key: str,
        endpoint: str,
        *,
        release: str = "",
        environment: str = "",
        fields: Mapping[str, Any] | None = None,
        scrub: Scrub | None = None,
        max_queue: int = 200,
        timeout_s: float = 3.0,
        per_minute: int = 120,
        dedupe_s: float = 10.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._key = (key or "").strip()
        self._fields = _always(release, environment, fields or {})
        self._scrub = scrub
        self._max_queue = max_queue
        self._per_minute = per_minute
        self._dedupe_s = dedupe_s
        self._problems = Problems()
        self._to = (endpoint or "", timeout_s, tls)
        self._begin()
        _clients.add(self)
        atexit.register(self._end)

    def _begin(self) -> None:
        self._losses = Losses()
        self._gates = {
            SUBMIT: Gate(per_minute=self._per_minute, dedupe_s=self._dedupe_s),
            LOG: Gate(per_minute=self._per_minute, dedupe_s=0),
        }
        self._sender = self._new_sender()
        self._outbox: Outbox | None = None
        if self._sender:
            self._outbox = Outbox(self._sender, self._losses, max_queue=self._max_queue)

    def _new_sender(self) -> Sender | None:
        if not self._key:
            self._problems.tell("nothing will be sent: there is no stack key")
            return None
        endpoint, timeout_s, tls = self._to
        try:
            transport = Transport(endpoint, timeout_s=timeout_s, tls=tls)
        except ValueError as error:
            self._problems.tell(f"nothing will be sent: {error}")
            return None
        return Sender(self._key, transport, self._scrub, self._losses, self._problems)

    def begin_in_child(self) -> None:
        """Begin anew in a forked process. Called by itself where the platform can fork."""
        if self._sender:
            self._sender.drop()  # the parent goes on with its own copy of the connection
        self._begin()

    @property
    def is_enabled(self) -> bool:
        """Whether there is a key and an endpoint to send to."""
        return self._outbox is not None

    @property
    def last_problem(self) -> str:
        """What last went wrong, also if it went well since; "" when nothing did."""
        return self._problems.last

    def submit(self, /, **fields: Any) -> bool:
        """Send an error of these fields; False when it will not be sent."""
        return self._offer(SUBMIT, fields)

    def log(self, message: Any | None = None, /, **fields: Any) -> bool:
        """Send a log message: a text, or fields. False when it will not be sent."""
        return self._offer(LOG, fields if message is None else {"_msg": message, **fields})

    def submit_exception(self, error: BaseException | None = None, /, **fields: Any) -> bool:
        """Send an exception, or the one in hand, with its traceback and causes, and these fields.

        The same exception is sent once within ``dedupe_s``, however many layers report it.
        """
        error = error if error is not None else sys.exc_info()[1]
        if error is None:
            return self.submit(**fields)
        return self.submit_record({**fields}, error, "stack")

    def submit_record(
        self, fields: dict[str, Any], error: BaseException | None, trace_name: str
    ) -> bool:
        """Send fields, with an exception's traceback in the one named ``trace_name``.

        Unless ``fields`` has a message, the exception's type and message are added.
        """
        return self._offer(SUBMIT, fields, error, trace_name)

    def watch(self, /, **fields: Any) -> Watch:
        """Submit what is raised in a ``with`` block, and let it pass.

        Every error submitted inside it, by whatever way, has these fields too.
        """
        return Watch(self, fields)

    def flush(self, timeout_s: float = EXIT_TIMEOUT_S) -> bool:
        """Wait until everything is sent or given up; False when ``timeout_s`` was not enough."""
        return self._outbox is None or _waited(self._outbox.flush, timeout_s)

    def close(self, timeout_s: float = EXIT_TIMEOUT_S) -> bool:
        """Send what waits, try nothing twice, and take nothing more. False as of ``flush``."""
        atexit.unregister(self._end)
        return self._outbox is None or _waited(self._outbox.close, timeout_s)

    def _end(self) -> None:
        self.close(EXIT_TIMEOUT_S)

    def _offer(
        self,
        path: str,
        fields: Mapping[str, Any],
        error: BaseException | None = None,
        trace_name: str = "",
    ) -> bool:
        if guard.is_inside() or self._outbox is None:
            return False
        try:
            with guard.inside():
                return self._take(self._outbox, path, fields, error, trace_name)
        except Exception as failure:
            with contextlib.suppress(Exception):  # where the stack is full, this fails as well
                self._losses.add("unreadable")
                self._problems.tell(f"not readable: {type(failure).__name__}: {failure}")
            return False

    def _take(
        self,
        outbox: Outbox,
        path: str,
        fields: Mapping[str, Any],
        error: BaseException | None,
        trace_name: str,
    ) -> bool:
        if error is not None and self._is_reported(error):
            return False
        said = texts(fields) if path == LOG else self._said(fields, error)
        trace = None if error is None else (trace_name, Trace(error))
        taken = Message(path, said, trace)
        refusal = self._gates[path].refusal(taken.sameness, time.monotonic())
        if refusal:
            self._losses.add(refusal)
            return False
        return outbox.put(taken)

    def _said(self, fields: Mapping[str, Any], error: BaseException | None) -> Texts:
        is_bare = error is not None and not {"Msg", "msg"} & fields.keys()
        thrown = {"Msg": message(error), "type": name(error)} if error and is_bare else {}
        whole = {**thrown, **fields}
        for more in (watched(), self._fields):  # what is nearer to the error wins
            whole.update({name: value for name, value in more.items() if name not in whole})
        return texts(whole)

    def _is_reported(self, error: BaseException) -> bool:
        """Say whether this exception was sent a moment ago, and remember that it now is."""
        now_s, notes = time.monotonic(), vars(error)
        sent_s: dict[int, float] = notes.get(_MARK, {})
        if now_s - sent_s.get(id(self), float("-inf")) < self._dedupe_s:
            return True
        notes[_MARK] = {**sent_s, id(self): now_s}
        return False


def _always(release: str, environment: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    own = {
        "release": release or None,
        "environment": environment or None,
        "host": socket.gethostname(),
        "Platform": f"{platform.python_implementation()} {platform.python_version()}",
    }
    return {**own, **fields}


def _waited(wait: Callable[[float], bool], timeout_s: float) -> bool:
    if guard.is_inside():  # the sending thread would wait for itself
        return False
    with guard.inside():
        return wait(timeout_s)


_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _begin_in_child() -> None:
    for client in list(_clients):
        client.begin_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_in_child)
