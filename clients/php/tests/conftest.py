"""Programs that have the client, in a folder of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import php
from harness.toolchain import CLIENTS

SOURCE = CLIENTS / "php" / "ErrorStackClient.php"


@pytest.fixture
def ini(tmp_path: Path) -> dict[str, str]:
    """Settings of a PHP that keeps what it must remember in the test's own folder."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    return {
        "sys_temp_dir": str(temporary),
        "error_log": str(tmp_path / "php.log"),
        "display_errors": "0",
        "html_errors": "0",
    }


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Path]:
    """Writes a program: ``$errors`` is a client of ``url`` and ``key`` with these settings."""

    def write(
        code: str, url: str, key: str, settings: str = "[]", name: str = "program.php"
    ) -> Path:
        path = tmp_path / name
        begin = f"<?php require '{SOURCE}';"
        begin += f"$errors = ErrorStack\\Client::install('{key}', '{url}', {settings});\n"
        path.write_text(begin + code)
        return path

    return write


@pytest.fixture(scope="session")
def platform() -> str:
    return f"PHP {php.version()}"
