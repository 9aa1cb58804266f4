"""C# compiled and run: on Mono, and on .NET Core out of a wheel, by the same compiler."""

import platform
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from harness.toolchain import CLIENTS, MISSING, ROWS, Toolchain

DOTNET = CLIENTS / "dotnet"
RUN_S = 60
CORE_CONFIG = """{"runtimeOptions": {
    "framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"},
    "configProperties": {"System.Globalization.Invariant": true}}}"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended, and what it said as ``name=value`` lines."""

    code: int
    said: dict[str, str]
    stderr: str


Program = Callable[..., Done]
"""Runs with these words."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A place to compile for and to run on; its folder has the library."""

    name: str
    """With its version."""
    folder: Path
    references: tuple[str, ...]
    command: tuple[str, ...]

    def compile(self, *sources: Path, out: str, options: Sequence[str] = ()) -> Path:
        """Compile a program against the library, into the platform's folder."""
        made = self.folder / out
        made.parent.mkdir(parents=True, exist_ok=True)
        _compile([*self.references, *options, f"-out:{made}", *map(str, sources)])
        made.with_suffix(".runtimeconfig.json").write_text(CORE_CONFIG)
        return made

    def run(self, program: Path, *words: str) -> Done:
        done = subprocess.run(
            [*self.command, str(program), *words],
            cwd=self.folder,  # where Mono leaves its files when it crashes
            capture_output=True,
            text=True,
            timeout=RUN_S,
            check=False,
        )
        lines = [line.partition("=") for line in done.stdout.splitlines()]
        return Done(done.returncode, {name: value for name, _, value in lines}, done.stderr)


def mono(folder: Path) -> Platform:
    """Mono with the library compiled for it. Skips, loudly, where there is no Mono."""
    Toolchain(ROWS["dotnet"]).require()
    told = subprocess.run(["mono", "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"version ([\d.]+)", told.stdout)
    references = ("-r:System.Net.Http.dll", "-define:MONO")
    return _with_library(f"Mono {version[1] if version else ''}", folder, references, ("mono",))


def core(folder: Path) -> Platform:
    """.NET Core out of the row's wheel, with the library compiled for it."""
    chain = Toolchain(ROWS["dotnet"])
    chain.require()
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        pytest.skip(f"*** {MISSING}: the wheel with .NET Core is for Linux on x86-64 ***")
    home = next(chain.python().parents[1].rglob("netstandard.dll")).parent
    found = [*home.glob("System.*.dll"), *home.glob("Microsoft.Win32.*.dll")]
    managed = sorted(path for path in found if ".Native" not in path.name)
    # Of its assemblies some name an older version of another: the compiler would warn of that.
    quiet = ("-nostdlib", "-noconfig", "-nowarn:1701,1702")
    references = (*quiet, *(f"-r:{path}" for path in managed))
    command = (str(home.parents[2] / "dotnet"),)
    return _with_library(f".NET Core {home.name}", folder, references, command)


def project(name: str) -> str:
    """A property of the library's project file."""
    found = ET.parse(DOTNET / "ErrorStack.csproj").find(f".//{name}")  # noqa: S314
    assert found is not None, name
    return found.text or ""


def _with_library(
    name: str, folder: Path, references: tuple[str, ...], command: tuple[str, ...]
) -> Platform:
    library = folder / "ErrorStack.dll"
    sources = map(str, sorted(DOTNET.glob("src/*.cs")))
    documented = f"-doc:{folder / 'ErrorStack.xml'}"  # or comments in the source are not checked
    _compile(["-target:library", *references, documented, f"-out:{library}", *sources])
    return Platform(name, folder, (*references, f"-r:{library}"), command)


def _compile(words: list[str]) -> None:
    command = ["mcs", f"-langversion:{project('LangVersion')}", "-warnaserror+", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
