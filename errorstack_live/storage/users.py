"""Who of an issue's users this process has told the database of, so that each is told once.

Of a user only a hash is kept with the issue, which is enough to count; the errors have the rest.
"""

from collections import OrderedDict
from hashlib import blake2b

from pymongo import UpdateOne

from errorstack_live import meaning
from errorstack_live.model import Error
from errorstack_live.storage.document import object_id
from errorstack_live.storage.issue import MAX_USERS

MAX_TOLD = 50_000
"""Pairs of issue and user that are remembered; one that was forgotten is told again."""


class Users:
    """Users that were seen since the last write, by issue."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._seen: dict[str, set[str]] = {}

    def see(self, error: Error) -> None:
        """Note the user of an error, where it names one. Of an issue MAX_USERS + 1 are enough."""
        user = meaning.user(error.fields)
        if not user:
            return
        pair = error.issue, user
        if pair in self._told:
            self._told.move_to_end(pair)
            return
        seen = self._seen.setdefault(error.issue, set())
        if len(seen) <= MAX_USERS:
            seen.add(user)
            self._told[pair] = None
            if len(self._told) > MAX_TOLD:
                self._told.popitem(last=False)

    def take(self) -> list[UpdateOne]:
        """The updates of issues that tell of the users seen since."""
        seen, self._seen = self._seen, {}
        return [_update(issue, users) for issue, users in seen.items()]

    def forget(self) -> None:
        """Tell all of them again: nobody knows whether a write was done."""
        self._told.clear()


def _update(issue: str, users: set[str]) -> UpdateOne:
    """An issue that has more than MAX_USERS takes no more."""
    which = {"_id": object_id(issue), f"users.{MAX_USERS}": {"$exists": False}}
    return UpdateOne(which, {"$addToSet": {"users": {"$each": [_hash(user) for user in users]}}})


def _hash(user: str) -> int:
    digest = blake2b(user.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)
