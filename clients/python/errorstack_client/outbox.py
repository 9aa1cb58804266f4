"""The bounded queue between the program's threads and the one that sends."""

from __future__ import annotations

import random
import threading
from collections import deque

from errorstack_client import guard
from errorstack_client.gate import Losses
from errorstack_client.message import LOG, Message
from errorstack_client.sender import Parcel, Sender
from errorstack_client.transport import Answer, Fate

MAX_AGE_S = 900.0
"""After it, a message that cannot be delivered is given up. The server knows an error that comes
again, by its ``_id``, for an hour."""
FIRST_PAUSE_S = 0.5
MAX_PAUSE_S = 30.0


class Outbox:
    """Keeps at most ``max_queue`` messages; a further one pushes the oldest out.

    The thread starts with the first message. A forked process needs an outbox of its own: the
    parent has the thread, and sends what waits.
    """

    def __init__(self, sender: Sender, losses: Losses, *, max_queue: int) -> None:
        self._sender = sender
        self._losses = losses
        self._max_queue = max(max_queue, 1)
        self._changed = threading.Condition(threading.Lock())
        self._waiting: deque[Message] = deque()
        self._thread: threading.Thread | None = None
        self._is_sending = False
        self._is_closed = False
        self._is_hurried = False
        self._pause_s = FIRST_PAUSE_S

    def put(self, message: Message) -> bool:
        """Queue a message; False when the outbox is closed. Never waits for the network."""
        with self._changed:
            if self._is_closed:
                return False
            if len(self._waiting) >= self._max_queue:
                self._waiting.popleft()
                self._losses.add("queue")
            self._waiting.append(message)
            self._changed.notify_all()
            if self._thread is None or not self._thread.is_alive():
                self._start()
        return True

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing waits; False when something still does after ``timeout_s``."""
        with self._changed:
            self._is_hurried = True
            self._changed.notify_all()
            return self._changed.wait_for(self._is_idle, max(timeout_s, 0.0))

    def close(self, timeout_s: float) -> bool:
        """Take no more, try what waits once, and end. What fails now is given up at once."""
        with self._changed:
            self._is_closed = True
        return self.flush(timeout_s)

    def _is_idle(self) -> bool:
        return not self._waiting and not self._is_sending

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="errorstack-client", daemon=True)
        try:
            thread.start()
            self._thread = thread
        except RuntimeError:  # the interpreter is ending, or has no thread left to give
            self._losses.add("thread", len(self._waiting))
            self._waiting.clear()

    def _run(self) -> None:
        with guard.inside():  # what a scrub hook logs is not sent
            while True:
                message = self._next()
                if message is None:
                    return
                parcel = self._sender.pack(message)
                if parcel:
                    self._deliver(parcel)

    def _next(self) -> Message | None:
        with self._changed:
            self._is_sending = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if not self._waiting:
                self._sender.drop()
                return None
            self._is_sending = True
            return self._waiting.popleft()

    def _deliver(self, parcel: Parcel) -> None:
        answer = self._sender.post(parcel)
        while answer.fate not in {Fate.STORED, Fate.REFUSED}:
            if not self._goes_on(parcel.message, answer):
                break
            answer = self._sender.post(parcel)
        else:
            self._pause_s = FIRST_PAUSE_S
        if answer.fate is not Fate.STORED:
            self._sender.give_up(parcel, answer)

    def _goes_on(self, message: Message, answer: Answer) -> bool:
        """Wait for the time of the next attempt; False when there is to be none."""
        # A log message has no id that would keep a second copy out.
        is_twice = message.path == LOG and answer.fate is Fate.UNKNOWN
        was_closed = self._is_closed
        if is_twice or message.age_s > MAX_AGE_S:
            return False
        if not was_closed:
            self._pause(answer.retry_after_s)
        if was_closed or (self._is_closed and answer.retry_after_s):
            self._abandon()
            return False
        return True

    def _abandon(self) -> None:
        """Give up what waits, when the program ends and the server takes nothing."""
        with self._changed:
            self._losses.add("unsent", len(self._waiting))
            self._waiting.clear()

    def _pause(self, asked_s: float) -> None:
        """Wait as long as the server asks; else longer each time, and shorter when hurried."""
        pause_s = asked_s or self._pause_s * random.uniform(0.75, 1.25)  # noqa: S311
        self._pause_s = min(self._pause_s * 2, MAX_PAUSE_S)
        with self._changed:
            self._is_hurried = False
            self._changed.wait_for(
                lambda: self._is_closed or (self._is_hurried and not asked_s), pause_s
            )
