"""The shipped clients: their table, what to paste for each, and the archives people install.

All of it is packed from ``clients/`` at the root of the repository, by ``scripts/pack-clients``.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import structlog
from quart import Quart, Response, request

from errorstack_live.errors import NotFound
from errorstack_live.web.asset import File, read, reply

FOLDER = Path(__file__).parent / "clients"
TABLE = "clients.toml"
_WORDS = re.compile(r"\b(?:URL|KEY)\b")  # not the URL in PHP's CURLOPT

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Client:
    """One way to send; in ``snippet`` URL and KEY stand for the server's address and the key.

    ``name`` is unique; ``group`` is the heading it stands under; ``archive`` is what is installed,
    by its name under ``/clients/``, or empty. ``is_quick``: the empty live view offers it as well.
    """

    name: str
    label: str
    group: str
    platform: str
    summary: str
    language: str
    snippet: str
    archive: str = ""
    is_quick: bool = False

    def fill(self, url: str, key: str) -> "Filled":
        """What to paste for one server and one key."""
        words = {"URL": url, "KEY": key}
        text = _WORDS.sub(lambda word: words[word.group()], self.snippet)
        return Filled(self.name, self.label, text, self)


@dataclass(frozen=True, slots=True)
class Filled:
    """A client's snippet with address and key; ``of`` says more about it."""

    name: str
    label: str
    text: str
    of: Client


class Shelf:
    """The table of ``folder`` and its archives, read once; one that was not packed is empty."""

    def __init__(self, folder: Path = FOLDER) -> None:
        table = folder / TABLE
        if not table.is_file():
            _log.warning("clients_not_packed", folder=str(folder))
        rows = tomllib.loads(table.read_text("utf-8"))["client"] if table.is_file() else []
        self.clients = tuple(_client(row) for row in rows)
        self._files: dict[str, File] = {
            each.archive: read(folder / each.archive) for each in self.clients if each.archive
        }

    def filled(self, url: str, key: str) -> list[Filled]:
        """All snippets for one server and one key, in the order of their groups."""
        groups = list(dict.fromkeys(each.group for each in self.clients))
        ordered = sorted(self.clients, key=lambda each: groups.index(each.group))
        return [each.fill(url, key) for each in ordered]

    def quick(self, url: str, key: str) -> list[Filled]:
        """The few that the empty live view offers, the first as its default."""
        return [each.fill(url, key) for each in self.clients if each.is_quick]

    def size_bytes(self, archive: str) -> int:
        """How large an archive is."""
        return len(self._files[archive].content)

    def answer(self, name: str) -> Response:
        """Serve one archive; raises NotFound."""
        file = self._files.get(name)
        if file is None:
            raise NotFound("No such client")
        response = reply(file, is_packed=False)
        # A name stays while its content changes: whoever has it asks whether it is still the same.
        response.headers["Cache-Control"] = "public, no-cache"
        response.headers["Content-Disposition"] = f"attachment; filename={name}"
        return response


@cache
def shelf() -> Shelf:
    """What this installation ships."""
    return Shelf()


def register(app: Quart) -> None:
    """Serve the archives under ``/clients``, to everybody."""
    app.jinja_env.globals["archive_bytes"] = lambda name: shelf().size_bytes(name)

    @app.get("/clients/<name>")
    async def archive(name: str) -> Response:
        response = shelf().answer(name)
        await response.make_conditional(request)
        return response


def _client(row: Mapping[str, Any]) -> Client:
    told = {name: row[name] for name in Client.__dataclass_fields__ if name in row}
    return Client(**{**told, "snippet": row["snippet"].strip()})
