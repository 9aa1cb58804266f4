"""``errorstack serve`` as a process of its own, as its users start it."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

DEADLINE_S = 60.0
ERRORSTACK = (sys.executable, "-m", "errorstack_live")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: its process, its data directory and what it said when it was ready."""

    process: subprocess.Popen[str]
    data_dir: Path
    ready: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def key(self) -> str:
        return str(self.ready["key"])

    def submit(self, **fields: str) -> dict[str, Any]:
        data = {"_s": self.key, "_r": "json", **fields}
        return dict(httpx.post(f"{self.url}/submit", data=data, timeout=20).json())

    def stop(self) -> int:
        """Ask it to end, as an operator does, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=DEADLINE_S)


@contextmanager
def served(data_dir: Path, *options: str, **environ: str) -> Iterator[Served]:
    """Serve ``data_dir`` on a free port until the block ends."""
    process = start("serve", "--json", "--port", "0", *options, data_dir=data_dir, **environ)
    try:
        assert process.stdout
        yield Served(process, data_dir, json.loads(read_line(process.stdout)))
    finally:
        end(process)


def start(
    *words: str, data_dir: Path | None = None, stderr: int | None = None, **environ: str
) -> subprocess.Popen[str]:
    """Start an ``errorstack`` command whose output lines can be read as they come."""
    where = {"ERRORSTACK_DATA_DIR": str(data_dir)} if data_dir else {}
    return subprocess.Popen(
        [*ERRORSTACK, *words],
        env={**os.environ, **where, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        bufsize=1,
    )


def run(*words: str, data_dir: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run an ``errorstack`` command to its end."""
    process = start(*words, data_dir=data_dir, stderr=subprocess.PIPE)
    try:
        out, err = process.communicate(timeout=DEADLINE_S)
    finally:
        end(process)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def end(process: subprocess.Popen[str]) -> None:
    """Make sure that it has ended and that nothing of it is left open."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


def read_line(stream: IO[str], deadline_s: float = DEADLINE_S) -> str:
    """The next line; fails when none comes in time."""
    assert select.select([stream], [], [], deadline_s)[0], "nothing was said in time"
    return stream.readline()


def eventually(is_so: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
    """Wait until something is so, and return what it then is."""
    ends_at = time.monotonic() + deadline_s
    while not (found := is_so()):
        assert time.monotonic() < ends_at, "it did not become so in time"
        time.sleep(0.02)
    return found
