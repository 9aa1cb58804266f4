"""Share links. The token is never kept, only its SHA-256."""

from collections.abc import Sequence
from datetime import datetime

from pymongo import IndexModel

from errorstack_live.access import Share
from errorstack_live.errors import NotFound
from errorstack_live.event import ShareChanged
from errorstack_live.storage.change import Changes
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, new_id, object_id, utc

INDEXES = (
    IndexModel("token_sha256", unique=True),
    IndexModel([("stack", 1), ("created_at", -1)]),
    IndexModel("expire_at", expireAfterSeconds=0),
)


class Shares:
    """The collection ``shares``."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._shares = database.shares
        self._changes = changes

    @deadline()
    async def create(
        self,
        stack_id: str,
        *,
        token_sha256: str,
        name: str,
        query: str,
        hidden: Sequence[str],
        with_logs: bool,
        now: datetime,
        expires_at: datetime | None,
        initial: str = "",
    ) -> Share:
        """Make a share link; its token is the caller's."""
        document: Document = {
            "_id": object_id(new_id()),
            "stack": object_id(stack_id),
            "token_sha256": token_sha256,
            "name": name,
            "query": query,
            "hidden": list(hidden),
            "with_logs": with_logs,
            "created_at": utc(now),
            "expires_at": utc(expires_at) if expires_at is not None else None,
            "revoked_at": None,
            "initial": initial,
        }
        await self._shares.insert_one(document)
        share = from_document(document)
        self._changes.tell(ShareChanged(share))
        return share

    @deadline()
    async def by_token_sha256(self, token_sha256: str) -> Share | None:
        """The share link of this token, also one that was revoked or has expired."""
        found = await self._shares.find_one({"token_sha256": {"$eq": token_sha256}})
        return from_document(found) if found else None

    @deadline()
    async def by_id(self, share_id: str) -> Share:
        """Raises NotFound."""
        found = await self._shares.find_one({"_id": object_id(share_id)})
        if found is None:
            raise NotFound("There is no such share link")
        return from_document(found)

    @deadline()
    async def all(self, stack_id: str | None = None) -> list[Share]:
        """The share links of a stack, or of all, newest first."""
        which = {"stack": object_id(stack_id)} if stack_id is not None else {}
        found = await self._shares.find(which).sort("created_at", -1).to_list(None)
        return [from_document(each) for each in found]

    @deadline()
    async def revoke(self, share_id: str, now: datetime) -> None:
        """End a share link for good. Raises NotFound."""
        key = object_id(share_id)
        await self._shares.update_one(
            {"_id": key, "revoked_at": None}, {"$set": {"revoked_at": utc(now)}}
        )
        found = await self._shares.find_one({"_id": key})
        if found is None:
            raise NotFound("There is no such share link")
        self._changes.tell(ShareChanged(from_document(found)))


def from_document(found: Document) -> Share:
    """A share link as it was stored."""
    return Share(
        id=str(found["_id"]),
        stack=str(found["stack"]),
        token_sha256=found["token_sha256"],
        name=found["name"],
        query=found["query"],
        hidden=tuple(found["hidden"]),
        with_logs=found["with_logs"],
        created_at=found["created_at"],
        expires_at=found["expires_at"],
        revoked_at=found["revoked_at"],
        initial=found.get("initial", ""),
    )
