"""The embedded mongod: found, started, tied to its parent, started again, clear when it fails."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from fixtures_storage import eventually
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import OperationFailure

from errorstack_live.errors import SetupError
from errorstack_live.settings import load
from errorstack_live.storage import mongod as mongods
from errorstack_live.storage.mongo import Store
from errorstack_live.storage.mongod import Mongod, running
from errorstack_live.storage.program import find_mongod

PARENT = """
import asyncio, sys
from pathlib import Path
from errorstack_live.settings import load
from errorstack_live.storage.mongod import Mongod

async def main():
    mongod = Mongod(load(data_dir=Path(sys.argv[1])))
    await mongod.start()
    print(mongod.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def program(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


# Found


def test_the_setting_comes_first(tmp_path: Path) -> None:
    chosen = program(tmp_path / "other", "")
    assert find_mongod(load(mongod=chosen)) == chosen


def test_a_setting_that_names_no_program_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="ERRORSTACK_MONGOD"):
        find_mongod(load(mongod=tmp_path / "none"))


def test_then_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = program(tmp_path / "mongod", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_mongod(load()) == on_path


def test_then_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_mongod(load()).parts[-4:] == ("fiftyone", "db", "bin", "mongod")


def test_none_found_tells_three_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_wheel(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.metadata.distribution", no_wheel)
    with pytest.raises(SetupError) as told:
        find_mongod(load())
    for way in ("errorstack-live[local]", "ERRORSTACK_MONGOD", "ERRORSTACK_MONGODB_URI"):
        assert way in told.value.message


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("echo 'db version v4.4.29'", "MongoDB 4.4; 5.0 or newer is needed"),
        ("echo hello", "is not a mongod that runs here"),
        ("echo 'libcrypto.so.3: cannot open' >&2; exit 127", "libcrypto.so.3"),
    ],
)
async def test_a_program_that_cannot_serve(tmp_path: Path, says: str, told: str) -> None:
    old = program(tmp_path / "mongod", says)
    with pytest.raises(SetupError, match=told):
        await Mongod(load(mongod=old, data_dir=tmp_path / "data")).start()


# Started and stopped


async def test_a_whole_life(tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "data"
    mongod = Mongod(load(data_dir=directory))
    assert await running(directory) is None
    uri = await mongod.start()
    try:
        port = mongod.port
        assert await running(directory) == uri
        store = await Store.open(uri, "errorstack")
        assert store.is_replica_set
        made = await store.stacks.create("Kept", now=now(), retention_days=1)
        await store.close()
    finally:
        await mongod.stop()
    assert mongod.pid is None
    assert await running(directory) is None
    uri = await mongod.start()
    try:
        assert mongod.port == port
        store = await Store.open(uri, "errorstack")
        assert [each.id for each in await store.stacks.all()] == [made.id]
        await store.close()
    finally:
        await mongod.stop()


def test_its_secrets_are_its_owners(mongod: Mongod) -> None:
    directory = mongod._directory
    for name, mode in (("mongod.key", 0o600), ("mongod.json", 0o600), ("mongod", 0o700)):
        assert (directory / name).stat().st_mode & 0o777 == mode
    note = json.loads((directory / "mongod.json").read_text())
    assert (note["pid"], note["port"], note["uri"]) == (mongod.pid, mongod.port, mongod.uri)


async def test_nobody_else_reads_it(mongod: Mongod) -> None:
    stranger: AsyncIOMotorClient[dict[str, object]] = AsyncIOMotorClient(
        f"mongodb://127.0.0.1:{mongod.port}/?directConnection=true"
    )
    with pytest.raises(OperationFailure, match="requires authentication"):
        await stranger.errorstack.errors.find_one()
    stranger.close()


async def test_it_runs_no_scripts(store: Store) -> None:
    with pytest.raises(OperationFailure):
        await store.database.errors.find_one({"$where": "true"})


async def test_a_port_that_is_taken_is_changed(tmp_path: Path) -> None:
    """Also for a replica set that knows itself by the other port."""
    mongod = Mongod(load(data_dir=tmp_path))
    await mongod.start()
    port = mongod.port
    await mongod.stop()
    other = await asyncio.start_server(lambda _, out: out.close(), "127.0.0.1", port)
    async with other:
        uri = await mongod.start()
        try:
            assert mongod.port != port
            store = await Store.open(uri, "errorstack")
            await store.stacks.create("Writable", now=now(), retention_days=1)
            await store.close()
        finally:
            await mongod.stop()


async def test_a_port_taken_at_the_last_moment(tmp_path: Path) -> None:
    mongod = Mongod(load(data_dir=tmp_path))
    mongod._program = find_mongod(load())
    mongod._prepare_directory()
    with socket.create_server(("127.0.0.1", 0)) as taker:
        mongod.port = taker.getsockname()[1]
        with pytest.raises(SetupError, match=f"Port {mongod.port} of 127.0.0.1 is taken"):
            await mongod._launch()


async def test_a_directory_in_use(mongod: Mongod) -> None:
    began_at = time.monotonic()
    with pytest.raises(SetupError, match="in use by another mongod"):
        await Mongod(load(data_dir=mongod._directory)).start()
    assert time.monotonic() - began_at < 5
    assert await running(mongod._directory) == mongod.uri


async def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongods, "START_BYTES", 1 << 60)
    with pytest.raises(SetupError, match="is full"):
        await Mongod(load(data_dir=tmp_path)).start()


async def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="data directory cannot be used"):
        await Mongod(load(data_dir=tmp_path / "file" / "data")).start()


async def test_a_start_that_fails_tells_what_mongod_said(tmp_path: Path) -> None:
    (tmp_path / "mongod").mkdir()
    (tmp_path / "mongod" / "storage.bson").write_bytes(b"no bson")
    with pytest.raises(SetupError, match=r"ended with code \d+ while it started"):
        await Mongod(load(data_dir=tmp_path)).start()


async def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongods, "LOG_BYTES", 10)
    (tmp_path / "mongod.log").write_text("an old line\n")
    mongod = Mongod(load(data_dir=tmp_path))
    await mongod.start()
    await mongod.stop()
    assert (tmp_path / "mongod.log.1").read_text() == "an old line\n"


@pytest.mark.parametrize(
    "note", ["", "{", "[]", '{"uri": 1}', '{"uri": "mongodb://127.0.0.1:9", "parent": 1}']
)
async def test_a_note_that_says_nothing(tmp_path: Path, note: str) -> None:
    (tmp_path / "mongod.json").write_text(note)
    assert await running(tmp_path) is None


# Died


async def test_it_is_started_again_where_it_was(own_mongod: Mongod, own_store: Store) -> None:
    uri, pid = own_mongod.uri, own_mongod.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    async def is_back() -> bool:
        return own_mongod.pid not in {None, pid} and await running(own_mongod._directory) == uri

    await eventually(is_back)
    await own_store.stacks.create("Again", now=now(), retention_days=1)
    assert own_mongod.restarts == 1


async def test_it_ends_with_its_parent_and_leaves_the_directory(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout
    pid = int(await asyncio.wait_for(parent.stdout.readline(), 30))
    assert is_alive(pid)
    parent.kill()
    await parent.wait()
    mongod = Mongod(load(data_dir=tmp_path))
    await mongod.start()  # also while the old one is still on its way out
    await mongod.stop()
    assert not is_alive(pid)


def now() -> "datetime":
    return datetime.now(UTC)
