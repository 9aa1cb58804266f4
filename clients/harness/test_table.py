"""The table keeps its own rules: each row has a folder, a README, a licence to exist: a test."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.toolchain import CLIENTS, ROOT, ROWS, Toolchain

KNOWN = {
    *("name", "folder", "label", "group", "platform", "summary", "language", "is_quick", "snippet"),
    *("archive", "ships", "also", "inside", "programs", "apt", "npm", "pip"),
}
FOLDERS = {
    path.name
    for path in CLIENTS.iterdir()
    if path.is_dir() and path.name != "harness" and path.name[0] not in "._"
}


def marked(mark: str) -> Iterator[str]:
    """The rows that tests are marked with: ``pytest.mark.snippet("curl")``."""
    for path in CLIENTS.glob("*/tests/**/test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{mark}":
                yield str(ast.literal_eval(node.args[0]))


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_whole(name: str) -> None:
    row, folder = ROWS[name], Toolchain(ROWS[name]).folder
    assert set(row) <= KNOWN
    assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
    assert row["summary"].endswith(".")
    assert (folder / "README.md").is_file()
    assert bool(row.get("archive")) == bool(row.get("ships"))
    assert not row.get("apt") or row.get("programs")  # else nobody knows what they are for


def test_every_folder_has_a_row() -> None:
    assert {Toolchain(row).folder.name for row in ROWS.values()} == FOLDERS


def test_every_snippet_is_pasted_by_a_test() -> None:
    assert set(marked("snippet")) == set(ROWS)


def test_what_snippets_install_is_served() -> None:
    text = "\n".join(row["snippet"] for row in ROWS.values())
    asked = set(re.findall(r"URL/clients/([\w.-]+)", text))
    assert asked <= {row["archive"] for row in ROWS.values() if "archive" in row}


def test_the_table_has_no_doubles() -> None:
    text = Path(CLIENTS / "clients.toml").read_text()
    assert len(ROWS) == text.count("\n[[client]]\n")
    assert (ROOT / "docs" / "clients.md").is_file()
