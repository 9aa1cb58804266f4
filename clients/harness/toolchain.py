"""What a client runs on: programs of the machine, and packages in a folder of their own."""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "clients"
CACHE = ROOT / ".cache" / "clients"
"""What npm and pip installed: kept between runs, made anew when a version in the table changes."""
INSTALL_S = 900
MISSING = "MISSING TOOLCHAIN"

Row = Mapping[str, Any]
ROWS: dict[str, Row] = {
    row["name"]: row for row in tomllib.loads((CLIENTS / "clients.toml").read_text())["client"]
}


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What one row of the table needs, and its folder."""

    row: Row

    @property
    def folder(self) -> Path:
        """The client's own folder."""
        return CLIENTS / str(self.row.get("folder", self.row["name"]))

    def require(self, *programs: str) -> None:
        """Skip the test, loudly, where one of these programs, or of the row's, is missing."""
        for program in (*self.row.get("programs", ()), *programs):
            if not has(program):
                packages = " ".join(self.row.get("apt", ()))
                way = f"apt-get install {packages}, or make test-clients as root"
                pytest.skip(
                    f"*** {MISSING}: no {program} here, so {self.row['name']} was not tried: "
                    f"{way if packages else 'Debian has none'} ***"
                )

    def node_modules(self, *packages: str) -> Path:
        """A node_modules with these packages, or the row's, as ``name@version`` or a path."""
        wanted = packages or tuple(self.row.get("npm", ()))
        return _made("npm", wanted, _npm_install) / "node_modules"

    def python(self, *packages: str, at_least: tuple[int, int] = (3, 11)) -> Path:
        """The Python of an environment with these packages, or the row's, as pip names them.

        Skips the test, loudly, where there is no Python as new as that.
        """
        wanted = packages or tuple(self.row.get("pip", ()))
        base = _interpreter(at_least)
        if base is None:
            pytest.skip(
                f"*** {MISSING}: no Python {at_least[0]}.{at_least[1]} here, so {' '.join(wanted)} "
                f"was not tried ***"
            )
        return _made("venv", (base, *wanted), _pip_install) / "bin" / "python"


def _interpreter(at_least: tuple[int, int]) -> str | None:
    """A Python of this machine that is new enough, ours if it is."""
    if sys.version_info >= at_least:
        return sys.executable
    for minor in range(at_least[1], at_least[1] + 4):
        for name in (f"python{at_least[0]}.{minor}", *_pyenv(f"{at_least[0]}.{minor}.*")):
            words = [name, "-c", "import sys, venv; print(sys.executable)"]
            try:
                done = subprocess.run(words, capture_output=True, text=True, check=False)
            except FileNotFoundError:
                continue
            if done.returncode == 0:  # a shim may be there without what it stands for
                return done.stdout.strip()
    return None


def _pyenv(pattern: str) -> list[str]:
    """Pythons that pyenv has installed, whether it offers them now or not."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    return [str(path) for path in sorted(root.glob(f"versions/{pattern}/bin/python"))]


def has(program: str) -> bool:
    """Whether the machine has a program of this name, or a file of this path."""
    return Path(program).exists() if "/" in program else bool(shutil.which(program))


def _made(kind: str, wanted: Sequence[str], make: Callable[[Path, Sequence[str]], None]) -> Path:
    """The folder that ``make`` filled with what is wanted, now or in an earlier run."""
    told = "\n".join([sys.version, *wanted])
    folder = CACHE / f"{kind}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder, wanted)
        (folder / "ready").touch()
    return folder


def _npm_install(folder: Path, wanted: Sequence[str]) -> None:
    (folder / "package.json").write_text('{"private": true}')
    options = ("--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts")
    _run([str(ROOT / "scripts" / "npm"), "--prefix", str(folder), "install", *options, *wanted])


def _pip_install(folder: Path, wanted: Sequence[str]) -> None:
    base, *packages = wanted
    _run([base, "-m", "venv", str(folder)])
    options = ("--quiet", "--disable-pip-version-check")
    _run([str(folder / "bin" / "python"), "-m", "pip", "install", *options, *packages])


def _run(words: list[str]) -> None:
    done = subprocess.run(
        words, capture_output=True, text=True, timeout=INSTALL_S, env=os.environ, check=False
    )
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
