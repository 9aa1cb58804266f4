"""Stacks, and their keys."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field
from quart import Response

from errorstack_live.access import Scope
from errorstack_live.errors import Conflict, Forbidden
from errorstack_live.live import rows
from errorstack_live.model import Stack, StackKey
from errorstack_live.storage.use import KeyUse
from errorstack_live.web import parameter
from errorstack_live.web.api.kind import Millis
from errorstack_live.web.api.route import answer, calling, nothing, reading, writing
from errorstack_live.web.auth import Caller, Reader
from errorstack_live.web.stack.retention import MAX_DAYS as MAX_RETENTION_DAYS
from errorstack_live.web.state import now, state

RetentionDays = Annotated[int, Field(ge=1, le=MAX_RETENTION_DAYS, description="Of its errors.")]


@dataclass(frozen=True, slots=True)
class OneKey:
    """A stack's key: public, write-only. `revoked_at` is null while it works."""

    key: str
    label: Annotated[str, Field(description="What it is for.")]
    created_at: Millis
    revoked_at: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where submissions came from: a site's host or a program's name."""

    name: str
    at: Annotated[int, Field(description="The last time, in milliseconds since 1970.")]


@dataclass(frozen=True, slots=True)
class UsedKey(OneKey):
    """A key, and how it was used."""

    last_used_at: int | None
    count: Annotated[int, Field(description="Submissions that were stored with it.")]
    origins: Annotated[list[Place], Field(description="Hosts of pages that sent, latest first.")]
    agents: Annotated[list[Place], Field(description="Programs that sent, latest first.")]


@dataclass(frozen=True, slots=True)
class UsedKeys:
    """All keys of a stack, oldest first."""

    keys: list[UsedKey]


@dataclass(frozen=True, slots=True)
class KeyChange:
    """What changes of a key."""

    label: str


@dataclass(frozen=True, slots=True)
class OneStack:
    """A stack."""

    slug: Annotated[str, Field(description="Its name in addresses.")]
    name: str
    created_at: Millis
    retention_days: RetentionDays
    scrub: Annotated[list[str], Field(description="Names of fields whose values are redacted.")]
    rate_limit: Annotated[
        int | None, Field(description="Submissions a second and key; null for the server's own.")
    ]
    open_issues: int
    keys: Annotated[list[OneKey], Field(description="Left out for who may only read.")] = field(
        default_factory=list
    )


@dataclass(frozen=True, slots=True)
class Stacks:
    """The stacks that the caller may see, by name."""

    stacks: list[OneStack]


@dataclass(frozen=True, slots=True)
class StackWish:
    """A stack as it is asked for."""

    name: str
    retention_days: RetentionDays | None = None


@dataclass(frozen=True, slots=True)
class StackChange:
    """What changes of a stack; the rest stays."""

    name: str | None = None
    slug: Annotated[
        str | None, Field(description="Its name in addresses; the former one leads on to it.")
    ] = None
    retention_days: RetentionDays | None = None
    scrub: list[str] | None = None
    rate_limit: Annotated[
        int | None, Field(ge=0, le=1_000_000, description="0 for the server's own.")
    ] = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Says that this very stack is meant."""

    confirm: Annotated[str, Field(description="The stack's name in addresses, once more.")] = ""


@calling("GET", "/stacks", answers=Stacks)
async def stacks(who: Caller) -> Response:
    """List the stacks you may see."""
    found = [each for each in await state().store.stacks.all() if who.reaches(each)]
    told = await _told(*found, with_keys=who.scope is Scope.WRITE)
    return answer({"stacks": told})


@calling("POST", "/stacks", takes=StackWish, answers=OneStack, status=201)
async def create_stack(who: Caller, body: StackWish) -> Response:
    """Make a stack, with its first key."""
    if who.scope is not Scope.WRITE or (who.token and who.token.stacks is not None):
        raise Forbidden("This takes a token that may write to all stacks")
    days = body.retention_days or state().settings.retention_days
    name = parameter.name_of(body.name)
    made = await state().store.stacks.create(name, now=now(), retention_days=days)
    return answer((await _told(made, with_keys=True))[0], 201)


@reading("", answers=OneStack, is_shared=False)
async def stack(who: Reader) -> Response:
    """Get one stack."""
    return await _one(who)


@writing("PATCH", "", takes=StackChange, answers=OneStack)
async def change_stack(who: Reader, body: StackChange) -> Response:
    """Change a stack's settings. A new retention reaches older errors in the background."""
    stacks = state().store.stacks
    name = None if body.name is None else parameter.name_of(body.name)
    slug = None if body.slug is None else parameter.slug(body.slug)
    if slug is not None and slug != who.stack.slug:
        await stacks.move(who.stack.id, slug)
    await stacks.configure(
        who.stack.id,
        retention_days=body.retention_days,
        scrub=None if body.scrub is None else parameter.field_names(body.scrub),
        rate_limit=... if body.rate_limit is None else body.rate_limit or None,
    )
    if name is not None:
        await stacks.rename(who.stack.id, name)
    return await _one(who)


@writing("DELETE", "", asks=Confirmed)
async def delete_stack(who: Reader, asked: Confirmed) -> Response:
    """Delete a stack with its errors, issues, log messages, keys and share links, for good."""
    if asked.confirm != who.stack.slug:
        raise Conflict("Nothing was deleted: give the stack's name in addresses as `confirm`")
    await state().store.stacks.delete(who.stack.id, now())
    return nothing()


@writing("GET", "/keys", answers=UsedKeys)
async def keys(who: Reader) -> Response:
    """List the keys, with how each was used lately; what is told lags by some seconds."""
    uses = await state().store.uses.of_stack(who.stack.id)
    told = [{**_key(each), **_use(uses.get(each.key))} for each in who.stack.keys]
    return answer({"keys": told})


@writing("PATCH", "/keys/<key>", takes=KeyChange, answers=OneKey)
async def change_key(who: Reader, body: KeyChange, key: str) -> Response:
    """Say what a key is for."""
    stacks = state().store.stacks
    label = parameter.name_of(body.label, "label", required=False)
    await stacks.label_key(who.stack.id, key, label)
    found = (await stacks.by_id(who.stack.id)).keys
    return answer(_key(next(each for each in found if each.key == key)))


@writing("POST", "/keys", answers=OneKey, status=201)
async def create_key(who: Reader) -> Response:
    """Make a further key; the others keep working."""
    return answer(_key(await state().store.stacks.add_key(who.stack.id, now())), 201)


@writing("DELETE", "/keys/<key>")
async def revoke_key(who: Reader, key: str) -> Response:
    """Let a key work no longer; what it submitted stays."""
    await state().store.stacks.revoke_key(who.stack.id, key, now())
    return nothing()


async def _one(who: Reader) -> Response:
    found = await state().store.stacks.by_id(who.stack.id)
    return answer((await _told(found, with_keys=who.can_write))[0])


async def _told(*found: Stack, with_keys: bool) -> list[dict[str, Any]]:
    counts = await state().store.issues.open_counts([each.id for each in found])
    return [
        {
            "slug": each.slug,
            "name": each.name,
            "created_at": rows.millis(each.created_at),
            "retention_days": each.retention_days,
            "scrub": each.scrub,
            "rate_limit": each.rate_limit,
            "open_issues": counts[each.id],
            **({"keys": [_key(key) for key in each.keys]} if with_keys else {}),
        }
        for each in found
    ]


def _key(key: StackKey) -> dict[str, Any]:
    return {
        "key": key.key,
        "label": key.label,
        "created_at": rows.millis(key.created_at),
        "revoked_at": key.revoked_at and rows.millis(key.revoked_at),
    }


def _use(use: KeyUse | None) -> dict[str, Any]:
    if use is None:
        return {"last_used_at": None, "count": 0, "origins": [], "agents": []}
    return {
        "last_used_at": rows.millis(use.last_at),
        "count": use.count,
        "origins": [{"name": each.name, "at": rows.millis(each.at)} for each in use.origins],
        "agents": [{"name": each.name, "at": rows.millis(each.at)} for each in use.agents],
    }
