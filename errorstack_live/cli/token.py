"""``token``: create, list and revoke programs' access to the API."""

from datetime import datetime, timedelta

import click

from errorstack_live.access import Scope, Token
from errorstack_live.cli.access import Access, json_option, now, with_access
from errorstack_live.cli.option import span_option
from errorstack_live.cli.show import echo, visible
from errorstack_live.when import iso


@click.group()
def token() -> None:
    """Create, list and revoke programs' access to the API."""


@token.command()
@click.argument("name")
@click.option(
    "--stack", "stacks", multiple=True, metavar="STACK", help="For this one only; repeatable."
)
@click.option("--write", is_flag=True, help="May change things too.")
@click.option("--expires", callback=span_option, metavar="SPAN", help="Like 12h or 90d.")
@json_option
@with_access
async def create(
    access: Access,
    *,
    name: str,
    stacks: tuple[str, ...],
    write: bool,
    expires: timedelta | None,
    as_json: bool,
) -> None:
    """Create a token and print it. It is not kept and cannot be printed again."""
    from errorstack_live.web import parameter

    by_slug, at = access.store.stacks.by_slug, now()
    made, text = await access.store.tokens.create(
        name=parameter.name_of(name),
        scope=Scope.WRITE if write else Scope.READ,
        stacks=[(await by_slug(each)).id for each in stacks] if stacks else None,
        member_id=None,
        now=at,
        expires_at=at + expires if expires else None,
    )
    if as_json:
        echo({"id": made.id, "token": text, "expires_at": _iso(made.expires_at)})
    else:
        click.echo(text)


@token.command(name="list")
@json_option
@with_access
async def list_tokens(access: Access, *, as_json: bool) -> None:
    """List the tokens, newest first; when each was last used, to a minute."""
    slugs = {stack.id: stack.slug for stack in await access.store.stacks.all()}
    for each in await access.store.tokens.all():
        reached = None if each.stacks is None else [slugs.get(one, one) for one in each.stacks]
        if as_json:
            echo(_record(each, reached))
        else:
            words = "all stacks" if reached is None else " ".join(reached)
            used = f"used {_iso(each.last_used_at) or 'never'}"
            until = f"until {_iso(each.expires_at) or 'revoked'}"
            said = f"{each.scope:<5} {words}  {until}  {used}  {each.name}"
            click.echo(f"{each.id}  {visible(said)}")


@token.command()
@click.argument("token_id", metavar="ID")
@with_access
async def revoke(access: Access, token_id: str) -> None:
    """End a token now: what follows a stack by it is cut off within two seconds."""
    await access.store.tokens.revoke(token_id)
    click.echo("Revoked.")


def _record(each: Token, stacks: list[str] | None) -> dict[str, object]:
    return {
        "id": each.id,
        "name": each.name,
        "scope": each.scope,
        "stacks": stacks,
        "created_at": iso(each.created_at),
        "expires_at": _iso(each.expires_at),
        "last_used_at": _iso(each.last_used_at),
    }


def _iso(at: datetime | None) -> str | None:
    return iso(at) if at else None
