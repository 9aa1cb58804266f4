"""What the database says of itself: its version, the installation's secret, the set-up token."""

import secrets
from contextlib import suppress
from datetime import datetime, timedelta

from pymongo.errors import DuplicateKeyError

from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, utc
from errorstack_live.storage.session import digest

SETUP_TOKEN_LASTS = timedelta(days=1)


class Meta:
    """The collection ``meta``."""

    def __init__(self, database: Database) -> None:
        self._meta = database.meta

    @deadline()
    async def version(self) -> int | None:
        """The version of the documents here; None for a new database."""
        found = await self._meta.find_one({"_id": "schema"})
        return int(found["version"]) if found else None

    @deadline()
    async def set_version(self, version: int) -> None:
        """Stamp the documents here as being of this version."""
        stamp = {"$max": {"version": version}}
        await self._meta.update_one({"_id": "schema"}, stamp, upsert=True)

    @deadline()
    async def secret(self) -> str:
        """What cookies and cursors are signed with: made once, the same in every process."""
        with suppress(DuplicateKeyError):
            await self._meta.insert_one({"_id": "secret", "secret": secrets.token_urlsafe(48)})
        found = await self._meta.find_one({"_id": "secret"})
        return str(found["secret"]) if found else ""

    @deadline()
    async def new_setup_token(self, now: datetime) -> str:
        """A token for the first member, good once and for SETUP_TOKEN_LASTS; ends older ones."""
        token = secrets.token_urlsafe(24)
        change = {"$set": {"sha256": digest(token), "expires_at": utc(now + SETUP_TOKEN_LASTS)}}
        await self._meta.update_one({"_id": "setup"}, change, upsert=True)
        return token

    @deadline()
    async def take_setup_token(self, token: str, now: datetime) -> bool:
        """Whether this token is the good one; it is not any more."""
        which = {"_id": "setup", "sha256": digest(token), "expires_at": {"$gt": now}}
        return (await self._meta.delete_one(which)).deleted_count == 1
