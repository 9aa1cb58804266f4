"""Every line to paste, run as a person would who pasted it."""

import re
import subprocess
import sys
import urllib.request
from html import unescape
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlencode

import pytest
from harness.live import Live
from harness.report import Report
from harness.stack import Stack


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
