"""The wheel, as someone installs it who has Python and nothing else."""

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import httpx
import pytest
from serving import DEADLINE_S

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the files of the working tree, as ``make build`` does."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--wheel-dir", str(folder), str(ROOT)),
        ],
        check=True,
    )
    (built,) = folder.glob("errorstack_live-*.whl")
    return built


def test_the_wheel_holds_what_a_server_needs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    needed = (
        "py.typed",
        "web/static/.vite/manifest.json",
        "web/clients/clients.toml",
        "web/clients/beacon/1.0.0.js",
    )
    for name in needed:
        assert f"errorstack_live/{name}" in names
    assert any(name.startswith("errorstack_live/web/templates/") for name in names)
    assert any(name.endswith(".woff2") for name in names)
    assert not [name for name in names if "node_modules" in name or name.startswith("tests/")]


def test_it_serves_without_node(wheel: Path, tmp_path: Path) -> None:
    """In an environment that has our dependencies, but no source tree and no Node."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False, symlinks=True)
    (site,) = environment.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    zipfile.ZipFile(wheel).extractall(site)
    process = subprocess.Popen(
        [environment / "bin/python", "-m", "errorstack_live", "serve", "--port", "0", "--json"],
        env={"PATH": "/nowhere", "ERRORSTACK_DATA_DIR": str(tmp_path / "data"), "HOME": "/"},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        ready = json.loads(process.stdout.readline())
        page = httpx.get(ready["setup_url"])
        assert page.status_code == 200
        styles = [part.partition('"')[0] for part in page.text.split('href="') if ".css" in part]
        assert httpx.get(ready["url"] + styles[0]).status_code == 200
        sent = httpx.get(f"{ready['url']}/submit", params={"_s": ready["key"], "_r": "json"})
        assert sent.json()["success"] is True
    finally:
        process.terminate()
        assert process.wait(timeout=DEADLINE_S) == 0
        process.stdout.close()
