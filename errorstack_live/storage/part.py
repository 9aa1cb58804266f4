"""Errors that come in parts, and their retries (PROTOCOL 5): one error for a stack and an id."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from bson.raw_bson import RawBSONDocument

from errorstack_live.first import ISSUE
from errorstack_live.model import BY_FINGERPRINT, Cut, Error, Fields, Grouping
from errorstack_live.occurrence import derive
from errorstack_live.storage.document import Database, encode, object_id, raw_collection
from errorstack_live.storage.error import read_all, to_document

JOIN = timedelta(hours=1)
"""Parts that come later begin a new error."""
MAX_FIELDS = 1000


def joined(first: Error, part: Error, grouping: Grouping = BY_FINGERPRINT) -> Error | None:
    """The first error with the fields of ``part`` that it lacks; None when it lacks none.

    A first value wins. What the error means is read anew from all that is known of it now.
    """
    fields, dropped = _with_missing(first.fields, part.fields)
    reserved, _ = _with_missing(first.reserved or {}, part.reserved or {})
    if len(fields) == len(first.fields) and len(reserved) == len(first.reserved or {}):
        return None
    now = derive(
        fields,
        grouping,
        id=first.id,
        stack=first.stack,
        at=first.at,
        request=first.request,
        before=first.before,
        part=first.part,
        cut=_both(first.cut, part.cut, dropped),
        scrubbed=tuple(dict.fromkeys((*first.scrubbed, *part.scrubbed))),
        reserved=reserved or None,
    )
    fresh = [word for word in part.new if word != ISSUE]  # of its issue it was not the first
    return replace(now, new=tuple(dict.fromkeys((*first.new, *fresh))))


def _with_missing(known: Fields, given: Fields) -> tuple[Fields, int]:
    missing = [(name, value) for name, value in given.items() if name not in known]
    room = max(MAX_FIELDS - len(known), 0)
    return {**known, **dict(missing[:room])}, len(missing[room:])


def _both(first: Cut | None, part: Cut | None, dropped: int) -> Cut | None:
    a, b = first or Cut(), part or Cut()
    both = Cut(
        body_bytes=max(a.body_bytes, b.body_bytes),
        fields=a.fields + b.fields + dropped,
        names=a.names + b.names,
    )
    return both if both != Cut() else None


@dataclass(frozen=True, slots=True)
class Joined:
    """What a part did: it changed an error (``now`` differs from ``before``), or nothing."""

    before: Error
    now: Error

    @property
    def is_repeat(self) -> bool:
        """Whether everything in it was known."""
        return self.now is self.before


class Parts:
    """Joins parts to the errors that are stored already.

    ``place`` gives a changed error the issue it may have (see ``storage.bound``).
    """

    def __init__(self, database: Database, place: Callable[[Error], Awaitable[Error]]) -> None:
        self._place = place
        self._errors = database.errors
        self._raw = raw_collection(database, "errors")

    async def join(self, part: Error, grouping: Grouping) -> Joined | None:
        """Add what an error lacks; None when ``part`` begins a new one, for which it is free now.

        Parts come on several connections and to several processes: whoever was overtaken since
        it read the error reads it again.
        """
        while True:
            which = {"stack": object_id(part.stack), "part": {"$eq": part.part}}
            found = await self._raw.find_one(which)
            if found is None:
                return None
            before = read_all([found], part.stack)[0]
            if not before.issue or part.at - before.at > JOIN:  # unreadable, or too long ago
                one = {"_id": found["_id"], **which}
                await self._errors.update_one(one, {"$unset": {"part": 1}})
                return None
            now = joined(before, part, grouping)
            if now is None:
                return Joined(before, before)
            now = await self._place(now)
            if await self._replace(found, now):
                return Joined(before, now)

    async def _replace(self, found: RawBSONDocument, now: Error) -> bool:
        revision = found.get("revision")
        document = to_document(now, found["expire_at"]) | {"revision": (revision or 0) + 1}
        which = {"_id": found["_id"], "revision": revision}
        done = await self._errors.replace_one(which, encode(document))
        return bool(done.matched_count)
