"""Real Django sites, of the current version and of the LTS, with what they send."""

import platform
import re
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness.live import Live
from harness.report import Report
from harness.stack import Stack
from harness.toolchain import CLIENTS, ROWS, Toolchain
from harness.trouble import Trouble, trouble_of

pytestmark = pytest.mark.client("django")

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parent / "example"
DJANGOS = [each for each in ROWS["django"]["pip"] if each.startswith("django==")]
NEEDS = {"6": (3, 12), "5": (3, 10)}
"""The oldest Python of each major version of Django."""


@dataclass(frozen=True, slots=True)
class Site:
    """An environment with a Django, and the example to run in it."""

    python: Path
    name: str
    environ: dict[str, str]

    def manage(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.python, "manage.py", *words],
            cwd=EXAMPLE,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @contextmanager
    def serving(self, *, asgi: bool, **environ: str) -> Iterator[str]:
        """The site's address, while it is served."""
        words = ["-m", "hypercorn", "--bind", "127.0.0.1:0", "asgi:application"]
        if not asgi:
            words = ["manage.py", "runserver", "--noreload", "--nothreading", "127.0.0.1:0"]
        process = subprocess.Popen(
            [self.python, "-u", *words],
            cwd=EXAMPLE,
            env={**self.environ, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield _address(process, self.name)
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _address(process: "subprocess.Popen[str]", name: str) -> str:
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if found := re.search(r"http://127\.0\.0\.1:([1-9]\d*)", line):
            return found[0]
    raise AssertionError(f"{name} did not start:\n{said}")


@pytest.fixture(params=DJANGOS)
def site(request: pytest.FixtureRequest, toolchain: Toolchain, stack: Stack) -> Site:
    wanted = str(request.param)
    version = wanted.partition("==")[2]
    python = toolchain.python(wanted, "hypercorn==0.18.0", at_least=NEEDS[version[0]])
    path = f"{CLIENTS / 'python'}:{CLIENTS / 'django'}"
    environ = {"PYTHONPATH": path, "KEY": stack.key, "URL": stack.url, "PYTHONWARNINGS": "default"}
    return Site(python, f"Django {version}", environ)


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 our own site
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("asgi", [False, True], ids=["wsgi", "asgi"])
def test_a_view_that_raises(
    site: Site, stack: Stack, live: Live, report: Report, *, asgi: bool
) -> None:
    with site.serving(asgi=asgi) as url:
        assert status(f"{url}/boom?cart=3") == 500
        (error,) = stack.errors(1)  # once, though Django logs it as well
        fields = error["fields"]
        assert error["title"] == "ZeroDivisionError: division by zero"
        assert fields["PageURL"] == f"{url}/boom?cart=3"
        assert (fields["method"], fields["view"], fields["release"]) == ("GET", "boom", "1.0")
        assert 'manage.py", line ' in fields["stack"]
        assert live.errors(1)[0]["id"] == error["id"]
        report("django", site.name, sent="ASGI" if asgi else "WSGI", stored="exactly",
               live_ms=live.lags_ms[0])  # fmt: skip


def test_an_asynchronous_view(site: Site, stack: Stack) -> None:
    with site.serving(asgi=True) as url:
        assert status(f"{url}/later") == 500
        (fields,) = stack.fields(1)
        assert (fields["type"], fields["view"]) == ("LookupError", "later")


@pytest.mark.parametrize("asgi", [False, True], ids=["wsgi", "asgi"])
def test_what_is_logged_during_a_request(site: Site, stack: Stack, *, asgi: bool) -> None:
    with site.serving(asgi=asgi) as url:
        assert status(f"{url}/logged") == 200
        (error,) = stack.errors(1)
        fields = error["fields"]
        assert error["title"] == "order 1017 was not saved"
        assert (fields["order.total"], fields["PageURL"]) == ("12.5", f"{url}/logged")


def test_what_is_not_there_is_no_error(site: Site, stack: Stack) -> None:
    with site.serving(asgi=False) as url:
        assert status(f"{url}/missing") == 404
        assert status(f"{url}/nowhere") == 404
        assert status(f"{url}/boom") == 500
        assert stack.errors(1)[0]["type"] == "ZeroDivisionError"


@pytest.mark.snippet("django")
def test_settings_pasted(snippet: str, site: Site, stack: Stack, tmp_path: Path) -> None:
    """Installed from the server, pasted into a new project, tried as the last line says."""
    install, *lines, test = snippet.split("\n")
    installed = tmp_path / "installed"
    options = ["--quiet", "--no-deps", "--disable-pip-version-check", "--target", str(installed)]
    words = [str(site.python), "-m", "pip", "install", *options, *install.split()[3:]]
    subprocess.run(words, check=True, timeout=120)
    environ = {"PYTHONPATH": str(installed), "PATH": ""}
    admin = [str(site.python), "-m", "django", "startproject", "shop", "."]
    subprocess.run(admin, cwd=tmp_path, env=environ, check=True, timeout=60)
    with (tmp_path / "shop" / "settings.py").open("a") as settings:
        settings.write("\n".join(lines))
    words = [str(site.python), *test.removeprefix("# python ").split()]
    for command in (words, [str(site.python), "manage.py", "check", "--fail-level", "WARNING"]):
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert stack.errors(1)[0]["title"] == "ErrorStackTest: A test error from Django"
    assert [log["text"] for log in stack.logs(1)] == ["errorstack_test begins"]


def test_the_command_says_what_is_wrong(site: Site) -> None:
    done = site.manage("errorstack_test", KEY="0" * 32)
    assert (done.returncode, "Unknown stack key" in done.stderr) == (1, True)
    done = site.manage("errorstack_test", KEY="")
    assert "ERRORSTACK_STACK_KEY is not set" in done.stderr
    with trouble_of("redirect") as trouble:
        done = site.manage("errorstack_test", URL=trouble.url)
        assert (done.returncode, "It did not arrive: the server answered 301" in done.stderr) == (
            (1, True)
        )


def test_checks_say_what_is_missing(site: Site) -> None:
    done = site.manage("check", KEY="", URL="")
    assert done.returncode == 0
    assert set(re.findall(r"errorstack\.W\d+", done.stderr)) == {
        "errorstack.W001",
        "errorstack.W002",
    }


def test_without_a_key_the_site_is_as_it_was(site: Site) -> None:
    with site.serving(asgi=False, KEY="") as url:
        assert [status(f"{url}/{path}") for path in ("boom", "logged", "missing")] == [
            500,
            200,
            404,
        ]


def test_trouble(site: Site, trouble: Trouble, report: Report) -> None:
    """A request that fails takes as long as it does without a server that could be told."""
    if site.name not in _usual_ms:
        with site.serving(asgi=False, KEY="") as url:
            _usual_ms[site.name] = spent_ms(f"{url}/boom")
    with site.serving(asgi=False, URL=trouble.url, KEY="k") as url:
        ms = spent_ms(f"{url}/boom")
    added_ms = max(0.0, ms - _usual_ms[site.name])
    report("django", site.name, added_ms={trouble.name: added_ms})
    assert added_ms < 50
    if trouble.server:
        assert trouble.server.forms


_usual_ms: dict[str, float] = {}


def spent_ms(url: str) -> float:
    """The median of 15 requests."""
    spent = []
    for number in range(15):
        began = time.perf_counter()
        assert status(f"{url}?{number}") == 500
        spent.append(time.perf_counter() - began)
    return statistics.median(spent) * 1000


def test_the_old_handler_as_it_is(
    stack: Stack, live: Live, toolchain: Toolchain, report: Report
) -> None:
    """django-errorstack 0.1.0 from PyPI, on Python 3, unmodified."""
    lts = next(each for each in DJANGOS if each.startswith("django==5"))
    old = next(each for each in ROWS["django"]["pip"] if "errorstack" in each)
    python = toolchain.python(lts, old)
    done = subprocess.run(
        [python, HERE / "old_handler.py"],
        env=stack.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    (error,) = stack.errors(1)
    assert error["title"] == "Unhandled exception in checkout & more"
    assert set(error["fields"]) == {
        *("name", "msg", "levelname", "module", "pathname", "funcName", "lineno", "args"),
        *("exc_text", "threadName", "thread", "process", "asctime"),
    }
    assert error["fields"]["args"] == "('checkout & more',)"
    assert live.errors(1)[0]["id"] == error["id"]
    name = f"CPython {platform.python_version()}"
    report("django-errorstack 0.1.0", name, sent="POST", stored="exactly", live_ms=live.lags_ms[0])
