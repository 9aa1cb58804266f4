"""What people paste, what people install, and what they wrote years ago."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import php
from harness.live import Live
from harness.report import Report
from harness.stack import Stack
from harness.toolchain import CLIENTS, Toolchain

Program = Callable[..., Path]
Ini = dict[str, str]


@pytest.mark.snippet("php")
def test_the_snippet(
    snippet: str, stack: Stack, live: Live, report: Report, ini: Ini, platform: str, tmp_path: Path
) -> None:
    install, program = snippet.split("\n", 1)
    assert install.startswith("// curl -sO http://127.0.0.1")
    subprocess.run(["sh", "-c", install[3:]], cwd=tmp_path, check=True, timeout=60)
    (tmp_path / "pasted.php").write_text(f"<?php\n{program}\nthrow new LogicException('boom');")
    php.run(tmp_path / "pasted.php", ini=ini)
    titles = {error["title"] for error in stack.errors(2)}
    assert titles == {"Hello from PHP", "LogicException: boom"}
    assert {error["title"] for error in live.errors(2)} == titles
    report("php", platform, live_ms=live.lags_ms[0])


@pytest.mark.client("php")
def test_composer_finds_the_class(toolchain: Toolchain) -> None:
    package = json.loads((toolchain.folder / "composer.json").read_text())
    assert package["autoload"] == {"classmap": ["ErrorStackClient.php"]}
    source = (toolchain.folder / "ErrorStackClient.php").read_text()
    assert f"const VERSION = '{package['version']}'" in source


@pytest.mark.client("php")
@pytest.mark.usefixtures("toolchain")
def test_the_class_of_the_old_api_page(stack: Stack, live: Live, ini: Ini, report: Report) -> None:
    """It is kept as it was: curl with an array, which is multipart, and no time limit."""
    said = CLIENTS / "php" / "tests" / "api_page_class.php"
    done = php.run(said, stack.url, stack.key, ini=ini)
    assert done.code == 0, done.err
    (fields,) = stack.fields(1)
    assert fields == {"Msg": "Call to undefined function müsli()", "File": str(said), "Line": "56"}
    text, shown = stack.logs(2)
    assert text["text"] == "cart emptied after 3 tries"
    assert shown["json"] is True
    assert json.loads(shown["text"]) == {"user": 7, "cart": ["a", "b"]}
    assert [json.loads(line)["success"] for line in done.out.splitlines()] == [True] * 3
    live.errors(1)
    live.logs(2)
    report(
        "php, the API page's class",
        f"PHP {php.version()}",
        sent="multipart",
        stored="exactly",
        live_ms=live.lags_ms[0],
    )
