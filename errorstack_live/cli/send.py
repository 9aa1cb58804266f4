"""``submit``, ``log`` and ``demo``: senders like any other, through the ingest door."""

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import click
import httpx

from errorstack_live.cli.access import json_option, opened, with_settings
from errorstack_live.cli.show import Failed, echo, visible
from errorstack_live.cli.target import http_client
from errorstack_live.demo import Traffic
from errorstack_live.errors import ErrorStackError, SetupError
from errorstack_live.settings import Settings

TICK_S = 0.02
"""The demo sends this often what is due."""
MAX_IN_FLIGHT = 16
"""More make the client slower, not faster: about 200 a second is what one demo sends."""

url_option = click.option(
    "--url", envvar="ERRORSTACK_URL", help="The server's address; else the running one's."
)


class NotAccepted(Failed):
    """The server answered, and did not store it."""


@click.command()
@click.argument("key")
@click.argument("pairs", metavar="NAME=VALUE...", nargs=-1, required=True)
@url_option
@json_option
@with_settings
async def submit(
    settings: Settings, key: str, pairs: tuple[str, ...], url: str | None, *, as_json: bool
) -> None:
    """Submit an error with these fields. A text without a name is its message."""
    fields = [("_s", key), *(_field(pair) for pair in pairs)]
    await send(settings, url, "/submit", fields, as_json=as_json)


@click.command()
@click.argument("key")
@click.argument("text")
@click.option("--pretty", is_flag=True, help="TEXT is JSON: show it as such.")
@url_option
@json_option
@with_settings
async def log(
    settings: Settings, key: str, text: str, url: str | None, *, pretty: bool, as_json: bool
) -> None:
    """Send a log message."""
    fields = [("_s", key), ("_msg", text), ("_t", "json" if pretty else "text")]
    await send(settings, url, "/log", fields, as_json=as_json)


@click.command()
@click.argument("key")
@click.option("--rate", default=2.0, show_default=True, help="Errors a second.")
@click.option("--seconds", type=float, help="Stop after this long; else with Ctrl-C.")
@click.option("--seed", type=int, help="The same traffic every time.")
@url_option
@with_settings
async def demo(
    settings: Settings,
    *,
    key: str,
    rate: float,
    seconds: float | None,
    seed: int | None,
    url: str | None,
) -> None:
    """Send realistic traffic to a stack.

    A shop's errors and log messages, some often, some seldom, at RATE a second.
    """
    traffic = Traffic(random.Random(seed))  # noqa: S311 - invented errors, not secrets
    async with http_client(url or await find(settings)) as client:
        answers = await _play(client, key, traffic, rate, seconds)
    accepted = answers.pop("", 0)
    click.echo(f"{accepted} accepted, {answers.total()} refused.")
    for reason, count in answers.most_common():
        click.echo(f"{count} times: {visible(reason)}", err=True)


async def _play(
    client: httpx.AsyncClient, key: str, traffic: Traffic, rate: float, seconds: float | None
) -> Counter[str]:
    """Send at ``rate`` until the time is over; returns why how many were refused, "" if not."""
    answers: Counter[str] = Counter()
    slots = asyncio.Semaphore(MAX_IN_FLIGHT)
    began = time.monotonic()
    sent = 0
    async with asyncio.TaskGroup() as sending:
        while (passed_s := time.monotonic() - began) < (seconds or math.inf):
            if sent <= passed_s * rate:
                await slots.acquire()
                sending.create_task(_one(client, key, traffic, answers, slots))
                sent += 1
            else:
                await asyncio.sleep(TICK_S)
    return answers


async def _one(
    client: httpx.AsyncClient,
    key: str,
    traffic: Traffic,
    answers: Counter[str],
    slots: asyncio.Semaphore,
) -> None:
    try:
        for message in traffic.logs():
            await client.post("/log", data={"_s": key, "_msg": message})
        answer = await _post(client, "/submit", [("_s", key), *traffic.error().items()])
        answers[str(answer.get("errorMsg", ""))] += 1
    except (httpx.HTTPError, SetupError) as error:
        answers[str(error) or type(error).__name__] += 1
    finally:
        slots.release()


async def send(
    settings: Settings,
    url: str | None,
    path: str,
    fields: Sequence[tuple[str, str]],
    *,
    as_json: bool,
) -> None:
    """Send one submission to the ingest door, and say what became of it."""
    async with http_client(url or await find(settings)) as client:
        answer = await _post(client, path, fields)
    if as_json:
        echo(answer)
    if not answer.get("success"):
        raise NotAccepted(str(answer.get("errorMsg", "The server did not store it.")))
    if not as_json:
        click.echo(f"Stored: {visible(str(answer['id']))}")


async def _post(
    client: httpx.AsyncClient, path: str, fields: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    try:
        params = httpx.QueryParams([*fields, ("_r", "json")])
        response = await client.post(
            path,
            content=str(params),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        answer = response.json()
    except httpx.HTTPError as error:
        raise SetupError(f"{client.base_url} cannot be reached: {error}") from error
    except ValueError as error:
        raise SetupError(f"{client.base_url} does not answer like ErrorStack Live.") from error
    return answer if isinstance(answer, dict) else {}


async def find(settings: Settings) -> str:
    """The address of a running server that takes submissions. Raises SetupError."""
    try:
        async with opened(settings) as access:
            return await access.server_url("ingest")
    except ErrorStackError as error:
        raise SetupError(f"{error.message}\nOr name the server: --url http://...") from error


def _field(pair: str) -> tuple[str, str]:
    """``Name=value``; a text with no ``=`` before its first space is the message (PROTOCOL 3)."""
    name, equals, value = pair.partition("=")
    is_named = equals and name and not any(map(str.isspace, name))
    return (name, value) if is_named else ("Msg", pair)
