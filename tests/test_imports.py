"""Imports go down only: each floor of the package knows the floors below it and no other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import errorstack_live

PACKAGE = "errorstack_live"
ROOT = Path(errorstack_live.__file__).parent

# A module that is named nowhere here is of the pure floor, the strictest.
FLOORS = {
    "__init__": "pure",
    "settings": "settings",
    "diagnostics": "diagnostics",
    "demo": "demo",  # chance is given to it, but it must name its type
    "metrics": "metrics",
    "live": "live",
    "storage": "storage",
    "keys": "ingest",
    "ingest": "ingest",
    "web": "web",
    "cli": "cli",
    "__main__": "main",
}
BELOW = {
    "pure": set[str](),
    "settings": {"pure"},
    "diagnostics": {"pure"},
    "demo": {"pure"},
    "metrics": {"pure"},
    "live": {"pure"},
    "storage": {"pure", "settings"},
    "ingest": {"pure", "live"},
    "web": {"pure", "settings", "diagnostics", "metrics", "live", "storage", "ingest"},
    "cli": {
        "pure",
        "settings",
        "diagnostics",
        "metrics",
        "live",
        "storage",
        "ingest",
        "web",
        "demo",
    },
    "main": {"cli"},
}
# Libraries that only the named floors may import.
OWNERS = {
    "motor": {"storage"},
    "pymongo": {"storage"},
    "bson": {"storage"},
    "quart": {"web"},
    "quart_auth": {"web"},
    "quart_rate_limiter": {"web"},
    "quart_schema": {"web"},
    "werkzeug": {"web"},
    "hypercorn": {"web"},
    "wsproto": {"web"},
    "click": {"cli"},
    "rich": {"cli"},
    "httpx": {"cli"},
    "websockets": {"cli"},
    "prometheus_client": {"metrics"},
    "pydantic_settings": {"settings"},
}
# What the pure floor must not reach for: loops, clocks, chance, the outside.
IMPURE = {
    *("asyncio", "threading", "concurrent", "multiprocessing", "subprocess", "signal"),
    *("time", "random", "secrets", "uuid"),
    *("os", "io", "pathlib", "shutil", "tempfile", "socket", "ssl", "sys", "logging", "structlog"),
}
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if "__pycache__" not in path.parts)


def floor(name: str) -> str:
    """The floor of a module by its first name below the package."""
    return FLOORS.get(name.partition(".")[0] or "__init__", "pure")


def floor_of(path: Path) -> str:
    return floor(path.relative_to(ROOT).with_suffix("").parts[0])


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            yield from (f"{PACKAGE}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def offences(path: Path) -> Iterator[str]:
    here = floor_of(path)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name in imports(tree):
        library = name.partition(".")[0]
        if library == PACKAGE:
            there = floor(name.removeprefix(PACKAGE).lstrip("."))
            if there != here and there not in BELOW[here]:
                yield f"{here} imports {there}: {name}"
        elif here not in OWNERS.get(library, {here}):
            yield f"{here} imports {library}"
        elif here == "pure" and library in IMPURE:
            yield f"the pure floor imports {library}"
    if here == "pure":
        yield from clocks(tree)


def clocks(tree: ast.AST) -> Iterator[str]:
    """Calls like ``datetime.now()``: time comes in as an argument."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in CLOCKS:
            yield f"the pure floor reads the clock in line {node.lineno}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    assert list(offences(path)) == []


def test_breaches_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "decode.py").write_text(
        "import asyncio\nfrom datetime import datetime\nfrom errorstack_live.web import app\n"
        "from errorstack_live import settings\nimport pymongo.errors\ndatetime.now()\n"
    )
    assert len(list(offences(tmp_path / "decode.py"))) == 5
