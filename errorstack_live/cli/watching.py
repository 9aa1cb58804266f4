"""``watching``: who watches a stack now."""

import click

from errorstack_live.access import Watching
from errorstack_live.cli.access import Access, json_option, now, with_access
from errorstack_live.cli.show import echo, visible


@click.command()
@click.argument("slug", metavar="STACK")
@json_option
@with_access
async def watching(access: Access, slug: str, *, as_json: bool) -> None:
    """Tell who watches a stack now: members, share links, and how many in all."""
    stack = await access.store.stacks.by_slug(slug)
    found = await watching_of(access, stack.id)
    members = sorted({email for each in found for email, _ in each.members})
    links = {link.share: link.name for each in found for link in each.links}
    counts = viewers_by_link(found)
    viewers = sum(each.viewers for each in found)
    if as_json:
        told = [{"id": key, "name": links[key], "viewers": counts[key]} for key in links]
        echo({"viewers": viewers, "members": members, "links": told})
        return
    click.echo(f"{viewers} watching")
    for email in members:
        click.echo(f"  {visible(email)}")
    for share_id, name in links.items():
        click.echo(f"  {counts[share_id]} by the link {visible(name) or 'unnamed'}")


async def watching_of(access: Access, stack_id: str | None = None) -> list[Watching]:
    """What the processes that live say of who watches a stack, or all."""
    found = await access.store.watchings.all(now())
    return [each for each in found if stack_id in (None, each.stack)]


def viewers_by_link(found: list[Watching]) -> dict[str, int]:
    """How many watch by each share link, by its id."""
    counts: dict[str, int] = {}
    for each in found:
        for link in each.links:
            counts[link.share] = counts.get(link.share, 0) + link.viewers
    return counts
