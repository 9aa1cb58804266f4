"""Applications of CodeIgniter 4, the real one, and of what stands in for CodeIgniter 3."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from harness import php
from harness.toolchain import ROWS, Toolchain

HERE = Path(__file__).parent
Application = Callable[[str], AbstractContextManager[php.Site]]


def unpack(snippet: str, folder: Path) -> list[str]:
    """Do what a snippet's first line says; the others."""
    first, *lines = snippet.split("\n")
    subprocess.run(["sh", "-c", first.partition(": ")[2]], cwd=folder, check=True, timeout=60)
    return lines


def served(folder: Path, public: Path, tmp_path: Path) -> AbstractContextManager[php.Site]:
    ini = {"sys_temp_dir": str(tmp_path / "tmp"), "error_log": str(tmp_path / "php.log")}
    (tmp_path / "tmp").mkdir(exist_ok=True)
    environ = {"CI_ENVIRONMENT": "production"}
    return php.site(public, log=folder / "site.log", ini=ini, env=environ)


@pytest.fixture
def four(tmp_path: Path) -> Application:
    """A CodeIgniter 4 with the controller Failing, and a snippet pasted."""

    @contextmanager
    def application(snippet: str) -> Iterator[php.Site]:
        row = Toolchain(ROWS["codeigniter"])
        php.need("intl", "mbstring")
        folder = tmp_path / "four"
        shutil.copytree(row.node_modules() / "codeigniter4", folder)
        shutil.copy(row.folder / "example.php", folder / "app" / "Controllers" / "Failing.php")
        lines = [line for line in unpack(snippet, folder) if not line.startswith("//")]
        config = folder / "app" / "Config" / "Logger.php"
        before, start, after = config.read_text().partition("public $handlers = [\n")
        threshold = before.replace("$threshold = 4", "$threshold = 9")
        config.write_text(threshold + start + "\n".join(lines) + after)
        with served(folder, folder / "public", tmp_path) as site:
            yield site

    return application


@pytest.fixture
def three(tmp_path: Path) -> Application:
    """What stands in for CodeIgniter 3, with a snippet pasted into the files that it names."""

    @contextmanager
    def application(snippet: str) -> Iterator[php.Site]:
        folder = tmp_path / "three"
        shutil.copytree(HERE / "standin3", folder)
        path = folder
        for line in unpack(snippet, folder):
            if line.startswith("// in "):
                path = folder / line.removeprefix("// in ").rstrip(":")
            else:
                with path.open("a") as config:
                    config.write(f"{line}\n")
        with served(folder, folder, tmp_path) as site:
            yield site

    return application
