"""A page behind a proxy that lets no websocket through lives all the same, in a real browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import httpx
import pytest
import pytest_asyncio
from fixtures_server import Server
from playwright.async_api import Browser, Page, expect

from errorstack_live.web.state import now

pytestmark = pytest.mark.browser

REFUSAL = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Proxy:
    """Passes connections on, but for those that ask to become a websocket, while it refuses."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self.is_refusing = True
        self.refused_count = 0
        self.event_count = 0
        self.websocket_count = 0
        self.asked_count = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            if b"upgrade: websocket" in head.lower():
                if self.is_refusing:
                    self.refused_count += 1
                    writer.write(REFUSAL)
                    await writer.drain()
                    writer.close()
                    return
                self.websocket_count += 1
            there_reader, there = await asyncio.open_connection("127.0.0.1", self._port)
            self._writers |= {writer, there}
            await asyncio.gather(
                self._pass(reader, there, head), self._pass(there_reader, writer, b"")
            )

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes
    ) -> None:
        with suppress(OSError):
            while data or (data := await reader.read(1 << 16)):
                self.event_count += data.count(b"Accept: text/event-stream")
                self.asked_count += data.startswith(b"POST") and b"/live " in data[:200]
                writer.write(data)
                await writer.drain()
                data = b""
        writer.close()

    def cut(self) -> None:
        """Cut all that is open."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


@asynccontextmanager
async def proxied(server: Server) -> AsyncIterator[tuple[Proxy, str]]:
    proxy = Proxy(server.port)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield proxy, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        proxy.cut()


@pytest_asyncio.fixture
async def page(browser: Browser, own_server: Server) -> AsyncIterator[Page]:
    """A page of a browser that is signed in."""
    store = own_server.state.store
    member = await store.members.add("ada@example.org", "x", now())
    token = await store.sessions.create(member.id, now=now(), expires_at=now() + timedelta(hours=1))
    context = await browser.new_context(extra_http_headers={"Authorization": f"Bearer {token}"})
    page = await context.new_page()
    page.set_default_timeout(15_000)
    yield page
    await context.close()


async def submit(server: Server, title: str, **fields: str) -> None:
    sent = {"_s": server.key, "_r": "json", "Msg": title, **fields}
    async with httpx.AsyncClient(base_url=server.url) as http:
        assert (await http.post("/submit", data=sent)).json()["success"] is True


async def shows(page: Page, title: str, count: int = 1) -> None:
    found = page.locator(".rows .row:visible", has_text=title)
    await expect(found).to_have_count(count, timeout=15_000)


async def test_it_lives_by_events_and_goes_back_to_a_websocket(
    own_server: Server, page: Page
) -> None:
    async with proxied(own_server) as (proxy, url):
        await submit(own_server, "stored before")
        await page.goto(f"{url}/s/{own_server.stack.slug}")
        await shows(page, "stored before")
        async with asyncio.timeout(15):
            while not own_server.state.hub.viewers(own_server.stack.id):
                await asyncio.sleep(0.02)
        assert (proxy.refused_count, proxy.event_count, proxy.websocket_count) == (2, 1, 0)

        await expect(page.locator(".lamp")).to_have_text("Connected without a websocket")
        await submit(own_server, "comes by events", user="42")
        await shows(page, "comes by events")

        box = page.locator(".qin input, .qin [contenteditable]").first
        await box.fill("user:42")
        await box.press("Enter")
        await shows(page, "stored before", 0)
        await submit(own_server, "not in this view", user="7")
        await submit(own_server, "in this view", user="42")
        await shows(page, "in this view")
        await shows(page, "not in this view", 0)
        assert own_server.state.hub.viewers(own_server.stack.id) == 1

        proxy.cut()
        await submit(own_server, "missed meanwhile", user="42")
        await shows(page, "missed meanwhile")
        await shows(page, "in this view")
        assert proxy.websocket_count == 0

        proxy.is_refusing = False
        proxy.cut()
        async with asyncio.timeout(30):
            while not proxy.websocket_count:
                await asyncio.sleep(0.02)
        await submit(own_server, "by a websocket at last", user="42")
        await shows(page, "by a websocket at last")
        await expect(page.locator(".lamp")).to_have_text("Connected")


async def test_older_errors_are_asked_for_beside_the_events(own_server: Server, page: Page) -> None:
    async with httpx.AsyncClient(base_url=own_server.url) as http:
        for start in range(0, 300, 100):
            errors = [{"Msg": f"number {n}"} for n in range(start, start + 100)]
            await http.post(f"/submit?_s={own_server.key}&_r=json", json=errors)
    async with proxied(own_server) as (proxy, url):
        await page.goto(f"{url}/s/{own_server.stack.slug}")
        async with asyncio.timeout(15):
            while not own_server.state.hub.viewers(own_server.stack.id):
                await asyncio.sleep(0.02)
        box = page.locator(".qin input, .qin [contenteditable]").first
        await box.fill('-"number 299"')
        await box.press("Enter")
        await page.locator(".rows .row:visible").first.wait_for()
        async with asyncio.timeout(20):
            while not proxy.asked_count:
                await page.locator(".rows").evaluate(
                    "rows => (rows.closest('.list') ?? rows).scrollTo(0, 1e9)"
                )
                await page.mouse.wheel(0, 20_000)
                await asyncio.sleep(0.1)
        assert proxy.websocket_count == 0
