"""Where ``tail`` and its like connect: a stack of a server one has access to, or a share link."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

import httpx
import orjson

from errorstack_live.cli import show
from errorstack_live.cli.access import now, opened
from errorstack_live.errors import Gone, NotFound, SetupError
from errorstack_live.settings import Settings

SESSION_LIFE = timedelta(hours=12)
"""A terminal's access; a longer one asks again by itself."""
TIMEOUT_S = 10.0
GONE = "This link no longer works: it was revoked or has expired."


@dataclass(frozen=True, slots=True)
class Target:
    """The address of a live socket and the headers that authorise it."""

    url: str
    headers: dict[str, str]

    @property
    def data(self) -> str:
        """The address below which the API answers of the same."""
        return "http" + self.url.removeprefix("ws").removesuffix("/live")


class Place(Protocol):
    """Something that can be followed."""

    @property
    def name(self) -> str:
        """What it is called, for people."""

    async def find(self) -> Target:
        """Find out where its live socket is now. Raises NotFound, Gone, or SetupError."""


@dataclass(frozen=True, slots=True)
class StackPlace:
    """A stack, through the database of its server."""

    name: str
    settings: Settings

    async def find(self) -> Target:
        """Get a session of our own and the address of a server that runs now."""
        async with opened(self.settings) as access:
            stack = await access.store.stacks.by_slug(self.name)
            url = await access.server_url("dashboard")
            at = now()
            token = await access.store.sessions.create(None, now=at, expires_at=at + SESSION_LIFE)
        return Target(
            f"{_socket_scheme(url)}/api/v1/stacks/{stack.slug}/live",
            {"Authorization": f"Bearer {token}", "Origin": url},
        )


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """A stack of a server anywhere, by an API token."""

    name: str
    server: str
    token: str

    async def find(self) -> Target:
        """See whether the token reaches the stack."""
        server = self.server.rstrip("/")
        headers = {"Authorization": f"Bearer {self.token}"}
        path = f"/api/v1/stacks/{quote(self.name, safe='')}"
        async with http_client(server) as client:
            try:
                response = await client.get(path, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise SetupError(f"{server}: {str(error) or type(error).__name__}") from error
        match response.status_code:
            case 200:
                return Target(f"{_socket_scheme(server)}{path}/live", headers)
            case 401:
                raise Gone("The token was revoked, has expired or never was.")
            case 404:
                raise NotFound("There is no such stack, or none that the token is for.")
        raise SetupError(f"{server} answers {response.status_code}: is it ErrorStack Live?")


@dataclass(frozen=True, slots=True)
class SharePlace:
    """A share link, which needs no other access."""

    name: str

    async def find(self) -> Target:
        """Exchange the link for its cookie, as a browser does."""
        async with http_client(self.name) as client:
            try:
                response = await client.get(self.name)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise SetupError(str(error) or type(error).__name__) from error
        if response.status_code in {404, 410}:
            raise Gone(GONE)
        if not response.is_redirect or "/v/" not in response.headers["location"]:
            raise SetupError("that is not a share link of ErrorStack Live")
        view = response.url.join(response.headers["location"])
        cookie = "; ".join(f"{name}={value}" for name, value in response.cookies.items())
        origin = f"{view.scheme}://{view.netloc.decode()}"
        return Target(
            f"{_socket_scheme(origin)}{view.path.rstrip('/')}/api/live",
            {"Cookie": cookie, "Origin": origin},
        )


def place(
    where: str, settings: Settings, url: str | None = None, token: str | None = None
) -> Place:
    """A stack's name, the address of its page, or a share link.

    With a token the stack is the server's at ``url``, or at the address of the page.
    """
    parts = urlsplit(where)
    is_address = parts.scheme in {"http", "https"}
    if is_address and not parts.path.startswith("/s/"):
        return SharePlace(where)
    slug = parts.path.split("/")[2] if is_address else where
    if token is None:
        return StackPlace(slug, settings)
    server = url or (f"{parts.scheme}://{parts.netloc}" if is_address else "")
    if not server:
        raise SetupError("A token is for a server: name it with --url.")
    return TokenPlace(slug, server, token)


@asynccontextmanager
async def ask(target: Target, path: str, asked: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
    """Ask the API below a target. Raises Failed with what it says when it cannot do it."""
    async with http_client(target.data) as client:
        try:
            async with client.stream(
                "GET", f"{target.data}/{path}", params=dict(asked), headers=target.headers
            ) as response:
                if response.is_error:
                    raise show.Failed(_said(response.status_code, await response.aread()))
                yield response
        except httpx.TransportError as error:
            raise SetupError(f"{target.data}: {str(error) or type(error).__name__}") from error


async def answer(target: Target, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the API below a target answers. Raises Failed with what it says when it cannot."""
    async with ask(target, path, asked) as response:
        told: dict[str, Any] = orjson.loads(await response.aread())
    return told


def _said(status: int, body: bytes) -> str:
    try:
        return str(orjson.loads(body)["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return f"The server answers {status}."


def http_client(url: str) -> httpx.AsyncClient:
    """A client for addresses below ``url``, which trusts whom this machine trusts."""
    return httpx.AsyncClient(
        base_url=url,
        timeout=TIMEOUT_S,
        trust_env=not is_loopback(url),
        verify=ssl.create_default_context(),
    )


def is_loopback(url: str) -> bool:
    """Whether a proxy from the environment would only be in the way."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _socket_scheme(url: str) -> str:
    """``ws`` for http, ``wss`` for https."""
    return "ws" + url.removeprefix("http").rstrip("/")
