"""One error or log message on its way, and the bytes it is sent as."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Callable, Dict, Mapping, Optional
from urllib.parse import urlencode

from errorstack_client.field import Texts
from errorstack_client.trace import Trace

SUBMIT, LOG = "/submit", "/log"
RESERVED = frozenset({"_s", "_r", "_id", "_t"})
"""Names that only this client gives."""
TOLD_AFTER_S = 2.0
"""An error that waited longer than this says when it happened: the server knows when it came."""

Scrub = Callable[[Dict[str, Any]], Optional[Mapping[str, Any]]]


@dataclass(frozen=True)
class Message:
    """What was said, as the program's thread left it for the sending one."""

    path: str
    fields: Texts
    trace: tuple[str, Trace] | None = None
    """The name of the field that the traceback's text goes into, and the traceback."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    at: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    since_s: float = field(default_factory=time.monotonic)

    @property
    def age_s(self) -> float:
        return time.monotonic() - self.since_s

    @property
    def sameness(self) -> int:
        """Equal for the same error happening again."""
        return hash((tuple(self.fields), self.trace[1].places if self.trace else ()))

    def whole(self) -> Texts:
        """Return all fields, the traceback's text among them. It may read source files."""
        found = [(name, value) for name, value in self.fields if name not in RESERVED]
        if self.trace:
            found.append((self.trace[0], self.trace[1].text()))
        if self.path == SUBMIT and self.age_s > TOLD_AFTER_S:
            found.append(("occurred_at", self.at.isoformat(timespec="milliseconds")))
        return found

    def encode(self, key: str, fields: Texts) -> bytes:
        """Return the form to post: UTF-8, in which half a surrogate pair is a question mark."""
        own = [("_s", key), ("_r", "json"), ("_id", self.id)]
        return urlencode([*own, *fields], encoding="utf-8", errors="replace").encode("ascii")


def joined(fields: Texts) -> dict[str, Any]:
    """Return fields as a hook sees them: a name's texts are a list where there are several."""
    found: dict[str, Any] = {}
    for name, value in fields:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
