"""The live stream in a terminal: connected, back after every break, ended with a share link."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

import orjson
from rich.console import Console
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from errorstack_live import __version__
from errorstack_live.cli import show
from errorstack_live.cli.target import GONE, Place, Target, is_loopback
from errorstack_live.errors import Gone, SetupError, Unauthorized
from errorstack_live.follow import Follower
from errorstack_live.record import Record
from errorstack_live.when import to_ms

MAX_MESSAGE_BYTES = 64 << 20
"""Errors are sent whole, each with up to 1 MiB of fields."""
CONNECT_S = 10.0
SILENCE_S = 30.0
"""The server says something every 5 s; a connection that is silent for this long is dead."""
FIRST_RETRY_S, MAX_RETRY_S = 0.2, 10.0
_SIGN_IN, _REVOKED, _DELETED = 4401, 4403, 4404


class Ended(show.Failed):
    """The share link was revoked or has expired, or the stack was deleted."""

    exit_code = 3


async def follow(place: Place, query: str, since: datetime | None, *, as_json: bool) -> None:
    """Print the live stream of a stack or a share link until it ends or is interrupted."""
    follower = Follower(query, None if since is None else to_ms(since))
    screen, notes = show.console(), show.console(stderr=True)
    async with aclosing(records(place, follower)) as stream:
        async for record in stream:
            if as_json:
                show.out(record, screen, as_json=True)
            else:
                _show(record, place, screen, notes)


def _show(record: Record, place: Place, screen: Console, notes: Console) -> None:
    match record["kind"]:
        case "live":
            notes.print(f"Live: {place.name}. Ctrl-C ends.", style="dim")
        case "gap":
            since = show.clock(record["since"])
            notes.print(f"Read back from {since}; log messages may be missing.", style="dim")
        case _:
            show.out(record, screen, as_json=False)


async def records(place: Place, follower: Follower) -> AsyncGenerator[Record, None]:
    """Yield records for ever, over as many connections as it takes.

    Raises Ended when a share link ends, and whatever keeps the first connection from being made.
    """
    wait_s = FIRST_RETRY_S
    target: Target | None = None
    while True:
        try:
            target = target or await place.find()
            async with await _connect(target) as socket:
                wait_s = FIRST_RETRY_S
                async for record in _receive(socket, follower):
                    yield record
        except Gone as gone:
            raise Ended(gone.message) from gone
        except Unauthorized:
            target = None  # the session has ended, or the server has another secret: ask again
        except (OSError, InvalidHandshake, SetupError) as error:
            if not follower.is_live:
                raise SetupError(f"{place.name} cannot be reached: {error}") from error
            target = None  # the server may come back elsewhere
        await asyncio.sleep(wait_s * random.uniform(0.5, 1.5))  # noqa: S311 - not a secret
        wait_s = min(2 * wait_s, MAX_RETRY_S)


async def _connect(target: Target) -> ClientConnection:
    """Open the socket. Raises Gone or Unauthorized as the server says, and what it may raise."""
    try:
        return await connect(
            target.url,
            additional_headers=target.headers,
            compression=None,
            max_size=MAX_MESSAGE_BYTES,
            open_timeout=CONNECT_S,
            proxy=None if is_loopback(target.url) else True,
            user_agent_header=f"errorstack/{__version__}",
        )
    except InvalidStatus as refused:
        match refused.response.status_code:
            case 401:
                raise Unauthorized("Sign in first") from refused
            case 404 | 410:
                raise Gone(GONE) from refused
        raise


async def _receive(socket: ClientConnection, follower: Follower) -> AsyncGenerator[Record, None]:
    """Yield what one connection tells, until it closes or falls silent."""
    await socket.send(orjson.dumps(follower.start()).decode())
    while True:
        try:
            message = await asyncio.wait_for(socket.recv(), SILENCE_S)
        except ConnectionClosed as closed:
            _check(closed)
            return
        for record in follower.receive(orjson.loads(message)):
            yield record
        for request in follower.requests:
            await socket.send(orjson.dumps(request).decode())
        follower.requests.clear()


def _check(closed: ConnectionClosed) -> None:
    code = closed.rcvd.code if closed.rcvd else None
    if code == _REVOKED:
        raise Gone(GONE)
    if code == _DELETED:
        raise Gone("The stack was deleted")
    if code == _SIGN_IN:
        raise Unauthorized("Sign in first")
