"""Stacks and their keys."""

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count
from types import EllipsisType
from typing import Any

from pymongo import IndexModel
from pymongo.errors import DuplicateKeyError

from errorstack_live.errors import Conflict, Invalid, NotFound
from errorstack_live.event import ShareChanged, StackChanged
from errorstack_live.model import BY_FINGERPRINT, Grouping, Merge, Rule, Stack, StackKey
from errorstack_live.storage import share
from errorstack_live.storage.change import Changes
from errorstack_live.storage.deadline import deadline
from errorstack_live.storage.document import Database, Document, new_id, object_id, utc
from errorstack_live.storage.removal import begin, finish

INDEXES = (IndexModel("slug", unique=True), IndexModel("keys.key", unique=True, sparse=True))
MAX_SLUG_CHARS = 60
MAX_FORMER_SLUGS = 20


class Stacks:
    """The collection ``stacks``."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._stacks = database.stacks
        self._changes = changes

    @deadline()
    async def all(self) -> list[Stack]:
        """Every stack, by name."""
        found = await self._stacks.find().sort("name", 1).to_list(None)
        return [from_document(document) for document in found]

    async def by_slug(self, slug: str) -> Stack:
        """The stack of this slug, or the one that had it before. Raises NotFound."""
        try:
            return await self._one({"slug": {"$eq": slug}})
        except NotFound:
            return await self._one({"former_slugs": {"$eq": slug}})

    async def by_id(self, stack_id: str) -> Stack:
        """Raises NotFound."""
        return await self._one({"_id": object_id(stack_id)})

    async def by_key(self, key: str) -> Stack | None:
        """The stack a key that is not revoked belongs to."""
        living = {"$elemMatch": {"key": {"$eq": key}, "revoked_at": None}}
        try:
            return await self._one({"keys": living})
        except (NotFound, Invalid):  # what cannot even be looked up is no key
            return None

    @deadline()
    async def create(self, name: str, *, now: datetime, retention_days: int) -> Stack:
        """Make a stack with its first key; its slug is made of its name."""
        plain = slug(name)
        for attempt in count(1):
            stack = Stack(
                id=new_id(),
                name=name,
                slug=plain if attempt == 1 else f"{plain}-{attempt}",
                keys=(_new_key(now),),
                retention_days=retention_days,
                created_at=utc(now),
            )
            try:
                await self._stacks.insert_one(to_document(stack))
            except DuplicateKeyError:  # the name is taken: number it
                continue
            break
        self._changes.tell(StackChanged(stack.id))
        return stack

    async def rename(self, stack_id: str, name: str) -> None:
        """Change the name alone: addresses keep working. Raises NotFound."""
        await self._update({"_id": object_id(stack_id)}, {"$set": {"name": name}})

    async def move(self, stack_id: str, slug: str) -> None:
        """Change the slug; the former one goes on leading here while no other stack takes it.

        Raises NotFound, and Conflict when another stack has this slug.
        """
        stack = await self.by_id(stack_id)
        former = {"$each": [stack.slug], "$slice": -MAX_FORMER_SLUGS}
        change = {"$set": {"slug": slug}, "$push": {"former_slugs": former}}
        async with deadline():
            try:
                await self._stacks.update_one({"_id": object_id(stack_id)}, change)
            except DuplicateKeyError as error:
                raise Conflict("Another stack has this address already") from error
        self._changes.tell(StackChanged(stack_id))

    async def configure(
        self,
        stack_id: str,
        *,
        retention_days: int | None = None,
        scrub: Sequence[str] | None = None,
        rate_limit: int | EllipsisType | None = ...,
    ) -> None:
        """Change what is given. A new retention reaches older errors in the background.

        Raises NotFound.
        """
        changed: Document = {}
        if retention_days is not None:
            changed |= {"retention_days": retention_days, "retention_due": True}
        if scrub is not None:
            changed["scrub"] = list(scrub)
        if rate_limit is not ...:
            changed["rate_limit"] = rate_limit
        if changed:
            await self._update({"_id": object_id(stack_id)}, {"$set": changed})

    async def set_rules(self, stack_id: str, rules: Sequence[Rule]) -> None:
        """Group errors that come from now on by these. Raises NotFound."""
        change = {"rules": [_rule_document(each) for each in rules]}
        await self._update({"_id": object_id(stack_id)}, {"$set": change})

    async def add_key(self, stack_id: str, now: datetime, label: str = "") -> StackKey:
        """Make a further key; ``label`` says what it is for. Raises NotFound."""
        key = _new_key(now, label)
        await self._update({"_id": object_id(stack_id)}, {"$push": {"keys": _key_document(key)}})
        return key

    async def label_key(self, stack_id: str, key: str, label: str) -> None:
        """Say what a key is for. Raises NotFound."""
        which = {"_id": object_id(stack_id), "keys": {"$elemMatch": {"key": {"$eq": key}}}}
        await self._update(which, {"$set": {"keys.$.label": label}})

    async def revoke_key(self, stack_id: str, key: str, now: datetime) -> None:
        """End a key for good. Raises NotFound."""
        which = {"_id": object_id(stack_id), "keys": {"$elemMatch": {"key": {"$eq": key}}}}
        await self._update(which, {"$set": {"keys.$.revoked_at": utc(now)}})

    async def delete(self, stack_id: str, now: datetime) -> None:
        """Delete a stack: its keys, links and pages end at once. Raises NotFound.

        What was stored in it goes in bounded steps, by ``finish_removals``, which every server
        calls again and again: also after a crash in the middle.
        """
        which = {"_id": object_id(stack_id)}
        await self._one(which)
        await begin(self._database, which["_id"], now)
        async with deadline():
            await self._stacks.delete_one(which)
            shares = await self._database.shares.find({"stack": which["_id"]}).to_list(None)
            await self._database.shares.update_many(
                {"stack": which["_id"], "revoked_at": None}, {"$set": {"revoked_at": utc(now)}}
            )
        gone = (replace(share.from_document(each), revoked_at=utc(now)) for each in shares)
        self._changes.tell(StackChanged(stack_id), *map(ShareChanged, gone))

    async def finish_removals(self, now: datetime) -> None:
        """Delete what is left of stacks that were deleted; each step is bounded, not the whole."""
        await finish(self._database, now)

    @deadline()
    async def _one(self, which: Document) -> Stack:
        found = await self._stacks.find_one(which)
        if found is None:
            raise NotFound("There is no such stack")
        return from_document(found)

    @deadline()
    async def _update(self, which: Document, change: Document) -> None:
        result = await self._stacks.update_one(which, change)
        if not result.matched_count:
            raise NotFound("There is no such stack or key")
        self._changes.tell(StackChanged(str(which["_id"])))


def slug(name: str) -> str:
    """What a name is in addresses: lower-case ASCII letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return words[:MAX_SLUG_CHARS].strip("-") or "stack"


def to_document(stack: Stack) -> Document:
    """A stack as it is stored."""
    return {
        "_id": object_id(stack.id),
        "name": stack.name,
        "slug": stack.slug,
        "keys": [_key_document(key) for key in stack.keys],
        "retention_days": stack.retention_days,
        "created_at": stack.created_at,
        "scrub": list(stack.scrub),
        "rate_limit": stack.rate_limit,
        **_grouping_document(stack.grouping),
    }


def from_document(found: Document) -> Stack:
    """A stack as it was stored."""
    return Stack(
        id=str(found["_id"]),
        name=found["name"],
        slug=found["slug"],
        keys=tuple(_key(each) for each in found["keys"]),
        retention_days=found["retention_days"],
        created_at=found["created_at"],
        scrub=tuple(found.get("scrub", ())),
        rate_limit=found.get("rate_limit"),
        grouping=_grouping(found),
    )


def _grouping_document(grouping: Grouping) -> Document:
    return {
        "rules": [_rule_document(each) for each in grouping.rules],
        "merges": [{"fingerprint": m.fingerprint, "into": m.into} for m in grouping.merges],
    }


def _rule_document(rule: Rule) -> Document:
    return {"query": rule.query, "group": rule.group, "split": list(rule.split)}


def _grouping(found: Document) -> Grouping:
    rules, merges = found.get("rules", ()), found.get("merges", ())
    if not (rules or merges):
        return BY_FINGERPRINT
    return Grouping(
        tuple(Rule(each["query"], each["group"], tuple(each["split"])) for each in rules),
        tuple(Merge(each["fingerprint"], each["into"]) for each in merges),
    )


def _new_key(now: datetime, label: str = "") -> StackKey:
    return StackKey(secrets.token_hex(16), utc(now), label=label)


def _key(found: dict[str, Any]) -> StackKey:
    return StackKey(
        found["key"], found["created_at"], found.get("revoked_at"), found.get("label", "")
    )


def _key_document(key: StackKey) -> Document:
    return {
        "key": key.key,
        "created_at": key.created_at,
        "revoked_at": key.revoked_at,
        "label": key.label,
    }
