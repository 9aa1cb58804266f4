"""What the shipped clients are to the server: their table, what to paste, what is installed."""

import io
import runpy
import zipfile
from pathlib import Path

import httpx
import pytest
from fixtures_dashboard import Dashboard

from errorstack_live.web.client import Client, Shelf, shelf

ROOT = Path(__file__).parent.parent
WHEEL = "errorstack_client-0.1.0-py3-none-any.whl"


def test_a_snippet_is_filled_by_whole_words() -> None:
    client = Client("x", "X", "Shell", "sh", "It.", "sh", "URL KEY CURLOPT_URL KEYS URLS")
    assert client.fill("http://a.b", "k").text == "http://a.b k CURLOPT_URL KEYS URLS"


def test_groups_stand_together() -> None:
    groups = [each.of.group for each in shelf().filled("http://a.b", "k")]
    assert groups == sorted(groups, key=list(dict.fromkeys(groups)).index)


def test_the_empty_view_offers_a_few_and_curl_first() -> None:
    quick = [each.name for each in shelf().quick("http://a.b", "k")]
    assert quick[0] == "curl"
    assert len(quick) <= 7


def test_a_server_that_was_not_packed_has_none(tmp_path: Path) -> None:
    empty = Shelf(tmp_path)
    assert empty.filled("http://a.b", "k") == empty.quick("http://a.b", "k") == []


def test_packing_gives_the_same_bytes_again() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "pack-clients"))
    rows = script["tomllib"].loads((ROOT / "clients" / "clients.toml").read_text())["client"]
    packed = [script["pack"](row, script["shipped"](row)) for row in rows if "archive" in row]
    again = [script["pack"](row, script["shipped"](row)) for row in rows if "archive" in row]
    assert packed == again


def test_the_documentation_is_of_this_table() -> None:
    script = runpy.run_path(str(ROOT / "scripts" / "pack-clients"))
    rows = script["tomllib"].loads((ROOT / "clients" / "clients.toml").read_text())["client"]
    written = (ROOT / "docs" / "clients.md").read_text()
    assert written == script["page"](rows), "scripts/pack-clients --docs writes it anew"


async def test_archives_are_for_everybody(http: httpx.AsyncClient) -> None:
    answer = await http.get(f"/clients/{WHEEL}")
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "public, no-cache"
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert "errorstack_client/__init__.py" in names
    assert not [name for name in names if "test" in name]
    again = await http.get(f"/clients/{WHEEL}", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("name", ["clients.toml", "nothing.zip", "..%2fapp.py", "%2e%2e/app.py"])
async def test_nothing_else_is_there(http: httpx.AsyncClient, name: str) -> None:
    assert (await http.get(f"/clients/{name}")).status_code == 404


async def test_the_set_up_page_has_them_all(dashboard: Dashboard) -> None:
    visitor = await dashboard.signed_in()
    key = dashboard.stack.keys[0].key
    for each in shelf().filled("http://localhost", key):
        page = await visitor.get(f"{dashboard.page}/setup?client={each.name}")
        assert each.text in page.elements.text
        assert {"href": f"?client={each.name}", "aria-current": "true"} in page.elements.all("a")
