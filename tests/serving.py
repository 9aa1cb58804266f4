"""``errorstack`` commands as processes of their own, as their users start them."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import httpx

DEADLINE_S = 60.0


class Command:
    """A running command. What it prints is read as it comes, or waited for."""

    def __init__(self, *words: str, data_dir: Path | None = None, **environ: str) -> None:
        where = {"ERRORSTACK_DATA_DIR": str(data_dir)} if data_dir else {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "errorstack_live", *words],
            env={**os.environ, **where, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.out = _Lines(self.process.stdout)
        self.err = _Lines(self.process.stderr)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def json(self, count: int) -> list[Any]:
        """The next lines of its output."""
        return [json.loads(self.out.line()) for _ in range(count)]

    def code(self, deadline_s: float = DEADLINE_S) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(timeout=deadline_s)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """See to it that it ends; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.code()
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.out.close()
            self.err.close()


class _Lines:
    """A stream's lines, read by a thread so that none of them is waited for in vain."""

    def __init__(self, stream: IO[str] | None) -> None:
        assert stream
        self._stream = stream
        self._lines: queue.Queue[str] = queue.Queue()
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    def line(self, deadline_s: float = DEADLINE_S) -> str:
        """The next line; fails when none comes in time, or ever."""
        line = self._lines.get(timeout=deadline_s)
        assert line, "it ended without a further line"
        return line

    def until(self, text: str) -> str:
        """Everything up to the line that holds ``text``."""
        lines = [self.line()]
        while text not in lines[-1]:
            lines.append(self.line())
        return "".join(lines)

    def rest(self) -> str:
        """Everything to the end of a command that ends."""
        return "".join(iter(lambda: self._lines.get(timeout=DEADLINE_S), ""))

    def close(self) -> None:
        self._thread.join(timeout=DEADLINE_S)
        self._stream.close()

    def _pump(self) -> None:
        for line in self._stream:
            self._lines.put(line)
        self._lines.put("")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server, and what it said when it was ready."""

    command: Command
    data_dir: Path
    ready: dict[str, Any]

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def key(self) -> str:
        return str(self.ready["key"])

    @property
    def pid(self) -> int:
        return self.command.process.pid

    def submit(self, **fields: str) -> dict[str, Any]:
        """Submit to the first stack."""
        data = {"_s": self.key, "_r": "json", **fields}
        return dict(httpx.post(f"{self.url}/submit", data=data, timeout=20).json())


@contextmanager
def served(data_dir: Path, *options: str, **environ: str) -> Iterator[Served]:
    """Serve ``data_dir``, on a free port unless one is named, until the block ends."""
    words = ["serve", "--json", "--port", "0", *options]
    with Command(*words, data_dir=data_dir, **environ) as command:
        yield Served(command, data_dir, json.loads(command.out.line()))


def run(*words: str, data_dir: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    with Command(*words, data_dir=data_dir) as command:
        out, err = command.out.rest(), command.err.rest()
        return subprocess.CompletedProcess(words, command.code(), out, err)


def eventually(is_so: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
    """Wait until something is so, and return what it then is."""
    ends_at = time.monotonic() + deadline_s
    while not (found := is_so()):
        assert time.monotonic() < ends_at, "it did not become so in time"
        time.sleep(0.02)
    return found
