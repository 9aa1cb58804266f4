"""``errors`` and ``logs``: what is stored, newest first, from the database or by the API."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING

import click

from errorstack_live import record
from errorstack_live.cli import show
from errorstack_live.cli.access import json_option, now, opened, with_settings
from errorstack_live.cli.option import moment_option, remote_options
from errorstack_live.record import Record
from errorstack_live.settings import Settings
from errorstack_live.when import to_ms

if TYPE_CHECKING:
    from errorstack_live.cli.target import Place

PAGE = 500
UNFINISHED = "Older errors could not be looked through in time."

Pages = AsyncGenerator[list[Record], None]


@click.command()
@click.argument("where", metavar="STACK_OR_URL")
@click.argument("query", default="")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(min=1))
@click.option("--since", callback=moment_option, metavar="TIME", help="Not older: 15m, 2h, ISO.")
@remote_options
@json_option
@with_settings
async def errors(
    settings: Settings,
    *,
    where: str,
    query: str,
    limit: int,
    since: datetime | None,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Print the errors that match QUERY, newest first: of a stack, or of a share link."""
    from errorstack_live.cli.target import place

    screen = show.console()
    if _is_elsewhere(where, token):
        pages = _asked(place(where, settings, url, token), query, since)
    else:
        pages = _stored(where, settings, query, since)
    async with aclosing(pages):
        async for records in pages:
            for each in records[:limit]:
                show.out(each, screen, as_json=as_json)
            limit -= len(records)
            if limit <= 0:
                return


@click.command()
@click.argument("where", metavar="STACK_OR_URL")
@remote_options
@json_option
@with_settings
async def logs(
    settings: Settings, *, where: str, url: str | None, token: str | None, as_json: bool
) -> None:
    """Print the last log messages of a stack, or of a share link.

    At most 10 and none older than an hour, newest first.
    """
    from errorstack_live.cli.target import answer, place

    if _is_elsewhere(where, token):
        told = await answer(await place(where, settings, url, token).find(), "logs", {})
        records = [record.of_wire_log(each) for each in told["logs"]]
    else:
        async with opened(settings) as access:
            found = await access.store.stacks.by_slug(where)
            alive = await access.store.logs.alive(found.id, now())
        records = [record.of_log(each) for each in alive]
    screen = show.console()
    for each in reversed(records):
        show.out(each, screen, as_json=as_json)


def _is_elsewhere(where: str, token: str | None) -> bool:
    return token is not None or where.startswith(("http://", "https://"))


async def _stored(where: str, settings: Settings, query: str, since: datetime | None) -> Pages:
    from errorstack_live.query import parse

    wanted = parse(query)
    before: tuple[datetime, str] | None = None
    async with opened(settings) as access:
        found = await access.store.stacks.by_slug(where)
        while True:
            page = await access.store.errors.find(
                found.id, wanted, since=since, before=before, limit=PAGE
            )
            yield [record.of_error(each) for each in page.errors]
            if page.next is None:
                return
            if page.next == before:
                show.console(stderr=True).print(UNFINISHED)
                return
            before = page.next


async def _asked(there: "Place", query: str, since: datetime | None) -> Pages:
    from errorstack_live.cli.target import answer

    target = await there.find()
    asked = {"query": query, "limit": str(PAGE), "whole": "1"}
    if since:
        asked["since"] = str(to_ms(since))
    while True:
        page = await answer(target, "errors", asked)
        yield [record.of_row(each) for each in page["errors"]]
        if page["next"] is None:
            return
        if page["next"] == asked.get("before"):
            show.console(stderr=True).print(UNFINISHED)
            return
        asked["before"] = page["next"]
