"""``stack``: create and list stacks, add and revoke their keys."""

import click

from errorstack_live.cli.access import Access, json_option, now, with_access
from errorstack_live.cli.show import echo, visible
from errorstack_live.model import Stack
from errorstack_live.when import iso


@click.group()
def stack() -> None:
    """Create and list stacks, add and revoke their keys."""


@stack.command()
@click.argument("name")
@click.option("--retention-days", type=click.IntRange(1, 3650), help="Days its errors are kept.")
@json_option
@with_access
async def create(access: Access, name: str, retention_days: int | None, *, as_json: bool) -> None:
    """Create a stack and print its first key."""
    from errorstack_live.web import parameter

    days = retention_days or access.settings.retention_days
    made = await access.store.stacks.create(parameter.name_of(name), now=now(), retention_days=days)
    url = f"{await access.page_url()}/s/{made.slug}"
    if as_json:
        echo({"slug": made.slug, "key": made.keys[0].key, "url": url})
    else:
        click.echo(f"{visible(made.name)} is {made.slug}\nkey  {made.keys[0].key}\npage {url}")


@stack.command(name="list")
@json_option
@with_access
async def list_stacks(access: Access, *, as_json: bool) -> None:
    """List all stacks."""
    for each in await access.store.stacks.all():
        if as_json:
            echo(_record(each))
        else:
            keys = " ".join(key.key for key in each.keys if key.revoked_at is None)
            click.echo(f"{each.slug:<24} {visible(each.name):<32} {keys}")


@stack.group()
def key() -> None:
    """Add and revoke the keys of a stack."""


@key.command()
@click.argument("slug", metavar="STACK")
@json_option
@with_access
async def add(access: Access, slug: str, *, as_json: bool) -> None:
    """Add a key; the others keep working."""
    found = await access.store.stacks.by_slug(slug)
    made = await access.store.stacks.add_key(found.id, now())
    if as_json:
        echo({"slug": slug, "key": made.key})
    else:
        click.echo(made.key)


@key.command()
@click.argument("slug", metavar="STACK")
@click.argument("key")
@with_access
async def revoke(access: Access, slug: str, key: str) -> None:
    """Let a key work no longer; what it submitted stays."""
    found = await access.store.stacks.by_slug(slug)
    await access.store.stacks.revoke_key(found.id, key, now())
    click.echo("Revoked.")


def _record(each: Stack) -> dict[str, object]:
    return {
        "slug": each.slug,
        "name": each.name,
        "created_at": iso(each.created_at),
        "retention_days": each.retention_days,
        "keys": [{"key": key.key, "is_revoked": key.revoked_at is not None} for key in each.keys],
    }
