"""Every snippet of the set-up page, run as a person would who pasted it."""

import asyncio
import re
import shutil
import sys
from html import unescape
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fixtures_server import Server

from errorstack_live.query import EVERYTHING
from errorstack_live.web.snippet import SNIPPETS, Filled, filled
from errorstack_live.web.state import now

SHELL = {"curl", "json", "cron", "wget"}
TITLES = {"cron": "some-job failed on", "image": "Page was seen", "python": "Hello from Python"}


def snippet(server: Server, name: str) -> Filled:
    return next(each for each in filled(server.url, server.key) if each.name == name)


async def run(*words: str | Path) -> str:
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return (out + err).decode()


async def stored(server: Server) -> list[str]:
    stack = server.state.store.errors
    found = await stack.find(server.stack.id, EVERYTHING)
    return [error.title for error in found.errors]


@pytest.mark.parametrize("name", sorted(SHELL))
async def test_shell(server: Server, name: str) -> None:
    program = "wget" if name == "wget" else "curl"
    if not shutil.which(program):
        pytest.skip(f"no {program} here")
    said = await run("sh", "-c", snippet(server, name).text)
    assert '"success":true' in said.replace(" ", "") or name == "cron"
    assert (await stored(server))[0].startswith(TITLES.get(name, "Hello"))


async def test_log(server: Server) -> None:
    if not shutil.which("curl"):
        pytest.skip("no curl here")
    await run("sh", "-c", snippet(server, "log").text)
    alive = await server.state.store.logs.alive(server.stack.id, now())
    assert [message.text for message in alive] == ["deployed 2.4.1"]


async def test_python(server: Server, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(snippet(server, "python").text)
    assert not await run(sys.executable, program)
    assert await stored(server) == ["Hello from Python"]


async def test_node(server: Server, tmp_path: Path) -> None:
    if not shutil.which("node"):
        pytest.skip("no node here")
    program = tmp_path / "program.mjs"
    fails = 'setTimeout(() => {}, 50);\nprocess.on("uncaughtException", () => {});\n'
    program.write_text(f'{fails}{snippet(server, "node").text}\nthrow new TypeError("boom");')
    await run("node", program)
    assert await stored(server) == ["TypeError: boom"]


async def test_php(server: Server, tmp_path: Path) -> None:
    if not shutil.which("php"):
        pytest.skip("no php here")
    program = tmp_path / "program.php"
    program.write_text(f"<?php\n{snippet(server, 'php').text}\nthrow new LogicException('boom');")
    await run("php", program)
    assert await stored(server) == ["LogicException: boom"]


async def test_form(server: Server) -> None:
    text = snippet(server, "form").text
    action = re.search(r'action="([^"]+)" method="post"', text)
    assert action
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]+)"', text))
    async with httpx.AsyncClient() as client:
        answer = await client.post(action[1], data=fields)
    assert answer.headers["content-type"] == "image/gif"
    assert await stored(server) == ["Hello"]


async def test_image(server: Server) -> None:
    source = re.search(r'src="([^"]+)"', snippet(server, "image").text)
    assert source
    async with httpx.AsyncClient() as client:
        await client.get(unescape(source[1]))
    assert await stored(server) == [TITLES["image"]]


async def test_script(server: Server) -> None:
    """That it reports is tested in a browser, with the script itself."""
    text = snippet(server, "script").text
    source, key = re.findall(r'src="([^"]+)" data-stack="([^"]+)"', text)[0]
    async with httpx.AsyncClient() as client:
        script = await client.get(source)
    assert script.status_code == 200
    assert "data-stack" in script.text
    assert key == quote(server.key)


def test_all_of_them_are_tested() -> None:
    here = set(globals())
    assert all(each.name in SHELL or f"test_{each.name}" in here for each in SNIPPETS)
    assert len({each.name for each in SNIPPETS}) == len(SNIPPETS)
