"""``serve``: its options; what it does is in ``serving``, which is imported when it runs."""

import asyncio
from typing import Any

import click

from errorstack_live.cli.access import database_options, json_option
from errorstack_live.settings import load


@click.command()
@click.option("--host", help="Address to listen on; 127.0.0.1 unless set.")
@click.option("--port", type=int, help="Port for http; 8700 unless set, 0 picks a free one.")
@click.option("--tls-port", type=int, help="Port for https; 8743 unless set.")
@database_options
@click.option("--workers", type=int, help="Server processes; 1 unless set.")
@click.option("--certfile", metavar="FILE", help="Certificate chain (PEM): serve https as well.")
@click.option("--keyfile", metavar="FILE", help="The certificate's private key (PEM).")
@click.option(
    "--role",
    type=click.Choice(["all", "ingest", "dashboard"]),
    help="Which doors to serve; all unless set.",
)
@json_option
def serve(*, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - as the options say
    """Start the server, with a database of its own unless one is named.

    Every option, and more, is a setting as well: docs/configuration.md lists them.
    """
    from errorstack_live.cli.serving import run

    asyncio.run(run(load(**given), as_json=as_json))
