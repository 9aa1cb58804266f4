"""No page has a serious fault that axe-core finds, in dark, in light, and on a phone.

A page joins by a line in PAGES: its path, and what is done on it before it is looked at.
"""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fixtures_site import Site
from playwright.async_api import Browser, Page, expect

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent.parent / "frontend/node_modules/axe-core/axe.min.js"
LOOKS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark", "viewport": {"width": 1440, "height": 900}},
    "light": {"color_scheme": "light", "viewport": {"width": 1440, "height": 900}},
    "phone": {
        "color_scheme": "dark",
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
    },
}
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BAD = {"serious", "critical"}

Act = Callable[[Page], Awaitable[Any]]


async def nothing(page: Page) -> None:
    """Look at the page as it comes."""


async def rows(page: Page) -> None:
    await expect(page.locator(".rows .row:visible").first).to_be_visible()


async def opened(page: Page) -> None:
    await rows(page)
    await page.locator(".rows .row:visible").first.click()
    await expect(page.get_by_role("tab", name="Fields")).to_be_visible()


async def each_tab(page: Page) -> None:
    await opened(page)
    await page.get_by_role("tab", name="JSON").click()


async def expanded(page: Page) -> None:
    await rows(page)
    await page.keyboard.press("j")
    await page.keyboard.press("e")


async def suggesting(page: Page) -> None:
    await rows(page)
    await page.get_by_role("combobox", name="Filter").press_sequentially("le")
    await expect(page.get_by_role("listbox")).to_be_visible()


async def wrong_query(page: Page) -> None:
    await rows(page)
    box = page.get_by_role("combobox", name="Filter")
    await box.fill("level:")
    await box.press("Enter")
    await box.press("Escape")
    await expect(page.get_by_role("alert")).to_be_visible()


async def pinned(page: Page) -> None:
    await opened(page)
    if await page.get_by_role("button", name="Pin", exact=True).count():  # not by an earlier look
        await page.keyboard.press("p")
    await expect(page.get_by_role("region", name="Pinned for everybody")).to_be_visible()


async def board(page: Page) -> None:
    await expect(page.locator(".board .newest .line").first).to_be_visible()


def button(name: str) -> Act:
    async def press(page: Page) -> None:
        await rows(page)
        await page.get_by_role("button", name=name).first.click()
        await expect(page.locator(".pop, dialog")).to_be_visible()

    return press


def key(name: str) -> Act:
    async def press(page: Page) -> None:
        await rows(page)
        await page.keyboard.press(name)

    return press


def dialog(name: str) -> Act:
    async def press(page: Page) -> None:
        await rows(page)
        await page.keyboard.press(name)
        await expect(page.get_by_role("dialog")).to_be_visible()

    return press


async def others(page: Page) -> None:
    await expect(page.locator(".det .oth, .det .none").first).to_be_visible()


async def picked(page: Page) -> None:
    await expect(page.locator(".issue").first).to_be_visible()
    await page.keyboard.press("j")
    await page.keyboard.press("s")


async def on_the_way(page: Page) -> None:
    await page.get_by_role("button", name="Send a test error").click()
    await expect(page.locator("#trip [data-step=streamed][data-state=done]")).to_be_visible()


async def tried(page: Page) -> None:
    await page.get_by_role("button", name="See what is stored").click()
    await expect(page.locator("#tried")).to_be_visible()


async def selected(page: Page) -> None:
    await expect(page.locator(".grouped .issue").first).to_be_visible()
    await page.keyboard.press("a")
    await expect(page.get_by_role("group", name="The selected issues")).to_be_visible()


async def living(page: Page) -> None:
    await expect(page.locator(".lamp.on")).to_have_text("live")


async def rule_tried(page: Page) -> None:
    await page.get_by_label("Errors that match").fill("level:error")
    await page.get_by_label("Name of the issue").fill("All of them")
    await page.get_by_role("button", name="See what it would do").click()
    await expect(page.locator("#tried")).to_be_visible()


LIVE = "/s/{slug}"
PAGES: dict[str, tuple[str, Act]] = {
    "live": (LIVE, rows),
    "live, one error open": (LIVE, opened),
    "live, its JSON": (LIVE, each_tab),
    "live, a row expanded": (LIVE, expanded),
    "live, grouped": (f"{LIVE}?mode=grouped", nothing),
    "live, issues selected": (f"{LIVE}?mode=grouped", selected),
    "live, filtered": (f"{LIVE}?q=level%3Aerror&columns=host", rows),
    "live, nothing found": (f"{LIVE}?q=nowhere-to-be-found", nothing),
    "live, a wrong query": (LIVE, wrong_query),
    "live, suggestions": (LIVE, suggesting),
    "live, a range": (f"{LIVE}?range=15m", rows),
    "live, history": (f"{LIVE}?from=20200101T000000Z&to=20200101T010000Z", nothing),
    "live, the ranges": (LIVE, button("Range of time")),
    "live, paused": (LIVE, key(" ")),
    "live, fields as a sheet": (LIVE, key("f")),
    "live, help": (LIVE, dialog("?")),
    "live, sharing": (LIVE, button("Share view")),
    "live, traps": (LIVE, button("Traps")),
    "live, a marker": (LIVE, dialog("m")),
    "live, how it looks": (LIVE, button("How the list looks")),
    "live, others like it": (f"{LIVE}?error={{error}}&tab=similar", others),
    "live, an issue picked": (f"{LIVE}?mode=grouped", picked),
    "live, an error pinned": (LIVE, pinned),
    "wallboard": (f"{LIVE}/wall", board),
    "sign in": ("/login", nothing),
    "stacks": ("/", nothing),
    "status": ("/status", nothing),
    "set-up": (f"{LIVE}/setup", nothing),
    "set-up, a test sent": (f"{LIVE}/setup?client=python", on_the_way),
    "settings": (f"{LIVE}/settings", nothing),
    "settings, keys": (f"{LIVE}/settings/keys", nothing),
    "settings, shares": (f"{LIVE}/settings/shares", nothing),
    "settings, retention": (f"{LIVE}/settings/retention", nothing),
    "settings, scrubbing tried": (f"{LIVE}/settings/scrubbing", tried),
    "settings, limits": (f"{LIVE}/settings/limits", nothing),
    "settings, delete": (f"{LIVE}/settings/delete", nothing),
    "members": ("/members", nothing),
    "account": ("/account", nothing),
    "sessions": ("/account/sessions", nothing),
    "tokens": ("/account/tokens", nothing),
    "settings, a grouping rule tried": (f"{LIVE}/settings/grouping", rule_tried),
    "issues": (f"{LIVE}/issues", nothing),
    "one issue": (f"{LIVE}/issues/{{issue}}", living),
    "one error": (f"{LIVE}/e/{{error}}", nothing),
    "api": ("/docs/api", nothing),
    "rest": ("/docs/rest", nothing),
    "asks before a key ends": (f"{LIVE}/settings/keys/{{key}}/revoke", nothing),
    "nowhere": ("/nowhere", nothing),
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
async def test_axe_finds_nothing_serious(
    site: Site, browser: Browser, name: str, look: str
) -> None:
    if not AXE.is_file():
        pytest.skip("the front end's modules are not installed: make setup")
    path, act = PAGES[name]
    context = await site.context(browser, reduced_motion="reduce", **LOOKS[look])
    page = await context.new_page()
    await page.goto(site.server.url + path.format(**site.names))
    if name.startswith("live"):
        await expect(page.locator(".lamp.ok")).to_be_attached()
    if look == "phone" and "ranges" in name:
        await rows(page)
    else:
        await act(page)
    assert await faults(page) == []
    width = LOOKS[look]["viewport"]["width"]
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await context.close()


async def faults(page: Page) -> list[str]:
    """What axe finds serious or worse, with the elements it is about."""
    await page.evaluate(AXE.read_text())
    run = "standards => axe.run(document, {runOnly: standards, resultTypes: ['violations']})"
    found = await page.evaluate(run, STANDARDS)
    return [
        json.dumps([each["id"], each["help"], [node["html"][:200] for node in each["nodes"]][:3]])
        for each in found["violations"]
        if each["impact"] in BAD
    ]


async def test_axe_does_find_what_is_wrong(browser: Browser) -> None:
    if not AXE.is_file():
        pytest.skip("the front end's modules are not installed: make setup")
    page = await browser.new_page()
    await page.set_content("<html><body><img src='x'><button></button></body></html>")
    assert len(await faults(page)) >= 2
    await page.close()
