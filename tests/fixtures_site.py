"""A server with a member, a stack and some traffic in it, as a signed-in browser meets it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx
import pytest_asyncio
from fixtures_server import Server
from playwright.async_api import Browser, BrowserContext, expect

from errorstack_live.demo import Traffic
from errorstack_live.web.state import now

EMAIL, PASSWORD = "owner@shop.example", "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Site:
    """Where it is, who is signed in, and the names of what is in it."""

    server: Server
    cookies: Any
    names: dict[str, str]

    @property
    def live(self) -> str:
        return f"{self.server.url}/s/{self.server.stack.slug}"

    async def context(self, browser: Browser, **look: Any) -> BrowserContext:
        """A browser of its own in which the member is signed in."""
        return await browser.new_context(storage_state=self.cookies, **look)

    async def submit(self, **fields: str) -> str:
        """Send one error; its id."""
        async with httpx.AsyncClient(base_url=self.server.url) as http:
            sent = {"_s": self.server.key, "_r": "json", **fields}
            answer = await http.post("/submit", data=sent)
        return str(answer.json()["id"])


@pytest_asyncio.fixture(scope="module")
async def site(shared_server: Server, browser: Browser) -> AsyncIterator[Site]:
    """The module's server with a member and some of everything in its stack."""
    server = shared_server
    context = await browser.new_context()
    page = await context.new_page()
    token = await server.state.store.meta.new_setup_token(now())
    await page.goto(f"{server.url}/setup?token={token}")
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.locator("main form button").click()
    await expect(page.locator("#main h1")).to_be_visible()
    error_id = await _send(server)
    error = await server.state.store.errors.get(server.stack.id, error_id)
    names = {
        "slug": server.stack.slug,
        "error": error_id,
        "issue": error.issue,
        "key": server.key,
    }
    yield Site(server, await context.storage_state(), names)
    await context.close()


async def _send(server: Server, count: int = 60) -> str:
    """Send some of everything; the id of the last error."""
    traffic = Traffic(Random(4711))
    async with httpx.AsyncClient(base_url=server.url) as http:
        for _ in range(count):
            sent = {"_s": server.key, "_r": "json", **traffic.error()}
            answer = await http.post("/submit", data=sent)
        await http.post("/log", data={"_s": server.key, "_msg": "queue has 67 jobs"})
    return str(answer.json()["id"])
