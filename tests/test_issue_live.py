"""Issues and markers in a real browser: the keyboard, many at once, undo, a page that lives."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fixtures_server import Server
from playwright.async_api import Browser, Page, expect
from test_journey import Watched, set_up

from errorstack_live.model import Status
from errorstack_live.web.state import now

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture
async def owner(browser: Browser) -> AsyncIterator[Watched]:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    yield Watched(context)
    await context.close()


async def opened(server: Server, owner: Watched, path: str) -> Page:
    page = await owner.page()
    await set_up(server, page)
    await page.goto(f"{server.url}/s/{server.stack.slug}{path}")
    return page


def submit(server: Server, message: str, count: int = 1, **fields: str) -> str:
    """Send errors; the id of their issue."""
    for _ in range(count):
        data = {"_s": server.key, "_r": "json", "Msg": message, **fields}
        answer = httpx.post(f"{server.url}/submit", data=data)
    return str(answer.json()["issue"])


def mark(server: Server, text: str) -> None:
    assert httpx.get(f"{server.url}/mark", params={"_s": server.key, "_msg": text}).is_success


async def test_many_are_spoken_of_by_keyboard_and_taken_back(
    own_server: Server, owner: Watched
) -> None:
    page = await opened(own_server, owner, "?mode=grouped")
    for message in ("kind a", "kind b", "kind c"):
        await asyncio.to_thread(submit, own_server, message, user="ada")
    rows = page.locator(".grouped .issue")
    await expect(rows).to_have_count(3)
    await expect(rows.first.locator(".tag")).to_have_text("new")
    await expect(rows.first).to_contain_text("1 user")
    await page.keyboard.press("j")
    await page.keyboard.press("s")
    await page.keyboard.press("Shift+J")
    await expect(page.locator(".issue.picked")).to_have_count(2)
    await page.keyboard.press("x")
    await expect(rows).to_have_count(1)
    await expect(page.get_by_role("status")).to_contain_text(["Resolved: 2 issues"])
    await page.keyboard.press("z")
    await expect(rows).to_have_count(3)
    await page.keyboard.press("a")
    await expect(page.locator(".issue.picked")).to_have_count(3)
    await page.get_by_role("button", name="Merge").click()
    await expect(rows).to_have_count(1)
    await expect(rows.locator(".num")).to_contain_text("3")
    assert owner.problems == []


async def test_a_resolved_one_returns_as_regressed(own_server: Server, owner: Watched) -> None:
    page = await opened(own_server, owner, "?mode=grouped")
    await asyncio.to_thread(submit, own_server, "kind a")
    rows = page.locator(".grouped .issue")
    await page.keyboard.press("j")
    await rows.get_by_role("button", name="Resolve").click()
    await expect(rows).to_have_count(0)
    await asyncio.to_thread(submit, own_server, "kind a")
    await expect(rows.locator(".tag")).to_have_text("regressed")
    await rows.get_by_role("button", name="Ignore").click()
    await page.get_by_role("button", name="until 10 more").click()
    await expect(rows).to_have_count(0)
    await page.get_by_role("button", name="Ignored", exact=True).click()
    await expect(rows.locator(".tag")).to_have_text("ignored until 10 more")
    await asyncio.to_thread(submit, own_server, "kind a", count=10)
    await page.get_by_role("button", name="Open", exact=True).click()
    await expect(rows.locator(".tag")).to_have_text("back")
    assert owner.problems == []


async def test_a_marker_stands_in_stream_and_chart(own_server: Server, owner: Watched) -> None:
    page = await opened(own_server, owner, "")
    await asyncio.to_thread(submit, own_server, "before", count=3)
    await expect(page.locator(".row:visible")).to_have_count(3)
    await asyncio.to_thread(mark, own_server, "deployed 2.4.1 <b>")
    told = page.locator(".row.mark:visible")
    await expect(told).to_contain_text("deployed 2.4.1 <b> with the stack key")
    await expect(page.locator(".plot .marker")).to_have_count(1)
    await page.keyboard.press("m")
    await expect(page.get_by_label("What was done just now?")).to_be_focused()
    await page.keyboard.type("rolled back")
    await page.keyboard.press("Enter")
    await expect(told).to_have_count(2)
    await expect(told.filter(has_text="rolled back by a member")).to_have_count(1)
    await page.keyboard.press("z")
    await expect(told).to_have_count(1)
    # The error's panel tells before and after.
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.locator(".verdict")).to_contain_text("0 for")
    await expect(page.locator(".verdict")).to_contain_text("before:")
    assert owner.problems == []


async def test_an_issues_page_lives(own_server: Server, owner: Watched) -> None:
    issue = await asyncio.to_thread(submit, own_server, "boom", release="1", count=2)
    page = await owner.page()
    await set_up_quietly(own_server, page)
    await page.goto(f"{own_server.url}/s/{own_server.stack.slug}/issues/{issue}")
    await expect(page.locator(".lamp")).to_have_text("live")
    facts = page.locator("[data-live=facts]")
    await expect(facts).to_contain_text("2 times")
    await asyncio.to_thread(submit, own_server, "boom", release="2", user="kim", count=3)
    await asyncio.to_thread(submit, own_server, "something else")
    await expect(page.locator("[data-live=newest] .row")).to_have_count(5)
    await expect(facts).to_contain_text("5 times")
    await expect(facts).to_contain_text("1 user")
    await asyncio.to_thread(mark, own_server, "deployed")
    await expect(page.locator("[data-live=verdict]")).to_contain_text("Since deployed:")
    await expect(page.locator("[data-live=verdict] b")).to_contain_text("0 for")
    await expect(page.locator(".trend .marker")).to_have_count(1)
    await page.keyboard.press("x")
    await expect(page.locator(".notice")).to_contain_text("Resolved")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#verbs")).to_have_attribute("data-status", "open")
    await own_server.state.store.issues.set_status(
        own_server.stack.id, [issue], Status.IGNORED, now()
    )
    await expect(page.locator("#verbs")).to_have_attribute("data-status", "ignored")
    await expect(page.locator("[data-live=state]")).to_have_text("ignored")
    assert owner.problems == []


async def set_up_quietly(server: Server, page: Page) -> None:
    token = await server.state.store.meta.new_setup_token(now())
    await page.goto(f"{server.url}/setup?token={token}")
    await page.get_by_label("E-mail").fill("owner@shop.example")
    await page.get_by_label("Password").fill("correct horse battery staple")
    await page.locator("main form button").click()
    await page.wait_for_url(lambda url: "token=" not in url)
