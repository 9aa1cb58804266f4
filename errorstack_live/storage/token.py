"""API tokens. The token itself is never kept, only its SHA-256; one that ends is deleted."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from pymongo import IndexModel

from errorstack_live.access import ACCESS_MARK, Scope, Token
from errorstack_live.errors import NotFound
from errorstack_live.event import SessionEnded
from errorstack_live.storage.change import Changes
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, new_id, object_id, utc
from errorstack_live.storage.session import digest

INDEXES = (
    IndexModel("token_sha256", unique=True),
    IndexModel("member"),
    IndexModel("expires_at", expireAfterSeconds=0),
)
USED_EVERY = timedelta(minutes=1)
"""How exactly the last use is known: a program that asks all the time is no write each time."""


class Tokens:
    """The collection ``tokens``. One that is revoked, or expires, is deleted and the feed tells."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._tokens = database.tokens
        self._changes = changes

    @deadline()
    async def create(
        self,
        *,
        name: str,
        scope: Scope,
        stacks: Sequence[str] | None,
        member_id: str | None,
        now: datetime,
        expires_at: datetime | None,
    ) -> tuple[Token, str]:
        """Make a token for these stacks, None for all; its text is returned here and not kept."""
        text = ACCESS_MARK + secrets.token_urlsafe(32)
        document: Document = {
            "_id": object_id(new_id()),
            "token_sha256": digest(text),
            "name": name,
            "scope": scope.value,
            "stacks": None if stacks is None else [object_id(each) for each in stacks],
            "member": object_id(member_id) if member_id is not None else None,
            "created_at": utc(now),
            "expires_at": utc(expires_at) if expires_at is not None else None,
            "last_used_at": None,
        }
        await self._tokens.insert_one(document)
        return from_document(document), text

    @deadline()
    async def by_text(self, text: str, now: datetime) -> Token | None:
        """The token with this text while it lasts; notes that it is used."""
        which = {"token_sha256": {"$eq": digest(text)}}
        found = await self._tokens.find_one(which)
        if found is None or (found["expires_at"] is not None and found["expires_at"] <= now):
            return None
        used_at = found["last_used_at"]
        if used_at is None or used_at <= now - USED_EVERY:
            await self._tokens.update_one(which, {"$set": {"last_used_at": utc(now)}})
        return from_document(found)

    @deadline()
    async def all(self) -> list[Token]:
        """Every token, newest first."""
        found = await self._tokens.find().sort([("created_at", -1), ("_id", -1)]).to_list(None)
        return [from_document(each) for each in found]

    @deadline()
    async def revoke(self, token_id: str) -> None:
        """End a token for good. Raises NotFound."""
        gone = await self._tokens.delete_one({"_id": object_id(token_id)})
        if not gone.deleted_count:
            raise NotFound("There is no such token")
        self._changes.tell(SessionEnded(token_id))

    @deadline()
    async def revoke_all(self, member_id: str) -> None:
        """End all tokens that a member made."""
        which = {"member": object_id(member_id)}
        found = await self._tokens.find(which, {"_id": 1}).to_list(None)
        await self._tokens.delete_many(which)
        self._changes.tell(*(SessionEnded(str(each["_id"])) for each in found))


def from_document(found: Document) -> Token:
    """A token as it was stored."""
    stacks, member = found["stacks"], found["member"]
    return Token(
        id=str(found["_id"]),
        name=found["name"],
        scope=Scope(found["scope"]),
        stacks=None if stacks is None else tuple(map(str, stacks)),
        member=str(member) if member is not None else None,
        created_at=found["created_at"],
        expires_at=found["expires_at"],
        last_used_at=found["last_used_at"],
    )
