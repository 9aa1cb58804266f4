"""The browser script in a real Chromium: errors of a page arrive on another origin."""

import asyncio
import gzip
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from importlib.resources import files

import pytest
from playwright.async_api import Browser, Page, async_playwright
from sample import read

from errorstack_live.model import Draft
from errorstack_live.protocols import PROTOCOLS
from errorstack_live.protocols.beacon import PIXEL

SCRIPT = files("errorstack_live.web").joinpath("beacon.js").read_bytes()
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
KEY = "0123456789abcdef0123456789abcdef"
WAIT_S = 10
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium"),
]


@dataclass
class Collector:
    """Two origins in one: pages and the script by GET, submissions by any means, in order."""

    port: int = 0
    pages: dict[str, bytes] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        path, submission = read(head + body)
        kind, content = b"text/html", self.pages.get(path, b"")
        if path.endswith("/beacon.js"):
            kind, content = b"text/javascript", SCRIPT
        elif protocol := PROTOCOLS.get(path.removeprefix("/x")):
            self.requests.append(f"{submission.method} {path}")
            parsed = protocol.parse(submission)
            assert parsed.key == KEY
            self.drafts += parsed.drafts
            self.news.set()
            kind, content = b"image/gif", PIXEL
        writer.write(HEAD % (kind, len(content)) + content)
        await writer.drain()
        writer.close()

    async def wait(self, count: int) -> list[Draft]:
        """The first ``count`` submissions."""
        async with asyncio.timeout(WAIT_S):
            while len(self.drafts) < count:
                self.news.clear()
                await self.news.wait()
        return self.drafts


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    server = await asyncio.start_server(collector.answer, "127.0.0.1", 0)
    collector.port = server.sockets[0].getsockname()[1]
    yield collector
    server.close()
    await server.wait_closed()


Open = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_page(browser: Browser, collector: Collector) -> AsyncIterator[Open]:
    page = await browser.new_page()

    async def open_page(*, script: str = "", before: str = "", after: str = "") -> Page:
        """A page of another origin that loads the script and then does ``after``."""
        tag = script or f'<script src="{origin}/beacon.js" data-stack="{KEY}"></script>'
        html = f"<script>{before}</script>{tag}<script>{after}</script>"
        collector.pages["/page"] = f"<!doctype html><meta charset=utf-8>{html}".encode()
        await page.goto(f"http://localhost:{collector.port}/page?q=1")
        return page

    origin = f"http://127.0.0.1:{collector.port}"
    yield open_page
    await page.close()


async def test_an_error_nobody_caught(open_page: Open, collector: Collector) -> None:
    page = await open_page(after="function go() { null.größe }\ngo()")

    (draft,) = await collector.wait(1)

    url = f"http://localhost:{collector.port}/page?q=1"
    assert list(draft.fields) == (
        ["Msg", "URL", "Line", "Column", "name", "stack", "PageURL", "UserAgent", "Platform"]
    )
    assert "größe" in str(draft.fields["Msg"])
    assert draft.fields["URL"] == draft.fields["PageURL"] == url
    assert draft.fields["name"] == "TypeError"
    assert "at go (" in str(draft.fields["stack"])
    assert draft.fields["UserAgent"] == await page.evaluate("navigator.userAgent")
    assert draft.part
    assert collector.requests == ["POST /submit"]


@pytest.mark.parametrize(
    ("thrown", "message", "name"),
    [
        ("new RangeError('too far')", "too far", "RangeError"),
        ("'words'", "words", "UnhandledRejection"),
        ("undefined", "undefined", "UnhandledRejection"),
        ("null", "null", "UnhandledRejection"),
        ("{code: 7}", '{"code":7}', "UnhandledRejection"),
        ("(function () { var a = {}; a.a = a; return a })()", "[object Object]", None),
        ("'half \\ud83d pair'", "half \ufffd pair", None),
        ("'x'.repeat(9000)", "x" * 8192, None),
    ],
)
async def test_a_promise_nobody_caught(
    open_page: Open, collector: Collector, thrown: str, message: str, name: str | None
) -> None:
    await open_page(after=f"Promise.reject({thrown})")
    (draft,) = await collector.wait(1)
    assert draft.fields["Msg"] == message
    assert draft.fields["name"] == (name or "UnhandledRejection")


async def test_by_hand(open_page: Open, collector: Collector) -> None:
    await open_page(
        after="""
        ErrorStack.submit({Msg: "mine", message: "too", order: {id: 7}, empty: "", no: null});
        ErrorStack.submit("words");
        try { missing() } catch (e) { ErrorStack.submit(e) }
        ErrorStack.log("a line");
        ErrorStack.log({user: 7});
        """
    )
    drafts = await collector.wait(5)
    by_message = {draft.fields.get("Msg"): draft for draft in drafts}
    mine = by_message["mine"].fields
    assert list(mine) == ["Msg", "message", "order", "empty", "PageURL", "UserAgent", "Platform"]
    assert mine["order"] == '{"id":7}'
    assert "words" in by_message
    assert by_message["missing is not defined"].fields["name"] == "ReferenceError"
    logs = {(draft.text, draft.is_json) for draft in drafts if draft.text is not None}
    assert logs == {("a line", False), ('{"user":7}', True)}
    assert len({draft.part for draft in drafts}) == 5


@pytest.mark.parametrize(
    ("script", "path"),
    [
        ("<script src='{0}/beacon.js?_s={1}'></script>", "/submit"),
        ("<script src='{0}/beacon.js#x' data-stack='{1}'></script>", "/submit"),
        ("<script src='{0}/x/beacon.js' data-stack='{1}'></script>", "/x/submit"),
        ("<script src='{0}/beacon.js' data-stack='{1}' async></script>", "/submit"),
        ("<script src='/x/beacon.js?v=2&_s={1}'></script>", "/x/submit"),
    ],
)
async def test_endpoint_and_key_come_from_the_tag(
    open_page: Open, collector: Collector, script: str, path: str
) -> None:
    tag = script.format(f"http://127.0.0.1:{collector.port}", KEY)
    await open_page(script=tag, after="onload = function () { throw new Error('x') }")
    await collector.wait(1)
    assert collector.requests == [f"POST {path}"]


@pytest.mark.parametrize(
    ("before", "request_line"),
    [
        ("navigator.sendBeacon = function () { return false }", "POST /submit"),
        ("navigator.sendBeacon = undefined", "POST /submit"),
        (
            "navigator.sendBeacon = undefined;"
            "window.fetch = function () { return Promise.reject(new TypeError('offline')) }",
            "GET /submit",
        ),
        ("navigator.sendBeacon = window.fetch = undefined", "GET /submit"),
        ("window.Blob = undefined", "POST /submit"),
    ],
)
async def test_falls_back_to_fetch_and_to_an_image(
    open_page: Open, collector: Collector, before: str, request_line: str
) -> None:
    await open_page(before=before, after="throw new Error('still here')")
    (draft,) = await collector.wait(1)
    assert draft.fields["Msg"] == "Uncaught Error: still here"
    assert collector.requests == [request_line]


async def test_repeats_and_floods_are_counted_not_sent(
    open_page: Open, collector: Collector
) -> None:
    page = await open_page(
        after="""
        var now = 1e12; Date = function () { return { valueOf: function () { return now } } };
        function fail(n) { dispatchEvent(new ErrorEvent("error", { message: "m" + n })) }
        for (var i = 0; i < 5; i++) fail(0);
        for (i = 0; i < 40; i++) fail(i);
        """
    )
    await collector.wait(30)
    await page.evaluate("now += 61000; fail(0)")
    drafts = await collector.wait(31)
    by_message = [draft.fields for draft in drafts if draft.fields["Msg"] == "m0"]
    assert len(by_message) == 2
    assert len(drafts) == 31
    assert sum(int(str(draft.fields.get("NotSent", 0))) for draft in drafts) == 15


async def test_a_page_without_a_key_is_left_alone(open_page: Open, collector: Collector) -> None:
    problems: list[str] = []
    page = await open_page(
        script=f"<script src='http://127.0.0.1:{collector.port}/beacon.js'></script>"
    )
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    await page.evaluate("ErrorStack.submit({Msg: 'x'}); ErrorStack.log('x')")
    assert problems == []
    assert collector.drafts == []


async def test_never_throws_into_the_page(open_page: Open, collector: Collector) -> None:
    page = await open_page(before="navigator.sendBeacon = window.fetch = window.Image = undefined")
    await page.evaluate(
        """
        ErrorStack.submit({get Msg() { throw new Error("no") }});
        ErrorStack.submit({Msg: {toJSON: function () { throw 1 }}});
        ErrorStack.submit(); ErrorStack.log(); ErrorStack.log(null);
        ErrorStack.submit(Object.create(null));
        """
    )
    assert collector.drafts == []


def test_the_script_is_small() -> None:
    assert len(gzip.compress(SCRIPT, mtime=0)) <= 2048


def test_the_script_is_old_javascript() -> None:
    """Nothing that a browser of 2010 cannot parse."""
    code = re.sub(r'/\*.*?\*/|//[^\n]*|"[^"\n]*"', "", SCRIPT.decode(), flags=re.DOTALL)
    assert not re.search(r"=>|`|\b(let|const|class|async|await)\b|\.\.\.|\?\.|\?\?|\*\*", code)
