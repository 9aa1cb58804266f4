"""The API page: how to submit, with lines that work as they stand, and every shipped client."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from quart import Quart, g, render_template, request

from errorstack_live.errors import NotFound
from errorstack_live.model import Stack
from errorstack_live.paint import paint
from errorstack_live.web.auth import session
from errorstack_live.web.client import Client, Filled, shelf
from errorstack_live.web.origin import foreign_origin, public_url
from errorstack_live.web.state import state
from errorstack_live.web.view import living_key

NO_KEY = "KEY"
"""What stands for the key where none is known."""
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TEXT = "text/plain"


@dataclass(frozen=True, slots=True)
class Sample:
    """A line to paste and the same request for the page's own button; KEY and URL as in snippets.

    ``path`` is empty where a page cannot send the request. ``is_for_all``: works without a key.
    """

    label: str
    line: str
    path: str = ""
    body: str = ""
    content_type: str = FORM
    is_for_all: bool = False

    def fill(self, url: str, key: str) -> Self:
        """The sample for one server and one key."""

        def filled(text: str) -> str:
            return Client("", "", "", "", "", "", text).fill(url, key).text

        return type(self)(
            self.label,
            filled(self.line),
            filled(self.path),
            filled(self.body),
            self.content_type,
            self.is_for_all,
        )


_ORDER = '{"Msg": "payment failed", "level": "warning", "order": {"id": 1017, "total": 12.5}}'
_MANY = '[{"Msg": "first"}, {"Msg": "second", "level": "info"}]'
_STATE = '{"job": "backup", "files": 1017}'

SAMPLES: dict[str, tuple[Sample, ...]] = {
    "submit": (
        Sample(
            "Address",
            "curl 'URL/submit?_s=KEY&_r=json&Msg=Hello'",
            "/submit?_s=KEY&_r=json&Msg=Hello",
        ),
        Sample(
            "Form",
            "curl 'URL/submit' -d '_s=KEY' -d '_r=json' \\\n"
            "  --data-urlencode 'Msg=node died: café' -d 'host=web-1'",
            "/submit",
            "_s=KEY&_r=json&Msg=node%20died%3A%20caf%C3%A9&host=web-1",
        ),
        Sample(
            "JSON",
            f"curl 'URL/submit?_s=KEY&_r=json' \\\n  -H 'Content-Type: {JSON}' \\\n  -d '{_ORDER}'",
            "/submit?_s=KEY&_r=json",
            _ORDER,
            JSON,
        ),
        Sample(
            "Many at once",
            f"curl 'URL/submit?_s=KEY&_r=json' \\\n  -H 'Content-Type: {JSON}' \\\n  -d '{_MANY}'",
            "/submit?_s=KEY&_r=json",
            _MANY,
            JSON,
        ),
        Sample(
            "Plain text",
            "echo 'disk full on /var' | curl 'URL/submit?_s=KEY&_r=json' \\\n"
            f"  -H 'Content-Type: {TEXT}' --data-binary @-",
            "/submit?_s=KEY&_r=json",
            "disk full on /var\n",
            TEXT,
        ),
    ),
    "parts": (
        Sample(
            "First part",
            "curl 'URL/submit?_s=KEY&_r=json&_id=8f3a61c2&Msg=Out+of+memory&Line=210'",
            "/submit?_s=KEY&_r=json&_id=8f3a61c2&Msg=Out+of+memory&Line=210",
        ),
        Sample(
            "Second part",
            "curl 'URL/submit?_s=KEY&_r=json&_id=8f3a61c2&stack=render@runtime.js:210'",
            "/submit?_s=KEY&_r=json&_id=8f3a61c2&stack=render@runtime.js:210",
        ),
    ),
    "log": (
        Sample(
            "Text",
            "curl 'URL/log?_s=KEY&_r=json' --data-urlencode '_msg=deployed 2.4.1'",
            "/log?_s=KEY&_r=json",
            "_msg=deployed%202.4.1",
        ),
        Sample(
            "JSON",
            f"curl 'URL/log?_s=KEY&_r=json' -d '_t=json' \\\n  --data-urlencode '_msg={_STATE}'",
            "/log?_s=KEY&_r=json",
            "_t=json&_msg=%7B%22job%22%3A%20%22backup%22%2C%20%22files%22%3A%201017%7D",
        ),
        Sample(
            "Fields",
            "curl 'URL/log?_s=KEY&_r=json' -d 'job=backup' -d 'state=done'",
            "/log?_s=KEY&_r=json",
            "job=backup&state=done",
        ),
    ),
    "mark": (
        Sample(
            "Deployed",
            "curl 'URL/mark?_s=KEY' --data-urlencode '_msg=deployed 2.4.1'",
            "/mark?_s=KEY",
            "_msg=deployed%202.4.1",
        ),
    ),
    "replies": (
        Sample(
            "A wrong key",
            "curl -i 'URL/submit?_s=nobody&_r=json&Msg=Hello'",
            "/submit?_s=nobody&_r=json&Msg=Hello",
            is_for_all=True,
        ),
        Sample(
            "The picture",
            "curl -i 'URL/submit?_s=nobody&Msg=Hello' --output -",
            "/submit?_s=nobody&Msg=Hello",
            is_for_all=True,
        ),
    ),
}
"""By the section of the page they stand in."""


@dataclass(frozen=True, slots=True)
class Group:
    """Clients under one heading."""

    name: str
    clients: list[Filled]


def register(app: Quart) -> None:
    """Serve ``/docs/api`` to everybody; members see it with a stack's key."""

    @app.get("/docs/api")
    async def api_page() -> str:
        url, stacks = public_url(), await _stacks()
        stack = _chosen(stacks)
        key = living_key(stack) if stack else ""
        settings = state().settings
        g.connect_to = foreign_origin()
        return await render_template(
            "api.html",
            url=url,
            secure_url=_secure_url(url),
            alias=settings.ingest_alias,
            settings=settings,
            stacks=stacks,
            stack=stack,
            key=key or NO_KEY,
            has_key=bool(key),
            samples={
                name: [each.fill(url, key or NO_KEY) for each in samples]
                for name, samples in SAMPLES.items()
            },
            groups=_groups(url, key or NO_KEY),
            painted=lambda text, language: paint(text, language, (url, key)),
        )


async def _stacks() -> list[Stack]:
    """A member's stacks; strangers are told of none."""
    return list(await state().store.stacks.all()) if await session() else []


def _chosen(stacks: list[Stack]) -> Stack | None:
    """The stack that ``?stack=`` names, else the first. Raises NotFound for one that is not."""
    name = request.args.get("stack")
    if not stacks or name is None:
        return stacks[0] if stacks else None
    for each in stacks:
        if each.slug == name:
            return each
    raise NotFound("No such stack")


def _secure_url(url: str) -> str:
    """The server's own https address beside ``url``; empty where it has none."""
    settings = state().settings
    if settings.certfile is None or url.startswith("https://"):
        return ""
    host = urlsplit(url).hostname or ""
    return f"https://{f'[{host}]' if ':' in host else host}:{settings.tls_port}"


def _groups(url: str, key: str) -> list[Group]:
    groups: dict[str, list[Filled]] = {}
    for each in shelf().filled(url, key):
        groups.setdefault(each.of.group, []).append(each)
    return [Group(name, clients) for name, clients in groups.items()]
