"""A MariaDB of one's own: on a socket in its own folder, without a port, gone with the block."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving import eventually

START_S = 120
SMALL = (
    *("--skip-networking", "--skip-log-bin", "--open-files-limit=1024"),
    *(
        "--innodb-buffer-pool-size=24M",
        "--innodb-log-file-size=4M",
        "--innodb-flush-log-at-trx-commit=0",
        "--performance-schema=OFF",
    ),
)


@contextmanager
def mariadb(database: str) -> Iterator[Path]:
    """Run MariaDB with an empty database of this name, open to ``root`` without a password.

    Yields its socket. As root it runs as the user ``mysql``: it refuses to be root itself.
    """
    user = "mysql" if os.geteuid() == 0 else None
    # Not below pytest's folder, which only its own user may enter.
    folder = Path(tempfile.mkdtemp(prefix="errorstack-mariadb-"))
    try:
        if user:
            shutil.chown(folder, user)
        data, path = folder / "data", folder / "socket"
        _prepare(data, user)
        with _running(data, path, user):
            _say(path, f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
            yield path
    finally:
        shutil.rmtree(folder)


def _prepare(data: Path, user: str | None) -> None:
    words = ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db"]
    options = ["--auth-root-authentication-method=normal"]
    done = subprocess.run(
        [*words, *options], user=user, capture_output=True, text=True, timeout=START_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _running(data: Path, path: Path, user: str | None) -> Iterator[None]:
    program = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    words = [program, "--no-defaults", f"--datadir={data}", f"--socket={path}", *SMALL]
    log = data / "log"
    process = subprocess.Popen(
        [*words, f"--log-error={log}", f"--pid-file={data}/pid"], user=user, cwd=data
    )
    try:
        eventually(lambda: path.exists() or process.poll() is not None, START_S)
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        process.wait(START_S)


def _say(path: Path, statement: str) -> None:
    words = ["mariadb", "--no-defaults", f"--socket={path}", "--user=root", "--execute", statement]
    subprocess.run(words, check=True, timeout=START_S, capture_output=True)
