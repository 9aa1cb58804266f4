"""When, from where and by what each stack key was last used: merged in memory, written now and
again, so that a submission pays for no more than a look into a dictionary.

These are hints for people who want to know whether a key may go. They may lag a crash by
FLUSH_S, and of many places only the latest are kept.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from pymongo import UpdateOne

from errorstack_live import agent
from errorstack_live.model import Submission
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, object_id, utc

FLUSH_S = 5.0
MAX_KEYS = 10_000
"""Keys noted between two writes; further ones are not."""
MAX_NOTED = 16
"""Places of one key noted between two writes, of each kind; further ones are not."""
MAX_PLACES = 12
"""Places kept of one key, of each kind: the latest."""
MAX_PLACE_CHARS = 120


@dataclass(frozen=True, slots=True)
class Place:
    """A site's host or a program's name, and when a submission last came from it."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How a key was used: ``count`` submissions that were stored, the last ``last_at``."""

    key: str
    last_at: datetime
    count: int
    origins: tuple[Place, ...] = ()
    agents: tuple[Place, ...] = ()


@dataclass(slots=True)
class _Noted:
    stack: str
    last_at: datetime
    count: int = 0
    origins: dict[str, datetime] = field(default_factory=dict)
    agents: dict[str, datetime] = field(default_factory=dict)


class KeyUses:
    """The collection ``uses``, and what this process has yet to write into it."""

    def __init__(self, database: Database) -> None:
        self._uses = database.uses
        self._noted: OrderedDict[str, _Noted] = OrderedDict()

    def note(self, stack_id: str, key: str, submission: Submission) -> None:
        """Note that a key was used. Never waits."""
        noted = self._noted.get(key)
        at = submission.received_at
        if noted is None:
            if len(self._noted) >= MAX_KEYS:
                return
            noted = self._noted[key] = _Noted(stack_id, at)
        noted.last_at = at
        noted.count += 1
        _note(noted.origins, host(submission.origin or submission.request.referer), at)
        _note(noted.agents, agent.device(submission.request.user_agent), at)

    async def flush(self) -> None:
        """Write what was noted; what cannot be written is noted still."""
        noted, self._noted = self._noted, OrderedDict()
        changes = [change for key, each in noted.items() for change in _changes(key, each)]
        if not changes:
            return
        try:
            async with deadline(in_turn=False):
                await self._uses.bulk_write(changes)
        except BaseException:
            self._noted = OrderedDict({**noted, **self._noted})
            raise

    @deadline()
    async def of_stack(self, stack_id: str) -> dict[str, KeyUse]:
        """How each key of a stack was used, by key; none that never was."""
        found = await self._uses.find({"stack": object_id(stack_id)}).to_list(None)
        return {each["_id"]: _from_document(each) for each in found}


@lru_cache(maxsize=1024)
def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "")[:MAX_PLACE_CHARS]
    except ValueError:
        return ""


def host(address: str) -> str:
    """The host of an address, empty where it has none."""
    return _host(address[:2048]) if address else ""


def _note(places: dict[str, datetime], name: str, at: datetime) -> None:
    if name and (name in places or len(places) < MAX_NOTED):
        places[name] = at


def _changes(key: str, noted: _Noted) -> list[UpdateOne]:
    """Take the places out where they are and put them in front: the latest stay."""
    which = {"_id": key}
    first: Document = {
        "$set": {"stack": object_id(noted.stack)},
        "$max": {"last_at": utc(noted.last_at)},
        "$inc": {"count": noted.count},
    }
    changes = [UpdateOne(which, first, upsert=True)]
    for name, places in (("origins", noted.origins), ("agents", noted.agents)):
        if not places:
            continue
        new = [{"name": each, "at": utc(at)} for each, at in places.items()]
        push = {name: {"$each": new, "$sort": {"at": -1}, "$slice": MAX_PLACES}}
        pull = {name: {"name": {"$in": list(places)}}}
        changes += [UpdateOne(which, {"$pull": pull}), UpdateOne(which, {"$push": push})]
    return changes


def _from_document(found: Document) -> KeyUse:
    return KeyUse(
        key=found["_id"],
        last_at=found["last_at"],
        count=found["count"],
        origins=_places(found.get("origins", ())),
        agents=_places(found.get("agents", ())),
    )


def _places(found: list[Document]) -> tuple[Place, ...]:
    return tuple(Place(each["name"], each["at"]) for each in found)
