"""The API page: what it shows to whom, and that its lines work as they stand."""

import asyncio
import shutil
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fixtures_dashboard import Dashboard
from fixtures_server import Server, serving
from playwright.async_api import Browser, Page, expect

from errorstack_live.query import EVERYTHING
from errorstack_live.storage.mongo import Store
from errorstack_live.web.client import shelf
from errorstack_live.web.reference import SAMPLES, Sample
from errorstack_live.web.state import now

ALL = [
    pytest.param(each, id=f"{section}: {each.label}")
    for section, samples in SAMPLES.items()
    for each in samples
]


async def paste(line: str) -> str:
    if not shutil.which("curl"):
        pytest.skip("no curl here")
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", line, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(30):
        out, _ = await process.communicate()
    return out.decode("latin-1").replace(" ", "")


async def stored(server: Server) -> list[Any]:
    """Everything in the stack, as far as its senders know it."""
    store, stack_id = server.state.store, server.stack.id
    errors = (await store.errors.find(stack_id, EVERYTHING)).errors
    logs = await store.logs.alive(stack_id, now())
    said = [each.fields for each in errors] + [each.text or each.fields for each in logs]
    return sorted(said, key=str)


@pytest.mark.parametrize("sample", ALL)
async def test_a_line_and_its_button_send_the_same(
    server: Server, http: httpx.AsyncClient, sample: Sample
) -> None:
    line = sample.fill(server.url, server.key)
    said = await paste(line.line)
    assert ('"success":true' in said) != sample.is_for_all
    by_line = await stored(server)
    other = await server.state.store.stacks.create("Other", now=now(), retention_days=30)
    beside = replace(server, stack=other)
    button = sample.fill(server.url, beside.key)
    headers = {"Content-Type": button.content_type}
    method = "POST" if button.body else "GET"
    await http.request(method, button.path, content=button.body.encode(), headers=headers)
    assert await stored(beside) == by_line
    assert bool(by_line) or sample.is_for_all or "/mark" in sample.path


async def test_strangers_see_no_key(dashboard: Dashboard) -> None:
    page = await dashboard.visitor().get("/docs/api")
    assert page.status == 200
    assert "curl 'http://localhost/submit?_s=KEY&_r=json&Msg=Hello'" in page.elements.text
    assert dashboard.stack.keys[0].key not in page.text
    assert dashboard.stack.slug not in page.text
    ready = [each for each in page.elements.all("button") if "data-ready" in each]
    assert len(ready) == len(SAMPLES["replies"])


async def test_members_see_the_key_of_the_stack_they_choose(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    page = await visitor.get(f"/docs/api?stack={dashboard.stack.slug}")
    key = dashboard.stack.keys[0].key
    assert f"/submit?_s={key}&_r=json&Msg=Hello" in page.elements.text
    assert "_s=KEY" not in page.text.split('id="yours"', maxsplit=1)[0]
    chosen = [each["value"] for each in page.elements.all("option") if "selected" in each]
    assert chosen == [dashboard.stack.slug]
    assert (await visitor.get("/docs/api?stack=nowhere")).status == 404


async def test_a_stranger_cannot_ask_for_a_stack(dashboard: Dashboard) -> None:
    page = await dashboard.visitor().get(f"/docs/api?stack={dashboard.stack.slug}")
    assert page.status == 200
    assert dashboard.stack.keys[0].key not in page.text


async def test_lines_are_sent_to_the_address_in_them(store: Store) -> None:
    """The public one, also where the page is read at another."""
    async with serving(store, public_url="https://errors.example") as server:
        page = await asyncio.to_thread(httpx.get, f"{server.url}/docs/api")
    assert 'data-run="https://errors.example/submit?_s=nobody&amp;' in page.text
    policy = page.headers["content-security-policy"]
    assert "connect-src 'self' https://errors.example;" in policy


async def test_every_client_is_there(dashboard: Dashboard) -> None:
    page = await dashboard.visitor().get("/docs/api")
    text = page.elements.text
    for each in shelf().filled("http://localhost", "KEY"):
        assert each.text in text
        assert each.of.summary in text
    links = {link.get("href") for link in page.elements.all("a")}
    assert {f"/clients/{each.archive}" for each in shelf().clients if each.archive} <= links


@pytest.fixture
async def reading(browser: Browser, own_server: Server) -> Any:
    context = await browser.new_context()
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text))
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    yield page, own_server
    assert problems == []
    await context.close()


@pytest.mark.browser
async def test_a_stranger_tries_a_wrong_key(reading: tuple[Page, Server]) -> None:
    page, server = reading
    await page.goto(f"{server.url}/docs/api")
    buttons = page.get_by_role("button", name="Send it")
    await expect(buttons).to_have_count(1)
    await buttons.click()
    await expect(page.locator("output:visible", has_text="Unknown stack key")).to_be_visible()
    await page.get_by_role("radio", name="The picture").check(force=True)
    await buttons.click()
    said = page.locator("output:visible", has_text="image/gif, 43 bytes")
    await expect(said).to_contain_text("X-ErrorStack-Error: unknown-key")


@pytest.mark.browser
async def test_a_member_sends_and_sees(reading: tuple[Page, Server]) -> None:
    page, server = reading
    token = await server.state.store.meta.new_setup_token(now())
    await page.goto(f"{server.url}/setup?token={token}")
    await page.get_by_label("E-mail").fill("ada@example.org")
    await page.get_by_label("Password").fill("correct horse battery")
    await page.locator("main form button").click()
    await page.locator("#main h1").wait_for()
    await page.goto(f"{server.url}/docs/api")
    section = page.locator("section", has=page.locator("#submit"))
    await section.get_by_role("radio", name="JSON").check(force=True)
    await section.get_by_role("button", name="Send it").click()
    await section.get_by_role("link", name="See it").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("payment failed")


@pytest.mark.browser
async def test_an_address_names_a_client(reading: tuple[Page, Server]) -> None:
    page, server = reading
    await page.goto(f"{server.url}/docs/api#client-python")
    await expect(page.locator("#client-python pre")).to_be_in_viewport()
    await expect(page.locator("#client-curl")).to_be_hidden()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1440])
async def test_without_a_script(browser: Browser, own_server: Server, width: int) -> None:
    """Samples are chosen all the same; nothing is wider than the page."""
    viewport: Any = {"width": width, "height": 800}
    context = await browser.new_context(java_script_enabled=False, viewport=viewport)
    page = await context.new_page()
    await page.goto(f"{own_server.url}/docs/api")
    await page.locator("label", has_text="Python").click()
    await expect(page.locator("#client-python pre")).to_be_visible()
    await expect(page.locator("#client-curl")).to_be_hidden()
    await context.close()
    context = await browser.new_context(viewport=viewport)
    page = await context.new_page()
    await page.goto(f"{own_server.url}/docs/api")
    assert await page.evaluate("document.documentElement.scrollWidth") == width
    await context.close()
