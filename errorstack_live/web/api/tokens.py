"""API tokens: access for programs. Their text is told once, and only its hash is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field
from quart import Response

from errorstack_live.access import Member, Scope, Token
from errorstack_live.live import rows
from errorstack_live.web import parameter
from errorstack_live.web.api.kind import Id, Millis
from errorstack_live.web.api.route import answer, nothing, signed_in
from errorstack_live.web.linking import MAX_SHARE_S as MAX_TOKEN_S
from errorstack_live.web.state import now, state

MAX_STACKS = 100


@dataclass(frozen=True, slots=True)
class TokenWish:
    """A token as it is asked for."""

    name: Annotated[str, Field(description="What it is for, in lists.")]
    scope: Scope = Scope.READ
    stacks: Annotated[
        list[str] | None,
        Field(max_length=MAX_STACKS, description="Names in addresses; null for all stacks."),
    ] = None
    expires_in_s: Annotated[
        int | None, Field(ge=1, le=MAX_TOKEN_S, description="Null for never.")
    ] = None


@dataclass(frozen=True, slots=True)
class OneToken:
    """A token, without its text."""

    id: Id
    name: str
    scope: Scope
    stacks: Annotated[list[str] | None, Field(description="Names in addresses; null for all.")]
    made_by: Annotated[str | None, Field(description="A member's e-mail; null: on the server.")]
    created_at: Millis
    expires_at: int | None
    last_used_at: Annotated[int | None, Field(description="Exact to a minute.")]


@dataclass(frozen=True, slots=True)
class NewToken(OneToken):
    """A token with its text, which is told this once."""

    token: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """Every token, newest first."""

    tokens: list[OneToken]


@signed_in("GET", "/tokens", answers=Tokens)
async def tokens(_: Member) -> Response:
    """List the API tokens, newest first."""
    slugs, emails = await _names()
    return answer(
        {"tokens": [_token(each, slugs, emails) for each in await state().store.tokens.all()]}
    )


@signed_in("POST", "/tokens", takes=TokenWish, answers=NewToken, status=201)
async def create_token(me: Member, body: TokenWish) -> Response:
    """Make an API token. Its text, `token`, is told this once.

    `Authorization: Bearer <token>` is how it is used. It ends when it is revoked, when it expires,
    and when the member who made it is removed.
    """
    by_slug = state().store.stacks.by_slug
    wanted = body.stacks
    stack_ids = None if wanted is None else [(await by_slug(each)).id for each in wanted]
    at = now()
    made, text = await state().store.tokens.create(
        name=parameter.name_of(body.name),
        scope=body.scope,
        stacks=stack_ids,
        member_id=me.id,
        now=at,
        expires_at=at + timedelta(seconds=body.expires_in_s) if body.expires_in_s else None,
    )
    return answer({**_token(made, *await _names()), "token": text}, 201)


@signed_in("DELETE", "/tokens/<token_id>")
async def revoke_token(_: Member, token_id: str) -> Response:
    """Revoke an API token; what follows a stack by it is cut off."""
    await state().store.tokens.revoke(token_id)
    return nothing()


async def _names() -> tuple[dict[str, str], dict[str, str]]:
    """Stacks' names in addresses and members' e-mails, by id."""
    store = state().store
    slugs = {each.id: each.slug for each in await store.stacks.all()}
    return slugs, {each.id: each.email for each in await store.members.all()}


def _token(token: Token, slugs: Mapping[str, str], emails: Mapping[str, str]) -> dict[str, Any]:
    stacks = token.stacks
    return {
        "id": token.id,
        "name": token.name,
        "scope": token.scope,
        "stacks": None if stacks is None else [slugs[each] for each in stacks if each in slugs],
        "made_by": emails.get(token.member or ""),
        "created_at": rows.millis(token.created_at),
        "expires_at": token.expires_at and rows.millis(token.expires_at),
        "last_used_at": token.last_used_at and rows.millis(token.last_used_at),
    }
