"""How commands reach what they work on: the database, and the address of a running server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import click

from errorstack_live.errors import SetupError
from errorstack_live.settings import Settings, load

if TYPE_CHECKING:
    from errorstack_live.storage.mongo import Store

Command: TypeAlias = Callable[..., None]
F = TypeVar("F", bound=Callable[..., Any])
Role: TypeAlias = Literal["all", "ingest", "dashboard"]

_NO_SERVER = """No server runs on {data_dir}.
Start one with `errorstack serve`, name its --data-dir, or its database with --mongodb-uri."""


@dataclass(frozen=True, slots=True)
class Access:
    """An open database and the settings that named it."""

    settings: Settings
    store: "Store"

    async def server_url(self, role: Role) -> str:
        """The address of a running server with the door that ``role`` names."""
        for process in await self.store.processes.alive(now()):
            if process.role in {"all", role}:
                return str(process.url)
        raise SetupError("No server runs on this database. Start one with `errorstack serve`.")

    async def page_url(self) -> str:
        """The address to print links with, also while no server runs."""
        if self.settings.public_url:
            return self.settings.public_url.rstrip("/")
        try:
            return await self.server_url("dashboard")
        except SetupError:
            return f"http://{self.settings.host}:{self.settings.port}"


def now() -> datetime:
    """This machine's clock, to the millisecond that documents keep."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def database_options(command: F) -> F:
    """Add the two options that say which database is meant."""
    command = click.option(
        "--mongodb-uri",
        metavar="URI",
        help="The server's MongoDB, when it is not the embedded one. [ERRORSTACK_MONGODB_URI]",
    )(command)
    return click.option(
        "--data-dir",
        metavar="DIR",
        help="The server's data directory. [ERRORSTACK_DATA_DIR]",
    )(command)


def json_option(command: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def with_settings(function: Callable[..., Coroutine[Any, Any, None]]) -> Command:
    """Make a command of an async function that takes ``settings``."""

    @database_options
    @wraps(function)
    def command(data_dir: str | None, mongodb_uri: str | None, **given: object) -> None:
        settings = load(data_dir=data_dir, mongodb_uri=mongodb_uri)
        asyncio.run(function(settings=settings, **given))

    return command


def with_access(function: Callable[..., Coroutine[Any, Any, None]]) -> Command:
    """Make a command of an async function that takes ``access`` to the database."""

    @with_settings
    @wraps(function)
    async def command(settings: Settings, **given: object) -> None:
        async with opened(settings) as access:
            await function(access=access, **given)

    return command


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Access]:
    """Open the database that ``settings`` name, or the embedded one of a running server."""
    from errorstack_live.storage.mongo import Store

    uri = await _uri(settings)
    store = await Store.open(uri, settings.database, logs_bytes=settings.logs_bytes)
    try:
        yield Access(settings, store)
    finally:
        await store.close()


async def _uri(settings: Settings) -> str:
    from errorstack_live.storage import mongod

    if settings.mongodb_uri is not None:
        return settings.mongodb_uri.get_secret_value()
    uri = await mongod.running(settings.data_dir)
    if uri is None:
        raise SetupError(_NO_SERVER.format(data_dir=settings.data_dir))
    return uri
