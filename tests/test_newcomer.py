"""The set-up page in a real browser: to the first error in a minute, and what is wrong when not."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fixtures_server import Server, serving
from fixtures_site import Site
from playwright.async_api import Browser, Page, Route, expect

from errorstack_live.storage.mongo import Store
from errorstack_live.web.state import now

pytestmark = pytest.mark.browser

MOST_S = 60.0
MOST_CLICKS = 2
"""Creating the account, and copying the line."""


async def sign_up(server: Server, page: Page) -> None:
    """What the link printed at start asks for."""
    token = await server.state.store.meta.new_setup_token(now())
    await page.goto(f"{server.url}/setup?token={token}")
    await page.get_by_label("E-mail").fill("ada@example.org")
    await page.get_by_label("Password").fill("correct horse battery")
    await page.get_by_role("button", name="Create account").click()


async def test_a_newcomer_sees_the_first_error_within_a_minute(
    own_server: Server, browser: Browser
) -> None:
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.add_init_script(
        "addEventListener('click', () => (localStorage.clicks = 1 + +(localStorage.clicks || 0)))"
    )
    began_at = time.monotonic()
    await sign_up(own_server, page)
    await expect(page.get_by_role("heading", name="Waiting for the first error")).to_be_visible()
    await page.locator("#way").get_by_role("button", name="Copy").first.click()
    line = await page.evaluate("navigator.clipboard.readText()")
    await shell(line)
    await expect(page.get_by_role("heading", name="It arrived")).to_be_visible()
    assert time.monotonic() - began_at < MOST_S
    assert int(await page.evaluate("localStorage.clicks")) <= MOST_CLICKS
    await page.get_by_role("link", name="Hello").click()
    await expect(page.get_by_role("heading", name="Hello")).to_be_visible()
    assert problems == []
    await context.close()


async def shell(line: str) -> None:
    """Run what was copied, as a person pastes it."""
    done = await asyncio.create_subprocess_shell(
        line, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, _ = await done.communicate()
    assert b'"success":true' in out.replace(b" ", b"")


@pytest_asyncio.fixture
async def page(site: Site, browser: Browser) -> AsyncIterator[Page]:
    context = await site.context(browser)
    opened = await context.new_page()
    opened.set_default_timeout(15_000)
    yield opened
    await context.close()


async def test_the_test_error_s_way_is_measured(site: Site, page: Page) -> None:
    await page.goto(f"{site.live}/setup")
    await page.get_by_role("button", name="Send a test error").click()
    trip = page.locator("#trip")
    await expect(trip.locator("[data-state=done]")).to_have_count(3)
    for step in ("received", "stored", "streamed"):
        text = await trip.locator(f"[data-step={step}]").inner_text()
        found = re.search(r"([\d.]+) ms", text)
        assert found, text
        assert 0 < float(found[1]) < 5000
    await expect(page.locator("#arrived a").first).to_contain_text("This is a test error")


# What is wrong


async def abort(route: Route) -> None:
    await route.abort()


def answer(status: int, **told: Any) -> Callable[[Route], Awaitable[None]]:
    async def fulfil(route: Route) -> None:
        await route.fulfill(status=status, **told)

    return fulfil


WRONG: tuple[tuple[Callable[[Route], Awaitable[None]], str, str], ...] = (
    (abort, "received", "Something in this browser blocks /submit.*/x/submit"),
    (answer(307, headers={"Location": "https://127.0.0.1/"}), "received", "a redirect.*PUBLIC_URL"),
    (answer(404, body="<h1>nginx</h1>"), "received", "is not ErrorStack"),
    (
        answer(503, json={"success": False, "errorMsg": "The database does not answer"}),
        "stored",
        "The database does not answer",
    ),
    (
        answer(429, json={"success": False, "errorMsg": "Too fast"}, headers={"Retry-After": "7"}),
        "stored",
        "Too fast.*Try again in 7 s",
    ),
)
"""What happens to the request, the step that fails, and what the page says of it."""


@pytest.mark.parametrize(("happens", "step", "says"), WRONG)
async def test_it_says_what_is_wrong(
    site: Site, page: Page, happens: Callable[[Route], Awaitable[None]], step: str, says: str
) -> None:
    await page.route("**/submit", happens)
    await page.goto(f"{site.live}/setup")
    await page.get_by_role("button", name="Send a test error").click()
    await expect(page.get_by_role("alert")).to_contain_text(re.compile(says))
    await expect(page.locator(f"[data-step={step}]")).to_have_attribute("data-state", "failed")
    await page.unroute("**/submit")
    await page.get_by_role("button", name="Send a test error").click()
    await expect(page.locator("#trip [data-state=done]")).to_have_count(3)
    await expect(page.get_by_role("alert")).to_be_hidden()


async def test_a_key_that_was_revoked_meanwhile(own_server: Server, browser: Browser) -> None:
    page = await browser.new_page()
    await sign_up(own_server, page)
    await expect(page.get_by_role("heading", name="Waiting for the first error")).to_be_visible()
    stacks = own_server.state.store.stacks
    await stacks.revoke_key(own_server.stack.id, own_server.key, now())
    async with asyncio.timeout(10):
        while own_server.state.keys.peek(own_server.key):
            await asyncio.sleep(0.02)
    await page.get_by_role("button", name="Send a test error").click()
    await expect(page.get_by_role("alert")).to_contain_text("unknown or was revoked")
    await page.close()


async def test_a_key_that_is_used_up(slow_server: Server, browser: Browser) -> None:
    page = await browser.new_page()
    await sign_up(slow_server, page)
    async with httpx.AsyncClient(base_url=slow_server.url) as http:
        sent = {"_s": slow_server.key, "Msg": "x"}
        while (await http.post("/submit", data=sent)).status_code != 429:
            pass
    await page.get_by_role("button", name="Send a test error").click()
    said = re.compile("This stack key sends too fast.*Try again in \\d s.*Settings")
    await expect(page.get_by_role("alert")).to_contain_text(said)
    await page.close()


async def test_an_address_that_nobody_reaches(store: Store, browser: Browser) -> None:
    async with serving(store, public_url="http://127.0.0.1:9") as server:
        page = await browser.new_page()
        reports: list[str] = []
        page.on("console", lambda message: reports.append(message.text))
        await sign_up(server, page)
        await page.get_by_role("button", name="Send a test error").click()
        alert = page.get_by_role("alert")
        await expect(alert).to_contain_text("http://127.0.0.1:9 is not")
        await expect(alert).to_contain_text("ERRORSTACK_PUBLIC_URL")
        assert not [each for each in reports if "Content Security Policy" in each]
        await page.close()


async def test_without_a_websocket_the_page_listens_by_events(site: Site, page: Page) -> None:
    await page.route_web_socket("**/live", lambda socket: socket.close())
    await page.goto(f"{site.live}/setup")
    await expect(page.locator("#waiting.live")).to_be_visible()
    await page.get_by_role("button", name="Send a test error").click()
    streamed = page.locator("#trip [data-step=streamed]")
    await expect(streamed).to_contain_text("on this page, by events")


async def test_without_both_the_page_asks(site: Site, page: Page) -> None:
    await page.route_web_socket("**/live", lambda socket: socket.close())
    await page.route("**/api/v1/stacks/*/live*", abort)
    await page.goto(f"{site.live}/setup")
    error_id = await site.submit(Msg="seen by asking")
    await expect(page.locator("#arrived a").first).to_contain_text("seen by asking")
    link = await page.locator("#arrived a").first.get_attribute("href")
    assert link == f"/s/{site.names['slug']}/e/{error_id}"
    await page.get_by_role("button", name="Send a test error").click()
    await expect(page.locator("#trip")).to_contain_text("on this page, by asking")


# The ways to send


async def test_ways_are_found_and_changed_on_the_page(site: Site, page: Page) -> None:
    await page.goto(f"{site.live}/setup")
    await page.evaluate("window.isSamePage = true")
    await page.get_by_label("Find a way to send").fill("python logging wsgi")
    links = page.locator("nav.side li:visible")
    await expect(links).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Python", exact=True)).to_be_visible()
    assert "client=python" in page.url
    assert await page.evaluate("window.isSamePage")
    await page.get_by_label("Find a way to send").fill("cobol")
    await expect(page.get_by_text("Nothing of that name")).to_be_visible()


async def test_on_a_phone_the_way_chosen_is_in_view(site: Site, browser: Browser) -> None:
    context = await site.context(browser, viewport={"width": 390, "height": 844}, has_touch=True)
    page = await context.new_page()
    await page.goto(f"{site.live}/setup")
    await page.get_by_role("link", name="Django", exact=True).tap()
    heading = page.get_by_role("heading", name="Django", exact=True)
    await expect(heading).to_be_in_viewport()
    await context.close()


# Settings, live and without a script


async def test_the_meter_moves_by_itself(site: Site, page: Page) -> None:
    await page.goto(f"{site.live}/settings/limits")
    figure = page.locator("#usage dd").first
    before = int(await figure.inner_text())
    await site.submit(Msg="one more")
    await expect(figure).not_to_have_text(str(before), timeout=10_000)


async def test_everything_goes_without_a_script(site: Site, browser: Browser) -> None:
    """By keyboard alone: a stack is made, its key revoked, and it is deleted by its name."""
    context = await site.context(browser, java_script_enabled=False)
    page = await context.new_page()
    await page.goto(site.server.url)
    await page.get_by_label("Name").press_sequentially("Short lived")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Set up Short lived")).to_be_visible()
    await page.goto(f"{site.server.url}/s/short-lived/settings/keys")
    await page.get_by_role("link", name="Revoke").press("Enter")
    await expect(page.get_by_text("nothing was ever stored")).to_be_visible()
    await page.get_by_role("button", name="Revoke key").press("Enter")
    await expect(page.get_by_text("The key is revoked")).to_be_visible()
    await page.goto(f"{site.server.url}/s/short-lived/settings")
    await page.get_by_role("link", name="Delete").press("Enter")
    await page.get_by_label("To confirm").press_sequentially("Short lived")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("The stack is deleted")).to_be_visible()
    await expect(page.get_by_role("link", name="Short lived")).to_have_count(0)
    await context.close()
