"""Every line to paste, run as a person would who pasted it."""

import asyncio
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from html import unescape
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlencode

import pytest
from harness.live import Live
from harness.pages import Pages
from harness.report import Report
from harness.stack import Stack
from playwright.async_api import Browser, Page
from serving import eventually


def run(*words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def version(*words: str) -> str:
    found = re.search(r"\d+\.[\d.]+", run(*words))
    assert found
    return found[0].rstrip(".")


def fetch(url: str, form: bytes | None = None) -> HTTPResponse:
    answer: HTTPResponse = urllib.request.urlopen(url, form, timeout=20)  # noqa: S310 our own server
    return answer


@pytest.mark.snippet("curl")
def test_curl(snippet: str, stack: Stack, live: Live, report: Report) -> None:
    assert '"success":true' in run("sh", "-c", snippet).replace(" ", "")
    (error,) = stack.errors(1)
    assert error["title"] == "Hello"
    assert live.errors(1)[0]["id"] == error["id"]
    platform = f"curl {version('curl', '-V')}"
    report("plain", platform, sent="Msg", stored="exactly", live_ms=live.lags_ms[0])


@pytest.mark.snippet("json")
def test_json(snippet: str, stack: Stack) -> None:
    assert '"success":true' in run("sh", "-c", snippet).replace(" ", "")
    (fields,) = stack.fields(1)
    assert fields == {"Msg": "Hello", "level": "warning", "user": {"id": 733, "plan": "pro"}}


@pytest.mark.client("curl")
def test_a_shell_of_2010(stack: Stack, live: Live, report: Report) -> None:
    """The API page's own line: a form by hand, with its space as it is."""
    form = f"Msg=node died&_s={stack.key}&_r=json"
    assert '"success":true' in run("curl", "-d", form, f"{stack.url}/submit").replace(" ", "")
    assert stack.fields(1) == [{"Msg": "node died"}]
    live.errors(1)
    platform = f"curl {version('curl', '-V')}"
    report("shell (2010)", platform, sent="a raw space", stored="exactly",
           live_ms=live.lags_ms[0])  # fmt: skip


@pytest.mark.snippet("wget")
def test_wget(snippet: str, stack: Stack) -> None:
    assert '"success":true' in run("sh", "-c", snippet).replace(" ", "")
    assert stack.errors(1)[0]["title"] == "Hello"


@pytest.mark.snippet("cron")
def test_cron(snippet: str, stack: Stack) -> None:
    run("sh", "-c", snippet)  # there is no such job, so it fails
    (error,) = stack.errors(1)
    assert error["title"].startswith("some-job failed on ")
    assert error["level"] == "fatal"


@pytest.mark.snippet("log")
def test_log(snippet: str, stack: Stack, live: Live) -> None:
    run("sh", "-c", snippet)
    assert [message["text"] for message in stack.logs(1)] == ["deployed 2.4.1"]
    assert live.logs(1)[0]["text"] == "deployed 2.4.1"


@pytest.mark.snippet("python-logging")
def test_python_logging(snippet: str, stack: Stack, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(snippet)
    assert not run(sys.executable, program)
    assert stack.errors(1)[0]["title"] == "Hello from Python"


@pytest.mark.snippet("node-plain")
def test_node(snippet: str, stack: Stack, tmp_path: Path) -> None:
    program = tmp_path / "program.mjs"
    fails = 'setTimeout(() => {}, 50);\nprocess.on("uncaughtException", () => {});\n'
    program.write_text(f'{fails}{snippet}\nthrow new TypeError("boom");')
    run("node", program)
    assert stack.errors(1)[0]["title"] == "TypeError: boom"


@pytest.mark.snippet("php-plain")
def test_php(snippet: str, stack: Stack, tmp_path: Path) -> None:
    program = tmp_path / "program.php"
    program.write_text(f"<?php\n{snippet}\nthrow new LogicException('boom');")
    run("php", program)
    assert stack.errors(1)[0]["title"] == "LogicException: boom"


@pytest.mark.snippet("form")
def test_form(snippet: str, stack: Stack) -> None:
    action = re.search(r'action="([^"]+)" method="post"', snippet)
    assert action
    fields = re.findall(r'name="([^"]+)" value="([^"]+)"', snippet)
    with fetch(action[1], urlencode(fields).encode()) as answer:
        assert answer.headers["content-type"] == "image/gif"
    assert stack.errors(1)[0]["title"] == "Hello"


@pytest.mark.snippet("image")
def test_image(snippet: str, stack: Stack) -> None:
    source = re.search(r'src="([^"]+)"', snippet)
    assert source
    with fetch(unescape(source[1])) as answer:
        assert answer.headers["content-type"] == "image/gif"
    assert stack.errors(1)[0]["title"] == "Page was seen"


@pytest.mark.snippet("pipe")
def test_pipe(snippet: str, stack: Stack, live: Live, tmp_path: Path, report: Report) -> None:
    job = tmp_path / "some-job"
    job.write_text("#!/bin/sh\necho begins\necho 'error: disk full' >&2\necho ends\n")
    job.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path}:{errorstack(tmp_path)}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", snippet], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (
        (0, "begins\nerror: disk full\nends\n", "")
    )
    assert stack.errors(1)[0]["title"] == "error: disk full"
    assert [message["text"] for message in stack.logs(2)] == ["begins", "ends"]
    live.errors(1)
    report("pipe", "sh", sent="lines", stored="exactly", live_ms=live.lags_ms[0])


def errorstack(folder: Path) -> Path:
    """A folder for PATH with the command in it."""
    found = folder / "bin"
    found.mkdir()
    command = found / "errorstack"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m errorstack_live "$@"\n')
    command.chmod(0o755)
    return found


@pytest.mark.snippet("syslog")
def test_syslog(snippet: str, stack: Stack, live: Live, tmp_path: Path, report: Report) -> None:
    """A real rsyslogd of the test's own, told by the real logger."""
    command = errorstack(tmp_path) / "errorstack"
    socket = tmp_path / "log"
    (tmp_path / "rsyslog.conf").write_text(
        'module(load="imuxsock" SysSock.Use="off")\n'
        f'input(type="imuxsock" Socket="{socket}")\n'
        + snippet.replace("/usr/local/bin/errorstack", str(command))
    )
    words = ["-n", "-f", str(tmp_path / "rsyslog.conf"), "-i", str(tmp_path / "pid")]
    daemon = subprocess.Popen(["rsyslogd", *words])
    try:
        eventually(socket.exists, 30)
        send = ["logger", "--socket", str(socket), "-t", "backup", "-p"]
        subprocess.run([*send, "user.info", "all is well"], check=True)
        subprocess.run([*send, "user.err", "disk full on /var"], check=True)
        (error,) = stack.errors(1)
    finally:
        daemon.terminate()
        daemon.wait(20)
    assert error["title"].endswith("backup: disk full on /var")
    assert live.errors(1)[0]["id"] == error["id"]
    report("syslog", "rsyslog " + version("rsyslogd", "-v"), sent="user.err", stored="exactly",
           live_ms=live.lags_ms[0])  # fmt: skip


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


@pytest.mark.browser
@pytest.mark.snippet("form")
async def test_the_form_in_a_browser(
    snippet: str, stack: Stack, live: Live, pages: Pages, page: Page, report: Report
) -> None:
    await page.goto(pages.put(snippet))
    await page.get_by_role("textbox").fill("It hurts: é & €")
    await page.get_by_role("button", name="Send").click()
    assert await asyncio.to_thread(stack.fields, 1) == [{"Msg": "It hurts: é & €"}]
    assert len(await asyncio.to_thread(live.errors, 1)) == 1
    browser = page.context.browser
    assert browser
    report("form", f"Chromium {browser.version}", sent="POST", stored="exactly",
           live_ms=live.lags_ms[0])  # fmt: skip


@pytest.mark.browser
@pytest.mark.snippet("image")
async def test_the_image_in_a_browser(snippet: str, stack: Stack, pages: Pages, page: Page) -> None:
    await page.goto(pages.put(snippet, Cross_Origin_Embedder_Policy="require-corp"))
    assert (await asyncio.to_thread(stack.fields, 1))[0]["Msg"] == "Page was seen"
    assert await page.evaluate("document.images[0].naturalWidth") == 1
