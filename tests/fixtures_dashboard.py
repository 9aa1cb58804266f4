"""The pages and the API on a real database, with visitors that behave as browsers do."""

import itertools
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import pytest_asyncio
from argon2 import PasswordHasher
from quart import Quart

from errorstack_live.access import Member
from errorstack_live.model import Request, Stack, Submission
from errorstack_live.protocols import PROTOCOLS
from errorstack_live.settings import load
from errorstack_live.storage.mongo import Store
from errorstack_live.web.app import create_app
from errorstack_live.web.state import EXTENSION, State, now

EMAIL = "ada@example.org"
PASSWORD = "correct horse battery"
PASSWORD_HASH = PasswordHasher().hash(PASSWORD)
_numbers = itertools.count(1)
_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


@dataclass(frozen=True)
class Page:
    """What a visitor got."""

    status: int
    text: str
    headers: Any

    @property
    def location(self) -> str:
        return str(self.headers.get("Location", ""))

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def elements(self) -> "Elements":
        found = Elements()
        found.feed(self.text)
        found.close()
        return found


class Elements(HTMLParser):
    """A page's elements with their attributes, in order, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


@dataclass
class Visitor:
    """A browser of its own: it keeps cookies, and sends forms from the page it saw last."""

    client: Any
    scheme: str = "http"
    token: str = ""
    peer: str = "192.0.2.1"
    headers: dict[str, str] = field(default_factory=lambda: {"Sec-Fetch-Site": "same-origin"})

    async def get(self, path: str, **headers: str) -> Page:
        return await self._open(path, "GET", headers=headers)

    async def post(self, path: str, **form: str) -> Page:
        return await self._open(path, "POST", form={"form_token": self.token, **form})

    async def send_form(self, path: str, pairs: list[tuple[str, str]]) -> Page:
        """A form in which names come several times."""
        body = urlencode([("form_token", self.token), *pairs])
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return await self._open(path, "POST", headers=kind, data=body)

    async def send(self, method: str, path: str, body: Any = None, **headers: str) -> Page:
        """What a page's script sends."""
        return await self._open(path, method, headers=headers, json=body)

    async def sign_in(self, email: str = EMAIL, password: str = PASSWORD) -> Page:
        await self.get("/login")
        return await self.post("/login", email=email, password=password)

    async def _open(self, path: str, method: str, **sent: Any) -> Page:
        headers = {**self.headers, **sent.pop("headers", {})}
        if sent.get("json", 1) is None:
            del sent["json"]
        answer = await self.client.open(
            path,
            method=method,
            scheme=self.scheme,
            headers=headers,
            scope_base={"client": (self.peer, 50_000)},
            **sent,
        )
        text = await answer.get_data(as_text=True)
        if found := _TOKEN.search(text):
            self.token = found[1]
        return Page(answer.status_code, text, answer.headers)


@dataclass
class Dashboard:
    """A running dashboard with one member and one stack."""

    app: Quart
    state: State
    member: Member
    stack: Stack

    @property
    def page(self) -> str:
        return f"/s/{self.stack.slug}"

    @property
    def data(self) -> str:
        return f"/api/v1/stacks/{self.stack.slug}"

    def visitor(self, scheme: str = "http") -> Visitor:
        return Visitor(self.app.test_client(), scheme)

    async def signed_in(self) -> Visitor:
        """A visitor with a session of the member, as signing in gives it."""
        at = now()
        sessions = self.state.store.sessions
        token = await sessions.create(self.member.id, now=at, expires_at=at + timedelta(hours=1))
        visitor = self.visitor()
        cookie = self.app.extensions["QUART_AUTH"][0].dump_token(token, app=self.app)
        visitor.client.set_cookie("localhost", "errorstack", cookie)
        return visitor

    async def submit(self, fields: dict[str, Any], path: str = "/submit") -> str:
        """Send fields the way every error comes, and return the id of what was stored."""
        query = f"_s={self.stack.keys[0].key}&_r=json".encode()
        body = json.dumps(fields).encode()
        request = Request("192.0.2.7", "Probe/1.0", "", "beacon")
        submission = Submission("POST", query, body, len(body), "application/json", request, now())
        reply = await self.state.ingest.accept(PROTOCOLS[path], submission)
        said = json.loads(reply.body)
        assert said["success"], said
        return str(said.get("id", ""))

    async def reload(self) -> Stack:
        self.stack = await self.state.store.stacks.by_id(self.stack.id)
        return self.stack


@asynccontextmanager
async def running(store: Store) -> AsyncIterator[Dashboard]:
    app = create_app(load(role="dashboard"), store)._asgi
    assert isinstance(app, Quart)
    async with app.test_app():
        yield Dashboard(
            app,
            app.extensions[EXTENSION],
            await store.members.add(EMAIL, PASSWORD_HASH, now()),
            await store.stacks.create("Checkout prod", now=now(), retention_days=30),
        )


@pytest_asyncio.fixture
async def own_dashboard(store: Store) -> AsyncIterator[Dashboard]:
    """A dashboard of the test's own, for what throttles and counts."""
    async with running(store) as found:
        yield found


@pytest_asyncio.fixture(scope="module")
async def shared_dashboard(mongo_uri: str) -> AsyncIterator[Dashboard]:
    name = f"test_{os.getpid()}_dashboard_{next(_numbers)}"
    store = await Store.open(mongo_uri, name, logs_bytes=1 << 20)
    async with running(store) as found:
        yield found
    await store.client.drop_database(name)
    await store.close()


@pytest_asyncio.fixture
async def dashboard(shared_dashboard: Dashboard) -> Dashboard:
    """The dashboard of the module's tests, with a stack that nothing was sent to."""
    stacks = shared_dashboard.state.store.stacks
    stack = await stacks.create("Checkout prod", now=now(), retention_days=30)
    return replace(shared_dashboard, stack=stack)
