"""``tail``: its options; the stream is in ``tail``, which is imported when it runs."""

from datetime import datetime

import click

from errorstack_live.cli.access import json_option, with_settings
from errorstack_live.cli.option import moment_option, remote_options
from errorstack_live.settings import Settings


@click.command()
@click.argument("where", metavar="URL_OR_STACK")
@click.argument("query", default="")
@click.option("--since", callback=moment_option, metavar="TIME", help="Begin then: 15m, 2h, ISO.")
@remote_options
@json_option
@with_settings
async def tail(
    settings: Settings,
    *,
    where: str,
    query: str,
    since: datetime | None,
    url: str | None,
    token: str | None,
    as_json: bool,
) -> None:
    """Follow a stack, or a share link, live.

    A share link needs no other access; the command ends with exit code 3 when the link or the token
    does.
    """
    from errorstack_live.cli.stream import follow
    from errorstack_live.cli.target import place

    await follow(place(where, settings, url, token), query, since, as_json=as_json)
