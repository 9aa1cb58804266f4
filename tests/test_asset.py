"""The built front end, as it is served."""

import gzip
import json
from pathlib import Path

import pytest
from quart import Quart, Response, request

from errorstack_live.errors import NotFound
from errorstack_live.web.asset import Assets

SCRIPT = b"console.log('hello');" * 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / ".vite").mkdir()
    (tmp_path / "assets" / "page-abc.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "geist.woff2").write_bytes(b"\0" * 100)
    (tmp_path / "favicon.svg").write_text("<svg/>")
    manifest = {"src/page.ts": {"file": "assets/page-abc.js"}}
    (tmp_path / ".vite" / "manifest.json").write_text(json.dumps(manifest))
    return tmp_path


@pytest.fixture
def app(folder: Path) -> Quart:
    app = Quart(__name__, static_folder=None)
    assets = Assets(folder)

    @app.get("/static/<path:name>")
    async def static(name: str) -> Response:
        try:
            response = assets.answer(name)
        except NotFound:
            return Response("", 404)
        await response.make_conditional(request)
        return response

    return app


def test_addresses(folder: Path) -> None:
    assets = Assets(folder)
    assert assets.url("src/page.ts") == "/static/assets/page-abc.js"
    assert assets.url("favicon.svg") == "/static/favicon.svg"


def test_a_front_end_that_was_not_built_is_no_failure(tmp_path: Path) -> None:
    assert Assets(tmp_path / "none").url("src/page.ts") == "/static/src/page.ts"


async def test_files(app: Quart) -> None:
    client = app.test_client()
    plain = await client.get("/static/assets/page-abc.js")
    assert await plain.get_data() == SCRIPT
    assert plain.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in plain.headers["Cache-Control"]
    packed = await client.get("/static/assets/page-abc.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(await packed.get_data(as_text=False)) == SCRIPT
    assert packed.headers["Vary"] == "Accept-Encoding"
    refused = {"Accept-Encoding": "gzip;q=0"}
    assert (
        "Content-Encoding"
        not in (await client.get("/static/assets/page-abc.js", headers=refused)).headers
    )
    font = await client.get("/static/assets/geist.woff2", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in font.headers
    icon = await client.get("/static/favicon.svg")
    assert "immutable" not in icon.headers["Cache-Control"]
    again = await client.get("/static/favicon.svg", headers={"If-None-Match": icon.headers["ETag"]})
    assert again.status_code == 304


async def test_nothing_beside_them(app: Quart) -> None:
    client = app.test_client()
    for name in (".vite/manifest.json", "../asset.py", "%2e%2e/asset.py", "assets", "none.js"):
        assert (await client.get(f"/static/{name}")).status_code == 404
