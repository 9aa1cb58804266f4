"""Real Node programs, with the real Express, Koa and Fastify."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from harness.answering import STORED, answering
from harness.live import Live
from harness.report import Report
from harness.stack import Stack
from harness.toolchain import ROOT, Toolchain
from harness.trouble import AWAY, BUSY, GARBAGE, MOVED, Trouble

pytestmark = pytest.mark.client("node")

BEGIN = """
const { Client, installHooks, requests, express, koa, fastify } = require("errorstack-node");
const key = process.env.ERRORSTACK_KEY, endpoint = process.env.ERRORSTACK_URL;
const fall = (text) => { throw new TypeError(text); };
"""


@pytest.fixture
def folder(toolchain: Toolchain, tmp_path: Path) -> Path:
    """Where programs find the client, and the frameworks of the table."""
    modules = tmp_path / "node_modules"
    modules.mkdir()
    for module in toolchain.node_modules().iterdir():
        if module.name[0] != ".":
            (modules / module.name).symlink_to(module)
    (modules / "errorstack-node").symlink_to(toolchain.folder)
    return tmp_path


def run(
    folder: Path, program: str, environ: dict[str, str], *words: str
) -> subprocess.CompletedProcess[str]:
    (folder / "program.js").write_text(BEGIN + program)
    return subprocess.run(
        ["node", *words, "program.js"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def at(url: str, stack: Stack) -> dict[str, str]:
    return {**stack.environ, "ERRORSTACK_URL": url}


def platform() -> str:
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return f"Node {done.stdout.strip()[1:]}"


@pytest.mark.snippet("node")
def test_a_program_that_dies(
    snippet: str, stack: Stack, live: Live, tmp_path: Path, report: Report
) -> None:
    """Installed from the server; it ends as it does without us."""
    install, program = snippet.split("\n", 1)
    (tmp_path / "package.json").write_text('{"private": true}')
    npm = ["npm", "--prefix", str(tmp_path), "install", "--no-audit", install.split()[-1]]
    subprocess.run(npm, check=True, capture_output=True, timeout=300)
    fails = "\nthrow new TypeError('boom');\n"
    (tmp_path / "with.js").write_text(program + fails)
    (tmp_path / "without.js").write_text(re.sub("[^\n]", " ", program) + fails)
    ends = [
        subprocess.run(["node", name], cwd=tmp_path, capture_output=True, text=True, check=False)
        for name in ("with.js", "without.js")
    ]
    assert [end.returncode for end in ends] == [1, 1]
    assert ends[0].stderr.replace("with.js", "without.js") == ends[1].stderr
    (error,) = stack.errors(1)
    assert (error["title"], error["level"]) == ("TypeError: boom", "fatal")
    assert error["fields"]["origin"] == "uncaughtException"
    assert live.errors(1)[0]["id"] == error["id"]
    report("node", platform(), sent="what ends a process", stored="exactly",
           live_ms=live.lags_ms[0])  # fmt: skip


def test_a_rejection_that_nobody_caught(folder: Path, stack: Stack) -> None:
    done = run(
        folder,
        """installHooks(new Client({ key, endpoint }));
        Promise.reject(new RangeError("too far", { cause: new Error("the root") }));""",
        stack.environ,
    )
    assert done.returncode == 1
    (fields,) = stack.fields(1)
    assert (fields["name"], fields["origin"]) == ("RangeError", "unhandledRejection")
    assert "\nCaused by: Error: the root\n" in fields["stack"]


def test_a_program_that_goes_on(folder: Path, stack: Stack) -> None:
    done = run(
        folder,
        """const client = new Client({ key, endpoint });
        const takeAway = installHooks(client);
        process.on("uncaughtException", async (error) => {
          takeAway();
          console.log("goes on", process.listenerCount("uncaughtExceptionMonitor"));
        });
        setTimeout(fall, 10, "survived");""",
        stack.environ,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on 0\n", "")
    assert stack.fields(1)[0]["Msg"] == "survived"


@pytest.mark.parametrize("end", ["", "process.exit(3)", "setTimeout(() => process.exit(3), 5)"])
def test_the_end_of_a_program_sends_what_waits(folder: Path, stack: Stack, end: str) -> None:
    program = """const client = new Client({ key, endpoint });
        client.log("nearly done"); client.submit("last words");"""
    done = run(folder, program + end, stack.environ)
    assert (done.returncode, done.stderr) == (3 if end else 0, "")
    assert stack.fields(1)[0]["Msg"] == "last words"
    assert [log["text"] for log in stack.logs(1)] == ["nearly done"]


FIELDS = """
const always = { release: "2.4.1", environment: "test", fields: { shop: "é €" } };
const client = new Client({ key, endpoint, ...always });
const loop = {}; loop.self = loop;
const odd = { get bad() { client.submit("from inside"); throw new Error("no"); } };
const order = { id: 1017, items: ["a", "b"], by: { name: "Ann" } };
client.submit({ Msg: "died 😀", order, none: null, ok: false, when: new Date(0), loop, odd,
  long: "x".repeat(40000), half: "\\ud83d", _s: "not this" });
client.log({ step: "migrate", rows: 7 });
"""


def test_fields_are_stored_as_sent(folder: Path, stack: Stack) -> None:
    done = run(folder, FIELDS, stack.environ)
    assert (done.returncode, done.stderr) == (0, "")
    (fields,) = stack.fields(1)
    assert fields.pop("host")
    assert fields.pop("Platform") == platform()
    assert "7272 characters left out" in fields.pop("long")
    assert "cannot be read: Error: no" in fields.pop("odd.bad")
    assert fields.pop("loop.self").startswith("<object that cannot")
    assert fields == {
        "Msg": "died 😀",
        "order.id": "1017",
        "order.items": ["a", "b"],
        "order.by.name": "Ann",
        "ok": "false",
        "when": "1970-01-01T00:00:00.000Z",
        "half": "\ufffd",
        "release": "2.4.1",
        "environment": "test",
        "shop": "é €",
    }
    assert stack.logs(1)[0]["fields"] == {"step": "migrate", "rows": "7"}


def test_repeats_limits_and_scrubbing_are_counted(folder: Path, stack: Stack) -> None:
    done = run(
        folder,
        """const scrub = (fields) => {
          if (fields.Msg === "fails") throw new Error();
          return fields.Msg === "private" ? null : { ...fields, user: "-" };
        };
        const client = new Client({ key, endpoint, perMinute: 4, scrub });
        const texts = ["a", "a", "fails", "private", "b", "c"];
        const said = texts.map((Msg) => client.submit({ Msg, user: 7 }));
        console.log(JSON.stringify(said));""",
        stack.environ,
    )
    assert json.loads(done.stdout) == [True, False, True, True, True, False]
    first, second = stack.fields(2)
    assert [first["Msg"], second["Msg"], second["user"]] == ["a", "b", "-"]
    told = {name: value for name, value in {**first, **second}.items() if "dropped" in name}
    assert told == {"dropped_repeat": "1", "dropped_limit": "1", "dropped_scrub": "2"}


def test_an_error_is_sent_once_by_all_layers(folder: Path, stack: Stack) -> None:
    run(
        folder,
        """const client = new Client({ key, endpoint });
        const error = new Error("once");
        client.watch({ job: 1 }, () => setTimeout(() => {
          client.submit(error, { step: 2 }); client.submit(error, { step: 3 });
        }, 5));""",
        stack.environ,
    )
    (fields,) = stack.fields(1)
    assert (fields["job"], fields["step"]) == ("1", "2")


def test_it_is_tried_again_with_the_same_bytes(folder: Path, stack: Stack) -> None:
    with answering(AWAY, GARBAGE, b"", STORED) as server:
        program = 'new Client({ key, endpoint }).submit("once"); setTimeout(() => 0, 5000);'
        run(folder, program, at(server.url, stack))
        assert len(server.forms) == 4
        assert all(form == server.forms[0] for form in server.forms)
        assert len(server.forms[0]["_id"]) == 32


def test_retry_after_is_honoured(folder: Path, stack: Stack) -> None:
    with answering(BUSY, STORED) as server:
        program = """const client = new Client({ key, endpoint }); client.submit("once");
            const began = Date.now();
            client.flush(9000).then((done) => console.log(done, Date.now() - began));"""
        done = run(folder, program, at(server.url, stack))
        is_done, ms = done.stdout.split()
        assert (is_done, int(ms) > 900, len(server.forms)) == ("true", True, 2)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (MOVED, "the server answered 301 to http://127.0.0.1:1/"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "the server answered 404"),
    ],
)
def test_what_is_given_up_is_told(folder: Path, stack: Stack, reply: bytes, problem: str) -> None:
    with answering(reply) as server:
        program = """const client = new Client({ key, endpoint }); client.submit("once");
            client.flush(9000).then(() => console.log(client.lastProblem));"""
        done = run(folder, program, at(server.url, stack))
        assert done.stdout.strip() == problem
        assert len(server.forms) == 1


def test_an_ambiguous_log_message_is_not_doubled(folder: Path, stack: Stack) -> None:
    with answering(b"", STORED) as server:
        run(folder, 'new Client({ key, endpoint }).log("once")', at(server.url, stack))
        assert server.paths == ["/log"]


@pytest.mark.parametrize("settings", ["{}", "{ key: '' }", "{ key: 'k', endpoint: 'a:b' }"])
def test_a_client_that_cannot_send_says_so(folder: Path, stack: Stack, settings: str) -> None:
    program = f"""const client = new Client({settings});
        console.log(client.isEnabled, client.submit("x"), client.log("x"));
        client.flush().then(console.log);"""
    done = run(folder, program, stack.environ)
    assert done.stdout == "false false false\ntrue\n"
    assert done.stderr.count("nothing will be sent") == 1


COST = """
const client = new Client({ key, endpoint, perMinute: 1000 });
const spent = [];
(async () => {
  for (let number = 0; number < 60; number++) {
    const error = new Error("number " + number);
    const began = process.hrtime.bigint();
    client.submit(error, { number });
    client.log("number " + number);
    spent.push(Number(process.hrtime.bigint() - began) / 1e6);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  console.log(spent.sort((a, b) => a - b)[30]);
})();
"""


def test_trouble(trouble: Trouble, folder: Path, stack: Stack, report: Report) -> None:
    began = time.monotonic()
    done = run(folder, COST, at(trouble.url, stack))
    assert time.monotonic() - began < 6
    assert done.returncode == 0
    cost_ms = float(done.stdout)
    report("node", platform(), added_ms={trouble.name: cost_ms})
    assert cost_ms < 5
    if trouble.server:
        assert trouble.server.forms


def test_a_dying_program_is_not_held_up(trouble: Trouble, folder: Path, stack: Stack) -> None:
    program = 'installHooks(new Client({ key, endpoint })); fall("boom");'
    began = time.monotonic()
    done = run(folder, program, at(trouble.url, stack))
    assert time.monotonic() - began < 4
    assert done.returncode == 1
    assert "TypeError: boom" in done.stderr


EXPRESS = """
const app = require("express")();
const client = new Client({ key, endpoint });
app.use(requests(client));
app.get("/boom/:id", async () => fall("in Express"));
app.get("/log", (request, response) => {
  client.submit({ Msg: "by hand" });
  response.send("ok");
});
const gone = Object.assign(new Error("gone"), { status: 410 });
app.get("/gone", (request, response, next) => next(gone));
app.use(express(client));
app.use((error, request, response, next) => response.status(error.status || 500).send("sorry"));
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""
KOA = """
const Koa = require("koa");
const app = new (Koa.default || Koa)();
const client = new Client({ key, endpoint });
app.silent = true;
app.use(koa(client));
app.use((context) => {
  if (context.path.startsWith("/boom")) fall("in Koa");
  if (context.path === "/gone") context.throw(410, "gone");
  client.submit({ Msg: "by hand" });
  context.body = "ok";
});
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
"""
FASTIFY = """
const app = require("fastify")();
const client = new Client({ key, endpoint });
app.register(fastify, { client });
app.get("/boom/:id", async () => fall("in Fastify"));
app.get("/log", async () => { client.submit({ Msg: "by hand" }); return "ok"; });
app.get("/gone", async () => { throw Object.assign(new Error("gone"), { statusCode: 410 }); });
app.listen({ port: 0, host: "127.0.0.1" }).then((address) => console.log(new URL(address).port));
"""


@contextmanager
def serving(folder: Path, program: str, environ: dict[str, str]) -> Iterator[str]:
    (folder / "server.js").write_text(BEGIN + program)
    process = subprocess.Popen(
        ["node", "server.js"], cwd=folder, env=environ, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize(
    ("name", "program"), [("express", EXPRESS), ("koa", KOA), ("fastify", FASTIFY)]
)
def test_a_web_application(
    name: str, program: str, folder: Path, stack: Stack, live: Live, report: Report
) -> None:
    with serving(folder, program, stack.environ) as url:
        found = [status(f"{url}/{path}") for path in ("boom/7?x=1", "gone", "log")]
        assert found == [500, 410, 200]
        boom, by_hand = stack.fields(2)
    assert boom["Msg"].lower() == f"in {name}"
    assert (boom["name"], boom["method"], boom["PageURL"]) == (
        "TypeError",
        "GET",
        f"{url}/boom/7?x=1",
    )
    assert boom.get("route") == (None if name == "koa" else "/boom/:id")
    assert (by_hand["Msg"], by_hand["PageURL"]) == ("by hand", f"{url}/log")
    assert len(live.errors(2)) == 2
    version = json.loads((folder / "node_modules" / name / "package.json").read_text())["version"]
    report("node", f"{name.title()} {version}", sent="a handler's error", stored="exactly",
           live_ms=live.lags_ms[0])  # fmt: skip


def status(url: str) -> int:
    return httpx.get(url, timeout=20).status_code


def test_the_example(folder: Path, stack: Stack, toolchain: Toolchain) -> None:
    program = (toolchain.folder / "example" / "program.js").read_text()
    (folder / "program.js").write_text(program)
    done = subprocess.run(
        ["node", "program.js", stack.url, stack.key], cwd=folder, check=False, capture_output=True
    )
    assert done.returncode == 1
    titles = [error["title"] for error in stack.errors(3)]
    assert titles[0] == "Cart is empty"
    assert titles[2] == "RangeError: the end"
    assert [log["text"] for log in stack.logs(1)] == ["the example begins"]


TYPED = """
import { Client, installHooks, express, koa, fastify, requests } from "errorstack-node";
const scrub = (fields: Record<string, string | string[]>) => ({ ...fields, user: "-" });
const client = new Client({ key: "k", endpoint: "u", scrub });
const undo: () => void = installHooks(client);
const number: number = client.watch({ job: 1 }, () => 7);
client.submit(new Error("x"), { order: 1017 });
client.flush(100).then((done: boolean) => done);
for (const each of [express, koa, requests]) each(client);
// @ts-expect-error a key is needed
new Client({ endpoint: "u" });
"""


def test_types(folder: Path) -> None:
    (folder / "use.mts").write_text(TYPED)
    modules = ROOT / "frontend" / "node_modules"
    (folder / "node_modules" / "@types").unlink(missing_ok=True)
    (folder / "node_modules" / "@types").symlink_to(modules / "@types")
    options = ("--noEmit", "--strict", "--module", "nodenext", "--target", "es2022")
    words: list[Any] = [modules / ".bin" / "tsc", *options, "--types", "node", "use.mts"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
