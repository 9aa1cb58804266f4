"""One error's own page in a browser: printed light and whole, and copied as JSON that is JSON."""

import json

import pytest
from fixtures_site import Site
from playwright.async_api import Browser, expect

pytestmark = pytest.mark.browser


async def test_it_is_printed_light_and_without_what_is_clicked(
    site: Site, browser: Browser
) -> None:
    context = await site.context(browser, color_scheme="dark")
    page = await context.new_page()
    await page.goto(f"{site.live}/e/{site.names['error']}")
    await expect(page.get_by_role("button", name="Print")).to_be_visible()
    await page.emulate_media(media="print")
    for gone in ("header.top", "a.skip", ".card.screen-only"):
        await expect(page.locator(gone)).to_be_hidden()
    await expect(page.get_by_role("button", name="Print")).to_be_hidden()
    await expect(page.locator(".print-only")).to_contain_text(site.names["error"])
    dark = "getComputedStyle(document.querySelector('h1')).color"
    red, green, blue = await page.evaluate(f"{dark}.match(/\\d+/g).map(Number)")
    assert max(red, green, blue) < 80
    assert (await page.pdf(format="A4")).startswith(b"%PDF")
    await context.close()


async def test_its_json_is_copied_whole(site: Site, browser: Browser) -> None:
    error_id = await site.submit(Msg="long", blob="z" * 5000)
    context = await site.context(browser, permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    await page.goto(f"{site.live}/e/{error_id}")
    await page.locator(".card.screen-only").get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = json.loads(await page.evaluate("navigator.clipboard.readText()"))
    assert copied["fields"]["blob"] == "z" * 5000
    await context.close()
