"""How smooth the live page stays in a real browser while errors storm in."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from random import Random
from urllib.parse import urlencode

from playwright.async_api import CDPSession, Page, async_playwright

from benchmarks.load import post
from benchmarks.product import Product, product
from errorstack_live.demo import Traffic

KEPT_ROWS = 10_000
FILL_PER_S = 1_000
RATE = 500
SECONDS = 10.0
CONNECTIONS = 8
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_MEASURE = """async (seconds) => {
  const long = [];
  new PerformanceObserver((list) => list.getEntries().forEach((e) => long.push(e.duration)))
    .observe({ type: "longtask" });
  let frames = 0;
  const began = performance.now();
  await new Promise((done) => {
    const tick = (now) => {
      frames += 1;
      now - began < seconds * 1000 ? requestAnimationFrame(tick) : done();
    };
    requestAnimationFrame(tick);
  });
  return {
    fps: frames / ((performance.now() - began) / 1000),
    "longest task ms": Math.max(0, ...long),
    nodes: document.getElementsByTagName("*").length,
  };
}"""
_FILTER = """async () => {
  const box = document.querySelector(".qin input");
  const list = document.querySelector(".rows");
  const total = list.clientHeight;
  const { set } = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value");
  set.call(box, "level:warning");
  box.dispatchEvent(new InputEvent("input", { bubbles: true }));
  const enter = { key: "Enter", bubbles: true, cancelable: true };
  const began = performance.now();
  box.dispatchEvent(new KeyboardEvent("keydown", enter));
  await new Promise((done) => {
    const look = () => {
      const other = list.querySelector(".row:not([hidden], .l-warning)");
      list.clientHeight < total && !other ? done() : requestAnimationFrame(look);
    };
    look();
  });
  return performance.now() - began;
}"""
_KEPT = """() => {
  const said = /([\\d,]+) rows/.exec(document.querySelector(".sb")?.innerText ?? "");
  return said ? Number(said[1].replaceAll(",", "")) : 0;
}"""


def main() -> dict[str, float]:
    """Fill the page's list, then measure it at RATE errors a second."""
    with product() as ours:
        return asyncio.run(_measure(ours))


async def _measure(ours: Product) -> dict[str, float]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=FLAGS
        )
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        await _sign_in(page, ours)
        await page.goto(f"{ours.url}/s/{ours.slug}")
        await _send(ours, FILL_PER_S, lambda: _has_rows(page))
        devtools = await page.context.new_cdp_session(page)
        measuring = asyncio.create_task(page.evaluate(_MEASURE, SECONDS))
        before = await _task_s(devtools)
        sent = await _send(ours, RATE, lambda: _is_done(measuring))
        found: dict[str, float] = await measuring
        busy = (await _task_s(devtools) - before) / SECONDS
        heap = await devtools.send("Runtime.getHeapUsage")
        kept = float(await page.evaluate(_KEPT))
        await asyncio.sleep(2)  # the storm is over: what is measured is the filter alone
        filtering = await page.evaluate(_FILTER)
        await browser.close()
    return {
        "errors/s": sent / SECONDS,
        "rows kept": kept,
        **found,
        "main thread ms/s": busy * 1000,
        "heap MB": heap["usedSize"] / 1e6,
        "filtering 10,000 rows ms": filtering,
    }


async def _sign_in(page: Page, ours: Product) -> None:
    await page.goto(ours.setup_url)
    await page.get_by_label("E-mail").fill("bench@example.org")
    await page.get_by_label("Password").fill("correct horse battery")
    await page.locator("main form button").click()
    await page.locator("#main h1").wait_for()


async def _has_rows(page: Page) -> bool:
    return int(await page.evaluate(_KEPT)) >= KEPT_ROWS


async def _is_done(task: "asyncio.Task[object]") -> bool:
    return task.done()


async def _task_s(devtools: CDPSession) -> float:
    await devtools.send("Performance.enable")
    metrics = (await devtools.send("Performance.getMetrics"))["metrics"]
    return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))


async def _send(ours: Product, rate: int, is_enough: Callable[[], Awaitable[bool]]) -> int:
    """Send shop traffic at a steady rate until it is enough, a minute at most; how many."""
    loop = asyncio.get_running_loop()
    traffic = Traffic(Random(4711))
    links = [
        (await loop.create_connection(asyncio.Protocol, "127.0.0.1", ours.port))[0]
        for _ in range(CONNECTIONS)
    ]  # what is answered is read and left: the page shows what was stored
    began, sent = loop.time(), 0
    while loop.time() - began < 60 and not await is_enough():
        for _ in range(int((loop.time() - began + 0.1) * rate) - sent):
            fields = {"_s": ours.key, **traffic.error()}
            links[sent % CONNECTIONS].write(post("/submit", urlencode(fields).encode()))
            sent += 1
        await asyncio.sleep(0.1)
    for link in links:
        link.close()
    return sent
