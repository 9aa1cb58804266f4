"""The fixtures of all clients' tests."""

from collections.abc import Iterator

import pytest
from serving import Served, served

from errorstack_live.web.client import Client
from harness.live import Live
from harness.pages import Pages, site
from harness.stack import Stack
from harness.toolchain import ROWS, Toolchain
from harness.trouble import TROUBLES, Trouble, trouble_of


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A real server for the whole run; its neutral alias is ``/x``."""
    data_dir = tmp_path_factory.mktemp("data")
    with served(data_dir, ERRORSTACK_INGEST_ALIAS="/x") as running:
        yield running


@pytest.fixture
def stack(server: Served, request: pytest.FixtureRequest) -> Stack:
    """A stack of the test's own."""
    return Stack(server, request.node.name[:60])


@pytest.fixture
def live(stack: Stack) -> Iterator[Live]:
    """A websocket that has been watching the test's stack since before the test began."""
    watching = Live(stack)
    yield watching
    watching.close()


@pytest.fixture
def pages() -> Iterator[Pages]:
    """A web site of another origin than the server's."""
    with site() as found:
        yield found


@pytest.fixture(params=TROUBLES)
def trouble(request: pytest.FixtureRequest) -> Iterator[Trouble]:
    """Each server in trouble in turn: the test runs once for each."""
    with trouble_of(request.param) as found:
        yield found


@pytest.fixture
def toolchain(request: pytest.FixtureRequest) -> Toolchain:
    """What the row needs that ``@pytest.mark.client`` or ``@pytest.mark.snippet`` names.

    The test is skipped, loudly, where a program of that row is missing.
    """
    mark = request.node.get_closest_marker("snippet") or request.node.get_closest_marker("client")
    assert mark, "which row of clients.toml? @pytest.mark.client(name)"
    found = Toolchain(ROWS[mark.args[0]])
    found.require()
    return found


@pytest.fixture
def snippet(stack: Stack, toolchain: Toolchain) -> str:
    """The snippet of the row that ``@pytest.mark.snippet`` names, as the set-up page shows it."""
    row = toolchain.row
    told = {name: row[name] for name in Client.__dataclass_fields__ if name in row}
    return Client(**told).fill(stack.url, stack.key).text.strip()
