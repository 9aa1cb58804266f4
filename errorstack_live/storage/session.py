"""Sessions: sign-ins and terminals' access. A token is never kept, only its SHA-256."""

import hashlib
import secrets
from datetime import datetime

from pymongo import IndexModel

from errorstack_live.access import Session
from errorstack_live.event import SessionEnded
from errorstack_live.storage.change import Changes
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, object_id, utc

INDEXES = (
    IndexModel("member"),
    IndexModel("expires_at", expireAfterSeconds=0),
)
MAX_AGENT_CHARS = 512


class Sessions:
    """The collection ``sessions``. One that ends, or expires, is deleted and the feed tells."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._sessions = database.sessions
        self._changes = changes

    @deadline()
    async def create(
        self,
        member_id: str | None,
        *,
        now: datetime,
        expires_at: datetime,
        agent: str = "",
        address: str = "",
    ) -> str:
        """Begin a session and return its token."""
        token = secrets.token_urlsafe(32)
        document: Document = {
            "_id": digest(token),
            "member": object_id(member_id) if member_id is not None else None,
            "created_at": utc(now),
            "expires_at": utc(expires_at),
            "agent": agent[:MAX_AGENT_CHARS],
            "address": address,
            "seen_at": utc(now),
        }
        await self._sessions.insert_one(document)
        return token

    @deadline()
    async def by_token(self, token: str, now: datetime) -> Session | None:
        """The session of this token while it lasts."""
        found = await self._sessions.find_one({"_id": digest(token), "expires_at": {"$gt": now}})
        return from_document(found) if found else None

    @deadline()
    async def all(self, member_id: str) -> list[Session]:
        """The sessions of a member, newest first."""
        found = self._sessions.find({"member": object_id(member_id)}).sort("created_at", -1)
        return [from_document(each) for each in await found.to_list(None)]

    @deadline()
    async def see(self, session_id: str, address: str, now: datetime) -> None:
        """Note that a session is in use, and from where."""
        seen = {"$set": {"seen_at": utc(now), "address": address}}
        await self._sessions.update_one({"_id": {"$eq": session_id}}, seen)

    @deadline()
    async def end(self, session_id: str) -> None:
        """End a session; one that has ended stays so."""
        await self._sessions.delete_one({"_id": {"$eq": session_id}})
        self._changes.tell(SessionEnded(session_id))

    @deadline()
    async def end_all(self, member_id: str, *, but: str = "") -> None:
        """End all sessions of a member, ``but`` the one with this id."""
        which = {"member": object_id(member_id), "_id": {"$ne": but}}
        found = await self._sessions.find(which, {"_id": 1}).to_list(None)
        await self._sessions.delete_many(which)
        self._changes.tell(*(SessionEnded(each["_id"]) for each in found))


def digest(token: str) -> str:
    """The SHA-256 of a token, in hex."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def from_document(found: Document) -> Session:
    """A session as it was stored."""
    member = found["member"]
    return Session(
        id=found["_id"],
        member=str(member) if member is not None else None,
        created_at=found["created_at"],
        expires_at=found["expires_at"],
        agent=found.get("agent", ""),
        address=found.get("address", ""),
        seen_at=found.get("seen_at"),
    )
