"""``member``: who may sign in."""

import sys

import click

from errorstack_live.cli.access import Access, json_option, now, with_access
from errorstack_live.cli.show import echo, visible
from errorstack_live.errors import NotFound
from errorstack_live.when import iso


@click.group()
def member() -> None:
    """Add, list and remove the people who sign in."""


@member.command()
@click.argument("email")
@with_access
async def add(access: Access, email: str) -> None:
    """Add a member. The password comes from a prompt, or from standard input."""
    from errorstack_live.web import parameter
    from errorstack_live.web.password import Passwords, check_password

    address = parameter.email(email)
    password_hash = await Passwords().hash(check_password(_password()))
    await access.store.members.add(address, password_hash, now())
    click.echo(f"{address} can sign in.")


@member.command(name="list")
@json_option
@with_access
async def list_members(access: Access, *, as_json: bool) -> None:
    """List all members."""
    for each in await access.store.members.all():
        if as_json:
            echo({"email": each.email, "created_at": iso(each.created_at)})
        else:
            click.echo(visible(each.email))


@member.command()
@click.argument("email")
@with_access
async def remove(access: Access, email: str) -> None:
    """Remove a member: their sessions end, their open pages close."""
    found = await access.store.members.by_email(email)
    if found is None:
        raise NotFound(f"No member has the address {email}.")
    await access.store.members.remove(found.id)
    click.echo(f"{email} is removed.")


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")
