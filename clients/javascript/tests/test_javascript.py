"""The script on pages of another origin, in a real Chromium, with a real server behind it."""

import asyncio
import re
import ssl
import statistics
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from fixtures_browser import CHROMIUM, FLAGS
from harness.live import Live
from harness.pages import Pages, site
from harness.report import Report
from harness.stack import Stack
from harness.toolchain import ROOT, Toolchain
from harness.trouble import Trouble
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from serving import Served, served

pytestmark = [pytest.mark.browser, pytest.mark.client("script")]

FAILS = "<script>onload = function () { setTimeout(function () { nothing.here }) }</script>"
MESSAGE = "Uncaught ReferenceError: nothing is not defined"


async def told(ask: Callable[[int], list[dict[str, Any]]], count: int) -> list[dict[str, Any]]:
    """What a stack or a socket has, asked for beside the browser's loop."""
    return await asyncio.to_thread(ask, count)


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context(ignore_https_errors=True)
    yield opened
    await opened.close()


@pytest.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    made = trustme.CA().issue_cert("127.0.0.1", "localhost")
    made.private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    return folder / "both.pem"


@pytest.fixture(scope="module")
def secure_server(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    options = ("--tls-port", "0", "--certfile", str(certificate), "--keyfile", str(certificate))
    with served(tmp_path_factory.mktemp("secure"), *options) as running:
        yield running


@pytest.fixture
def secure_pages(certificate: Path) -> Iterator[Pages]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with site(context) as found:
        yield found


def tag(stack: Stack, **attributes: str) -> str:
    more = "".join(f' data-{name}="{value}"' for name, value in attributes.items())
    return f'<script src="{stack.url}/beacon.js" data-stack="{stack.key}"{more} async></script>'


@pytest.mark.snippet("script")
async def test_a_page_of_another_origin(
    snippet: str, stack: Stack, live: Live, pages: Pages, page: Page, report: Report
) -> None:
    address = pages.put(snippet + FAILS)
    await page.goto(f"{address}?cart=3")

    (error,) = await told(stack.errors, 1)
    (seen,) = await told(live.errors, 1)

    assert error["title"] == MESSAGE
    assert error["fields"]["PageURL"] == f"{address}?cart=3"
    assert error["fields"]["UserAgent"] == await page.evaluate("navigator.userAgent")
    assert seen["id"] == error["id"]
    platform = await chromium(page)
    report("javascript", platform, sent="onerror", stored="exactly", live_ms=live.lags_ms[0])


async def chromium(page: Page) -> str:
    browser = page.context.browser
    assert browser
    return f"Chromium {browser.version}"


async def test_https(
    secure_server: Served, secure_pages: Pages, page: Page, report: Report
) -> None:
    stack = Stack(secure_server, "https")
    stack.url = str(secure_server.ready["tls_url"])
    await page.goto(secure_pages.put(tag(stack) + FAILS))
    (error,) = await told(stack.errors, 1)
    assert error["fields"]["Msg"] == MESSAGE
    report("javascript", await chromium(page), sent="over https")


async def test_an_isolated_page(stack: Stack, pages: Pages, page: Page) -> None:
    address = pages.put(
        tag(stack) + FAILS,
        Cross_Origin_Embedder_Policy="require-corp",
        Cross_Origin_Opener_Policy="same-origin",
    )
    await page.goto(address)
    assert await page.evaluate("crossOriginIsolated")
    assert (await told(stack.fields, 1))[0]["Msg"] == MESSAGE


@pytest.mark.snippet("script-pinned")
async def test_a_page_that_checks_the_script(
    snippet: str, stack: Stack, pages: Pages, page: Page
) -> None:
    await page.goto(pages.put(snippet + FAILS))
    (fields,) = await told(stack.fields, 1)
    assert (fields["Msg"], fields["release"]) == (MESSAGE, "2.4.1")


@pytest.mark.snippet("script-pinned")
async def test_other_bytes_do_not_run(snippet: str, pages: Pages, page: Page) -> None:
    """The test above could not fail if the browser did not check."""
    wrong = re.sub("sha384-.{4}", "sha384-AAAA", snippet)
    await page.goto(pages.put(wrong))
    await page.wait_for_load_state("load")
    assert await page.evaluate("window.ErrorStack === undefined")


POLICY = "default-src 'none'; script-src 'unsafe-inline' {0}; "


@pytest.mark.parametrize("allowed", ["connect-src {0}", "img-src {0}"])
async def test_a_page_with_a_policy(allowed: str, stack: Stack, pages: Pages, page: Page) -> None:
    policy = (POLICY + allowed).format(stack.url)
    await page.goto(pages.put(tag(stack) + FAILS, Content_Security_Policy=policy))
    (fields,) = await told(stack.fields, 1)
    assert fields["Msg"] == MESSAGE
    assert "nothing.here" in await page.content()
    assert fields["stack"].startswith("ReferenceError")


async def test_an_ad_blocker(
    stack: Stack, pages: Pages, page: Page, context: BrowserContext
) -> None:
    blocked: list[str] = []

    async def block(route: Any) -> None:
        blocked.append(route.request.url)
        await route.abort("blockedbyclient")

    await context.route(re.compile(r"^http://[^/]+/(submit|log|beacon)"), block)
    await page.goto(pages.put(tag(stack) + FAILS))
    assert blocked == [f"{stack.url}/beacon.js"]
    stack.url += "/x"
    await page.goto(pages.put(tag(stack) + FAILS))
    assert (await told(stack.fields, 1))[0]["Msg"] == MESSAGE
    assert len(blocked) == 1


async def test_a_blocker_that_lets_only_the_script_through(
    stack: Stack, pages: Pages, page: Page, context: BrowserContext
) -> None:
    """Nothing arrives; the page has no further error of ours, and goes on."""
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    await context.route(re.compile("/submit"), lambda route: route.abort("blockedbyclient"))
    await page.goto(pages.put(tag(stack) + FAILS))
    await page.wait_for_function("performance.now() > 1500")
    assert problems == ["nothing is not defined"]


async def test_offline_then_online(
    stack: Stack, live: Live, pages: Pages, page: Page, context: BrowserContext
) -> None:
    await page.goto(pages.put(tag(stack)))
    await page.wait_for_function("window.ErrorStack")
    await context.set_offline(True)
    for number in range(3):
        await page.evaluate(f"ErrorStack.submit({{Msg: 'offline {number}'}})")
    await page.evaluate("ErrorStack.log('while offline')")
    await context.set_offline(False)

    stored = {fields["Msg"] for fields in await told(stack.fields, 3)}
    assert stored == {"offline 0", "offline 1", "offline 2"}
    assert [log["text"] for log in await told(stack.logs, 1)] == ["while offline"]
    assert len(await told(live.errors, 3)) == 3


async def test_a_page_that_is_closed_right_after_an_error(
    stack: Stack, pages: Pages, page: Page
) -> None:
    await page.goto(pages.put(tag(stack)))
    await page.wait_for_function("window.ErrorStack")
    await page.evaluate("dispatchEvent(new ErrorEvent('error', {message: 'last words'}))")
    await page.close()
    assert (await told(stack.fields, 1))[0]["Msg"] == "last words"


async def test_an_error_while_the_page_goes(stack: Stack, pages: Pages, page: Page) -> None:
    await page.goto(pages.put(tag(stack)))
    await page.wait_for_function("window.ErrorStack")
    await page.evaluate("onpagehide = function () { ErrorStack.submit('while going') }")
    await page.goto(pages.put("elsewhere", "/elsewhere"))
    assert (await told(stack.fields, 1))[0]["Msg"] == "while going"


CALLS = """async (times) => {
  const spent = [];
  for (let number = 0; number < times; number++) {
    const began = performance.now();
    dispatchEvent(new ErrorEvent("error", {message: "number " + number}));
    ErrorStack.log("number " + number);
    spent.push(performance.now() - began);
    await new Promise(requestAnimationFrame);
  }
  return spent;
}"""


async def test_trouble(
    trouble: Trouble, stack: Stack, pages: Pages, page: Page, report: Report
) -> None:
    """The page does not feel a server in trouble, and gets no error by it."""
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    await page.goto(pages.put(tag(stack, endpoint=trouble.url)))
    await page.wait_for_function("window.ErrorStack")
    spent = await page.evaluate(CALLS, 25)
    report("javascript", await chromium(page), added_ms={trouble.name: statistics.median(spent)})
    assert statistics.median(spent) < 5
    assert problems == []
    if trouble.server:
        assert trouble.server.paths
        assert {path.partition("?")[0] for path in trouble.server.paths} <= {"/submit", "/log"}


async def test_a_script_that_does_not_come(
    trouble: Trouble, stack: Stack, pages: Pages, page: Page
) -> None:
    """The tag itself points at a server in trouble: the page is ready all the same."""
    stack.url = trouble.url
    address = pages.put(tag(stack) + "<h1>Shop</h1>")
    await page.goto(address, wait_until="domcontentloaded", timeout=5_000)
    assert await page.inner_text("h1") == "Shop"
    assert await page.evaluate("performance.getEntriesByType('navigation')[0].duration") < 5_000


@pytest.mark.snippet("noscript")
async def test_a_browser_without_scripts(
    snippet: str, stack: Stack, pages: Pages, browser: Browser
) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(pages.put(snippet))
    (error,) = await told(stack.errors, 1)
    await context.close()
    assert (error["title"], error["level"]) == ("No script", "info")


OLD_PAGE = """<script type="text/javascript">
window.onerror = function (msg, url, line) {
  var img = new Image();
  img.src = "http://www.errorstack.com/submit?_s=KEY&_r=img" +
    "&Msg=" + escape(msg) + "&URL=" + escape(url) + "&Line=" + escape(line) +
    "&Platform=" + escape(navigator.platform) + "&UserAgent=" + escape(navigator.userAgent);
  return false;
};
</script>
<script>throw new Error("café € a+b &c=%d 😀")</script>"""
"""What pages of 2010 had, as the service's API page gave it."""


async def test_the_old_snippet_as_it_stands(
    stack: Stack, live: Live, pages: Pages, report: Report
) -> None:
    """Its address is the old one, too: this browser finds it on the new server."""
    port = stack.url.rpartition(":")[2]
    rule = f"--host-resolver-rules=MAP www.errorstack.com:80 127.0.0.1:{port}"
    address = pages.put(OLD_PAGE.replace("KEY", stack.key))
    async with async_playwright() as playwright:
        old = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, rule])
        page = await old.new_page()
        await page.goto(address)
        (fields,) = await told(stack.fields, 1)
        platform, agent = await page.evaluate("[navigator.platform, navigator.userAgent]")
        version = old.version
        await old.close()
    assert fields == {
        "Msg": "Uncaught Error: café € a b &c=%d 😀",  # escape() leaves a plus as it is
        "URL": address,
        "Line": fields["Line"],
        "Platform": platform,
        "UserAgent": agent,
    }
    assert (await told(live.errors, 1))[0]["fields"]["Msg"] == fields["Msg"]
    report("javascript (2010)", f"Chromium {version}", sent="escape()", stored="exactly",
           live_ms=live.lags_ms[0])  # fmt: skip


@pytest.mark.snippet("npm")
async def test_the_package(
    snippet: str, stack: Stack, pages: Pages, page: Page, tmp_path: Path, report: Report
) -> None:
    """Installed by npm from the server, then run by a page as modules."""
    install, program = snippet.split("\n", 1)
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    npm = ["npm", "--prefix", str(tmp_path), "install", "--no-audit", install.split()[-1]]
    subprocess.run(npm, check=True, capture_output=True, timeout=300)
    package = tmp_path / "node_modules" / "errorstack-beacon"
    for path in package.rglob("*.js"):
        pages.put(path.read_text(), f"/{path.relative_to(package)}", "text/javascript")
    imports = '<script type="importmap">{"imports": {"errorstack-beacon": "/index.js"}}</script>'
    await page.goto(pages.put(f'{imports}<script type="module">{program}</script>'))
    (fields,) = await told(stack.fields, 1)
    assert (fields["Msg"], fields["release"]) == ("Hello from a bundle", "2.4.1")
    report("javascript (npm)", await chromium(page), sent="fields", stored="exactly")
    on_a_server = "import {init} from 'errorstack-beacon'; init({key: 'k', endpoint: 'u'}).log('x')"
    subprocess.run(["node", "--input-type=module", "-e", on_a_server], check=True, cwd=tmp_path)
    (tmp_path / "use.ts").write_text(TYPED)
    compiler = ROOT / "frontend" / "node_modules" / ".bin" / "tsc"
    options = ("--noEmit", "--strict", "--module", "nodenext", "--target", "es2022")
    done = subprocess.run(
        [compiler, *options, "use.ts"], check=False, cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


TYPED = """
import { init, type ErrorStack, type Fields } from "errorstack-beacon";
const errors: ErrorStack = init({ key: "k", endpoint: "u", scrub: (fields: Fields) => null });
errors.submit(new Error("x"));
errors.fields = { user: 7 };
window.ErrorStack?.log?.("x");
// @ts-expect-error a key is needed
init({ endpoint: "u" });
"""


async def test_the_example(stack: Stack, pages: Pages, page: Page, toolchain: Toolchain) -> None:
    html = (toolchain.folder / "example.html").read_text()
    await page.goto(f"{pages.put(html)}?endpoint={stack.url}&key={stack.key}")
    await page.wait_for_function("window.ErrorStack")
    for button in await page.query_selector_all("button"):
        await button.click()
    assert {error["type"] for error in await told(stack.errors, 5)} == {
        *("ReferenceError", "RangeError", "ResourceError", "console.error", ""),
    }
    assert (await told(stack.logs, 1))[0]["text"] == "a button was pressed"
