"""Shell scripts and cron jobs, in every shell of this machine."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from harness.answering import STORED, answering
from harness.live import Live
from harness.report import Report
from harness.stack import Stack
from harness.toolchain import Toolchain
from harness.trouble import AWAY, Trouble
from serving import eventually

pytestmark = pytest.mark.client("shell")

SHELLS = [shell for shell in ("dash", "bash", "busybox", "zsh") if shutil.which(shell)]


def words(shell: str) -> list[str]:
    return ["busybox", "sh"] if shell == "busybox" else [shell]


def run(
    shell: str, program: str, environ: dict[str, str], cwd: Path
) -> "subprocess.CompletedProcess[str]":
    script = cwd / "backup.sh"
    script.write_text(program)
    return subprocess.run(
        [*words(shell), str(script)],
        cwd=cwd,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def at(url: str, key: str = "k") -> dict[str, str]:
    return {**os.environ, "ERRORSTACK_URL": url, "ERRORSTACK_KEY": key}


@pytest.fixture
def source(toolchain: Toolchain) -> str:
    """The line that brings the functions."""
    return f". {toolchain.folder}/errorstack.sh\n"


@pytest.mark.snippet("shell")
def test_pasted(snippet: str, stack: Stack, live: Live, tmp_path: Path, report: Report) -> None:
    done = run("sh", snippet, dict(os.environ), tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (fields,) = stack.fields(1)
    assert (fields["Msg"], fields["level"], fields["used"]) == (
        ("disk is nearly full", "warning", "93%")
    )
    assert stack.logs(1)[0]["text"] == "backup begins"
    assert live.errors(1)[0]["title"] == "disk is nearly full"
    curl = subprocess.run(["curl", "-V"], capture_output=True, text=True, check=True).stdout
    report("shell", f"curl {curl.split()[1]}", sent="a script's error", stored="exactly",
           live_ms=live.lags_ms[0])  # fmt: skip


@pytest.mark.parametrize("shell", SHELLS)
def test_odd_values_are_stored_as_sent(
    shell: str, source: str, stack: Stack, tmp_path: Path
) -> None:
    text = "café € & = % + ; 'x' \"y\" $HOME `id` @file"
    quoted = text.replace("'", "'\\''")
    program = f"{source}errorstack_submit '{quoted}' 'path=@/etc/passwd' 'empty=' '{quoted}'\n"
    environ = {**at(stack.url, stack.key), "ERRORSTACK_RELEASE": "2.4.1"}
    done = run(shell, program, environ, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (fields,) = stack.fields(1)
    assert (fields["Msg"], fields["path"], fields["empty"]) == (text, "@/etc/passwd", "")
    assert fields["release"] == "2.4.1"
    assert fields["File"] == str(tmp_path / "backup.sh")


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_that_dies_says_so(shell: str, source: str, stack: Stack, tmp_path: Path) -> None:
    program = f"{source}errorstack_watch\nset -e\nls /nowhere\necho not reached\n"
    done = run(shell, program, at(stack.url, stack.key), tmp_path)
    assert done.returncode > 0
    (error,) = stack.errors(1)
    assert error["title"] == f"backup.sh ended with {done.returncode}"
    assert (error["level"], error["fields"]["exit"]) == ("fatal", str(done.returncode))
    if shell == "bash":
        assert (error["fields"]["command"], error["fields"]["Line"]) == ("ls /nowhere", "4")


def test_a_script_that_does_not_is_silent(source: str, stack: Stack, tmp_path: Path) -> None:
    program = f"{source}errorstack_watch\nfalse || true\n"
    assert run("sh", program, at(stack.url, stack.key), tmp_path).returncode == 0
    run("sh", f"{source}errorstack_submit marker", at(stack.url, stack.key), tmp_path)
    assert [fields["Msg"] for fields in stack.fields(1)] == ["marker"]


@pytest.mark.parametrize("shell", SHELLS)
def test_repeats_and_floods_are_counted(shell: str, source: str, tmp_path: Path) -> None:
    with answering(STORED) as server:
        program = f"""{source}
        for n in 1 1 1 2 3 4; do errorstack_submit "number $n"; done
        _es_minute=0
        errorstack_submit later"""
        environ = {**at(server.url), "ERRORSTACK_PER_MINUTE": "3"}
        assert run(shell, program, environ, tmp_path).returncode == 0
        eventually(lambda: len(server.forms) == 4, 20)
    told = {form["Msg"]: form.get("NotSent") for form in server.forms}
    assert told == {"number 1": None, "number 2": "2", "number 3": None, "later": "1"}


@pytest.mark.parametrize("shell", SHELLS)
def test_scrub(shell: str, source: str, tmp_path: Path) -> None:
    with answering(STORED) as server:
        program = f"""{source}
        errorstack_scrub() {{ case $1 in user) echo "-" ;; *) printf %s "$2" ;; esac; }}
        errorstack_submit "paid" user=ann"""
        run(shell, program, at(server.url), tmp_path)
        (form,) = eventually(lambda: server.forms, 20)
    assert (form["Msg"], form["user"], form["_s"]) == ("paid", "-", "k")


def test_it_is_tried_again_with_the_same_id(source: str, tmp_path: Path) -> None:
    with answering(AWAY, STORED) as server:
        run("sh", f"{source}errorstack_submit once", at(server.url), tmp_path)
        first, second = eventually(lambda: len(server.forms) > 1 and server.forms, 20)
    assert first == second
    assert len(first["_id"]) == 32


def test_trouble(trouble: Trouble, source: str, tmp_path: Path, report: Report) -> None:
    """What 20 calls of both kinds take; starting a process is most of it."""
    calls = 'for n in 0 1 2 3 4 5 6 7 8 9; do errorstack_submit "$n"; errorstack_log "$n"; done'
    began = time.monotonic()
    done = run("sh", source + calls, at(trouble.url), tmp_path)
    cost_ms = (time.monotonic() - began) * 1000 / 20
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    report("shell", _curl(), added_ms={trouble.name: cost_ms})
    assert cost_ms < 150
    if trouble.server:
        eventually(lambda: trouble.server and trouble.server.forms, 20)


def _curl() -> str:
    said = subprocess.run(["curl", "-V"], capture_output=True, text=True, check=True).stdout
    return f"curl {said.split()[1]}"


def test_a_dying_script_is_not_held_up(trouble: Trouble, source: str, tmp_path: Path) -> None:
    began = time.monotonic()
    done = run("sh", f"{source}errorstack_watch\nexit 7\n", at(trouble.url), tmp_path)
    assert done.returncode == 7
    assert time.monotonic() - began < 5


def test_without_settings_nothing_happens(source: str, tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if "ERRORSTACK" not in name}
    program = f"{source}set -eu\nerrorstack_submit x; errorstack_log y; echo goes on"
    done = run("sh", program, environ, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on\n", "")


@pytest.mark.snippet("cron-wrapper")
def test_cron(snippet: str, stack: Stack, live: Live, tmp_path: Path) -> None:
    install, _, line = snippet.replace("/opt", str(tmp_path)).split("\n")
    subprocess.run(["sh", "-c", install], check=True, timeout=60)
    command = re.sub(r"^(\S+ ){5}", "", line)  # what cron gives to sh
    job = tmp_path / "backup"
    job.write_text("#!/bin/sh\necho 12 files\necho 'no space: é' >&2\nexit 9\n")
    job.chmod(0o755)
    command = command.replace("/usr/local/bin/backup", str(job))
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (9, "12 files\nno space: é\n", "")
    (error,) = stack.errors(1)
    assert (error["title"], error["level"]) == ("backup ended with 9", "fatal")
    fields = error["fields"]
    assert (fields["job"], fields["exit"]) == ("backup", "9")
    assert (fields["output"], fields["command"]) == ("12 files\nno space: é", str(job))
    job.write_text("#!/bin/sh\necho fine\n")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "fine\n")
    assert re.fullmatch(r"backup is done after \d s", stack.logs(1)[0]["text"])
    assert len(live.errors(1)) == 1


@pytest.mark.snippet("powershell")
def test_powershell(snippet: str, stack: Stack, tmp_path: Path) -> None:
    script = tmp_path / "program.ps1"
    script.write_text(snippet)
    subprocess.run(["pwsh", "-NoProfile", "-File", str(script)], cwd=tmp_path, check=True)
    (fields,) = stack.fields(1)
    assert fields["Msg"] == "Hello from PowerShell"
    assert fields["Type"] == "System.Management.Automation.RuntimeException"


def test_the_example(stack: Stack, toolchain: Toolchain) -> None:
    done = subprocess.run(["sh", toolchain.folder / "example.sh"], env=stack.environ, check=False)
    assert done.returncode == 3
    titles = {error["title"] for error in stack.errors(2)}
    assert titles == {"disk is nearly full", "example.sh ended with 3"}
