"""A stack of a real server, seen by its owner: what was sent to it, and what is stored."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from click.testing import CliRunner
from serving import Served, eventually

from errorstack_live.cli import main

DEADLINE_S = 60.0
"""Longer than anything takes here, also on a machine with more to do."""
_commands = ThreadPoolExecutor(1, "command")
"""Commands have a loop of their own, so they run beside the loop of an asynchronous test."""


class Stack:
    """Where to send to (``url``, ``key``), and what has been stored."""

    def __init__(self, server: Served, name: str) -> None:
        self.server = server
        made = json.loads(self._say("stack", "create", name, "--json"))
        self.slug, self.key, self.url = str(made["slug"]), str(made["key"]), server.url

    @property
    def environ(self) -> dict[str, str]:
        """The environment for a client's program: ours, and where to send to."""
        return {**os.environ, "ERRORSTACK_URL": self.url, "ERRORSTACK_KEY": self.key}

    def fields(self, count: int) -> list[dict[str, Any]]:
        """The fields of everything stored, oldest first, when it is ``count`` errors."""
        return [error["fields"] for error in self.errors(count)]

    def errors(self, count: int) -> list[dict[str, Any]]:
        """The errors stored, oldest first; waits for them, and there may not be more."""
        found: list[dict[str, Any]] = eventually(
            lambda: self._at_least("errors", count), DEADLINE_S
        )
        assert len(found) == count, [error["title"] for error in found]
        return found

    def logs(self, count: int) -> list[dict[str, Any]]:
        """The log messages that are alive, oldest first; waits until there are ``count``."""
        found: list[dict[str, Any]] = eventually(lambda: self._at_least("logs", count), DEADLINE_S)
        return found

    def _at_least(self, what: str, count: int) -> list[dict[str, Any]] | None:
        lines = self._say(what, self.slug, "--json").splitlines()
        found = [json.loads(line) for line in reversed(lines)]
        return found if len(found) >= count else None

    def _say(self, *words: str) -> str:
        environ = {"ERRORSTACK_DATA_DIR": str(self.server.data_dir)}
        result = _commands.submit(CliRunner().invoke, main, words, env=environ).result()
        assert result.exit_code == 0, result.output
        return result.stdout
