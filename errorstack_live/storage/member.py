"""Members: who may sign in."""

from datetime import datetime

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from errorstack_live.access import Member
from errorstack_live.errors import Conflict, NotFound
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, new_id, object_id, utc
from errorstack_live.storage.session import Sessions
from errorstack_live.storage.token import Tokens

INDEXES = (IndexModel("address", unique=True),)
TAKEN = "There is a member with this e-mail address already"


class Members:
    """The collection ``members``. An e-mail address is the same in whatever case."""

    def __init__(self, database: Database, sessions: Sessions, tokens: Tokens) -> None:
        self._members = database.members
        self._sessions = sessions
        self._tokens = tokens

    @deadline()
    async def count(self) -> int:
        """How many members there are."""
        return await self._members.count_documents({})

    @deadline()
    async def add(self, email: str, password_hash: str, now: datetime) -> Member:
        """Raises Conflict when there is a member with this address."""
        member = Member(new_id(), email.strip(), password_hash, utc(now))
        document = {
            "_id": object_id(member.id),
            "address": _address(email),
            "email": member.email,
            "password_hash": password_hash,
            "created_at": member.created_at,
        }
        try:
            await self._members.insert_one(document)
        except DuplicateKeyError as error:
            raise Conflict(TAKEN) from error
        return member

    @deadline()
    async def by_email(self, email: str) -> Member | None:
        """The member with this address."""
        found = await self._members.find_one({"address": {"$eq": _address(email)}})
        return from_document(found) if found else None

    @deadline()
    async def by_id(self, member_id: str) -> Member:
        """Raises NotFound."""
        found = await self._members.find_one({"_id": object_id(member_id)})
        if found is None:
            raise NotFound("There is no such member")
        return from_document(found)

    @deadline()
    async def all(self) -> list[Member]:
        """Every member, by address."""
        found = await self._members.find().sort("address", 1).to_list(None)
        return [from_document(each) for each in found]

    async def remove(self, member_id: str) -> None:
        """Remove a member; their sessions and the tokens they made end. Raises NotFound."""
        async with deadline():
            gone = await self._members.delete_one({"_id": object_id(member_id)})
        await self._sessions.end_all(member_id)
        await self._tokens.revoke_all(member_id)
        if not gone.deleted_count:
            raise NotFound("There is no such member")

    @deadline()
    async def set_password(self, member_id: str, password_hash: str) -> None:
        """Raises NotFound. Sessions go on; end them with ``sessions.end_all``."""
        change = {"$set": {"password_hash": password_hash}}
        done = await self._members.update_one({"_id": object_id(member_id)}, change)
        if not done.matched_count:
            raise NotFound("There is no such member")

    @deadline()
    async def set_email(self, member_id: str, email: str) -> None:
        """Raises NotFound, and Conflict when another member has this address."""
        change = {"$set": {"address": _address(email), "email": email.strip()}}
        try:
            done = await self._members.update_one({"_id": object_id(member_id)}, change)
        except DuplicateKeyError as error:
            raise Conflict(TAKEN) from error
        if not done.matched_count:
            raise NotFound("There is no such member")


def _address(email: str) -> str:
    return email.strip().casefold()


def from_document(found: Document) -> Member:
    """A member as it was stored."""
    return Member(str(found["_id"]), found["email"], found["password_hash"], found["created_at"])
