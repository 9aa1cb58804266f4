"""People together on one view, in a real browser: who watches, pins, links, traps, a wallboard."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fixtures_server import Server
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect
from quart import Quart
from quart_auth import QuartAuth

from errorstack_live.web.state import now

pytestmark = pytest.mark.browser

ADA, KIM = "ada.byron@shop.example", "kim@shop.example"
NOTIFICATIONS = """
window.notified = [];
window.Notification = class extends Notification {
  constructor(title, options) {
    super(title, options);
    notified.push([title, options.body]);
  }
};
"""
HIDDEN = """
let isHidden = origin !== "null" && sessionStorage.getItem("test-hidden") === "1";
Object.defineProperty(document, "hidden", { get: () => isHidden });
Object.defineProperty(document, "hasFocus", { value: () => !isHidden });
window.hide = (is) => {
  isHidden = is;
  sessionStorage.setItem("test-hidden", is ? "1" : "0");
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
};
"""
NO_SOCKETS = """
window.WebSocket = class {
  readyState = 3;
  constructor() { setTimeout(() => this.onclose?.({ code: 1006 })); }
  send() {}
  close() {}
};
"""
WAKE = """
window.locks = 0;
Object.defineProperty(navigator, "wakeLock", {
  value: { request: async () => (locks++, { release: async () => {} }) },
});
"""


@dataclass
class Visit:
    """Someone's browser, and what went wrong in its pages."""

    server: Server
    context: BrowserContext
    problems: list[str]

    def _heard(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.problems.append(said.text)

    async def page(self, path: str = "") -> Page:
        page = await self.context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on(
            "console",
            lambda said: self.problems.append(said.text) if said.type == "error" else None,
        )
        await page.goto(f"{self.server.url}/s/{self.server.stack.slug}{path}")
        return page


@pytest_asyncio.fixture
async def visits(browser: Browser, server: Server) -> AsyncIterator[Any]:
    """Makes browsers of their own: a member's with their e-mail address, else a stranger's."""
    made: list[Visit] = []

    async def visit(email: str = "", **options: Any) -> Visit:
        size = {"width": 1440, "height": 900}
        context = await browser.new_context(**{"viewport": size, **options})
        for script in (NOTIFICATIONS, HIDDEN, WAKE):
            await context.add_init_script(script)
        if email:
            await context.add_cookies([await cookie(server, email)])
        made.append(Visit(server, context, []))
        return made[-1]

    yield visit
    for each in made:
        await each.context.close()
    assert [problem for each in made for problem in each.problems] == []


async def cookie(server: Server, email: str) -> Any:
    """The cookie of a sign-in of this member, who is made when there is none."""
    store = server.state.store
    known = {each.email: each for each in await store.members.all()}
    who = known.get(email) or await store.members.add(email, "x", now())
    token = await store.sessions.create(who.id, now=now(), expires_at=now() + timedelta(hours=1))
    app = Quart("signs")
    app.secret_key = store.secret
    return {
        "name": "errorstack",
        "value": QuartAuth(app).dump_token(token, app=app),
        "url": server.url,
    }


async def submit(server: Server, **fields: str) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:
        answer = await http.post("/submit", data={"_s": server.key, "_r": "json", **fields})
    assert answer.json()["success"] is True


def rows(page: Page, text: str | re.Pattern[str] = "") -> Locator:
    return page.locator(".rows .row:visible", has_text=text)


async def shared(page: Page, name: str = "A guest", **chosen: Any) -> str:
    """Make a link in the page's dialog, which stays open; returns its address."""
    await page.get_by_role("button", name="Share view").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Name").fill(name)
    for field in chosen.get("hide", ()):
        await dialog.get_by_role("button", name=field, exact=True).click()
    if chosen.get("stack"):
        await dialog.get_by_label("The whole stack").check()
    await dialog.get_by_role("button", name="Create link").click()
    return await dialog.locator("#share-url").inner_text()


async def test_members_see_who_watches_and_guests_how_many(server: Server, visits: Any) -> None:
    await submit(server, Msg="boom", user="u1")
    ada = await (await visits(ADA)).page()
    await expect(rows(ada, "boom")).to_be_visible()
    await expect(ada.locator(".who")).to_have_count(0)
    await (await visits(KIM)).page()
    await expect(ada.locator(".who .avs .av")).to_have_text(["AB", "KI"])
    link = await shared(ada, "Support")
    guest = await (await visits()).context.new_page()
    await guest.goto(link)
    await expect(guest.locator(".who")).to_have_text("3 watching")
    await expect(ada.locator(".who .avs .av")).to_have_text(["AB", "KI", "+1"])
    await expect(ada.get_by_role("dialog").get_by_text("1 watching")).to_be_visible()
    await ada.keyboard.press("Escape")
    await ada.locator(".who button").click()
    names = ada.get_by_role("list", name="Who watches now")
    await expect(names).to_contain_text(KIM)
    await expect(names).to_contain_text("by the link Support")
    assert "@shop.example" not in await guest.content()
    await guest.close()
    await expect(ada.locator(".who .avs .av")).to_have_text(["AB", "KI"])


async def test_a_pin_stands_at_the_top_for_everybody(server: Server, visits: Any) -> None:
    await submit(server, Msg="payment failed", user="secret-user")
    ada, kim = await (await visits(ADA)).page(), await (await visits(KIM)).page()
    link = await shared(ada, hide=["user"])
    await ada.keyboard.press("Escape")
    guest = await (await visits(viewport={"width": 390, "height": 844})).context.new_page()
    await guest.goto(link)
    await expect(rows(guest, "payment failed")).to_be_visible()
    await rows(ada, "payment failed").click()
    await ada.get_by_role("button", name="Pin", exact=True).click()
    await ada.get_by_label("Keep it at the top").fill("<b>Kim</b> looks at it")
    await ada.get_by_role("button", name="Pin for everybody").click()
    for page in (ada, kim, guest):
        pins = page.get_by_role("region", name="Pinned for everybody")
        await expect(pins).to_contain_text("payment failed")
        await expect(pins).to_contain_text("<b>Kim</b> looks at it")
    content = await guest.content()
    assert "secret-user" not in content
    assert ADA not in content
    await guest.locator(".pin .ti").click()
    await expect(guest.locator(".det")).to_contain_text("payment failed")
    assert await guest.get_by_role("button", name=re.compile("Unpin")).count() == 0
    await kim.reload()
    await expect(kim.locator(".pins .av")).to_have_text("AB")
    await kim.get_by_role("button", name=re.compile("Unpin payment failed")).click()
    for page in (ada, kim, guest):
        await expect(page.locator(".pin")).to_have_count(0)


async def test_a_link_is_seen_before_it_is_made_and_opens_as_the_view_looked(
    server: Server, visits: Any
) -> None:
    for n in range(3):
        await submit(server, Msg=f"red {n}", team="red", user="secret-user")
    await submit(server, Msg="blue", team="blue", user="secret-user")
    ada = await (await visits(ADA)).page("?q=team:red&mode=grouped")
    await ada.get_by_role("button", name="Share view").click()
    dialog = ada.get_by_role("dialog")
    preview = dialog.locator(".prow")
    await expect(preview).to_have_count(3)
    await expect(preview.first).to_contain_text("secret-user")
    await dialog.get_by_role("button", name="user", exact=True).click()
    await expect(preview.first).not_to_contain_text("secret-user")
    await dialog.get_by_label("Hide fields").fill("trace.id, ip")
    await dialog.get_by_label("Hide fields").press("Enter")
    await dialog.get_by_label("The whole stack").check()
    await expect(preview).to_have_count(4)
    await dialog.get_by_label("Exactly this view").check()
    await expect(preview).to_have_count(3)
    await dialog.get_by_label("Name").fill("Red team")
    await dialog.get_by_role("button", name="Create link").click()
    link = await dialog.locator("#share-url").inner_text()
    (made,) = await server.state.store.shares.all(server.stack.id)
    assert (made.query, made.hidden, made.initial) == (
        "team:red", ("user", "trace.id", "ip"), "mode=grouped"
    )  # fmt: skip
    guest = await (await visits()).context.new_page()
    await guest.goto(link)
    await expect(guest.get_by_role("button", name="Grouped")).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(dialog.get_by_text("1 watching")).to_be_visible()
    revoke = dialog.get_by_role("button", name="Revoke")
    await revoke.click()
    await expect(dialog.get_by_role("button", name="Revoke, cut off 1?")).to_be_visible()
    assert (await server.state.store.shares.by_id(made.id)).revoked_at is None
    await dialog.get_by_role("button", name="Revoke, cut off 1?").click()
    await expect(guest.get_by_text("This link no longer works")).to_be_visible(timeout=4_000)
    await expect(dialog.get_by_text("Red team")).to_have_count(0)


async def test_what_is_new_says_so(server: Server, visits: Any) -> None:
    for _ in range(11):
        await submit(server, Msg="boom", release="2.4.0")
    ada = await (await visits(ADA)).page()
    await expect(rows(ada, "boom")).to_have_count(11)
    await expect(ada.locator(".rows .row:visible .tag.new")).to_have_count(1)
    await submit(server, Msg="boom", release="2.4.1")
    mark = rows(ada, "2.4.1").first.locator(".tag.new")
    await expect(mark).to_have_attribute("title", "release 2.4.1")
    await rows(ada, "2.4.1").first.click()
    said = ada.locator(".det").get_by_role("button", name="new: release 2.4.1")
    await said.click()
    await expect(rows(ada)).to_have_count(1)
    assert "_new" in ada.url


async def trap(page: Page, kind: str = "next", minutes: str = "5") -> None:
    """Set one in the page's dialog, for what its list shows."""
    await page.get_by_role("button", name=re.compile("^Traps")).click()
    dialog = page.get_by_role("dialog")
    if kind == "quiet":
        await dialog.get_by_label("Minutes", exact=True).fill(minutes)
    await dialog.get_by_role("button", name="Tell me", exact=True).click()
    await expect(dialog.get_by_role("list", name="Traps that are set")).to_be_visible()
    await page.keyboard.press("Escape")


async def notified(page: Page, count: int) -> Any:
    await page.wait_for_function("count => notified.length >= count", arg=count)
    return await page.evaluate("notified")


def icon(page: Page) -> Locator:
    return page.locator('link[rel="icon"]')


async def test_a_trap_springs_once_in_a_hidden_tab_after_a_reload(
    server: Server, visits: Any
) -> None:
    await submit(server, Msg="old", plan="pro")
    visit = await visits(ADA, permissions=["notifications"])
    page = await visit.page("?q=plan:pro")
    await expect(rows(page, "old")).to_be_visible()
    await trap(page)
    await expect(page.get_by_role("button", name="Traps, 1 set")).to_be_visible()
    await page.evaluate("hide(true)")
    await page.goto(f"{server.url}/s/{server.stack.slug}?q=plan:free")
    await expect(page.get_by_role("button", name="Traps, 1 set")).to_be_visible()
    await submit(server, Msg="not this", plan="free")
    await expect(page).to_have_title(re.compile(r"^\(1\) "))
    await expect(icon(page)).to_have_attribute("href", re.compile("favicon-news.svg"))
    assert await page.evaluate("notified") == []
    await submit(server, Msg="this one", plan="pro")
    assert await notified(page, 1) == [["It happened: plan:pro", "this one"]]
    await expect(page).to_have_title(re.compile("^● It happened: plan:pro"))
    await expect(icon(page)).to_have_attribute("href", re.compile("favicon-alarm.svg"))
    await submit(server, Msg="again", plan="pro")
    await submit(server, Msg="a last one", plan="free")
    await page.evaluate("hide(false)")
    await expect(rows(page, "a last one")).to_be_visible()
    await expect(page).not_to_have_title(re.compile("●|\\("))
    await expect(icon(page)).to_have_attribute("href", re.compile("favicon.svg"))
    assert len(await page.evaluate("notified")) == 1
    await expect(page.get_by_role("button", name="Traps", exact=True)).to_be_visible()


async def test_a_trap_springs_for_what_came_while_no_page_was_open(
    server: Server, visits: Any
) -> None:
    await submit(server, Msg="old")
    visit = await visits(ADA, permissions=["notifications"])
    page = await visit.page()
    await expect(rows(page, "old")).to_be_visible()
    await trap(page)
    await page.goto("about:blank")
    await submit(server, Msg="meanwhile")
    await page.goto(f"{server.url}/s/{server.stack.slug}")
    assert await notified(page, 1) == [["It happened: any error", "meanwhile"]]


async def test_of_several_tabs_one_rings(server: Server, visits: Any) -> None:
    await submit(server, Msg="old")
    visit = await visits(ADA, permissions=["notifications"])
    pages = [await visit.page() for _ in range(3)]
    for page in pages:
        await expect(rows(page, "old")).to_be_visible()
    await trap(pages[0])
    for page in pages:
        await expect(page.get_by_role("button", name="Traps, 1 set")).to_be_visible()
    await submit(server, Msg="once")
    for page in pages:
        await expect(page.get_by_role("button", name="Traps", exact=True)).to_be_visible()
        await expect(rows(page, "once")).to_be_visible()
    rung = [await page.evaluate("notified.length") for page in pages]
    assert sorted(rung) == [0, 0, 1]


async def test_silence_is_told_once_it_is_long_enough(server: Server, visits: Any) -> None:
    await submit(server, Msg="old")
    visit = await visits(ADA, permissions=["notifications"])
    page = await visit.page()
    await expect(rows(page, "old")).to_be_visible()
    await trap(page, "quiet", "1")
    set_at = await last_at(page)
    await submit(server, Msg="still noisy")
    await page.wait_for_function(f"(than) => ({LAST_AT})() > than", arg=set_at)
    noisy_at = await last_at(page)
    await page.evaluate(AGE, 61)
    await page.reload()  # what came since is no silence, though this page slept through it
    await page.wait_for_function(f"(at) => ({LAST_AT})() === at", arg=noisy_at)
    assert await page.evaluate("notified") == []
    await server.state.store.database.errors.delete_many({})
    await page.evaluate(AGE, 61)
    await page.reload()
    said = await notified(page, 1)
    assert said == [["Quiet for 1 minute: any error", "Nothing has matched since."]]
    await expect(page.get_by_role("button", name="Traps", exact=True)).to_be_visible()


KEPT = """const key = Object.keys(localStorage).find((each) => each.startsWith("traps:"));
  const kept = JSON.parse(localStorage[key]);"""
LAST_AT = f"() => {{ {KEPT} return kept.traps[0].lastAt; }}"
AGE = f"""(seconds) => {{
  {KEPT}
  for (const trap of kept.traps) trap.lastAt -= seconds * 1000;
  localStorage[key] = JSON.stringify(kept);
}}"""


async def last_at(page: Page) -> Any:
    """When the trap matched last, as it is kept."""
    return await page.evaluate(LAST_AT)


async def test_issues_seen_for_the_first_time_are_told_of_when_wanted(
    server: Server, visits: Any
) -> None:
    await submit(server, Msg="old")
    visit = await visits(ADA, permissions=["notifications"])
    page = await visit.page("?q=nothing:here")
    await page.get_by_role("button", name="Traps", exact=True).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label(re.compile("Notify me of issues")).check()
    await dialog.get_by_label("With a sound").check()
    await page.keyboard.press("Escape")
    await submit(server, Msg="old")
    await submit(server, Msg="brand new")
    assert await notified(page, 1) == [["New issue", "brand new"]]
    await submit(server, Msg="another new one")
    await submit(server, Msg="brand new")
    await page.evaluate("hide(true)")
    await submit(server, Msg="old", nothing="here")
    await expect(page).to_have_title(re.compile(r"^\(1\) "))
    assert len(await page.evaluate("notified")) == 1, "once in ten seconds"


async def test_the_wallboard_needs_nobody(server: Server, visits: Any) -> None:
    for n in range(12):
        await submit(server, Msg=f"TimeoutError: number {n % 3}", level="error")
    visit = await visits(ADA, viewport={"width": 1920, "height": 1080})
    page = await visit.page("/wall")
    board = page.locator(".board")
    await expect(board.locator(".newest .line").first).to_contain_text("number 2")
    await expect(board.locator(".levels .l-error b")).to_have_text("12")
    await expect(board.locator(".lamp")).to_have_text("Live")
    await submit(server, Msg="a fatal thing", level="fatal")
    await expect(board.locator(".newest .line").first).to_contain_text("a fatal thing")
    await expect(board.locator(".levels .l-fatal b")).to_have_text("1")
    await expect(page.locator(".top")).to_be_hidden()
    assert await page.evaluate("locks") == 1
    smallest = await page.evaluate(
        """() => Math.min(...[...document.querySelectorAll(".board .line, .board h1, .board b")]
            .map((each) => parseFloat(getComputedStyle(each).fontSize)))"""
    )
    assert smallest >= 28, "to be read from five metres"
    assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    phone = await (await visits(ADA, viewport={"width": 390, "height": 844})).page("?wall=1")
    await expect(phone.locator(".board .newest .line").first).to_contain_text("a fatal thing")
    assert await phone.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_wallboard_by_key_and_by_link(server: Server, visits: Any) -> None:
    await submit(server, Msg="boom", user="secret-user")
    ada = await (await visits(ADA)).page()
    await expect(rows(ada, "boom")).to_be_visible()
    link = await shared(ada, hide=["user"])
    await ada.keyboard.press("Escape")
    await expect(ada.get_by_role("dialog")).to_have_count(0)
    await ada.keyboard.press("W")
    await expect(ada.locator(".board .newest")).to_contain_text("boom")
    assert ada.url.endswith("/wall")
    await ada.keyboard.press("W")
    await expect(rows(ada, "boom")).to_be_visible()
    guest = await (await visits()).context.new_page()
    await guest.goto(link)
    await guest.goto(f"{guest.url}/wall")
    await expect(guest.locator(".board .newest")).to_contain_text("boom")
    assert "secret-user" not in await guest.content()
    (made,) = await server.state.store.shares.all(server.stack.id)
    await server.state.store.shares.revoke(made.id, now())
    await expect(guest.locator(".board .lamp")).to_have_text("Ended")


async def test_traps_work_without_a_websocket(server: Server, visits: Any) -> None:
    await submit(server, Msg="old")
    visit = await visits(ADA, permissions=["notifications"])
    await visit.context.add_init_script(NO_SOCKETS)
    page = await visit.page()
    await expect(rows(page, "old")).to_be_visible()
    await trap(page)
    await submit(server, Msg="over events")
    assert await notified(page, 1) == [["It happened: any error", "over events"]]
    await expect(rows(page, "over events")).to_be_visible()
