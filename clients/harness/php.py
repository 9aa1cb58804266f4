"""PHP as its users run it: on a terminal, behind its own web server, and as php-fpm."""

import os
import pwd
import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from serving import eventually

from harness.toolchain import MISSING

RUN_S = 60
START_S = 20

Ini = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a program did, and for how long."""

    out: str
    err: str
    code: int
    spent_ms: float


def version() -> str:
    """PHP's version, 8.2.7."""
    return run("-r", "echo PHP_VERSION;").out


def run(*words: str | Path, ini: Ini | None = None, env: Mapping[str, str] | None = None) -> Ran:
    """Run PHP on a terminal to its end."""
    began = time.perf_counter()
    done = subprocess.run(
        ["php", *_options(ini), *map(str, words)],
        capture_output=True,
        timeout=RUN_S,
        check=False,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
    )
    spent_ms = (time.perf_counter() - began) * 1000
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    return Ran(out, err, done.returncode, spent_ms)


@dataclass(frozen=True, slots=True)
class Site:
    """A folder of PHP behind its own web server; each ask is a connection of its own."""

    url: str
    log: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=RUN_S)


@contextmanager
def site(
    folder: Path,
    *,
    log: Path,
    ini: Ini | None = None,
    router: Path | None = None,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
) -> Iterator[Site]:
    """Serve ``folder`` by ``php -S``, with two workers, until the block ends."""
    port = _free_port()
    words = ["php", *_options(ini), "-S", f"127.0.0.1:{port}", "-t", str(folder)]
    environ = {**os.environ, "PHP_CLI_SERVER_WORKERS": "2", **(env or {})}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*words, *([str(router)] if router else [])],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environ,
            cwd=folder,
            user=user,
            process_group=0,
        )
    try:
        eventually(lambda: _listens(port) or process.poll() is not None, START_S)
        assert process.poll() is None, log.read_text()
        yield Site(f"http://127.0.0.1:{port}", log)
    finally:
        # Its workers do not end with it, so the group that it leads is ended: ours, by its number.
        os.killpg(process.pid, 15)
        process.wait(RUN_S)


@dataclass(frozen=True, slots=True)
class Answer:
    """What php-fpm sent, and how long the web server, and so the visitor, waited for its end."""

    body: str
    spent_ms: float


@dataclass(frozen=True, slots=True)
class Fpm:
    """A php-fpm of one's own."""

    path: Path
    folder: Path

    def get(self, script: str, query: str = "") -> Answer:
        """Ask for a script, as a web server does: FastCGI 1.0, one connection for a request."""
        params = {
            "SCRIPT_FILENAME": str(self.folder / script),
            "SCRIPT_NAME": f"/{script}",
            "REQUEST_URI": f"/{script}?{query}",
            "QUERY_STRING": query,
            "REQUEST_METHOD": "GET",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "shop.example",
            "HTTP_USER_AGENT": "harness",
        }
        began = time.perf_counter()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(RUN_S)
            connection.connect(str(self.path))
            begin = _record(1, struct.pack(">HB5x", 1, 0))
            told = b"".join(_pair(name.encode(), text.encode()) for name, text in params.items())
            connection.sendall(begin + _record(4, told) + _record(4, b"") + _record(5, b""))
            body = b"".join(_outputs(connection))
        return Answer(
            body.decode(errors="replace").partition("\r\n\r\n")[2],
            (time.perf_counter() - began) * 1000,
        )


def need(*extensions: str) -> None:
    """Skip the test, loudly, where PHP lacks one of these extensions."""
    there = run("-r", "echo implode(' ', get_loaded_extensions());").out.lower().split()
    for extension in extensions:
        if extension not in there:
            pytest.skip(
                f"*** {MISSING}: this PHP has no {extension}: make test-clients as root ***"
            )


def fpm_program() -> str | None:
    """Where php-fpm is: Debian names it after the version, and not for all users' PATH."""
    found = sorted(Path("/usr/sbin").glob("php-fpm*"))
    return shutil.which("php-fpm") or (str(found[-1]) if found else None)


@contextmanager
def fpm(folder: Path, scratch: Path, ini: Ini | None = None) -> Iterator[Fpm]:
    """Run php-fpm with two workers for the scripts of ``folder``, until the block ends."""
    program = fpm_program()
    if not program:
        pytest.skip(f"*** {MISSING}: no php-fpm here: make test-clients as root ***")
    path = scratch / "fpm.socket"
    settings = "\n".join(
        f"php_admin_value[{name}] = {value}" for name, value in (ini or {}).items()
    )
    user = pwd.getpwuid(os.geteuid()).pw_name
    who = f"user = {user}\n" if os.geteuid() == 0 else ""
    (scratch / "fpm.conf").write_text(
        f"[global]\nerror_log = {scratch}/fpm.log\ndaemonize = no\n[www]\n{who}listen = {path}\n"
        f"pm = static\npm.max_children = 2\nclear_env = no\n{settings}\n"
    )
    root = ["--allow-to-run-as-root"] if os.geteuid() == 0 else []
    words = [program, "--nodaemonize", "--fpm-config", str(scratch / "fpm.conf"), *root]
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: _answers(path) or process.poll() is not None, START_S)
        assert process.poll() is None, (scratch / "fpm.log").read_text()
        yield Fpm(path, folder)
    finally:
        process.terminate()
        process.wait(RUN_S)


def _options(ini: Ini | None) -> list[str]:
    return [word for name, value in (ini or {}).items() for word in ("-d", f"{name}={value}")]


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def _pair(name: bytes, value: bytes) -> bytes:
    return struct.pack(">II", len(name) | 1 << 31, len(value) | 1 << 31) + name + value


def _outputs(connection: socket.socket) -> Iterator[bytes]:
    """What the script writes, until php-fpm says that the request is over."""
    with connection.makefile("rb") as stream:
        while header := stream.read(8):
            _, kind, _, size, padding = struct.unpack(">BBHHBx", header)
            content = stream.read(size + padding)[:size]
            if kind == 3:
                return
            if kind == 6:
                yield content
