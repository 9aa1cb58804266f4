"""A real server for the whole session, a stack of its own for each test, and what came to it."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from errorstack_client import Client

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests"))

from errorstack_live.cli import main  # noqa: E402
from serving import Served, eventually, served  # noqa: E402


class Stack:
    """A stack of the real server: where to send to, and what it has stored."""

    def __init__(self, server: Served, name: str) -> None:
        self._server = server
        made = json.loads(self._say("stack", "create", name, "--json"))
        self.slug, self.key, self.url = str(made["slug"]), str(made["key"]), server.url

    def fields(self, count: int) -> list[dict[str, Any]]:
        """The fields of everything stored, oldest first, when it is ``count`` errors."""
        return [error["fields"] for error in self.errors(count)]

    def errors(self, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = eventually(
            lambda: self._at_least("errors", count), deadline_s=20
        )
        assert len(found) == count
        return found

    def logs(self, count: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = eventually(lambda: self._at_least("logs", count), 20)
        return found

    def _at_least(self, what: str, count: int) -> list[dict[str, Any]] | None:
        lines = self._say(what, self.slug, "--json").splitlines()
        found = [json.loads(line) for line in reversed(lines)]
        return found if len(found) >= count else None

    def _say(self, *words: str) -> str:
        environ = {"ERRORSTACK_DATA_DIR": str(self._server.data_dir)}
        result = CliRunner().invoke(main, words, env=environ)
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture
def stack(server: Served, request: pytest.FixtureRequest) -> Stack:
    return Stack(server, request.node.name)


Connect = Callable[..., Client]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Makes clients that end with the test."""
    made: list[Client] = []

    def new(key: str, url: str, **chosen: Any) -> Client:
        made.append(Client(key, url, **chosen))
        return made[-1]

    yield new
    for client in made:
        client.close(0.2)


@pytest.fixture
def client(stack: Stack, connect: Connect) -> Client:
    return connect(stack.key, stack.url)
