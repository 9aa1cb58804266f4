"""The page of the REST API: every operation is on it, and its lines do what they say."""

import asyncio
import html
import re
import shlex
from collections.abc import AsyncIterator

import httpx
import pytest_asyncio
from fixtures_dashboard import Dashboard
from fixtures_server import Server, serving
from test_tail import submit

from errorstack_live.access import Scope
from errorstack_live.storage.mongo import Store
from errorstack_live.web.state import now

LINE = re.compile(
    r'<code id="line-((?:get|post|put|patch|delete)_[a-z_]+)">(.*?)</code>', re.DOTALL
)
NEEDS_MORE = re.compile(r"…|_ID|/[A-Z]{3,}")
"""A line with something to be filled in, as it takes what only its reader has."""


@pytest_asyncio.fixture
async def running(store: Store) -> AsyncIterator[Server]:
    async with serving(store) as found:
        yield found


async def test_strangers_see_every_operation_and_nothing_of_ours(dashboard: Dashboard) -> None:
    await dashboard.submit({"Msg": "boom"})
    page = await dashboard.visitor().get("/docs/rest")
    assert page.status == 200
    assert dashboard.stack.slug not in page.text
    description = (await dashboard.visitor().get("/api/v1/openapi.json")).json
    for path, methods in description["paths"].items():
        for about in methods.values():
            if not path.startswith("/v/"):
                assert f'id="{about["operationId"]}"' in page.text
                assert html.escape(path, quote=False) in page.text
    scripts = page.elements.all("script")
    assert all((each["src"] or "").startswith("/static/") for each in scripts)


async def curl(line: str, token: str) -> tuple[int, int]:
    """Run a line as its reader would; curl's exit code and the HTTP status."""
    words = shlex.split(line.replace("$TOKEN", token).replace("\\\n", " "))
    words += ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--max-time", "2"]
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    return process.returncode or 0, int(out)


async def test_its_lines_work_as_they_stand(running: Server) -> None:
    store = running.state.store
    await submit(running, "boom", level="error")
    member = await store.members.add("ada@example.org", "x", now())
    session = await store.sessions.create(member.id, now=now(), expires_at=now().replace(year=9000))
    _, token = await store.tokens.create(
        name="n", scope=Scope.WRITE, stacks=None, member_id=None, now=now(), expires_at=None
    )
    headers = {"Authorization": f"Bearer {session}"}
    async with httpx.AsyncClient(base_url=running.url, headers=headers) as http:
        page = (await http.get("/docs/rest")).text
    lines = {name: html.unescape(line) for name, line in LINE.findall(page)}
    ran = 0
    for name, line in sorted(lines.items(), key=lambda each: each[0].startswith("delete")):
        if NEEDS_MORE.search(line.replace(running.url, "")):
            continue
        code, status = await curl(line, token)
        needs_a_past = status in {404, 409} and not name.startswith("get_")  # nothing to undo yet
        assert 200 <= status < 300 or needs_a_past, (name, line, status)
        assert code == (28 if name in {"get_tail", "get_live"} else 0), name  # those never end
        ran += 1
    assert ran >= 20
    assert await store.stacks.all() != []  # one that was made by a line; the first is deleted
