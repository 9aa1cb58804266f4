"""Where ``tail`` connects: a stack of a server one has access to, or a share link alone."""

import ssl
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from errorstack_live.cli.access import now, opened
from errorstack_live.errors import Gone, SetupError
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


def place(where: str, settings: Settings) -> Place:
    """A stack's name, the address of its page, or a share link."""
    url = urlsplit(where)
    if url.scheme not in {"http", "https"}:
        return StackPlace(where, settings)
    if url.path.startswith("/s/"):
        return StackPlace(url.path.split("/")[2], settings)
    return SharePlace(where)


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
