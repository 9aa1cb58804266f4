"""``errors`` and ``logs``: what is stored, newest first, read through storage directly."""

from datetime import datetime

import click

from errorstack_live import record
from errorstack_live.cli import show
from errorstack_live.cli.access import Access, json_option, now, with_access
from errorstack_live.cli.option import moment_option

PAGE = 500


@click.command()
@click.argument("stack")
@click.argument("query", default="")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1))
@click.option("--since", callback=moment_option, metavar="TIME", help="Not older: 15m, 2h, ISO.")
@json_option
@with_access
async def errors(
    access: Access, stack: str, query: str, limit: int, since: datetime | None, *, as_json: bool
) -> None:
    """Print a stack's errors that match QUERY, newest first."""
    from errorstack_live.query import parse

    wanted = parse(query)
    found = await access.store.stacks.by_slug(stack)
    screen = show.console()
    before: tuple[datetime, str] | None = None
    while limit > 0:
        page = await access.store.errors.find(
            found.id, wanted, since=since, before=before, limit=min(limit, PAGE)
        )
        for error in page.errors:
            show.out(record.of_error(error), screen, as_json=as_json)
        limit -= len(page.errors)
        place = page.next
        if place is None:
            break
        if place == before:
            show.console(stderr=True).print("Older errors could not be looked through in time.")
            break
        before = place


@click.command()
@click.argument("stack")
@json_option
@with_access
async def logs(access: Access, stack: str, *, as_json: bool) -> None:
    """Print a stack's last log messages.

    At most 10 and none older than an hour, newest first.
    """
    found = await access.store.stacks.by_slug(stack)
    screen = show.console()
    for message in reversed(await access.store.logs.alive(found.id, now())):
        show.out(record.of_log(message), screen, as_json=as_json)
