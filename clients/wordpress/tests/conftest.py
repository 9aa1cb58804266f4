"""One WordPress for all tests: to install one takes half a minute."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from blog import Blog, blog
from harness import php
from harness.toolchain import ROOT, ROWS, Toolchain

ARCHIVE = ROOT / "errorstack_live" / "web" / "clients" / "errorstack.zip"


@pytest.fixture(scope="session")
def wordpress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blog]:
    """WordPress with a shop that fails; the plugin is there, activated, and without options."""
    Toolchain(ROWS["wordpress"]).require()
    php.need("mysqli")
    folder = tmp_path_factory.mktemp("wordpress")
    (folder / "tmp").mkdir()
    ini = {
        "sys_temp_dir": str(folder / "tmp"),
        "error_log": str(folder / "php.log"),
        "opcache.revalidate_freq": "0",  # these tests change files faster than people do
    }
    with blog(folder, ini) as installed:
        shop = installed.folder / "wp-content" / "plugins" / "a-shop"
        shop.mkdir()
        shutil.copy(Path(__file__).parents[1] / "example.php", shop / "shop.php")
        installed.activate("a-shop")
        installed.upload(ARCHIVE.read_bytes())
        yield installed
