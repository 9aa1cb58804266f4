"""What the script puts on the wire, request by request, in a real Chromium."""

import asyncio
import gzip
import json
import re
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from harness.toolchain import ROWS
from playwright.async_api import Browser, Page
from sample import read

from errorstack_live.model import Draft
from errorstack_live.protocols import PROTOCOLS
from errorstack_live.protocols.beacon import PIXEL

FOLDER = Path(__file__).resolve().parents[1]
VERSION = json.loads((FOLDER / "package.json").read_text())["version"]
SCRIPT = (FOLDER / "released" / f"{VERSION}.js").read_bytes()
KEY = "0123456789abcdef0123456789abcdef"
WAIT_S = 10
QUICK = """
  var slowly = setTimeout;
  setTimeout = function (action, ms) { return slowly(action, ms >= 1000 ? ms / 100 : ms) };"""
"""Waits a hundredth of what the script waits before it tries again."""
HEAD = (
    b"HTTP/1.1 %d Status\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n"
    b"Access-Control-Allow-Origin: *\r\n%s\r\n"
)

pytestmark = pytest.mark.browser


@dataclass
class Collector:
    """Two origins in one: pages and the script by GET, submissions by any means, in order."""

    port: int = 0
    pages: dict[str, bytes] = field(default_factory=dict)
    drafts: list[Draft] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """What the next submissions are answered; then 200."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        path, submission = read(head + body)
        self.asked.append(head.split(b" ")[1].decode())
        kind, content, status = b"text/html", self.pages.get(path, b""), 200
        if path.endswith("/beacon.js"):
            kind, content = b"text/javascript", SCRIPT
        elif protocol := PROTOCOLS.get(path.removeprefix("/x")):
            self.requests.append(f"{submission.method} {path}")
            parsed = protocol.parse(submission)
            assert parsed.key == KEY
            self.drafts += parsed.drafts
            self.news.set()
            kind, content = b"image/gif", PIXEL
            status = self.statuses.pop(0) if self.statuses else 200
        more = b"Location: /elsewhere\r\n" if status == 302 else b""
        writer.write(HEAD % (status, kind, len(content), more) + content)
        await writer.drain()
        writer.close()

    async def wait(self, count: int) -> list[Draft]:
        """The first ``count`` submissions."""
        async with asyncio.timeout(WAIT_S):
            while len(self.drafts) < count:
                self.news.clear()
                await self.news.wait()
        return self.drafts


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
        ("'x'.repeat(20000)", "x" * 16384, None),
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
        ("", "POST /submit"),
        ("window.fetch = undefined", "POST /submit"),
        ("navigator.sendBeacon = undefined", "POST /submit"),
        ("delete Request.prototype.keepalive; window.fetch = undefined", "POST /submit"),
        ("AbortSignal.timeout = undefined", "POST /submit"),
        (
            "navigator.sendBeacon = undefined;"
            "window.fetch = function () { return Promise.reject(new TypeError('offline')) }",
            "GET /submit",
        ),
        ("navigator.sendBeacon = window.fetch = undefined", "GET /submit"),
        ("window.Blob = undefined", "POST /submit"),
    ],
)
async def test_falls_back_to_a_beacon_and_to_an_image(
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


async def test_it_is_tried_again_with_the_same_id(open_page: Open, collector: Collector) -> None:
    collector.statuses = [503, 429]
    await open_page(before=QUICK, after="throw new Error('again')")
    drafts = await collector.wait(3)
    assert len({draft.part for draft in drafts}) == 1
    assert drafts[0].fields == drafts[2].fields
    assert collector.requests == ["POST /submit"] * 3


async def test_it_is_given_up_at_last_and_told(open_page: Open, collector: Collector) -> None:
    collector.statuses = [503] * 6
    page = await open_page(before=QUICK, after="throw new Error('again')")
    await collector.wait(6)
    await page.evaluate("setTimeout(function () { throw new Error('later') })")
    *_, last = await collector.wait(7)
    assert (last.fields["Msg"], last.fields["NotSent"]) == ("Uncaught Error: later", "1")


async def test_a_log_message_is_not_doubled(open_page: Open, collector: Collector) -> None:
    collector.statuses = [503]
    await open_page(before=QUICK, after="ErrorStack.log('once'); throw new Error('x')")
    drafts = await collector.wait(2)
    assert [draft.text for draft in drafts] == ["once", None]
    assert collector.requests == ["POST /log", "POST /submit"]


async def test_a_redirect_is_not_followed(open_page: Open, collector: Collector) -> None:
    collector.statuses = [302]
    await open_page(before=QUICK, after="throw new Error('1'); ")
    await collector.wait(1)
    assert "/elsewhere" not in collector.asked


async def test_an_error_in_as_many_images_as_it_needs(
    open_page: Open, collector: Collector
) -> None:
    """Where the page's policy forbids all else."""
    await open_page(
        before="navigator.sendBeacon = window.fetch = undefined",
        after="ErrorStack.submit({Msg: 'long', a: '€'.repeat(400), b: 'b'.repeat(1400), c: 'c'})",
    )
    drafts = await collector.wait(2)
    assert len({draft.part for draft in drafts}) == 1
    whole: dict[str, object] = {}
    for draft in drafts:
        assert not set(whole) & set(draft.fields)
        whole |= draft.fields
    assert (whole["Msg"], whole["b"], whole["c"]) == ("long", "b" * 1400, "c")
    assert whole["a"] == "€" * 166  # what fits into an address that every browser takes
    assert max(len(path) for path in collector.asked) <= 2048


async def test_a_resource_that_does_not_load(open_page: Open, collector: Collector) -> None:
    page = await open_page(after="")
    await page.evaluate(
        """() => {
          for (let times = 0; times < 2; times++) {
            const image = document.createElement("img");
            image.src = "http://localhost:1/missing.png";
            document.body.append(image);
          }
          const own = document.createElement("script");  // what is ours is not told
          own.src = document.querySelector("script[data-stack]").src + ".map/";
          document.body.append(own);
        }"""
    )
    (draft,) = await collector.wait(1)
    assert draft.fields["Msg"] == "Could not load http://localhost:1/missing.png"
    assert (draft.fields["name"], draft.fields["level"]) == ("ResourceError", "warning")
    assert draft.fields["Tag"] == "IMG"


async def test_what_the_console_is_told_where_that_is_wanted(
    open_page: Open, collector: Collector
) -> None:
    tag = f'<script src="/beacon.js" data-stack="{KEY}" data-console="1"></script>'
    said: list[str] = []
    page = await open_page(script=tag)
    page.on("console", lambda message: said.append(message.text))
    await page.evaluate(
        "console.error('cart', {id: 7}); console.error('died:', new RangeError('r'))"
    )
    drafts = await collector.wait(2)
    by_message = {draft.fields["Msg"]: draft.fields for draft in drafts}
    assert by_message['cart {"id":7}']["name"] == "console.error"
    assert by_message["died: r"]["name"] == "RangeError"
    assert [text.split("\n")[0] for text in said] == ["cart {id: 7}", "died: RangeError: r"]


async def test_the_console_is_left_alone_elsewhere(open_page: Open, collector: Collector) -> None:
    page = await open_page(after="console.error('not wanted')")
    assert "native code" in await page.evaluate("String(console.error)")
    await page.evaluate("ErrorStack.submit('wanted')")
    (draft,) = await collector.wait(1)
    assert draft.fields["Msg"] == "wanted"


async def test_what_goes_with_every_error_and_what_is_scrubbed(
    open_page: Open, collector: Collector
) -> None:
    attributes = f'data-stack="{KEY}" data-release="2.4.1" data-environment="test"'
    await open_page(
        before="""
        var ErrorStack = {fields: {shop: "north", Msg: "not this"}, scrub: function (fields) {
          if (fields.Msg == "private") return null;
          if (fields.Msg == "fails") throw new Error("the hook itself");
          fields.PageURL = "-";
          return fields;
        }};""",
        script=f'<script src="/beacon.js" {attributes}></script>',
        after="""
        ErrorStack.submit("private"); ErrorStack.submit("fails");
        ErrorStack.submit({Msg: "public", shop: "south"}); ErrorStack.fields.cart = 3;
        ErrorStack.submit("later");""",
    )
    drafts = await collector.wait(2)
    first, later = (draft.fields for draft in drafts)
    assert (first["Msg"], first["shop"], first["PageURL"]) == ("public", "south", "-")
    assert (first["release"], first["environment"]) == ("2.4.1", "test")
    assert (later["Msg"], later["shop"], later["cart"]) == ("later", "north", "3")


async def test_log_messages_leave_room_for_errors(open_page: Open, collector: Collector) -> None:
    await open_page(
        after="for (var i = 0; i < 40; i++) ErrorStack.log(i); ErrorStack.submit('an error')"
    )
    drafts = await collector.wait(31)
    assert drafts[-1].fields["NotSent"] == "10"


def test_the_script_is_small() -> None:
    assert len(gzip.compress(SCRIPT, mtime=0)) <= 2048


def test_the_script_is_old_javascript() -> None:
    """Nothing that a browser of 2010 cannot parse."""
    code = re.sub(r'/\*.*?\*/|"(?:[^"\\\n]|\\.)*"', "", SCRIPT.decode(), flags=re.DOTALL)
    assert not re.search(r"=>|`|\b(let|const|class|async|await)\b|\.\.\.|\?\.|\?\?|\*\*", code)
    assert SCRIPT.isascii()


def test_the_newest_release_is_of_this_source() -> None:
    """``node clients/javascript/build.mjs`` makes it; needs the front end's node_modules."""
    done = subprocess.run(
        ["node", FOLDER / "build.mjs", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    row = ROWS["script-pinned"]["snippet"]
    assert f"URL/beacon/{VERSION}.js" in row
    assert f'integrity="{done.stdout.strip()}"' in row
