"""A real pico with the module, and pages in a real Chromium with the script."""

import asyncio
import io
import itertools
import json
import re
import socket
import subprocess
import urllib.request
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from harness.answering import STORED, Reply, answering, slow
from harness.live import Live
from harness.pages import Pages
from harness.report import Report
from harness.stack import Stack
from harness.toolchain import CLIENTS, ROOT, ROWS, Toolchain
from harness.trouble import AWAY, BUSY, GARBAGE, MOVED, Trouble
from playwright.async_api import Browser, Page, Request, Route

KYNETX = CLIENTS / "kynetx"
MODULE = KYNETX / "krl" / "com.errorstack.client.krl"
SCRIPT = (KYNETX / "kobj-errorstack.js").read_text()
RUN_S = 60
LETTERS = "café € 😀 & = % + ;"
ADDED = {"Platform", "occurred_at"}
MAX_CALL_MS = 250
MAX_ADDED_MS = 250
"""A pico does one thing after the other: an error is two more events for it."""
Event = tuple[str, str, dict[str, Any], int]
"""Domain, name, attributes, and milliseconds to wait afterwards."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a pico did: milliseconds of each event, and the module's status in the end."""

    spent_ms: list[float]
    waiting: int
    dropped: dict[str, int]


Pico = Callable[..., Told]


@pytest.fixture
def pico(tmp_path: Path) -> Pico:
    """Runs a pico with the module and one ruleset, sends it events, and says how it went."""
    chain = Toolchain(ROWS["kynetx"])
    chain.require()

    def run(ruleset: str, *events: Event, settle_s: float = 20, **config: float) -> Told:
        user = tmp_path / "user.krl"
        user.write_text(ruleset)
        told = json.dumps({"retry_s": 0.5, **config})
        command = ["node", str(KYNETX / "tests" / "pico.js"), str(chain.node_modules())]
        done = subprocess.run(
            [*command, str(MODULE), str(user), told, json.dumps(events), str(settle_s * 1000)],
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        return Told(said["spent"], said["status"]["waiting"], said["status"]["dropped"])

    return run


def ruleset(url: str, key: str, body: str = "", more: str = "") -> str:
    return f"""ruleset shop {{
      meta {{
        use module com.errorstack.client alias errors with key = "{key}" endpoint = "{url}" {more}
      }}
      rule say {{
        select when shop say
        errors:submit(event:attrs{{"text"}}, event:attrs{{"more"}})
      }}
      rule note {{
        select when shop note
        errors:log(event:attrs{{"text"}})
      }}
      {body}
    }}"""


def say(text: str, wait_ms: int = 0, **more: Any) -> Event:
    return ("shop", "say", {"text": text, "more": more}, wait_ms)


def note(text: str, wait_ms: int = 0) -> Event:
    return ("shop", "note", {"text": text}, wait_ms)


def engine() -> str:
    about = Toolchain(ROWS["kynetx"]).node_modules() / "pico-engine-core" / "package.json"
    return f"pico-engine-core {json.loads(about.read_text())['version']}"


@pytest.mark.client("kynetx")
def test_the_compiler_is_the_one_of_the_engine() -> None:
    modules = Toolchain(ROWS["kynetx"]).node_modules()
    found = {
        name: json.loads((modules / name / "package.json").read_text())["version"]
        for name in ("pico-engine-core", "krl-compiler", "krl-stdlib")
    }
    assert set(found.values()) == {"1.3.0"}


@pytest.mark.snippet("kynetx")
def test_the_snippet(stack: Stack, live: Live, snippet: str, pico: Pico, report: Report) -> None:
    told = pico(snippet, ("hello", "error", {}, 0))
    (fields,) = stack.fields(1)
    assert (fields["Msg"], fields["RuleID"], fields["RuleName"]) == (
        "Hello from KRL",
        "hello",
        "hello",
    )
    assert told.waiting == 0
    assert live.errors(1)[0]["title"] == "Hello from KRL"
    report("kynetx", engine(), sent="an error of a rule", stored="exactly", live_ms=live.lags_ms[0])


@pytest.mark.client("kynetx")
def test_the_example_reports_what_rules_raise(stack: Stack, pico: Pico) -> None:
    example = (KYNETX / "example" / "shop.krl").read_text()
    filled = example.replace("https://errors.example.com", stack.url).replace(
        '"KEY"', f'"{stack.key}"'
    )
    pico(
        filled,
        ("shop", "order", {"id": "1017", "total": "5"}, 300),
        ("shop", "order", {"id": "1018", "total": "0"}, 0),
    )
    (error,) = stack.errors(1)
    assert error["title"] == "order 1018 has no total"
    fields = error["fields"]
    assert (fields["RuleName"], fields["RuleID"], fields["release"]) == ("order", "shop", "2.4.1")
    assert error["before"][0]["text"] == "order 1017"


@pytest.mark.client("kynetx")
def test_fields_are_stored_as_sent(stack: Stack, pico: Pico) -> None:
    text = ruleset(
        stack.url, stack.key, more='release = "2.4.1" environment = "test" fields = {"shop": "s"}'
    )
    order = {"id": 1017, "by": {"name": "Ann"}, "items": ["a", "b"], "paid": None}
    pico(text, say(f"died {LETTERS}", order=order, _s="no"))
    (fields,) = stack.fields(1)
    assert fields.keys() >= ADDED
    assert {name: value for name, value in fields.items() if name not in ADDED} == {
        "Msg": f"died {LETTERS}",
        "order.id": "1017",
        "order.by.name": "Ann",
        "order.items": '["a","b"]',
        "release": "2.4.1",
        "environment": "test",
        "shop": "s",
    }


@pytest.mark.client("kynetx")
def test_a_repeated_error_is_counted_and_a_scrub_hook_asked(stack: Stack, pico: Pico) -> None:
    hook = 'function(said) { said{"Msg"} == "private" => null | said.put("user", "-") }'
    said = [say(each, 100, user="Ann") for each in ("a", "a", "a", "private", "b")]
    pico(ruleset(stack.url, stack.key, more=f"scrub = {hook}"), *said)
    first, second = stack.fields(2)
    assert (first["Msg"], first["user"]) == ("a", "-")
    assert (second["Msg"], second["dropped_repeat"]) == ("b", "2")


@pytest.mark.client("kynetx")
def test_a_minute_has_a_limit_and_the_queue_an_end(pico: Pico) -> None:
    said = [say(str(number)) for number in range(8)]
    with answering(AWAY) as server:
        told = pico(ruleset(server.url, "k"), *said, settle_s=0.3, per_minute=6, max_queue=3)
    assert told.waiting == 3
    posted = {form["_id"]: form for form in server.forms}.values()
    assert told.dropped["limit"] == 2
    assert told.dropped.get("queue", 0) + sum(int(f.get("dropped_queue", 0)) for f in posted) == 3


@pytest.mark.client("kynetx")
@pytest.mark.parametrize(("key", "url"), [("", "http://a"), ("k", "a:b")])
def test_a_module_that_cannot_send_does_nothing(pico: Pico, key: str, url: str) -> None:
    assert pico(ruleset(url, key), say("nowhere"), note("nowhere")).waiting == 0


@pytest.mark.client("kynetx")
def test_a_pico_does_not_feel_it(pico: Pico, trouble: Trouble, report: Report) -> None:
    idle: list[Event] = [("shop", "idle", {}, 0)] * 10
    said = [event for number in range(8) for event in (say(str(number)), note(str(number)))]
    body = "rule idle { select when shop idle noop() }"
    told = pico(ruleset(trouble.url, "k", body), *idle, *said, settle_s=0.2)
    added_ms = median(told.spent_ms[14:]) - median(told.spent_ms[2:10])
    assert added_ms < MAX_ADDED_MS
    assert trouble.server is None or trouble.server.forms
    report("kynetx", engine(), added_ms={trouble.name: max(added_ms, 0.0)})


@pytest.mark.client("kynetx")
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(slow, id="slow"),
        pytest.param(BUSY, id="429"),
        pytest.param(AWAY, id="503"),
        pytest.param(GARBAGE, id="garbage"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", id="page"),
    ],
)
def test_it_is_tried_again_with_the_same_bytes(pico: Pico, reply: bytes | Reply) -> None:
    with answering(reply, STORED) as server:
        told = pico(ruleset(server.url, "k"), say("once"))
    first, second = server.forms[:2]
    assert first == second
    assert len(first["_id"]) >= 20
    assert told.waiting == 0


@pytest.mark.client("kynetx")
def test_a_redirect_and_an_unknown_key_are_final(stack: Stack, pico: Pico) -> None:
    with answering(MOVED) as server:
        told = pico(ruleset(server.url, "k"), say("once"))
    assert len(server.forms) == 1
    assert (told.waiting, told.dropped) == (0, {"refused": 1})
    told = pico(ruleset(stack.url, "0" * 32), say("once"))
    assert (told.waiting, told.dropped) == (0, {"refused": 1})


@pytest.mark.client("kynetx")
def test_a_log_message_is_posted_once(pico: Pico) -> None:
    with answering(AWAY, STORED) as server:
        told = pico(ruleset(server.url, "k"), note("once", 1200))
    assert server.paths == ["/log"]
    assert told.waiting == 0


@pytest.mark.client("kynetx")
def test_a_server_that_comes_back_gets_what_waited(stack: Stack, pico: Pico) -> None:
    def forward(body: bytes) -> bytes:
        with urllib.request.urlopen(f"{stack.url}/submit", body, timeout=10) as answer:  # noqa: S310
            assert json.load(answer)["success"]
        return b""

    with answering(b"", forward, STORED) as server:
        told = pico(ruleset(server.url, stack.key), say("once"))
    assert len(server.forms) == 3
    assert told.waiting == 0
    assert stack.fields(1)[0]["Msg"] == "once"


# What Kynetx's own runtime sent: parts in image requests, unmodified.


def test_old_parts_arrive_in_any_order(stack: Stack) -> None:
    samples = ROOT / "tests" / "samples" / "kynetx"
    parts = [(samples / f"part-{number}.http").read_bytes() for number in (1, 2, 3)]
    expected: dict[str, str] = {}
    for number in (1, 2, 3):
        (draft,) = json.loads((samples / f"part-{number}.json").read_text())["drafts"]
        expected |= draft["fields"]
    orders = list(itertools.permutations(parts))
    for number, order in enumerate(orders):
        sockets = []
        for part in order:  # on parallel connections, as a browser's images
            to = urlsplit(stack.url)
            opened = socket.create_connection((str(to.hostname), to.port or 80), timeout=20)
            own = part.replace(b"_id=8f3a61c2", f"_id=order-{number}".encode())
            opened.sendall(own.replace(b"0123456789abcdef0123456789abcdef", stack.key.encode()))
            sockets.append(opened)
        for opened in sockets:
            with opened, opened.makefile("rb") as answer:
                assert b" 200 " in answer.readline()
    for fields in stack.fields(len(orders)):
        assert fields == expected


# The script for pages.


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


async def opened(page: Page, pages: Pages, url: str, settings: str = "{}") -> list[Request]:
    """Open a page of another origin with the script; returns what it requests from then on."""
    asked: list[Request] = []
    page.on(
        "request", lambda request: asked.append(request) if request.url.startswith(url) else None
    )
    before = f'var KOBJ = {{errorstack: {settings}}}; KOBJ.errorstack.endpoint = "{url}";'
    await page.goto(pages.put(f"<body><script>{before}</script><script>{SCRIPT}</script></body>"))
    return asked


async def told(ask: Callable[[int], list[dict[str, Any]]], count: int) -> list[dict[str, Any]]:
    return await asyncio.to_thread(ask, count)


LONG = "\\n".join(f"render@http://cdn.example/runtime-{line}.js:{line} é😀" for line in range(150))
THROWN = f"""() => {{
  const e = new TypeError("no order {LETTERS}");
  e.stack = "{LONG}";
  return KOBJ.errorstack_submit("KEY", e, {{name: "café_rule", id: "a50x2", order: "1017"}});
}}"""


@pytest.mark.browser
async def test_a_long_error_is_sent_in_parts(
    stack: Stack, live: Live, pages: Pages, page: Page, report: Report
) -> None:
    asked = await opened(page, pages, stack.url)
    assert await page.evaluate(THROWN.replace("KEY", stack.key))
    (error,) = await told(stack.errors, 1)
    (fields,) = [await whole(stack, page, asked)]
    assert len(asked) >= 5
    assert all(len(request.url) <= 2000 for request in asked)
    assert all(request.resource_type == "image" for request in asked)
    assert error["title"] == f"TypeError: no order {LETTERS}"
    pieces = [name for name in fields if name == "stack" or name.startswith("stack_")]
    assert "".join(fields[name] for name in sorted(pieces, key=number_of)) == LONG.replace(
        "\\n", "\n"
    )
    assert (fields["RuleName"], fields["RuleID"], fields["order"]) == ("café_rule", "a50x2", "1017")
    assert fields["PageURL"] == page.url
    browser = page.context.browser
    assert browser
    report(
        "kynetx",
        f"Chromium {browser.version}",
        sent=f"a long error in {len(asked)} images",
        stored="as one, exactly",
        live_ms=min(live.lags_ms) if await told(live.errors, 1) else None,
    )


def number_of(name: str) -> int:
    return int((re.findall(r"\d+", name) or ["1"])[0])


async def whole(stack: Stack, page: Page, asked: list[Request]) -> dict[str, Any]:
    """The one error's fields, once every request that the page made is answered."""
    await page.wait_for_function("performance.getEntriesByType('resource').length >= 1")
    await page.wait_for_load_state("networkidle")
    sent = {name for request in asked for name, _ in parse_qsl(urlsplit(request.url).query)}
    wanted = {name for name in sent if not name.startswith("_")}
    async with asyncio.timeout(20):
        while True:
            (fields,) = await told(stack.fields, 1)
            if fields.keys() >= wanted:
                return dict(fields)
            await asyncio.sleep(0.05)


@pytest.mark.browser
@pytest.mark.parametrize("order", ["reversed", "last first"])
async def test_parts_that_arrive_in_any_order_are_one_error(
    order: str, stack: Stack, pages: Pages, page: Page
) -> None:
    held: list[Route] = []
    enough = asyncio.Event()

    async def hold(route: Route) -> None:
        held.append(route)
        if len(held) == 4:
            enough.set()

    await page.route(f"{stack.url}/submit*", hold)
    asked = await opened(page, pages, stack.url, "{max_url: 3600}")
    await page.evaluate(THROWN.replace("KEY", stack.key))
    await asyncio.wait_for(enough.wait(), 20)
    now = list(held)
    for route in reversed(now) if order == "reversed" else [now[-1], *now[:-1]]:
        held.remove(route)
        await route.continue_()
        await told(stack.errors, 1)
    await page.unroute(f"{stack.url}/submit*")
    for route in held:
        await route.continue_()
    fields = await whole(stack, page, asked)
    pieces = [name for name in fields if name == "stack" or name.startswith("stack_")]
    assert "".join(fields[name] for name in sorted(pieces, key=number_of)) == LONG.replace(
        "\\n", "\n"
    )


@pytest.mark.snippet("kynetx-page")
@pytest.mark.browser
async def test_the_page_snippet(snippet: str, stack: Stack, pages: Pages, page: Page) -> None:
    def download() -> str:
        address = f"{stack.url}/clients/errorstack-kynetx.zip"
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310
            archive = zipfile.ZipFile(io.BytesIO(answer.read()))
        return archive.read("errorstack-kynetx/kobj-errorstack.js").decode()

    script = await asyncio.to_thread(download)
    await page.route("**/kobj-errorstack.js", lambda route: route.fulfill(body=script))
    await page.goto(pages.put(snippet))
    (fields,) = await told(stack.fields, 1)
    assert (fields["Msg"], fields["name"]) == ("Hello from Kynetx", "Error")
    assert (fields["RuleName"], fields["RuleID"]) == ("first_rule", "a60x237")


@pytest.mark.browser
async def test_as_rulesets_of_old_called_it(stack: Stack, pages: Pages, page: Page) -> None:
    """What Kynetx's engine emitted for a ruleset with an errorstack key in its meta block."""
    await opened(page, pages, stack.url)
    await page.evaluate(
        """key => {
          KOBJ['a60x237'] = {keys: {errorstack: key}};
          try { null.nothing } catch (e) {
            KOBJ.errorstack_submit(KOBJ['a60x237'].keys.errorstack, e,
              {id : 'a60x237',name : 'errorstack testing'});
          };
          KOBJ.errorstack_submit(KOBJ['a60x237'].keys.errorstack, "woho");
        }""",
        stack.key,
    )
    found = {error["title"]: error["fields"] for error in await told(stack.errors, 2)}
    assert "woho" in found
    (thrown,) = [fields for title, fields in found.items() if title.startswith("TypeError: ")]
    assert (thrown["RuleID"], thrown["RuleName"]) == ("a60x237", "errorstack testing")


@pytest.mark.browser
async def test_what_a_page_may_set(stack: Stack, pages: Pages, page: Page) -> None:
    settings = """{release: "2.4.1", environment: "test", fields: {shop: "s"}, per_minute: 4,
      scrub: function (fields) {
        KOBJ.errorstack_submit("key", "from inside the hook");
        if (fields.Msg === "fails") { throw new Error("no") }
        if (fields.Msg === "private") { return null }
        fields.user = "-";
        return fields;
      }}"""
    await opened(page, pages, stack.url, settings)
    said = await page.evaluate(
        """key => {
          const odd = {toString() { throw new Error("no text") }};
          const say = each => KOBJ.errorstack_submit(key, each, {user: "Ann", odd});
          return [say("private"), say("fails"), say("a"), say("a"), say("\\ud83d half"), say("c"),
            KOBJ.errorstack_submit("", "no key"), KOBJ.errorstack_log(key, "logged")];
        }""",
        stack.key,
    )
    assert said == [False, False, True, False, True, False, False, True]
    first, second = await told(stack.fields, 2)
    first, second = sorted((first, second), key=lambda fields: str(fields["Msg"]))
    assert (first["Msg"], second["Msg"]) == ("a", "\ufffd half")
    assert first["user"] == "-"
    assert first["odd"] == "(a value that cannot be shown)"
    assert (first["release"], first["environment"], first["shop"]) == ("2.4.1", "test", "s")
    losses = {
        name: value
        for fields in (first, second)
        for name, value in fields.items()
        if "dropped" in name
    }
    assert losses == {"dropped_scrub": "1", "dropped_repeat": "1"}
    assert [log["text"] for log in await told(stack.logs, 1)] == ["logged"]


@pytest.mark.browser
async def test_a_page_does_not_feel_it(
    trouble: Trouble, pages: Pages, page: Page, report: Report
) -> None:
    await opened(page, pages, trouble.url, "{per_minute: 1000, timeout_ms: 300, retry_ms: 50}")
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    spent = await page.evaluate(
        """() => {
          const spent = [];
          for (let number = 0; number < 60; number++) {
            const began = performance.now();
            try { null.nothing } catch (e) { KOBJ.errorstack_submit("k", e, {number}) }
            KOBJ.errorstack_log("k", "number " + number);
            spent.push(performance.now() - began);
          }
          return spent.sort((a, b) => a - b);
        }"""
    )
    assert spent[30] < 5
    assert spent[-1] < MAX_CALL_MS
    assert await page.evaluate("new Promise(done => setTimeout(() => done(6 * 7), 500))") == 42
    assert failures == []
    browser = page.context.browser
    assert browser
    report("kynetx", f"Chromium {browser.version}", added_ms={trouble.name: spent[30]})


@pytest.mark.browser
async def test_an_image_that_fails_is_asked_for_again(
    stack: Stack, pages: Pages, page: Page
) -> None:
    broken = iter([True, True, False])

    async def fail(route: Route) -> None:
        if next(broken, False):
            await route.abort()
        else:
            await route.continue_()

    await page.route(f"{stack.url}/submit*", fail)
    asked = await opened(page, pages, stack.url, "{retry_ms: 20}")
    await page.evaluate("key => KOBJ.errorstack_submit(key, 'once')", stack.key)
    assert (await told(stack.fields, 1))[0]["Msg"] == "once"
    assert len(asked) == 3
    assert len({request.url for request in asked}) == 3
    assert len({dict(parse_qsl(urlsplit(request.url).query))["_id"] for request in asked}) == 1


@pytest.mark.client("kynetx")
def test_the_script_is_ecmascript_3() -> None:
    modules = Toolchain(ROWS["kynetx"]).node_modules()
    program = (
        "require(process.argv[1]).parse(require('fs').readFileSync(process.argv[2], 'utf8'), "
        "{ecmaVersion: 3})"
    )
    parser = str(modules / "acorn")
    command = ["node", "-e", program, parser, str(KYNETX / "kobj-errorstack.js")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stderr
