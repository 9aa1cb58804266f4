"""The set-up page's lines, in an environment where the client was installed from the server."""

import platform
import subprocess
from pathlib import Path

import pytest
from harness.live import Live
from harness.report import Report
from harness.stack import Stack
from harness.toolchain import Toolchain


@pytest.mark.snippet("python")
def test_it_is_installed_from_the_server(
    snippet: str, stack: Stack, live: Live, toolchain: Toolchain, tmp_path: Path, report: Report
) -> None:
    install, program = snippet.split("\n", 1)
    assert install.startswith("# pip install http://127.0.0.1")
    python = str(toolchain.python("pip"))
    options = ("--target", str(tmp_path), "--no-index", "--disable-pip-version-check")
    words = [python, "-m", "pip", "install", *options, install.split()[-1]]
    subprocess.run(words, check=True, timeout=120, capture_output=True)
    environ = {"PYTHONPATH": str(tmp_path)}
    subprocess.run([python, "-c", program], check=True, timeout=60, env=environ)
    assert stack.errors(1)[0]["title"] == "Hello from Python"
    assert live.errors(1)[0]["title"] == "Hello from Python"
    on = f"CPython {platform.python_version()}"
    report("python", on, sent="a logged error", stored="exactly", live_ms=live.lags_ms[0])
