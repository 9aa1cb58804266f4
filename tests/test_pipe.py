"""``some-job 2>&1 | errorstack pipe KEY``, as a shell runs it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Served, run, served
from test_lines import PYTHON

WORDS = [sys.executable, "-m", "errorstack_live", "pipe"]


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("data")) as running:
        yield running


def piped(text: bytes, *words: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [*WORDS, *words], input=text, capture_output=True, timeout=60, check=False
    )


def test_a_job_is_passed_on_and_sent(serving: Served) -> None:
    text = f"begins\nhalf a caf\xe9\n{PYTHON}\nends".encode("latin-1")
    done = piped(text, serving.key, "job=backup", "--url", serving.url)
    assert (done.returncode, done.stdout, done.stderr) == (0, text, b"")
    stored = run("errors", "first", "--json", data_dir=serving.data_dir).stdout
    assert '"title":"ZeroDivisionError: division by zero"' in stored
    assert '"job":"backup"' in stored
    logs = run("logs", "first", "--json", data_dir=serving.data_dir).stdout
    assert "begins\\nhalf a caf\N{REPLACEMENT CHARACTER}" in logs
    assert '"ends"' in logs


def test_every_line_quietly_through_the_database(serving: Served) -> None:
    done = piped(
        b"disk full\n", serving.key, "--every", "--quiet", "--data-dir", str(serving.data_dir)
    )
    assert (done.returncode, done.stdout) == (0, b"")
    stored = run("errors", "first", "disk", "--json", data_dir=serving.data_dir).stdout
    assert '"title":"disk full"' in stored


def test_lines_are_passed_on_as_they_come(serving: Served) -> None:
    process = subprocess.Popen(
        [*WORDS, serving.key, "--url", serving.url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    for line in (b"first\n", b"second\n"):
        process.stdin.write(line)
        process.stdin.flush()
        assert process.stdout.readline() == line
    process.stdout.close()  # like head: the job is not told
    process.stdin.write(b"error: third\n")
    process.stdin.close()
    assert process.wait(30) == 0
    stored = run("errors", "first", "third", "--json", data_dir=serving.data_dir).stdout
    assert '"title":"error: third"' in stored


@pytest.mark.parametrize(
    ("key", "url", "told"), [("k", "http://127.0.0.1:1", b"not all was sent"), ("k", "", b"")]
)
def test_a_job_is_not_held_up(serving: Served, key: str, url: str, told: bytes) -> None:
    text = b"".join(b"error %d\n" % number for number in range(3000))
    began = time.monotonic()
    done = piped(text, key, "--url", url or serving.url)
    assert time.monotonic() - began < 20
    assert (done.returncode, done.stdout) == (0, text)
    assert told in done.stderr
    assert url or b"Unknown stack key" in done.stderr


def test_a_job_goes_on_where_there_is_no_server(tmp_path: Path) -> None:
    done = piped(b"a\nb\n", "k", "--data-dir", str(tmp_path))
    assert (done.returncode, done.stdout) == (1, b"a\nb\n")
    assert b"No server runs on" in done.stderr


def test_a_wrong_pattern_is_told() -> None:
    done = piped(b"", "k", "--error-on", "(")
    assert done.returncode == 2
    assert b"is no regular expression" in done.stderr
