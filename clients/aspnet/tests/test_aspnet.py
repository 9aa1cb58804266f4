"""Real sites, hosted by Mono: pages that throw, what is stored of it, and what visitors see."""

import base64
import io
import re
import shutil
import subprocess
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import pytest
from harness.csharp import RUN_S, Platform, mono
from harness.live import Live
from harness.report import Report
from harness.stack import DEADLINE_S, Stack
from harness.toolchain import CLIENTS, ROWS, Toolchain
from harness.trouble import Trouble
from serving import eventually

ASPNET = CLIENTS / "aspnet"
GOOD = '<%@ Page Language="C#" %><p><%= 6 * 7 %></p>'
BROKEN = """<%@ Page Language="C#" %>
<script runat="server">
    void Page_Load(object sender, System.EventArgs e)
    {
        throw new System.InvalidOperationException("no order " + Request.QueryString["order"]);
    }
</script>
<p>never shown</p>"""
SORRY = """<%@ Application Language="C#" %>
<script runat="server">
    void Application_Error()
    {
        Server.ClearError();
        Response.StatusCode = 503;
        Response.Write("sorry");
    }
</script>"""
BARE = "<configuration><system.web><customErrors mode='On' /></system.web></configuration>"
MAX_ADDED_MS = 100
PAGES = ("good.aspx", "none.aspx", *(f"broken.aspx?order={number}" for number in range(15)))


_ANSWER = re.compile(r"status=(\d+) seconds=([\d.E-]+) body=(.*)")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a visitor got."""

    status: int
    body: str
    seconds: float

    @property
    def answer(self) -> tuple[int, str]:
        return self.status, self.body


class Site:
    """A site in a folder, with App_Code as downloaded from the server."""

    def __init__(self, folder: Path, program: Path, archive: bytes = b"") -> None:
        self.folder = folder
        (folder / "bin").mkdir(parents=True)
        shutil.copy(program, folder / "bin")
        self._program = program
        self._running: list[subprocess.Popen[str]] = []
        self.write("good.aspx", GOOD)
        self.write("broken.aspx", BROKEN)
        self.write("web.config", BARE)
        if archive:
            zipfile.ZipFile(io.BytesIO(archive)).extractall(folder)
            (folder / "errorstack-aspnet" / "App_Code").rename(folder / "App_Code")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def configure(self, url: str, key: str) -> None:
        """Write the example's web.config, as the README says."""
        text = (ASPNET / "example" / "web.config").read_text()
        filled = text.replace("https://errors.example.com", url).replace('"KEY"', f'"{key}"')
        assert filled.count(url) == filled.count(f'"{key}"') == 1
        self.write("web.config", filled)

    def ask(self, *pages: str) -> list[Shown]:
        """Start the site and ask it for pages, one after the other; it stays until ``close``."""
        command = ["mono", str(self._program), str(self.folder), *pages]
        running = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True)
        self._running.append(running)
        assert running.stdout
        late = threading.Timer(RUN_S, running.kill)
        late.start()
        found = [_ANSWER.fullmatch(running.stdout.readline().strip()) for _ in pages]
        late.cancel()
        return [
            Shown(int(each[1]), base64.b64decode(each[3]).decode(), float(each[2]))
            for each in found
            if each
        ]

    def close(self) -> None:
        for running in self._running:
            running.kill()
            running.communicate()
        self._running.clear()


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    Toolchain(ROWS["aspnet"]).require()
    return mono(tmp_path_factory.mktemp("aspnet"))


@pytest.fixture(scope="session")
def program(platform: Platform) -> Path:
    """The host: a program that asks a site for pages as a web server does."""
    return platform.compile(
        ASPNET / "tests" / "Site.cs", out="Site.exe", options=["-r:System.Web.dll"]
    )


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory, program: Path) -> dict[str, Shown]:
    """What a site without us shows, by page; asked again and again for the last."""
    with closing(Site(tmp_path_factory.mktemp("plain") / "site", program)) as site:
        return dict(zip(PAGES, site.ask(*PAGES), strict=True))


@pytest.fixture
def site(tmp_path: Path, program: Path, stack: Stack) -> Iterator[Site]:
    """A site with App_Code out of the archive that the server gives away, not yet configured."""
    with urllib.request.urlopen(f"{stack.url}/clients/errorstack-aspnet.zip") as answer:  # noqa: S310
        archive = answer.read()
    with closing(Site(tmp_path / "site", program, archive)) as made:
        yield made


def with_net_http(site: Site) -> None:
    """Name the assembly that App_Code needs, and nothing of ours."""
    text = (ASPNET / "example" / "web.config").read_text()
    for gone in (r"<appSettings>.*</appSettings>", r"<(httpM|m)odules>.*?</\1odules>"):
        text = re.sub(gone, "", text, flags=re.DOTALL)
    assert "ErrorStackModule" not in text
    site.write("web.config", text)


@pytest.mark.snippet("aspnet")
def test_global_asax(
    site: Site,
    plain: dict[str, Shown],
    stack: Stack,
    snippet: str,
    live: Live,
    report: Report,
    platform: Platform,
) -> None:
    with_net_http(site)
    site.write("Global.asax", snippet)
    shown = site.ask(*PAGES[:3])
    assert [page.answer for page in shown] == [plain[page].answer for page in PAGES[:3]]
    assert [page.status for page in shown] == [200, 404, 500]
    (error,) = stack.errors(1)  # not the page that is not there
    fields = error["fields"]
    assert error["title"] == "System.InvalidOperationException: no order 0"
    assert fields["Message"] == "no order 0"
    assert fields["Source"].startswith("App_Web_")
    assert fields["StackTrace"].count("at ASP.broken_aspx.Page_Load") == 1
    assert fields["Method"] == "ASP.broken_aspx.Page_Load"
    assert fields["URL"].endswith("/broken.aspx?order=0")
    assert (fields["HttpMethod"], fields["status"]) == ("GET", "500")
    assert fields["UserAgent"] == "Mozilla/5.0 (a visitor)"
    assert fields["Handler"] == "ASP.broken_aspx"
    assert live.errors(1)[0]["title"] == error["title"]
    report(
        "aspnet",
        platform.name,
        sent="what a page throws, from Global.asax and by the module",
        stored="message, source, trace, method, request",
        live_ms=live.lags_ms[0],
    )


@pytest.mark.client("aspnet")
def test_the_module_needs_no_code(site: Site, plain: dict[str, Shown], stack: Stack) -> None:
    site.configure(stack.url, stack.key)
    (shown,) = site.ask("broken.aspx?order=7")
    assert shown.answer == plain["broken.aspx?order=7"].answer
    (fields,) = stack.fields(1)
    assert (fields["Message"], fields["release"]) == ("no order 7", "2.4.1")
    assert fields["environment"] == "production"


@pytest.mark.client("aspnet")
def test_a_site_that_answers_errors_itself(site: Site, stack: Stack) -> None:
    site.configure(stack.url, stack.key)
    site.write("Global.asax", SORRY)
    (shown,) = site.ask("broken.aspx?order=7")
    assert (shown.status, shown.body) == (503, "sorry")
    assert stack.fields(1)[0]["Message"] == "no order 7"


@pytest.mark.client("aspnet")
def test_both_send_an_error_once(site: Site, stack: Stack) -> None:
    site.configure(stack.url, stack.key)
    example = (ASPNET / "example" / "Global.asax").read_text()
    site.write(
        "Global.asax",
        example.replace("https://errors.example.com", stack.url).replace('"KEY"', f'"{stack.key}"'),
    )
    site.ask("broken.aspx?order=1", "broken.aspx?order=2")
    assert [fields["Message"] for fields in stack.fields(2)] == ["no order 1", "no order 2"]


@pytest.mark.client("aspnet")
def test_a_site_without_a_key_works(site: Site) -> None:
    site.configure("https://errors.example.com", "KEY")
    text = (site.folder / "web.config").read_text()
    site.write("web.config", re.sub(r"<add key=.*?/>", "", text))
    assert [page.status for page in site.ask("good.aspx", "broken.aspx")] == [200, 500]


@pytest.fixture(scope="session")
def libraries(platform: Platform) -> list[Path]:
    """Both projects compiled, for sites that keep no source."""
    library = platform.folder / "ErrorStack.dll"
    options = ("-target:library", "-r:System.Web.dll", "-r:System.Configuration.dll")
    module = platform.compile(
        *sorted(ASPNET.glob("App_Code/*.cs")), out="ErrorStack.AspNet.dll", options=options
    )
    return [library, module]


@pytest.mark.client("aspnet")
def test_visitors_do_not_feel_it(
    tmp_path: Path,
    program: Path,
    libraries: list[Path],
    plain: dict[str, Shown],
    trouble: Trouble,
    report: Report,
    platform: Platform,
) -> None:
    with closing(Site(tmp_path / "site", program)) as site:
        for library in libraries:
            shutil.copy(library, site.folder / "bin")
        site.configure(trouble.url, "k")
        shown = dict(zip(PAGES, site.ask(*PAGES), strict=True))
        eventually(lambda: trouble.server is None or trouble.server.forms, DEADLINE_S)
    assert [page.answer for page in shown.values()] == [page.answer for page in plain.values()]
    added_ms = 1000 * (pace_s(shown) - pace_s(plain))
    assert added_ms < MAX_ADDED_MS
    assert max(shown[page].seconds for page in PAGES[5:]) < 1
    report("aspnet", platform.name, added_ms={trouble.name: max(added_ms, 0.0)})


def pace_s(shown: dict[str, Shown]) -> float:
    """Seconds for a page that throws, once everything is compiled."""
    return median(shown[page].seconds for page in PAGES[5:])
