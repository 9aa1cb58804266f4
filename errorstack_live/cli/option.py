"""Options that several commands share: times, and the server that is meant."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from errorstack_live.errors import Invalid
from errorstack_live.when import parse_moment, parse_span

F = TypeVar("F", bound=Callable[..., Any])


def remote_options(command: F) -> F:
    """Add the two options by which a command works on a server elsewhere."""
    command = click.option(
        "--token", envvar="ERRORSTACK_TOKEN", help="An API token, with --url. [ERRORSTACK_TOKEN]"
    )(command)
    return click.option(
        "--url", envvar="ERRORSTACK_URL", help="The address of its server. [ERRORSTACK_URL]"
    )(command)


def span_option(_: click.Context, __: click.Parameter, value: str | None) -> timedelta | None:
    """Read an option like ``7d``."""
    span = None if value is None else parse_span(value)
    if value is not None and span is None:
        raise click.BadParameter(f"{value!r} is not a length of time like 15m, 2h or 7d.")
    return span


def moment_option(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    """Read an option like ``15m`` (so long ago) or ISO 8601."""
    try:
        return None if value is None else parse_moment(value, datetime.now(UTC))
    except Invalid as wrong:
        raise click.BadParameter(f"{wrong.message}.") from None
