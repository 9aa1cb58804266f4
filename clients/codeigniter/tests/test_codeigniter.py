"""CodeIgniter 4 itself, and the hook of CodeIgniter 3 in what stands in for it."""

import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from harness import php
from harness.live import Live
from harness.report import Report
from harness.stack import Stack
from harness.toolchain import ROWS
from harness.trouble import Trouble

from errorstack_live.web.client import Client

Application = Callable[[str], AbstractContextManager[php.Site]]

VISITS = 8
VISITOR_MS = 1000
SLACK_MS = 1500
"""For a busy machine."""
MEMORY = "Allowed memory size of 16777216 bytes exhausted"
STANDIN = "a stand-in for CodeIgniter 3"


@pytest.mark.snippet("codeigniter")
def test_codeigniter_4(
    four: Application, snippet: str, stack: Stack, live: Live, report: Report
) -> None:
    with four(snippet) as site:
        assert site.get("/index.php/failing/error").text == "goes on"
        assert site.get("/index.php/failing/caught").text == "goes on"
        for fatal in ("exception", "warning", "memory"):
            assert site.get(f"/index.php/failing/{fatal}").status_code == 500
        url = site.url
        errors = {error["title"].partition(" (tried")[0]: error for error in stack.errors(5)}
    assert {title: error["level"] for title, error in errors.items()} == {
        "payment refused": "error",
        "LengthException: card declined": "warning",
        "DomainException: the shop is closed": "fatal",
        "ErrorException: Undefined variable $nothing": "fatal",
        f"ErrorException: {MEMORY}": "fatal",
    }
    assert all("app/Controllers/Failing.php:" in error["where"] for error in errors.values())
    refused = errors["payment refused"]
    assert "cart 7 emptied" in [log["text"] for log in refused["before"]]
    assert refused["fields"]["PageURL"] == f"{url}/index.php/failing/error"
    assert refused["fields"]["environment"] == "production"
    assert errors["LengthException: card declined"]["fields"]["logged"].startswith("no money: card")
    closed = errors["DomainException: the shop is closed"]["fields"]
    assert "Caused by: LogicException: no keeper" in closed["stack"]
    assert "Failing->exception()" in closed["stack"]
    assert len(live.errors(5)) == 5
    report(
        "codeigniter",
        "CodeIgniter 4.1.3",
        sent="logs, exceptions, a fatal error",
        stored="whole",
        live_ms=live.lags_ms[0],
    )


@pytest.mark.snippet("codeigniter3")
def test_the_hook_of_codeigniter_3(
    three: Application, snippet: str, stack: Stack, live: Live, report: Report
) -> None:
    with three(snippet) as site:
        assert site.get("/index.php/failing/warning").text == "goes on"
        for fatal in ("exception", "memory", "parse"):
            assert site.get(f"/index.php/failing/{fatal}").status_code == 500
        assert site.get("/index.php/failing/late").text == "goes on"
        errors = {error["title"].partition(" (")[0]: error for error in stack.errors(5)}
    assert {title: error["level"] for title, error in errors.items()} == {
        "E_WARNING: Undefined variable $nothing": "warning",
        "DomainException: the shop is closed": "fatal",
        f"E_ERROR: {MEMORY}": "fatal",
        "E_COMPILE_ERROR: Cannot redeclare ours()": "fatal",
        "said at the end": "error",
    }
    assert errors["said at the end"]["fields"]["order.id"] == "1017"
    closed = errors["DomainException: the shop is closed"]["fields"]
    assert "Caused by: LogicException: no keeper" in closed["stack"]
    log = (Path(site.log).parent / "application" / "log").read_text()
    assert log.count("ERROR - ") == 4, "and CodeIgniter's own handlers logged them"
    assert len(live.errors(5)) == 5
    report(
        "codeigniter3",
        STANDIN,
        sent="errors, exceptions, fatal errors",
        stored="whole",
        live_ms=live.lags_ms[0],
    )


VERSIONS = {"codeigniter": "four", "codeigniter3": "three"}


def pasted(request: pytest.FixtureRequest, name: str, key: str, url: str, served: str) -> Any:
    """An application that sends to ``url``, its client from the server at ``served``."""
    row = ROWS[name]
    told = {each: row[each] for each in Client.__dataclass_fields__ if each in row}
    text = Client(**told).fill(url, key).text.strip()
    first, _, rest = text.partition("\n")
    return request.getfixturevalue(VERSIONS[name])(f"{first.replace(url, served)}\n{rest}")


@pytest.mark.client("codeigniter")
@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("name", VERSIONS)
def test_send_error(request: pytest.FixtureRequest, stack: Stack, name: str) -> None:
    with pasted(request, name, stack.key, stack.url, stack.url) as site:
        sent = site.get("/index.php/failing/send").json()
        assert sent["success"] is True
        image = site.get(f"/index.php/failing/image?key={stack.key}")
        assert image.headers["content-type"].startswith("image/gif")
        assert image.content[:6] == b"GIF89a"
        assert len(image.content) == 43
    first, second = stack.errors(2)
    assert first["id"] == sent["id"]
    assert first["title"] == second["title"] == "sent"


@pytest.mark.client("codeigniter")
@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("name", VERSIONS)
def test_send_error_with_a_wrong_key(
    request: pytest.FixtureRequest, stack: Stack, name: str
) -> None:
    with pasted(request, name, "0" * 32, stack.url, stack.url) as site:
        sent = site.get("/index.php/failing/send").json()
        assert sent == {"success": False, "errorMsg": "Unknown stack key"}
        image = site.get("/index.php/failing/image?key=no")
        assert len(image.content) == 43, "an image in any case"


PAGES = {"codeigniter": ("error", "CodeIgniter 4.1.3"), "codeigniter3": ("late", STANDIN)}


@pytest.mark.client("codeigniter")
@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("name", VERSIONS)
def test_visitors_do_not_feel_it(
    request: pytest.FixtureRequest, stack: Stack, trouble: Trouble, report: Report, name: str
) -> None:
    page, platform = PAGES[name]
    with pasted(request, name, "k", trouble.url, stack.url) as site:
        took_ms(site, "/index.php/failing/fine")
        bare_ms = statistics.median(took_ms(site, "/index.php/failing/fine") for _ in range(VISITS))
        spent = [took_ms(site, f"/index.php/failing/{page}?visit={n}") for n in range(VISITS)]
    added_ms = [each - bare_ms for each in spent]
    assert max(added_ms) < VISITOR_MS + SLACK_MS
    assert statistics.median(added_ms) < SLACK_MS / 2
    report(name, platform, added_ms={trouble.name: max(statistics.mean(added_ms), 0)})


def took_ms(site: php.Site, path: str) -> float:
    began = time.perf_counter()
    site.get(path)
    return (time.perf_counter() - began) * 1000
