"""What happens to a message in the sending thread: made whole, scrubbed, encoded, posted."""

from __future__ import annotations

import contextlib
import logging
from typing import NamedTuple

from errorstack_client.field import Texts, texts
from errorstack_client.gate import Losses, told
from errorstack_client.message import SUBMIT, Message, Scrub, joined
from errorstack_client.transport import Answer, Fate, Transport

logger = logging.getLogger("errorstack_client")


class Problems:
    """Says in the log what is wrong, once until something else is: a log must not fill with it."""

    def __init__(self) -> None:
        self.last = ""

    def tell(self, problem: str) -> None:
        if problem != self.last:
            self.last = problem
            with contextlib.suppress(Exception):  # of the program's own logging handlers
                logger.warning("%s", problem)


class Parcel(NamedTuple):
    """A message as it is posted, each time with the same bytes, and the losses it tells of."""

    message: Message
    body: bytes
    counts: dict[str, int]


class Sender:
    """Turns messages into parcels, posts them, and keeps account of those that fail."""

    def __init__(
        self,
        key: str,
        transport: Transport,
        scrub: Scrub | None,
        losses: Losses,
        problems: Problems,
    ) -> None:
        self._key = key
        self._transport = transport
        self._scrub = scrub
        self._losses = losses
        self._problems = problems

    def pack(self, message: Message) -> Parcel | None:
        """Return what to post; None when the hook wants nothing sent, or fails."""
        try:
            fields = self._scrubbed(message.whole())
        except Exception as failure:
            self._problems.tell(f"the scrub hook failed: {type(failure).__name__}: {failure}")
            self._losses.add("scrub")
            return None
        if fields is None:
            return None
        counts = self._losses.take() if message.path == SUBMIT else {}
        body = message.encode(self._key, [*fields, *told(counts)])
        return Parcel(message, body, counts)

    def post(self, parcel: Parcel) -> Answer:
        answer = self._transport.post(parcel.message.path, parcel.body)
        if answer.fate is not Fate.STORED:
            self._problems.tell(answer.problem)
        return answer

    def give_up(self, parcel: Parcel, answer: Answer) -> None:
        self._losses.put_back(parcel.counts)
        self._losses.add("refused" if answer.fate is Fate.REFUSED else "unsent")

    def drop(self) -> None:
        """Close the connection."""
        self._transport.drop()

    def _scrubbed(self, fields: Texts) -> Texts | None:
        if self._scrub is None:
            return fields
        kept = self._scrub(joined(fields))
        return None if kept is None else texts(kept)
