"""A page that loses its connection again and again shows every error, each once.

Its socket is cut, the server restarts or is killed, the database is killed, the tab is hidden; a
sender goes on all the while. Forty times in an ordinary run; ERRORSTACK_TEST_DISCONNECTS says how
often else.
"""

import asyncio
import itertools
import os
import re
import signal
import string
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from fixtures_storage import eventually
from playwright.async_api import Browser, Page, expect
from serving import Served, served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DISCONNECTS = int(os.environ.get("ERRORSTACK_TEST_DISCONNECTS", "40"))
EVERY = {"hide": 6, "restart": 13, "kill": 17, "mongod": 19}
"""One in so many is of this kind, in an ordinary run; in a long one they are rarer."""
RARER = max(1, DISCONNECTS // 200)
SENT_EACH_S = 0.08
DEADLINE_S = 60

HIDE = """
let isHidden = false;
Object.defineProperty(document, "hidden", { get: () => isHidden });
Object.defineProperty(document, "visibilityState", {
  get: () => (isHidden ? "hidden" : "visible"),
});
window.hideTab = (value) => {
  isHidden = value;
  document.dispatchEvent(new Event("visibilitychange"));
};
"""
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
COUNT = """
window.greeted = 0;
const hear = ({ data }) => (window.greeted += String(data).startsWith('{"type":"hello"'));
for (const name of ["WebSocket", "EventSource"]) {
  window[name] = class extends window[name] {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", hear);
    }
  };
}
"""
ROWS = """() => [...document.querySelectorAll(".rows .row:not([hidden])")].map((row) =>
  [row.dataset.key, row.classList.contains("told") ? "told" : "error", row.textContent])"""


class Wire:
    """What stands between the browser and the server: it passes on, until it is cut."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Wire"]:
        listener = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            self.cut()

    def cut(self) -> None:
        """End every connection at once, without a farewell."""
        for writer in list(self._open):
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, answer = await asyncio.open_connection("127.0.0.1", self.to)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, answer}
        await asyncio.gather(_pump(reader, answer), _pump(there, writer))
        self._open -= {writer, answer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


class Sender:
    """Submits one error after the other, each until the server says that it is stored."""

    def __init__(self, server: Served) -> None:
        self.server = server
        self.stored: list[str] = []
        self._stop = asyncio.Event()

    async def run(self) -> None:
        async with httpx.AsyncClient(timeout=5) as http:
            for number in itertools.count():
                if self._stop.is_set():
                    return
                await self._submit(http, number)
                with suppress(TimeoutError):
                    async with asyncio.timeout(SENT_EACH_S):
                        await self._stop.wait()

    def stop(self) -> None:
        self._stop.set()

    async def more(self, count: int) -> None:
        enough = len(self.stored) + count

        async def is_enough() -> bool:
            return len(self.stored) >= enough

        await eventually(is_enough, DEADLINE_S)

    async def _submit(self, http: httpx.AsyncClient, number: int) -> None:
        said = f"fault {_word(number)}."  # words: a number would make them all one issue
        while True:
            fields = {"_s": self.server.key, "_r": "json", "_id": str(number), "Msg": said}
            with suppress(httpx.HTTPError, ValueError):
                answer = await http.post(f"{self.server.url}/submit", data=fields)
                if answer.json()["success"]:
                    self.stored.append(said)
                    return
            await asyncio.sleep(0.05)


def _word(number: int) -> str:
    letters = ""
    for _ in range(4):
        number, letter = divmod(number, 26)
        letters = string.ascii_lowercase[letter] + letters
    return letters


class Viewer:
    """The page, and how often the server has greeted it, by websocket or by events."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def greeted(self) -> int:
        return int(await self.page.evaluate("window.greeted"))

    async def back(self, before: int) -> None:
        """Wait until it is greeted again; the network is back, as far as the page can tell."""

        async def is_back() -> bool:
            await self.page.evaluate("dispatchEvent(new Event('online'))")
            return await self.greeted() > before

        await eventually(is_back, DEADLINE_S)

    async def shows(self, text: str) -> None:
        await expect(self.page.locator(".rows .row:visible", has_text=text)).to_be_visible(
            timeout=DEADLINE_S * 1000
        )

    async def rows(self) -> dict[str, tuple[str, str]]:
        """Every row there is, by its key, read by scrolling from the newest to the oldest."""
        found: dict[str, tuple[str, str]] = {}
        scroller = self.page.locator(".rows").locator("xpath=..")
        top, before = 0, -1
        while before != (before := len(found)) or top == 0:
            await scroller.evaluate("(element, top) => (element.scrollTop = top)", top)
            await self.page.evaluate(DRAWN)
            for key, kind, text in await self.page.evaluate(ROWS):
                found[key] = (kind, text)
            top += 300
        return found


class Trouble:
    """The ways in which a page loses its connection."""

    def __init__(self, wire: Wire, viewer: Viewer, sender: Sender, data_dir: Path) -> None:
        self._wire = wire
        self._viewer = viewer
        self._sender = sender
        self._data_dir = data_dir
        self._servers = ExitStack()
        self.count: Counter[str] = Counter()

    async def make(self, number: int) -> None:
        kinds = [kind for kind, every in EVERY.items() if number % (every * RARER) == 0]
        kind = kinds[-1] if kinds else "cut"
        ways: dict[str, Callable[[], Awaitable[None]]] = {
            "cut": self._cut,
            "restart": lambda: self._restart(signal.SIGTERM),
            "kill": lambda: self._restart(signal.SIGKILL),
            "mongod": self._kill_mongod,
            "hide": self._hide,
        }
        before = await self._viewer.greeted()
        await ways[kind]()
        await self._viewer.back(before)
        await self._sender.more(1)
        self.count[kind] += 1

    async def _cut(self) -> None:
        self._wire.cut()

    async def _restart(self, number: signal.Signals) -> None:
        await asyncio.to_thread(self._sender.server.command.end, number)
        self._sender.server = await asyncio.to_thread(self._serve)

    def _serve(self) -> Served:
        again = served(self._data_dir, "--port", str(self._wire.to))
        return self._servers.enter_context(again)

    async def _kill_mongod(self) -> None:
        children = psutil.Process(self._sender.server.pid).children(recursive=True)
        for child in children:
            if "mongod" in child.name():
                child.kill()
        self._wire.cut()

    async def _hide(self) -> None:
        """Hidden, it is told counts only; what it did not get it fetches when it is seen again."""
        before = await self._viewer.greeted()
        await self._viewer.page.evaluate("hideTab(true)")
        self._wire.cut()
        await self._viewer.back(before)
        await self._sender.more(3)
        await self._viewer.page.evaluate("hideTab(false)")
        self._wire.cut()

    def end(self) -> None:
        self._servers.close()


async def test_a_page_misses_nothing_and_shows_nothing_twice(
    browser: Browser, tmp_path: Path
) -> None:
    with served(tmp_path) as server:
        async with Wire(server.port).listening() as wire:
            context = await browser.new_context()
            await context.add_init_script(HIDE + COUNT)
            viewer = Viewer(await context.new_page())
            await _sign_in(viewer.page, server, wire.port)
            sender = Sender(server)
            trouble = Trouble(wire, viewer, sender, tmp_path)
            sending = asyncio.create_task(sender.run())
            try:
                await sender.more(1)
                for number in range(1, DISCONNECTS + 1):
                    await trouble.make(number)
                await sender.more(1)
                sender.stop()
                await sending
                await viewer.shows(sender.stored[-1])
                rows = await viewer.rows()
            finally:
                sending.cancel()
                trouble.end()
            await context.close()
    _check(sender.stored, rows)
    assert sum(trouble.count.values()) == DISCONNECTS
    print(f"{dict(trouble.count)}; {len(sender.stored)} errors, none missed, none twice")  # noqa: T201


async def _sign_in(page: Page, server: Served, port: int) -> None:
    here = f"http://127.0.0.1:{port}"
    await page.goto(here + str(server.ready["setup_url"]).removeprefix(server.url))
    await page.get_by_label("E-mail").fill("owner@shop.example")
    await page.get_by_label("Password").fill("correct horse battery staple")
    await page.locator("main form button").click()
    await page.goto(f"{here}/s/first")
    await expect(page.get_by_text("Waiting for the first error")).to_be_visible()


def _check(stored: list[str], rows: dict[str, tuple[str, str]]) -> None:
    """Each error has one row; where one had none, a gap would have to say so."""
    told = [text for kind, text in rows.values() if kind == "told"]
    shown = Counter(
        said
        for kind, text in rows.values()
        if kind == "error"
        for said in re.findall(r"fault [a-z]{4}\.", text)[:1]
    )
    missing = [said for said in stored if not shown[said]]
    assert not missing, f"{len(missing)} of {len(stored)} missing, told: {told}"
    assert [said for said, count in shown.items() if count > 1] == []
    assert told == []
