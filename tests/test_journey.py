"""A person's journey in a real browser: set up, see an error arrive, filter, share, revoke."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fixtures_server import Server
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from errorstack_live.query import parse
from errorstack_live.web.state import now

pytestmark = pytest.mark.browser

EMAIL, PASSWORD = "owner@shop.example", "correct horse battery staple"
HOSTILE = [
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    '"><svg/onload=window.hacked=1>',
    "javascript:window.hacked=1",
    "{{constructor.constructor('window.hacked=1')()}}",
    "\u202egnp.exe\u202c \x00\x1b[31m",
    "</script><script>window.hacked=1</script>",
    "<iframe srcdoc='<script>parent.hacked=1</script>'>",
]


class Watched:
    """A browser context with everything that went wrong in its pages."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.problems: list[str] = []

    async def page(self) -> Page:
        page = await self.context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on(
            "console",
            lambda message: self.problems.append(message.text) if message.type == "error" else None,
        )
        return page


@pytest_asyncio.fixture
async def owner(browser: Browser) -> AsyncIterator[Watched]:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    yield Watched(context)
    await context.close()


@pytest_asyncio.fixture
async def guest(browser: Browser) -> AsyncIterator[Watched]:
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    yield Watched(context)
    await context.close()


async def set_up(server: Server, page: Page) -> None:
    token = await server.state.store.meta.new_setup_token(now())
    await page.goto(f"{server.url}/setup?token={token}")
    await page.get_by_label("E-mail").fill(EMAIL)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.locator("main form button").click()
    await expect(page.get_by_role("heading", name="Waiting for the first error")).to_be_visible()


async def submit(server: Server, **fields: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/submit", data={"_s": server.key, "_r": "json", **fields})
    assert answer.json()["success"] is True


async def test_from_the_first_page_to_a_revoked_link(
    own_server: Server, owner: Watched, guest: Watched
) -> None:
    server, page = own_server, await owner.page()
    await set_up(server, page)
    await page.get_by_role("link", name="Live", exact=True).click()
    await expect(page.get_by_text("Waiting for the first error")).to_be_visible()

    await submit(server, Msg="payment failed", user="42", level="error")
    await expect(rows(page, "payment failed")).to_be_visible()
    await submit(server, Msg="slow query", user="7", level="warning")
    await expect(rows(page, "slow query")).to_be_visible()

    box = page.locator(".qin input, .qin [contenteditable]").first
    await box.fill("user:42")
    await box.press("Enter")
    await expect(rows(page, "slow query")).to_have_count(0)
    await expect(rows(page, "payment failed")).to_be_visible()
    assert "q=user" in page.url
    await submit(server, Msg="not for this view", user="7")
    await submit(server, Msg="payment refused", user="42")
    await expect(rows(page, "payment refused")).to_be_visible()
    await expect(rows(page, "not for this view")).to_have_count(0)

    await rows(page, "payment failed").click()
    detail = page.get_by_role("complementary", name="Error detail")
    await expect(detail.get_by_text("payment failed").first).to_be_visible()
    await detail.get_by_role("tab", name=re.compile("Fields")).click()
    await expect(detail.get_by_text("42", exact=True).first).to_be_visible()

    link = await share(page)
    watcher = await guest.page()
    await watcher.goto(link)
    assert "/share/" not in watcher.url, "the secret must not stay in the address"
    await expect(rows(watcher, "payment failed")).to_be_visible()
    await submit(server, Msg="payment lost", user="42")
    await expect(rows(watcher, "payment lost")).to_be_visible()
    content = await watcher.content()
    assert server.key not in content
    assert EMAIL not in content

    (made,) = await server.state.store.shares.all(server.stack.id)
    await server.state.store.shares.revoke(made.id, now())
    await expect(
        watcher.get_by_text(re.compile("revoked|ended|no longer", re.IGNORECASE)).first
    ).to_be_visible(timeout=4_000)
    assert owner.problems == []


def rows(page: Page, text: str | re.Pattern[str] = "") -> Locator:
    """The errors on the page; the list keeps a few hidden rows to use again."""
    return page.locator(".rows .row:visible", has_text=text)


async def share(page: Page) -> str:
    """Make a link to the view in hand in the page's own dialog; returns it."""
    await page.get_by_role("button", name=re.compile("Share")).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill("A guest")
    await dialog.get_by_role("button", name="Create link").click()
    return await dialog.locator("#share-url").inner_text()


async def test_hostile_fields_stay_text(own_server: Server, owner: Watched) -> None:
    server, page = own_server, await owner.page()
    await set_up(server, page)
    await page.goto(f"{server.url}/s/{server.stack.slug}")
    for n, payload in enumerate(HOSTILE):
        await submit(server, **{"Msg": f"{n} {payload}", payload or "x": payload, "stack": payload})
    await expect(rows(page)).to_have_count(len(HOSTILE))
    for n in range(len(HOSTILE)):
        await rows(page).nth(n).click()
        for tab in await page.get_by_role("tab").all():
            await tab.click()
    found = await server.state.store.errors.find(server.stack.id, parse(""))
    first = found.errors[0]
    for path in ("", "/issues", f"/issues/{first.issue}", f"/e/{first.id}", "/settings", "/setup"):
        await page.goto(f"{server.url}/s/{server.stack.slug}{path}")
        assert await page.evaluate("window.hacked") is None
        assert await page.locator("iframe").count() == 0
    assert owner.problems == []
