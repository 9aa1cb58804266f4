"""Hostile texts on every page and in every panel: nothing runs, nothing breaks.

An ordinary run takes one in eight of them; ERRORSTACK_TEST_HOSTILE=1 takes them all.
"""

import json
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio
from fixtures_server import Server
from hostile import PAYLOADS, fields
from playwright.async_api import Browser, Page, Request, ViewportSize, expect
from test_journey import set_up

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHOSEN = PAYLOADS[:: int(os.environ.get("ERRORSTACK_TEST_HOSTILE", "8"))]
WIDE = ViewportSize(width=1440, height=900)
PHONE = ViewportSize(width=390, height=844)
LISTS = (
    "",
    "?mode=grouped",
    "?cols=release,user,Type,Line",
    "/issues",
    "/issues?status=all",
    "/wall",
    "/setup",
    "/settings",
    "/settings/keys",
    "/settings/shares",
    "/settings/scrubbing",
    "/settings/limits",
    "/settings/grouping",
)
"""Below a stack, the pages that show something of many errors, and those of its settings."""
OTHERS = ("/", "/status", "/members", "/account", "/account/sessions", "/docs/api", "/docs/rest")
GUARD = """
window.pwned = () => console.error("PWNED");
window.alert = window.confirm = window.prompt = window.pwned;
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP ${event.violatedDirective} ${event.blockedURI}`));
"""
SOUND = """() => {
  const root = document.documentElement;
  const wrong = [];
  if (root.scrollWidth > innerWidth) wrong.push(`wider than the window: ${root.scrollWidth}`);
  const isBoard = location.pathname.endsWith("/wall");  // it has no bar
  const top = isBoard ? null : document.querySelector(".top")?.getBoundingClientRect();
  const isThere = top && top.top === 0 && top.height < 120;
  if (!isBoard && !isThere) wrong.push("the top bar is not in its place");
  const over = top && document.elementFromPoint(top.left + 20, top.top + top.height / 2);
  if (over && !over.closest(".top")) wrong.push(`${over.className} lies over the top bar`);
  const rows = [...document.querySelectorAll(".rows .row:not([hidden])")];
  const heights = new Set(rows.map((row) => row.offsetHeight));
  if (heights.size > 1) wrong.push(`rows of several heights: ${[...heights]}`);
  const acts = /[\\u0000-\\u001f\\u202a-\\u202e\\u2066-\\u2069]/;
  if (acts.test(document.title)) wrong.push("the title acts");
  return wrong;
}"""
WALK = """async () => {
  const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  for (const tab of document.querySelectorAll("[role=tab]")) {
    tab.click();
    await drawn();
  }
  for (const fold of document.querySelectorAll(".det details:not([open])")) fold.open = true;
}"""


@dataclass
class Guard:
    """A page, and everything that a hostile text made happen in it."""

    page: Page
    home: str
    problems: list[str] = field(default_factory=list)

    async def watch(self) -> None:
        await self.page.add_init_script(GUARD)
        self.page.set_default_timeout(30_000)
        self.page.on(
            "console", lambda said: self._note(said.text) if said.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self._note(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self._note(f"dialog: {dialog.message}"))
        self.page.on("popup", lambda popup: self._note(f"popup: {popup.url}"))
        self.page.on("download", lambda got: self._note(f"download: {got.url}"))
        self.page.on("request", self._asked)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.home, self.home.replace("http", "ws", 1))):
            self._note(f"request to {request.url}")

    def _note(self, problem: str) -> None:
        self.problems.append(f"{self.page.url}: {problem}")

    async def see(self, path: str) -> None:
        await self.page.goto(self.home + path)
        await self.check()

    async def check(self) -> None:
        self.problems += [f"{self.page.url}: {wrong}" for wrong in await self.page.evaluate(SOUND)]


@pytest_asyncio.fixture
async def guard(browser: Browser, own_server: Server) -> AsyncIterator[Guard]:
    context = await browser.new_context(viewport=WIDE)
    watched = Guard(await context.new_page(), own_server.url)
    await watched.watch()
    yield watched
    await context.close()


async def submit_all(server: Server) -> list[str]:
    """The id of each error, oldest first."""
    ids = []
    async with httpx.AsyncClient(base_url=server.url) as http:
        for payload in CHOSEN:
            body = json.dumps(fields(payload))
            answer = await http.post(
                f"/submit?_s={server.key}&_r=json",
                content=body,
                headers={"Content-Type": "application/json"},
            )
            assert answer.json()["success"] is True, payload
            ids.append(str(answer.json()["id"]))
        for payload in CHOSEN[-10:]:
            body = json.dumps({"_msg": payload})
            await http.post(f"/log?_s={server.key}&_r=json", content=body)
    return ids


async def test_nothing_that_a_sender_writes_acts(own_server: Server, guard: Guard) -> None:
    server, page = own_server, guard.page
    assert len(PAYLOADS) >= 300
    await set_up(server, page)
    stack = f"/s/{server.stack.slug}"
    await guard.see(stack)
    ids = await submit_all(server)
    await see_lists(guard, stack)
    await see_panels(guard, stack, len(ids))
    for error_id in ids:
        await guard.see(f"{stack}/e/{error_id}")
    for issue in await server.state.store.issues.find(server.stack.id, limit=1000):
        await guard.see(f"{stack}/issues/{issue.id}")
    await see_shared(guard, stack, ids)
    assert guard.problems == []


async def see_lists(guard: Guard, stack: str) -> None:
    for size in (WIDE, PHONE):
        await guard.page.set_viewport_size(size)
        for path in LISTS:
            await guard.see(stack + path)
        for path in OTHERS:
            await guard.see(path)
    await guard.page.set_viewport_size(WIDE)


async def see_panels(guard: Guard, stack: str, count: int) -> None:
    """Open each error's panel, by keyboard, and each of its tabs."""
    page = guard.page
    await guard.see(stack)
    await page.locator(".rows .row[data-key]:visible").first.click()
    seen: set[str] = set()
    for _ in range(count):
        await expect(page.locator(".det .dtabs")).to_be_visible()
        await expect(page.locator(".db")).not_to_have_text(re.compile("Loading"))
        await page.evaluate(WALK)
        await guard.check()
        seen.add(await page.evaluate("new URL(location).searchParams.get('error')"))
        await page.keyboard.press("j")
    assert len(seen) >= count - 1  # rows further down are loaded while walking


async def see_shared(guard: Guard, stack: str, ids: list[str]) -> None:
    """What a stranger with a link sees."""
    link = await make_share(guard.page, stack)
    await guard.page.context.clear_cookies()
    await guard.page.goto(link["url"])
    view = f"/v/{link['id']}"
    await see_panels(guard, view, len(ids))
    await guard.see(f"{view}/wall")
    for error_id in ids:
        await guard.see(f"{view}/e/{error_id}")


async def make_share(page: Page, stack: str) -> dict[str, str]:
    """A link to the whole stack, by the page's own session."""
    wish = {"name": PAYLOADS[0], "query": "", "hidden": ["release"], "with_logs": True}
    made: dict[str, str] = await page.evaluate(
        """([stack, wish]) => fetch(`/api/v1${stack}/shares`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(wish),
        }).then((answer) => answer.json())""",
        [stack.replace("/s/", "/stacks/"), {**wish, "expires_in_s": None}],
    )
    return made
