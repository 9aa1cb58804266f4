"""The embedded mongod: found, started, kept running and stopped; nothing of what is in it.

One child process on loopback: a replica set of one node (change streams need one) in its own data
directory, with a password of its own, so that no other user of the machine can read it.
"""

import asyncio
import contextlib
import ctypes
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from base64 import b64encode
from pathlib import Path
from typing import Any, cast

import structlog
from pymongo.errors import PyMongoError

from errorstack_live.errors import SetupError
from errorstack_live.settings import Settings
from errorstack_live.storage.program import check_version, find_mongod
from errorstack_live.storage.replica import HOST, SET_NAME, Replica, client_of

OPLOG_MB = 512  # how long a feed may be away: 200,000 errors of 2.5 KB
START_DEADLINE_S = 120.0  # recovery after a kill reads the whole journal
STOP_DEADLINE_S = 20.0
START_BYTES = 64 << 20  # with less free disk mongod aborts while it starts
LOG_BYTES = 16 << 20  # a log past this is put aside at the next start; one older one is kept
MAX_RESTART_PAUSE_S = 10.0

_PORT_TAKEN = 48
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)

log = structlog.get_logger(__name__)


async def running(data_dir: Path) -> str | None:
    """The address of the embedded server that now serves this directory; None where none does."""
    note = _note(data_dir)
    if note is None:
        return None
    uri = str(note["uri"])
    client = client_of(uri, seconds=1.0)
    try:
        options = await client.admin.command("getCmdLineOpts")
    except PyMongoError:
        return None
    finally:
        client.close()
    path = options["parsed"].get("storage", {}).get("dbPath")
    return uri if path == str(_database_directory(data_dir)) else None


class Mongod:
    """The child of this process that serves ``settings.data_dir``.

    It ends with its parent, however that ends (Linux). When it dies by itself it is started again
    on the same port, so that every client reconnects. Start it from the main thread: the kernel
    ties the child's end to the thread that made it.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._directory = settings.data_dir.absolute()
        self._program = Path()
        self._password = ""
        self._process: Process | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self.port = 0
        self.restarts = 0

    @property
    def uri(self) -> str:
        """The address for clients, password included."""
        return self._replica().uri

    @property
    def pid(self) -> int | None:
        """The child's process id; None while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def free_bytes(self) -> int:
        """Free space on the disk of the data directory."""
        return shutil.disk_usage(self._directory).free

    async def start(self) -> str:
        """Start it and wait until it takes writes; returns its address.

        Raises SetupError with a clear message when it cannot be started.
        """
        self._program = find_mongod(self._settings)
        await asyncio.to_thread(check_version, self._program)
        self._prepare_directory()
        self.port = self._last_port() or _free_port()
        patience_ends = time.monotonic() + STOP_DEADLINE_S
        while True:
            try:
                await self._launch()
                break
            except _PortTakenError:  # somebody took it since it was seen free
                self.port = _free_port()
            except _InUseError:  # perhaps by the child of a server that was just killed
                if _is_served(self._directory) or time.monotonic() > patience_ends:
                    raise
                await asyncio.sleep(0.1)
        self._supervisor = asyncio.create_task(self._supervise())
        return self.uri

    async def stop(self) -> None:
        """Stop it cleanly; kill it when that takes too long. Does nothing when it is not up."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.gather(self._supervisor, return_exceptions=True)
            self._supervisor = None
        await self._end(self._process)
        (self._directory / "mongod.json").unlink(missing_ok=True)

    async def _launch(self) -> None:
        seen = self._log_file.stat().st_size if self._log_file.exists() else 0
        process = self._process = await asyncio.create_subprocess_exec(
            *self._command(),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal must reach the server first
            preexec_fn=_end_with_parent,
        )
        ready = asyncio.create_task(self._replica().make_ready())
        ended = asyncio.create_task(process.wait())
        try:
            await asyncio.wait(
                {ready, ended}, timeout=START_DEADLINE_S, return_when=asyncio.FIRST_COMPLETED
            )
            problem = self._problem(ready, process, seen)
            if problem is not None:
                raise problem  # noqa: TRY301  the same way out as a cancellation's
        except BaseException:
            await self._end(process)
            raise
        finally:
            for task in (ready, ended):
                task.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)
        self._write_note()

    def _command(self) -> list[str]:
        return [
            *(str(self._program), "--dbpath", str(_database_directory(self._directory))),
            *("--bind_ip", HOST, "--port", str(self.port), "--nounixsocket"),
            *("--replSet", SET_NAME, "--keyFile", str(self._key_file)),
            *("--oplogSize", str(OPLOG_MB), "--wiredTigerCacheSizeGB", f"{_cache_gb():.2f}"),
            # The default keeps three journal files of 100 MB on an empty database.
            *("--wiredTigerEngineConfigString", "log=(file_max=64MB,prealloc=false)"),
            *("--logpath", str(self._log_file), "--logappend", "--quiet", "--slowms", "2000"),
            *("--noscripting", "--setParameter", "diagnosticDataCollectionEnabled=false"),
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=0"),
        ]

    def _replica(self) -> Replica:
        return Replica(self.port, self._password, seconds=START_DEADLINE_S)

    async def _supervise(self) -> None:
        pause_s = 0.1
        while True:
            process = cast("Process", self._process)
            await process.wait()
            log.error("mongod died and is started again", code=process.returncode)
            self.restarts += 1
            try:
                await self._launch()
                pause_s = 0.1
            except (SetupError, OSError) as error:
                log.warning("mongod does not start", problem=str(error), again_in_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, MAX_RESTART_PAUSE_S)

    async def _end(self, process: Process | None) -> None:
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_DEADLINE_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _prepare_directory(self) -> None:
        try:
            _database_directory(self._directory).mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.free_bytes < START_BYTES:
                raise SetupError(
                    f"The disk of {self._directory} is full: {self.free_bytes >> 20} MB are free,"
                    f" the database needs at least {START_BYTES >> 20} MB to start."
                )
            if not self._key_file.exists():
                _write_secret(self._key_file, b64encode(secrets.token_bytes(48)).decode())
            self._password = hashlib.sha256(self._key_file.read_bytes()).hexdigest()
            if self._log_file.exists() and self._log_file.stat().st_size > LOG_BYTES:
                self._log_file.replace(self._log_file.with_suffix(".log.1"))
        except OSError as error:
            raise SetupError(f"The data directory cannot be used: {error}") from error

    @property
    def _key_file(self) -> Path:
        return self._directory / "mongod.key"

    @property
    def _log_file(self) -> Path:
        return self._directory / "mongod.log"

    def _log_since(self, start: int) -> str:
        try:
            with self._log_file.open("rb") as lines:
                lines.seek(start)
                return lines.read().decode(errors="replace")
        except OSError:
            return ""

    def _problem(
        self, ready: asyncio.Task[None], process: Process, log_start: int
    ) -> SetupError | None:
        code = process.returncode
        if ready.done():
            error = ready.exception()
            return SetupError(f"mongod runs but could not be set up: {error}") if error else None
        lines = self._log_since(log_start)
        if code == _PORT_TAKEN:
            return _PortTakenError(f"Port {self.port} of {HOST} is taken by another program.")
        if "DBPathInUse" in lines:
            return _InUseError(
                f"The data directory {self._directory} is in use by another mongod. Stop the"
                " program that runs on it, or choose another with --data-dir."
            )
        if code is None:
            return SetupError(f"mongod did not answer within {START_DEADLINE_S:.0f} s.")
        return SetupError(
            f"mongod ended with code {code} while it started.\n{_complaints(lines)}"
            f"  All it said is in {self._log_file}."
        )

    def _last_port(self) -> int | None:
        """The port of the last start, when it is still free."""
        try:
            port = int((self._directory / "mongod.port").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return port if _is_free(port) else None

    def _write_note(self) -> None:
        (self._directory / "mongod.port").write_text(str(self.port), encoding="utf-8")
        note = {
            "pid": self.pid,
            "port": self.port,
            "uri": self.uri,
            "parent": os.getpid(),
        }
        _write_secret(self._directory / "mongod.json", json.dumps(note))


class _PortTakenError(SetupError):
    """The port was taken between the look and the start."""


class _InUseError(SetupError):
    """Another mongod has the data directory."""


def _note(data_dir: Path) -> dict[str, Any] | None:
    """What the server of this directory wrote when it started."""
    try:
        note = json.loads((data_dir / "mongod.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) and {"uri", "parent"} <= note.keys() else None


def _is_served(data_dir: Path) -> bool:
    """Whether the program that started the mongod of this directory still runs."""
    note = _note(data_dir)
    if note is None:
        return True
    try:
        os.kill(int(note["parent"]), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _database_directory(data_dir: Path) -> Path:
    return data_dir.absolute() / "mongod"


def _end_with_parent() -> None:
    """Ask the kernel, in the new child, to stop it when its parent is gone."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _cache_gb() -> float:
    """A sixteenth of the machine's memory: a quarter of a GB (the least it takes) to one."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return min(1.0, max(0.25, memory / 16))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _complaints(lines: str) -> str:
    """The error lines of mongod's log, as a person reads them."""
    found = []
    for line in lines.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            entry = json.loads(line)
            if entry["s"] in "EF":
                found.append(f"  {entry['msg']} {json.dumps(entry.get('attr', {}))[:300]}\n")
    return "".join(found[:3])
