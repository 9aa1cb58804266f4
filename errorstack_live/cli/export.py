"""``export``: every error of a view into a file, as lines of JSON or as a table."""

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from errorstack_live.cli import show
from errorstack_live.cli.access import with_settings
from errorstack_live.cli.option import moment_option, remote_options
from errorstack_live.settings import Settings
from errorstack_live.when import to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMATS = ("ndjson", "csv")
CUT_SHORT = "The export was cut short: what was written is not all of it."


@click.command()
@click.argument("where", metavar="STACK_OR_URL")
@click.argument("query", default="")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Else by the name of FILE.")
@click.option("--columns", default="", metavar="NAMES", help="Of a table, with commas between.")
@click.option("--since", callback=moment_option, metavar="TIME", help="Not older: 15m, 2h, ISO.")
@click.option("--until", callback=moment_option, metavar="TIME", help="Older: 15m, 2h, ISO.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@remote_options
@with_settings
async def export(
    settings: Settings,
    *,
    where: str,
    query: str,
    form: str | None,
    columns: str,
    since: datetime | None,
    until: datetime | None,
    out: Path | None,
    url: str | None,
    token: str | None,
) -> None:
    """Write every error that matches QUERY, newest first, as it is read.

    Of a stack, or of a share link, which needs no other access. FILE is there when it is whole.
    """
    from errorstack_live.cli.target import ask, place

    asked = {
        "query": query,
        "format": form or ("csv" if out and out.suffix == ".csv" else "ndjson"),
        "columns": columns,
        **({"since": str(to_ms(since))} if since else {}),
        **({"until": str(to_ms(until))} if until else {}),
    }
    target = await place(where, settings, url, token).find()
    with _opened(out) as write:
        async with ask(target, "export", asked) as response:
            await _copy(response.aiter_bytes(), write)


async def _copy(pieces: AsyncIterator[bytes], write: Callable[[bytes], object]) -> None:
    import httpx

    try:
        async for piece in pieces:
            write(piece)
    except httpx.HTTPError as failure:
        raise show.Failed(CUT_SHORT) from failure


@contextmanager
def _opened(out: Path | None) -> "Iterator[Callable[[bytes], object]]":
    """Where to write: a file, which has its name when it is whole; a pipe; a screen, safely."""
    if out is not None:
        part = out.with_name(f"{out.name}.part")
        try:
            with part.open("wb") as file:
                yield file.write
            part.replace(out)
        except OSError as failure:
            raise show.Failed(f"{out} cannot be written: {failure.strerror}") from failure
        finally:
            part.unlink(missing_ok=True)
    elif sys.stdout.isatty():
        yield _show
    else:
        yield lambda piece: click.echo(piece, nl=False)


def _show(piece: bytes) -> None:
    text = piece.decode("utf-8", "replace")
    click.echo("\n".join(map(show.visible, text.split("\n"))), nl=False)
