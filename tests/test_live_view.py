"""The live view in a real browser: ranges, marks, suggestions, columns, and what the page costs."""

import csv
import io
import re
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from fixtures_site import Site
from playwright.async_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser

MAX_NODES = 600
"""Elements of the page, panels not counted."""


@pytest_asyncio.fixture
async def page(site: Site, browser: Browser) -> AsyncIterator[Page]:
    context = await site.context(browser, viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    # 503 is an honest answer of a machine that is busy; the page goes on without it.
    page.on(
        "console",
        lambda said: (
            problems.append(said.text) if said.type == "error" and "503" not in said.text else None
        ),
    )
    await page.goto(site.live)
    await expect(page.locator(".lamp.ok")).to_be_visible()
    await expect(rows(page).first).to_be_visible()
    yield page
    await context.close()
    assert problems == []


def rows(page: Page, text: str = "") -> Locator:
    return page.locator(".rows .row:visible", has_text=text)


async def test_the_page_keeps_within_its_nodes(page: Page) -> None:
    await expect(page.locator(".over")).to_have_text(re.compile("Counted over"))
    await page.mouse.wheel(0, 600)
    await page.mouse.wheel(0, -600)
    count = await page.evaluate("document.getElementsByTagName('*').length")
    assert 300 < count <= MAX_NODES


async def test_a_range_is_named_in_the_address_and_stepped_back_from(page: Page) -> None:
    await page.get_by_role("button", name="Range of time").click()
    await page.get_by_role("menuitemradio", name="Last 15 minutes").click()
    await expect(page.locator(".hist .big")).to_have_text(re.compile("in the last 15 minutes"))
    assert "range=15m" in page.url
    await expect(rows(page).first).to_be_visible()
    await page.go_back()
    await expect(page.locator(".hist .big")).to_have_text(re.compile("in the last hour"))
    await page.go_forward()
    await expect(page.locator(".hist .big")).to_have_text(re.compile("in the last 15 minutes"))


async def test_marking_a_part_of_the_chart_lists_it_alone(page: Page, site: Site) -> None:
    plot = page.get_by_role("slider")
    box = await plot.bounding_box()
    assert box
    await page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 20, steps=4)
    await page.mouse.up()
    await expect(page.get_by_text("History", exact=True)).to_be_visible()
    assert "brush=" in page.url
    said = await page.locator(".hist .big").inner_text()
    counted = int(re.match(r"\d+", said)[0])  # type: ignore[index]
    assert counted >= 60
    await site.submit(Msg="too late for the history")
    await expect(page.get_by_text("That is all since")).to_be_attached()
    await expect(rows(page, "too late for the history")).to_have_count(0)
    await page.get_by_role("button", name="Zoom in").click()
    assert "from=" in page.url
    assert "brush=" not in page.url
    await page.get_by_role("button", name="Go live").first.click()
    await expect(rows(page, "too late for the history")).to_be_visible()
    assert "from=" not in page.url


async def test_the_chart_is_marked_by_keys(page: Page) -> None:
    plot = page.get_by_role("slider")
    await plot.focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Shift+ArrowLeft")
    await expect(page.get_by_text("History", exact=True)).to_be_visible()
    assert re.search("error", await plot.get_attribute("aria-valuetext") or "")
    await page.keyboard.press("Escape")
    await expect(page.get_by_text("History", exact=True)).to_have_count(0)
    await expect(rows(page).first).to_be_visible()


async def test_suggestions_are_taken_by_keys(page: Page) -> None:
    box = page.get_by_role("combobox", name="Filter")
    await page.keyboard.press("/")
    await box.press_sequentially("relea")
    await expect(page.get_by_role("option", name=re.compile("release")).first).to_be_visible()
    await box.press("ArrowDown")
    assert await box.get_attribute("aria-activedescendant") == "suggestions-0"
    await box.press("Enter")
    await expect(box).to_have_value("release:")
    await expect(page.get_by_role("option", name=re.compile("2.4.0"))).to_be_visible()
    await box.press("ArrowDown")
    await box.press("Enter")
    await expect(box).to_have_value(re.compile(r"release:2\.4\.\d "))
    await box.press("Enter")
    await expect(page.locator(".qin .cnt")).to_have_text(re.compile(r"^\d+ of \d+$"))
    assert "q=release" in page.url


async def test_columns_are_added_moved_and_removed(page: Page) -> None:
    columns = page.locator(".hdrow .col > .cut")
    before = await columns.all_inner_texts()
    await page.get_by_role("button", name="Add a column").click()
    await page.get_by_label("Find a field for a column").fill("PageURL")
    await page.keyboard.press("Enter")
    await expect(columns).to_have_text([*before, "PageURL"])
    await columns.last.focus()
    await page.keyboard.press("ArrowLeft")
    moved = [*before[:-1], "PageURL", before[-1]]
    await expect(columns).to_have_text(moved)
    assert [each.split("=")[1] for each in page.url.split("?")[1].split("&")] == moved
    await columns.first.drag_to(columns.last)
    await expect(columns).to_have_text([*moved[1:], moved[0]])
    await columns.first.focus()
    await page.keyboard.press("Delete")
    await expect(columns).to_have_count(len(moved) - 1)


async def test_letters_do_nothing_when_they_are_turned_off(page: Page) -> None:
    await page.keyboard.press("v")
    await expect(page.get_by_role("region", name="Issues")).to_be_visible()
    await page.keyboard.press("v")
    await page.get_by_role("button", name="How the list looks").click()
    await page.get_by_label("Single-letter keys").uncheck()
    await page.keyboard.press("Escape")
    await page.reload()
    await expect(page.locator(".lamp.ok")).to_be_visible()
    await expect(rows(page).first).to_be_visible()
    await page.keyboard.press("v")
    await page.keyboard.press(" ")
    await expect(page.get_by_role("button", name="Pause")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("complementary", name="Error detail")).to_be_visible()
    await page.keyboard.press("Escape")


async def test_a_row_expands_in_its_place(page: Page) -> None:
    await page.keyboard.press("j")
    grid = page.get_by_role("grid")
    await expect(grid).to_be_focused()
    at = await grid.get_attribute("aria-activedescendant")
    await expect(page.locator(f"#{at}")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("e")
    rest = page.locator(".row.exp .rest")
    await expect(rest).to_contain_text("=")
    tops = await rows(page).evaluate_all("all => all.map(e => e.getBoundingClientRect().top)")
    tops.sort()
    assert tops[1] - tops[0] > 100
    assert tops[2] - tops[1] < 40
    await page.keyboard.press("e")
    await expect(rest).to_have_count(0)


async def test_fields_come_as_a_sheet_where_there_is_no_room(page: Page) -> None:
    await page.set_viewport_size({"width": 1000, "height": 700})
    await expect(page.locator(".fac")).to_be_hidden()
    await page.keyboard.press("f")
    await expect(page.locator(".fac .over")).to_be_visible()
    await page.locator(".fac .fv").first.get_by_role("button").first.click()
    await expect(page.locator(".qin input")).to_have_value(re.compile("level:"))
    await page.keyboard.press("Escape")
    await expect(page.locator(".fac")).to_be_hidden()


async def test_the_panel_tells_of_others_and_is_made_wider(page: Page, site: Site) -> None:
    await site.submit(Msg="payment failed", Type="PaymentError", user="1", level="error")
    await site.submit(Msg="payment failed", Type="PaymentError", user="2", level="error")
    await expect(rows(page, "payment failed")).to_have_count(2)
    newest = page.locator(".rows .row[aria-rowindex='2']")
    await newest.click()
    panel = page.get_by_role("complementary", name="Error detail")
    await panel.get_by_role("tab", name=re.compile("Similar")).click()
    await expect(panel.get_by_text("user=1")).to_be_visible()
    assert "tab=similar" in page.url
    box = await panel.bounding_box()
    assert box
    await panel.get_by_role("separator").focus()
    await page.keyboard.press("ArrowLeft")
    await expect(panel).to_have_css("width", f"{box['width'] + 32:g}px")
    await panel.get_by_text("user=1").click()
    await expect(panel.get_by_text("user=2")).to_be_visible()
    await page.go_back()


async def test_a_mark_and_an_open_error_are_stepped_over(page: Page) -> None:
    plot = page.get_by_role("slider")
    await plot.focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("Shift+PageUp")
    await expect(page.get_by_text("History", exact=True)).to_be_visible()
    marked = page.url
    await rows(page).first.click()
    await expect(page.get_by_role("complementary", name="Error detail")).to_be_visible()
    opened = page.url
    assert "error=" in opened
    assert "brush=" in opened
    await page.go_back()
    await expect(page.get_by_role("complementary", name="Error detail")).to_have_count(0)
    assert page.url == marked
    await page.go_back()
    await expect(page.get_by_text("History", exact=True)).to_have_count(0)
    await page.go_forward()
    await page.go_forward()
    await expect(page.get_by_role("complementary", name="Error detail")).to_be_visible()
    assert page.url == opened


async def test_a_finger_marks_the_chart(site: Site, browser: Browser) -> None:
    phone = {"width": 390, "height": 844}
    context = await site.context(browser, viewport=phone, has_touch=True, is_mobile=True)
    page = await context.new_page()
    await page.goto(site.live)
    await expect(page.locator(".lamp")).to_be_attached()
    await expect(rows(page).first).to_be_visible()
    box = await page.get_by_role("slider").bounding_box()
    assert box
    await page.touchscreen.tap(box["x"] + box["width"] - 3, box["y"] + 30)
    await expect(page.get_by_text("History", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Clear", exact=True).tap()
    await expect(page.get_by_text("History", exact=True)).to_have_count(0)
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= phone["width"]
    await context.close()


async def test_what_matches_is_downloaded(page: Page) -> None:
    box = page.locator(".qin input, .qin [contenteditable]").first
    await box.fill("level:error")
    await box.press("Enter")
    await expect(page.locator(".hist .big")).to_have_text(re.compile("."))
    await page.get_by_role("button", name="How the list looks").click()
    async with page.expect_download() as waiting:
        await page.get_by_role("link", name="Download as CSV all fields").click()
    download = await waiting.value
    assert re.fullmatch(r"[a-z0-9-]+\.csv", download.suggested_filename)
    content = (await download.path()).read_bytes().decode()
    found = list(csv.DictReader(io.StringIO(content, newline="")))
    assert len(found) > 1
    assert {each["level"] for each in found} == {"error"}


async def test_issues_under_a_filter_are_counted_by_the_server(page: Page, site: Site) -> None:
    """More of one issue than the page holds: its count is that of all of them."""
    many = [{"Msg": "crowded out", "service": "crowd"}] * 450
    async with httpx.AsyncClient(base_url=site.server.url) as http:
        await http.post(f"/submit?_s={site.server.key}&_r=json", json=many)
    await page.goto(f"{site.live}?q=service:crowd")
    await expect(rows(page, "crowded out").first).to_be_visible()
    await page.keyboard.press("v")
    listed = page.get_by_role("region", name="Issues").get_by_role("listitem")
    await expect(listed).to_have_count(1)
    await expect(listed).to_contain_text("450")
    async with httpx.AsyncClient(base_url=site.server.url) as http:
        await http.post(f"/submit?_s={site.server.key}&_r=json", json=many[:3])
    await expect(listed).to_contain_text("453")


async def test_a_time_of_ones_own_is_history_and_says_so(page: Page) -> None:
    await page.get_by_role("button", name="Range of time").click()
    first, last = page.get_by_label("From"), page.get_by_label("To")
    await first.fill("2020-01-01T02:00:00")
    await last.fill("2020-01-01T01:00:00")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("alert")).to_have_text("It ends before it begins.")
    await last.fill("2020-01-01T03:00:00")
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_text("History", exact=True)).to_be_visible()
    await expect(page.get_by_text("No error in this time.")).to_be_visible()
    await expect(page.locator(".hist .big")).to_have_text(re.compile(r"^0 ?errors in 1 Jan 2020"))
    assert "from=2020" in page.url
    await page.get_by_role("button", name="Go live").first.click()
    await expect(rows(page).first).to_be_visible()
    assert "from=" not in page.url
