"""``pin``: keep an error at the top of a stack's live view, for everybody who may see it."""

import click

from errorstack_live.access import Pin
from errorstack_live.cli.access import Access, json_option, now, with_access
from errorstack_live.cli.show import echo, visible
from errorstack_live.when import iso


@click.group()
def pin() -> None:
    """Pin errors at the top of a stack's live view, list and unpin them."""


@pin.command()
@click.argument("slug", metavar="STACK")
@click.argument("error_id", metavar="ERROR")
@click.option("--note", default="", help="Why; everybody who sees the error reads it.")
@with_access
async def add(access: Access, slug: str, error_id: str, note: str) -> None:
    """Pin an error, or give it another note."""
    from errorstack_live.web import pinning

    stack = await access.store.stacks.by_slug(slug)
    await access.store.errors.get(stack.id, error_id)
    wanted = Pin(error_id, pinning.note_of(note), "", now())
    await pinning.add(access.store, stack, wanted)
    click.echo("Pinned.")


@pin.command(name="list")
@click.argument("slug", metavar="STACK")
@json_option
@with_access
async def list_pins(access: Access, slug: str, *, as_json: bool) -> None:
    """List what is pinned, the newest first."""
    from errorstack_live.web import pinning

    stack = await access.store.stacks.by_slug(slug)
    for each, error in await pinning.board(access.store, stack.id):
        if as_json:
            said = {"id": error.id, "title": error.title, "note": each.note}
            echo({**said, "by": each.by, "at": iso(each.at)})
        else:
            click.echo(visible(f"{error.id}  {error.title}  {each.note}".rstrip()))


@pin.command()
@click.argument("slug", metavar="STACK")
@click.argument("error_id", metavar="ERROR")
@with_access
async def remove(access: Access, slug: str, error_id: str) -> None:
    """Unpin an error."""
    stack = await access.store.stacks.by_slug(slug)
    await access.store.pins.remove(stack.id, [error_id])
    click.echo("Unpinned.")
