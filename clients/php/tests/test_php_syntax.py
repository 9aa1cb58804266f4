"""The oldest PHP that is promised can read what is shipped, whichever PHP runs these tests."""

import subprocess
from pathlib import Path

import pytest
from harness.toolchain import CLIENTS, Toolchain

PARSER = "php-parser@3.7.0"
OLDEST = 704
SHIPPED = [
    *CLIENTS.glob("php/*.php"),
    *CLIENTS.glob("wordpress/*.php"),
    *CLIENTS.glob("wordpress/includes/*.php"),
    *CLIENTS.glob("codeigniter/app/**/*.php"),
    *CLIENTS.glob("codeigniter/application/**/*.php"),
]
PARSE = f"""
const {{ Engine }} = require("php-parser");
const engine = new Engine({{ parser: {{ version: {OLDEST}, suppressErrors: false }} }});
for (const path of process.argv.slice(1)) {{
  engine.parseCode(require("fs").readFileSync(path, "utf8"), path);
}}
"""


@pytest.mark.client("php")
@pytest.mark.parametrize(
    ("more", "is_read"), [("", True), ("<?php $a = match (1) { 1 => 2 };", False)]
)
def test_it_is_php_7_4(toolchain: Toolchain, more: str, is_read: bool, tmp_path: Path) -> None:
    toolchain.require("node", "npm")
    newer = tmp_path / "newer.php"
    newer.write_text(more)
    modules = toolchain.node_modules(PARSER)
    words = ["node", "-e", PARSE, *map(str, SHIPPED), str(newer)]
    done = subprocess.run(
        words, cwd=modules.parent, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode == 0) is is_read, done.stderr
    assert len(SHIPPED) >= 12
